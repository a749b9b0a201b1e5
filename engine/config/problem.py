"""What lemnis.toml declares of Problem: the question, what answers are worth, the criteria, how data is to arrive."""

from typing import Literal

from msgspec import field

from lemnis.engine.config.types import Count, Declared, Name, Share

DAY_MS = 86_400_000
CADENCES: dict[str, int] = {  # how long after an arrival the next one is due, in ms
    "hourly": DAY_MS // 24,
    "daily": DAY_MS,
    "weekly": 7 * DAY_MS,
    "monthly": 31 * DAY_MS,
    "quarterly": 92 * DAY_MS,
    "yearly": 366 * DAY_MS,
}


class Value(Declared, frozen=True):
    """Money per answered case, in the problem's currency; negative is a cost."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


class Criterion(Declared, frozen=True):
    """One success criterion; it is the gate a model must pass: give `min` or `max`."""

    metric: str
    min: float | None = None
    max: float | None = None
    on: Literal["train", "validation", "test"] = "test"
    why: str = ""


class Acquisition(Declared, frozen=True):
    """How one source is to arrive."""

    source: Name
    cadence: str = ""
    expected_rows: Count = 0
    owner: str = ""
    note: str = ""


class Problem(Declared, frozen=True):
    """What is to be answered, for whom, and what a right and a wrong answer are worth."""

    title: str = ""
    question: str = ""
    task: Literal["binary", "multiclass", "regression"] = "binary"
    target: str = ""
    unit: str = ""
    decided: str = ""
    owner: str = ""
    currency: str = "USD"
    threshold: Share = 0.5
    value: Value = Value()
    criteria: list[Criterion] = field(default_factory=list[Criterion])
    acquisition: list[Acquisition] = field(default_factory=list[Acquisition])
