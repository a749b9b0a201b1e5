"""What labelling hands out: queues, the row that is asked about, events, and what stands now."""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["order", "audit", "uncertainty", "disagreement", "drift", "split", "errors"]
EventKind: TypeAlias = Literal["label", "unsure", "skip", "note", "gold", "undo", "redo"]
AnswerKind: TypeAlias = Literal["label", "unsure", "skip", "note"]

KINDS: dict[Kind, str] = {
    "order": "rows without a label, in their order",
    "audit": "a random slice, kept apart so that figures over it are unbiased",
    "uncertainty": "rows that a model is least sure of",
    "disagreement": "rows that champion and challenger answer differently",
    "drift": "rows where the data moved most from the training rows",
    "split": "rows that labellers answered differently",
    "errors": "labels that are probably wrong",
}
RESOLVING: frozenset[Kind] = frozenset({"split", "errors"})  # an answer decides; it is no vote among others
HOW = {
    "gold": "decided",
    "single": "one person",
    "agreed": "all agree",
    "majority": "most say so",
    "split": "split",
}


class Queue(Struct, frozen=True, kw_only=True):
    """Rows that people are asked about, in order.

    Attributes:
        recipe: How the rows were chosen, in words.
        overlap: Share of the rows that two people are asked about.
        resolves: An answer decides what stands, whatever the votes say.
        rows: How many rows it has.
        done: Rows that as many people answered as are asked; a skip is no answer.
    """

    id: int
    labels: str
    kind: Kind
    version_id: str
    recipe: str
    overlap: float
    resolves: bool
    created_at: int
    created_by: str
    job_id: int | None
    rows: int
    done: int

    @property
    def title(self) -> str:
        """`queue 3 errors`."""
        return f"queue {self.id} {self.kind}"


class Item(Struct, frozen=True, kw_only=True):
    """One row of a queue.

    Attributes:
        place: From 0, in the order of asking.
        row_key: Its key columns, joined by ``|``.
        row_number: Its place in the version.
        score: Why it stands where it stands; None where the order says it.
        given: The label that is to be reviewed; None when there is nothing to review.
        suggested, suggested_share: A model's class and its probability; None without a model.
        suggested_by: Which model.
        wanted: How many people are to answer.
    """

    place: int
    row_key: str
    row_number: int
    score: float | None = None
    reason: str = ""
    given: str | None = None
    suggested: str | None = None
    suggested_share: float | None = None
    suggested_by: str = ""
    wanted: int = 1


class Answer(Struct, frozen=True, kw_only=True):
    """What a labeller says of one row.

    Attributes:
        value: The class of a `label`; None otherwise.
        took_ms: From the row on the screen to the key; None when nobody measured it.
        shown: The suggestion was on the screen.
    """

    kind: AnswerKind
    value: str | None = None
    note: str = ""
    took_ms: int | None = None
    shown: bool = False


class Event(Struct, frozen=True, kw_only=True):
    """One thing that somebody said of a row; never changed.

    Attributes:
        value: The class; None for what is no class, and for a decision that leaves the row open.
        target_id: The event that an `undo` or a `redo` is about.
        origin: The file it came from and who took it in; empty for what was said here.
    """

    id: int
    labels: str
    row_key: str
    labeller: str
    kind: EventKind
    value: str | None
    note: str
    queue_id: int | None
    place: int | None
    suggested: str | None
    suggested_share: float | None
    suggested_by: str
    suggestion_shown: bool
    took_ms: int | None
    target_id: int | None
    at: int
    origin: str


class Task(Struct, frozen=True, kw_only=True):
    """A row that somebody is asked about now.

    Attributes:
        cells: The columns of its card by name, as text; None is missing.
        mine: What this labeller said of it last in this queue; None for nothing (or undone).
        notes: What anybody noted of the row, oldest first, each with its labeller.
    """

    queue_id: int
    item: Item
    cells: dict[str, str | None]
    mine: Event | None
    notes: list[tuple[str, str]]


class Progress(Struct, frozen=True, kw_only=True):
    """How a queue stands for one labeller.

    Attributes:
        rows, done: Of the whole queue.
        mine: Rows this labeller answered or skipped.
        per_minute: Labels a minute over this labeller's last answers, pauses of over a minute counted as one; None
            before the second.
        balance: Rows per class over everything labelled so far, in the order of the classes.
        unsure: Rows that somebody is unsure of.
        reviewed, changed: Decisions about given labels, at most the last REVIEWED, and how many changed the label.
    """

    rows: int
    done: int
    mine: int
    per_minute: float | None
    balance: dict[str, int]
    unsure: int
    reviewed: int
    changed: int


class Resolved(Struct, frozen=True, kw_only=True):
    """What stands for one row: its class and how that came about (see HOW); no value where votes are split."""

    row_key: str
    value: str | None
    how: str
    votes: int
    at: int


class LabelSet(Struct, frozen=True, kw_only=True):
    """One declared question and how far it is.

    Attributes:
        key_of: The key of each class.
        balance: Resolved rows per class.
        labelled: Rows with a class that stands.
        audit: Of these, rows of the audit slice, which are kept out of training.
        split: Rows whose votes are split.
        unsure: Rows that somebody is unsure of.
        labellers: Votes that stand per person, most first.
    """

    name: str
    column: str
    question: str
    key_of: dict[str, str]
    show: list[str]
    balance: dict[str, int]
    labelled: int
    audit: int
    split: int
    unsure: int
    labellers: dict[str, int]


class Applied(Struct, frozen=True, kw_only=True):
    """What was handed to the dataset.

    Attributes:
        through_event: The last event that it knows; with the events it can be made again.
        rows: Rows with a label.
        kept_apart: Rows of the audit slice, which were left out.
        split: Rows that were left out because their votes are split.
        sha256: Of the file; the snapshot's `origin_sha256` is the same.
    """

    labels: str
    through_event: int
    rows: int
    kept_apart: int
    split: int
    sha256: str
    who: str
    at: int
