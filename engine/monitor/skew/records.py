"""Skew as records: shares against training with intervals, and the same rows through both pipelines."""

from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.records import Verdict
from lemnis.engine.text import safe

Kind: TypeAlias = Literal["class", "answer", "segment", "group"]


class ShareSkew(msgspec.Struct, frozen=True, kw_only=True):
    """The share of one value among the rows of now, against training.

    Attributes:
        kind: Of a class among the labelled rows, of an answer, of a feature's value, of a declared group's.
        reference: Share in training (of answers: among the held-out rows), of `reference_rows`.
        share: Share now, of `rows`; low, high: its 95 % interval (Wilson).
        p: Chance of such a difference without skew; p_adjusted: over all shares (Benjamini–Hochberg).
    """

    kind: Kind
    column: str
    value: str
    reference: float
    reference_rows: int
    share: float
    low: float
    high: float
    rows: int
    p: float = 1.0
    p_adjusted: float = 1.0
    verdict: Verdict = "ok"

    @property
    def moved(self) -> float:
        """By how much the share differs, in shares of 1."""
        return self.share - self.reference

    @property
    def words(self) -> str:
        """Name and both shares: ``carrier B6 31.2% → 45.0%``."""
        return f"{safe(self.column, limit=40)} {safe(self.value, limit=40)} {self.reference:.1%} → {self.share:.1%}"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it was served and as training would read it, in one feature or in its score."""

    key: str
    served: str
    trained: str


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the compared rows differ in one feature, or in the score.

    Attributes:
        largest: Largest difference of two numbers; None where none are.
    """

    name: str
    differ: int
    largest: float | None = None
    example: Pair | None = None
    importance: float | None = None


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """Served rows whose key is in a dataset version, compared with that version's rows.

    Attributes:
        looked: Logged rows with a key that were looked at, the newest.
        rows: Of them found in the dataset version.
        scores: Of the model on the dataset's rows against the logged answers.
        unexplained: Rows whose score differs although every feature is the same: another model, or another reading.
        features: Those that differ in a row at least, the most rows first.
        why: Why nothing could be compared; empty where it was.
    """

    dataset: str = ""
    looked: int = 0
    rows: int = 0
    rows_apart: int = 0
    scores: Apart | None = None
    unexplained: int = 0
    features: list[Apart] = []
    why: str = ""


class Skew(msgspec.Struct, frozen=True, kw_only=True):
    """Everything told of an endpoint's skew.

    Attributes:
        start, end: Event time of the rows that shares are of, epoch ms.
        shares: Those with a verdict first, then by how far they moved.
        labels_why: Why no class is told; empty where classes are.
        took_ms: How long the inspection took that measured it.
    """

    endpoint: str
    model: str
    version: int
    at: int
    start: int
    end: int
    rows: int
    shares: list[ShareSkew]
    paired: Paired
    labels_why: str = ""
    took_ms: int = 0

    @property
    def told(self) -> list[ShareSkew]:
        """The shares that are out of balance."""
        return [one for one in self.shares if one.verdict != "ok"]
