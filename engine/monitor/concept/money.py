"""What windows are worth against the rows held out of training, a day and since the first bad one. Pure."""

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.concept.records import Figure

Basis: TypeAlias = Literal["measured", "estimated"]
DAY_MS = 86_400_000
SHORTEST_DAYS = 1 / 24  # a window that has just begun is not spread over less than an hour


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """One window's money.

    Attributes:
        basis: By the labels that came, or as estimated before them.
        per_1000: Of 1,000 rows; reference: of 1,000 held-out rows.
        rows: Served rows; those without a label count like the labelled ones.
        days: How much of event time they span.
        low, high: Ends of the change for 1,000 rows, the reference's own doubt included; None where nobody can say.
    """

    basis: Basis
    per_1000: Figure
    reference: Figure
    rows: int
    days: float
    low: float | None
    high: float | None

    @property
    def change(self) -> float:
        """Money for 1,000 rows above the reference; negative is a loss."""
        return self.per_1000.value - self.reference.value

    @property
    def per_day(self) -> Figure:
        """Money a day above the reference."""
        daily = self.rows / 1000 / self.days
        ends = (None if end is None else end * daily for end in (self.low, self.high))
        return Figure(self.change * daily, *ends)

    @property
    def bad(self) -> bool:
        """The whole interval of the change is below 0."""
        return self.high is not None and self.high < 0


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """Money above the reference from the first bad window on: what labels showed, and apart what is only estimated.

    Attributes:
        since: Start of the first bad window, epoch ms.
    """

    since: int
    measured: Figure | None
    measured_windows: int
    estimated: Figure | None
    estimated_windows: int


def worth(basis: Basis, per_1000: Figure, reference: Figure, *, rows: int, span_ms: int) -> Worth:
    """Return a window's money against the reference."""
    change, reach = per_1000.value - reference.value, combined([per_1000, reference])
    return Worth(
        basis=basis,
        per_1000=per_1000,
        reference=reference,
        rows=rows,
        days=max(span_ms / DAY_MS, SHORTEST_DAYS),
        low=None if reach is None else change - reach,
        high=None if reach is None else change + reach,
    )


def half(figure: Figure) -> float | None:
    """Return half the width of a figure's interval."""
    return None if figure.low is None or figure.high is None else (figure.high - figure.low) / 2


def combined(figures: Sequence[Figure]) -> float | None:
    """Return the half width of the difference of independent figures."""
    halves = [half(figure) for figure in figures]
    known = [reach for reach in halves if reach is not None]
    return math.hypot(*known) if len(known) == len(halves) else None


def total(windows: Sequence[tuple[int, Worth]]) -> Total | None:
    """Return the money of all windows from the first bad one on; None while none is bad.

    Args:
        windows: Start and money of the windows of one model version, in order of time.
    """
    first = next((place for place, (_, one) in enumerate(windows) if one.bad), None)
    if first is None:
        return None
    later = [one for _, one in windows[first:]]
    measured = [one for one in later if one.basis == "measured"]
    estimated = [one for one in later if one.basis == "estimated"]
    return Total(
        since=windows[first][0],
        measured=together(measured),
        measured_windows=len(measured),
        estimated=together(estimated),
        estimated_windows=len(estimated),
    )


def together(windows: Sequence[Worth]) -> Figure | None:
    """Return the sum over windows: their own doubts are independent, the reference's is the same in all."""
    if not windows:
        return None
    value = sum(one.change * one.rows / 1000 for one in windows)
    own, common = [half(one.per_1000) for one in windows], half(windows[0].reference)
    if common is None or any(reach is None for reach in own):
        return Figure(value)
    rows = [one.rows / 1000 for one in windows]
    apart = math.hypot(*(n * (reach or 0.0) for n, reach in zip(rows, own, strict=True)))
    reach = math.hypot(apart, sum(rows) * common)
    return Figure(value, value - reach, value + reach)
