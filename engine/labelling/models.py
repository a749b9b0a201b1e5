"""Which model says what a row probably is: a run, a registered model, or a quick reader of the labels so far."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Config, Labels
from lemnis.engine.data import Version
from lemnis.engine.deploy.aliases import resolve
from lemnis.engine.deploy.registry import models
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.evaluate.subject import open_subject, predict
from lemnis.engine.labelling.candidates import Candidates
from lemnis.engine.labelling.reader import NAME, design, learnt_probabilities
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answering:
    """A model that can be asked.

    Attributes:
        name: For people and for the record: ``complaints v3``, ``run 12``.
        columns: What it reads.
        probabilities: Rows to class probabilities in the order of the declared classes, shape (rows, classes).
    """

    name: str
    columns: list[str]
    probabilities: "Callable[[pa.Table], Numbers]"


def registered_for(store: Store, column: str) -> str:
    """Return ``MODEL@champion`` of the first registered model that predicts this column; empty for none."""
    for model in models(store):
        try:
            found = resolve(store, f"{model.name}@champion")
        except LemnisError:
            continue
        target = store.value("select target from runs where id = ?", [found.run_id])
        if target == column:
            return f"{model.name}@champion"
    return ""


def trained_model(store: Store, reference: str, labels: Labels, threads: int) -> Answering:
    """Return the model of a run (by its number) or of the registry (MODEL@ALIAS).

    Raises:
        NotFound: There is none.
        BadInput: It predicts another column or no classes.
    """
    if reference.removeprefix("run ").isdecimal():
        run_id = int(reference.removeprefix("run "))
        name = f"run {run_id}"
    else:
        found = resolve(store, reference)
        run_id, name = found.run_id, f"{found.model} v{found.version}"
    subject = open_subject(store, run_id)
    signature = subject.signature
    if signature.target != labels.column or not signature.classes:
        raise BadInput(
            f"{name} answers {safe(signature.target)!r}, not the classes of {safe(labels.column)!r}.",
            "Name a model that was trained on this label, or `labels`.",
        )
    places = [labels.classes.index(text) if text in labels.classes else -1 for text in signature.classes]

    def probabilities(table: "pa.Table") -> Numbers:
        scores = predict(subject, table, threads=threads)
        if scores.ndim == 1:
            scores = np.column_stack([1 - scores, scores])
        found = np.zeros((table.num_rows, len(labels.classes)))
        for place, column in enumerate(places):
            if column >= 0:
                found[:, column] += scores[:, place]
        return found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12)

    return Answering(name, signature.names, probabilities)


def read_columns(version: Version, config: Config, column: str) -> list[str]:
    """Return the columns that the reader may look at: no key, no label, nothing that is known only afterwards."""
    return [c.name for c in version.columns if c.role == "feature" and c.name not in (column, *config.features.after)]


def reader_of(labelled: Candidates, given: list[str], labels: Labels, columns: list[str]) -> Answering:
    """Return a quick model of the labels so far.

    Args:
        labelled: Rows with a label, their `columns` read.
        given: Their labels.
        labels: The declared classes.
        columns: What it reads.
    """
    codes = np.array([labels.classes.index(text) for text in given], dtype=np.int64)

    def probabilities(table: "pa.Table") -> Numbers:
        import pyarrow as pa

        whole = pa.concat_tables([labelled.table.select(columns), table.select(columns)])
        matrix = design(whole, columns)
        known = len(labelled)
        return learnt_probabilities(matrix[:known], codes, matrix[known:], len(labels.classes))

    return Answering(f"{NAME} ({len(given)} rows)", columns, probabilities)
