"""A failure type as a label queue: rows that a model got wrong for the same reasons, worst first, to be reviewed."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import re

import pyarrow as pa

from lemnis.engine.config import Labels, load_config
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.evaluate import EvaluateRoom, FailureType
from lemnis.engine.explore.labels import LabelsRoom, Queue
from lemnis.engine.explore.labels.cards import check_labelled, key_texts
from lemnis.engine.explore.labels.queues import make_queue
from lemnis.engine.explore.labels.records import Item
from lemnis.engine.features.signature import Signature
from lemnis.engine.store import Store


def queue_of(store: Store, run_id: int, place: int, who: str) -> Queue:
    """Make the queue of one failure type and return it; labels of the target are declared if there are none.

    Args:
        store: Of the workspace.
        run_id: Whose failures.
        place: Which type, from 0.
        who: Who wants it.

    Raises:
        NotFound: The run was not interpreted, or has no such type.
        BadInput: The target is a number, or the version has no key.
    """
    found = type_at(store, run_id, place)
    signature = Signature.load(store.workspace.run_dir(run_id) / "signature.json")
    if not signature.classes:
        raise BadInput(f"{signature.target} is a number; labels are classes.", "Look at the rows with w instead.")
    version = find_version(store, store.value("select version_id from runs where id = ?", [run_id]))
    name, labels = labels_of(store, signature, who, declare=False)
    check_labelled(version, name, labels)
    name, labels = labels_of(store, signature, who, declare=True)
    keys = read_table(version, list(version.keys)).take(pa.array([row.row for row in found.rows]))
    items = [
        Item(
            place=at,
            row_key=key,
            row_number=row.row,
            score=row.loss,
            given=row.actual or None,
            suggested_by=f"run {run_id}",
        )
        for at, (row, key) in enumerate(zip(found.rows, key_texts(keys, version.keys), strict=True))
        if key is not None
    ]
    recipe = f"errors of run {run_id}, worst first, {found.name}; {version.title}"
    return make_queue(store, name, "errors", version.id, items, recipe=recipe, who=who)


def type_at(store: Store, run_id: int, place: int) -> FailureType:
    """Return one failure type of a run.

    Raises:
        NotFound: The run was not interpreted, or has no such type.
    """
    found = EvaluateRoom(store).failures(run_id)
    if found is None or not 0 <= place < len(found.types):
        has = f"It has {len(found.types)}." if found else f"Look for them with `lemnis explain {run_id} --failures`."
        raise NotFound(f"Run {run_id} has no failure type {place + 1}.", has)
    return found.types[place]


def labels_of(store: Store, signature: Signature, who: str, *, declare: bool) -> tuple[str, Labels]:
    """Return the question about the target; where there is none it is made up, and declared if that is wanted."""
    declared = load_config(store.workspace.config).labels
    for name, labels in declared.items():
        if labels.column == signature.target:
            return name, labels
    base = re.sub(r"[^A-Za-z0-9_]+", "_", signature.target).strip("_") or "target"
    name = next(
        name for name in (f"{base}_review", *(f"{base}_review_{n}" for n in range(2, 1000))) if name not in declared
    )
    question = f"Is {signature.target} recorded right here?"
    labels = Labels(column=signature.target, classes=signature.classes, question=question)
    return name, LabelsRoom(store).declare(name, labels, who=who) if declare else labels
