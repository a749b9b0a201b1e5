"""The job that makes a label queue: reads candidates, asks models about them, keeps the best with their reasons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Config, Labels, load_config
from lemnis.engine.data import Version
from lemnis.engine.data.versions import find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.explore.labels.cards import check_labelled
from lemnis.engine.explore.labels.declared import declared_labels
from lemnis.engine.explore.labels.events import audit_keys, resolved, votes
from lemnis.engine.explore.labels.queues import make_queue
from lemnis.engine.explore.labels.records import KINDS, Item, Kind
from lemnis.engine.labelling.candidates import Candidates, read_candidates
from lemnis.engine.labelling.drift import drifted
from lemnis.engine.labelling.models import Answering, read_columns, reader_of, registered_for, trained_model
from lemnis.engine.labelling.reader import design, out_of_fold
from lemnis.engine.labelling.scores import disagreement, entropy, label_issues, margin

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

MOST_READ = 50_000  # rows whose text is read by one job


@dataclass(frozen=True, slots=True)
class Wish:
    """What a queue is to be made of: the job's arguments, with what stands of the labels."""

    context: "JobContext"
    config: Config
    version: Version
    labels: Labels
    name: str
    kind: Kind
    rows: int
    model: str
    by: str
    seed: int
    again: bool
    standing: dict[str, str]
    decided: set[str]
    audit: set[str] = field(default_factory=set[str])

    def fresh(self, key: str, given: str | None) -> bool:
        """Say whether a row may be asked about: without a label (unless `again`), and not of the audit slice."""
        return key not in self.audit and (self.again or (given is None and key not in self.standing))

    def read(self, columns: Sequence[str], accept: Callable[[str, str | None], bool], **options: Any) -> Candidates:
        """Return candidates of the version, telling the job's progress; see `read_candidates`."""

        def on_group(share: float, rows: int) -> None:
            self.context.progress(0.5 * share, f"{rows:,} candidates")

        options = {"most": MOST_READ, "seed": self.seed, **options}
        return read_candidates(self.version, self.labels.column, columns, accept, on_group=on_group, **options)


Made = tuple[list[Item], str]  # the rows, and how they were chosen


def queue(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Make the queue that `LabellingRoom.start_queue` asked for.

    Any: JSON. The result has the queue's id, its rows and how they were chosen.

    Raises:
        BadInput: No row fits, or there is nothing that a model could learn from.
        NotFound: A model or a part of the split is not there.
    """
    store, name = context.store, str(arguments["labels"])
    config, version = load_config(context.workspace.config), find_version(context.store, arguments["version"])
    labels = declared_labels(config, name)
    check_labelled(version, name, labels)
    context.progress(0.0, "reading the labels so far")
    standing = resolved(store, name)
    wish = Wish(
        context=context,
        config=config,
        version=version,
        labels=labels,
        name=name,
        **{word: arguments[word] for word in ("kind", "rows", "model", "by", "seed", "again")},
        standing={row.row_key: row.value for row in standing if row.value is not None},
        decided={row.row_key for row in standing if row.how == "gold"},
        audit=audit_keys(store, name),
    )
    items, recipe = MAKERS[wish.kind](wish)
    context.progress(0.95, "keeping the queue")
    made = make_queue(
        store,
        name,
        wish.kind,
        version.id,
        items[: wish.rows],
        recipe=f"{recipe}; {version.title}",
        who=str(arguments["who"]),
        overlap=float(arguments["overlap"]),
        job_id=context.job_id,
    )
    return {"queue": made.id, "labels": name, "kind": made.kind, "rows": made.rows, "recipe": made.recipe}


def plain_items(rows: Candidates) -> list[Item]:
    """Return rows as items without a score, in their order."""
    return [Item(place=place, row_key=key, row_number=int(rows.numbers[place])) for place, key in enumerate(rows.keys)]


def in_order(wish: Wish) -> Made:
    """Return the first rows without a label."""
    return plain_items(wish.read([], wish.fresh, most=wish.rows, first=True)), KINDS["order"]


def audit(wish: Wish) -> Made:
    """Draw rows evenly, whatever was labelled before, with what a registered model says of each for the record."""
    reference = wish.model or registered_for(wish.context.store, wish.labels.column)
    answering = trained_model(wish.context.store, reference, wish.labels, wish.context.cores) if reference else None
    columns = answering.columns if answering else []
    rows = wish.read(columns, lambda key, given: key not in wish.audit, most=wish.rows)
    order = np.argsort(_shuffled(rows.keys, wish.seed), kind="stable")
    rows = rows.take(order.astype(np.int64))
    items = plain_items(rows)
    if answering is not None and len(rows):
        items = suggested(rows, answering.probabilities(rows.table), wish.labels.classes, answering.name, None)
    return items, f"{KINDS['audit']}; drawn with seed {wish.seed}"


def _shuffled(keys: list[str], seed: int) -> NDArray[np.uint64]:
    from lemnis.engine.labelling.candidates import hashes

    return hashes(keys, seed + 1)  # not the hash of the draw, by which they are all small


def uncertainty(wish: Wish) -> Made:
    """Return the rows that a model is least sure of, those first."""
    answering = _answering(wish)
    rows = wish.read(answering.columns, wish.fresh)
    if not len(rows):
        return [], ""
    wish.context.progress(0.6, f"asking {answering.name} about {len(rows):,} rows")
    probabilities = answering.probabilities(rows.table)
    scores = entropy(probabilities) if wish.by == "entropy" else margin(probabilities)
    items = suggested(rows, probabilities, wish.labels.classes, answering.name, scores, wish.by)
    return best(items), f"{KINDS['uncertainty']}, by {wish.by} of {answering.name}"


def _answering(wish: Wish) -> Answering:
    """Return the model that the wish names; without a name the champion for this column, else the reader."""
    reference = wish.model or registered_for(wish.context.store, wish.labels.column) or "labels"
    if reference != "labels":
        return trained_model(wish.context.store, reference, wish.labels, wish.context.cores)
    columns = read_columns(wish.version, wish.config, wish.labels.column)
    known, given = _labelled(wish, columns)
    return reader_of(known, given, wish.labels, columns)


def _labelled(wish: Wish, columns: list[str]) -> tuple[Candidates, list[str]]:
    """Return the rows that have a label, outside the audit slice, and the label that stands for each."""
    classes = set(wish.labels.classes)

    def accept(key: str, given: str | None) -> bool:
        return key not in wish.audit and wish.standing.get(key, given) in classes

    known = wish.read(columns, accept)
    given = [wish.standing.get(key) or known.given[place] or "" for place, key in enumerate(known.keys)]
    return known, given


def disagreeing(wish: Wish) -> Made:
    """Return the rows that champion and challenger answer differently, the furthest apart first."""
    store, cores = wish.context.store, wish.context.cores
    name = (wish.model or registered_for(store, wish.labels.column)).partition("@")[0]
    if not name:
        raise BadInput(
            f"No registered model predicts {wish.labels.column!r}.",
            "Register and promote a champion and a challenger in Deploy (8).",
        )
    one = trained_model(store, f"{name}@champion", wish.labels, cores)
    two = trained_model(store, f"{name}@challenger", wish.labels, cores)
    rows = wish.read(list(dict.fromkeys([*one.columns, *two.columns])), wish.fresh)
    if not len(rows):
        return [], ""
    wish.context.progress(0.6, f"asking both models about {len(rows):,} rows")
    first, second = one.probabilities(rows.table), two.probabilities(rows.table)
    apart, classes = disagreement(first, second), wish.labels.classes
    items: list[Item] = []
    for place in np.flatnonzero(first.argmax(axis=1) != second.argmax(axis=1)).tolist():
        a, b = int(first[place].argmax()), int(second[place].argmax())
        items.append(
            Item(
                place=0,
                row_key=rows.keys[place],
                row_number=int(rows.numbers[place]),
                score=float(apart[place]),
                reason=f"{one.name} says {classes[a]} ({first[place, a]:.0%}), "
                f"{two.name} {classes[b]} ({second[place, b]:.0%})",
                suggested=classes[a],
                suggested_share=float(first[place, a]),
                suggested_by=one.name,
            )
        )
    return best(items), f"{KINDS['disagreement']}: {one.name} and {two.name}"


def in_drift(wish: Wish) -> Made:
    """Return the rows in the bins that hold more rows than in training, the most moved first."""
    columns = read_columns(wish.version, wish.config, wish.labels.column)
    rows, scores, reasons, recipe = drifted(wish.version, columns, wish.read, wish.fresh, wish.config.monitor.bins)
    items = [
        Item(place=0, row_key=key, row_number=int(rows.numbers[p]), score=float(scores[p]), reason=reasons[p])
        for p, key in enumerate(rows.keys)
        if scores[p] > 0
    ]
    return best(items), f"{KINDS['drift']}: {recipe}"


def split_votes(wish: Wish) -> Made:
    """Return the rows whose labellers said different things and that nobody decided."""
    said: dict[str, list[str]] = {}
    for vote in votes(wish.context.store, wish.name):
        if vote.value is not None:
            said.setdefault(vote.row_key, []).append(f"{vote.labeller}: {vote.value}")
    apart = {
        key: "; ".join(words)
        for key, words in said.items()
        if len({word.partition(": ")[2] for word in words}) > 1 and key not in wish.decided
    }
    rows = wish.read([], lambda key, given: key in apart)
    items = [
        Item(place=0, row_key=key, row_number=int(rows.numbers[p]), reason=apart[key])
        for p, key in enumerate(rows.keys)
    ]
    return items, KINDS["split"]


def probable_errors(wish: Wish) -> Made:
    """Return the labels that are probably wrong, the most certain first; what was decided before is left out."""
    columns = read_columns(wish.version, wish.config, wish.labels.column)
    known, given = _labelled(wish, columns)
    classes = wish.labels.classes
    codes = np.array([classes.index(text) for text in given], dtype=np.int64)
    wish.context.progress(0.5, f"reading {len(known):,} labelled rows")
    matrix = design(known.table, columns)

    def on_fold(fold: int) -> None:
        wish.context.progress(0.55 + 0.08 * fold, f"learning without fold {fold + 1} of 5")

    probabilities = out_of_fold(matrix, codes, len(classes), seed=wish.seed, on_fold=on_fold)
    found, likely, leads = label_issues(probabilities, codes)
    items: list[Item] = []
    for issue in range(found.size):
        row, other = int(found[issue]), int(likely[issue])
        if known.keys[row] in wish.decided:
            continue
        shares = probabilities[row]
        items.append(
            Item(
                place=0,
                row_key=known.keys[row],
                row_number=int(known.numbers[row]),
                score=float(leads[issue]),
                reason=f"{classes[other]} {shares[other]:.0%}, {given[row]} {shares[codes[row]]:.0%}",
                given=given[row],
                suggested=classes[other],
                suggested_share=float(shares[other]),
                suggested_by="confident learning, 5 folds",
            )
        )
    return items, f"{KINDS['errors']}: {len(items)} of {len(known):,} by confident learning over 5 folds"


def suggested(
    rows: Candidates,
    probabilities: NDArray[np.float64],
    classes: Sequence[str],
    name: str,
    scores: NDArray[np.float64] | None,
    by: str = "",
) -> list[Item]:
    """Return rows as items with the likeliest class of each, and their score where there is one."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    items: list[Item] = []
    for place, key in enumerate(rows.keys):
        top, next_ = int(order[place, 0]), int(order[place, 1])
        shares = probabilities[place]
        words = f"{classes[top]} {shares[top]:.0%}, {classes[next_]} {shares[next_]:.0%}"
        items.append(
            Item(
                place=place,
                row_key=key,
                row_number=int(rows.numbers[place]),
                score=None if scores is None else float(scores[place]),
                reason="" if scores is None else f"{by} {scores[place]:.2f}: {words}",
                suggested=classes[top],
                suggested_share=float(shares[top]),
                suggested_by=name,
            )
        )
    return items


def best(items: list[Item]) -> list[Item]:
    """Return items with the highest score first; equal ones keep their order."""
    return sorted(items, key=lambda item: -(item.score or 0.0))


MAKERS: dict[Kind, Callable[[Wish], Made]] = {
    "order": in_order,
    "audit": audit,
    "uncertainty": uncertainty,
    "disagreement": disagreeing,
    "drift": in_drift,
    "split": split_votes,
    "errors": probable_errors,
}
