"""What is asked of the what-if process and what it answers: one JSON document a line each way."""

from typing import TypeAlias

from msgspec import Struct

Cell: TypeAlias = str | float | bool | None  # a value as JSON has it; numbers are floats
Values: TypeAlias = dict[str, Cell]


class Open(Struct, frozen=True, kw_only=True, tag="open"):
    """Load a run's model and one row of its version, by its key or # and its number."""

    root: str
    run_id: int
    key: str


class Try(Struct, frozen=True, kw_only=True, tag="try"):
    """Answer the row with these values."""

    values: Values


class Flip(Struct, frozen=True, kw_only=True, tag="flip"):
    """Find what would change the answer of the row with these values."""

    values: Values


class Field(Struct, frozen=True, kw_only=True):
    """One feature of the row.

    Attributes:
        kind: number, truth or category.
        value: What the row has.
        steps: Values to step through: quantiles of held-out rows, or categories by how common they are.
        low, high: Range of a number in training; None where there was none.
        known: The categories that training saw.
    """

    name: str
    kind: str
    value: Cell
    steps: list[Cell]
    low: float | None = None
    high: float | None = None
    known: list[str] = []


class Tried(Struct, frozen=True, kw_only=True, tag="tried"):
    """The model's answer to a row.

    Attributes:
        score: Probability of the explained class, or the number.
        said: The answer in words: yes or no by the threshold for two classes, else the class; empty for a number.
        bias: What the model says of rows in general; with all amounts it sums to the raw score.
        amounts: What each feature adds, in the order of the fields; empty where the model does not tell.
    """

    score: float
    said: str
    raw: float
    bias: float
    amounts: list[float]


class Opened(Struct, frozen=True, kw_only=True, tag="opened"):
    """The row as it is.

    Attributes:
        answer: The class that is explained; empty for a number.
        threshold: From which score a yes-or-no question is answered with yes; None otherwise.
        actual: What was true, as text; empty if unknown.
    """

    key: str
    answer: str
    threshold: float | None
    actual: str
    fields: list[Field]
    first: Tried


class Change(Struct, frozen=True, kw_only=True):
    """One value in place of another."""

    feature: str
    before: str
    after: str


class Near(Struct, frozen=True, kw_only=True):
    """A real row with another answer.

    Attributes:
        distance: Gower's, 0..1.
        changes: Where it differs, the largest differences first.
    """

    key: str
    distance: float
    score: float
    said: str
    actual: str
    changes: list[Change]


class Flips(Struct, frozen=True, kw_only=True, tag="flips"):
    """What would change the answer.

    Attributes:
        near: The nearest real rows with another answer.
        single: Changes of one value that are enough, the smallest of each feature, smallest first.
        together: Where no single one is enough: the few that are, taken together; empty if none were found.
        scores: What the model answers after each of `single`, or after `together`.
        rows: Held-out rows that were looked through.
    """

    near: list[Near]
    single: list[Change]
    together: list[Change]
    scores: list[float]
    rows: int


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """Why there is no answer."""

    problem: str
    remedy: str
    place: str = ""


Question: TypeAlias = Open | Try | Flip
Answer: TypeAlias = Opened | Tried | Flips | Refused
