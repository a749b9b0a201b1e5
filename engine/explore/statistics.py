"""Exact figures of a column in order: moments, quantiles, distinct values, histograms. Pure NumPy, no I/O."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[Any]  # Any: every integer and floating dtype is welcome
Counts: TypeAlias = NDArray[np.int64]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 24  # about as many as a terminal pane draws with a label under each few
TAIL = 0.005  # share of rows at either end that may be left out of a histogram
STRETCH = 2.0  # a tail is left out when it would stretch the picture by more than this many times
WIDTHS = (1e-290, 1e290)  # bins narrower or wider than this are beyond what floating point can step through
NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
FEW = 8  # values that stand for at least so many rows each are worth holding once
BLOCK = 8192  # values that are worked on at a time, so that what lies between stays in the cache


class Ordered(NamedTuple):
    """Finite values of a column in ascending order.

    Attributes:
        values: Shape (k,). Integers, or floating point of 64 bits.
        ends: Rows up to and with each value, for distinct values, shape (k,); None when each value is one row.
    """

    values: Numbers
    ends: Counts | None = None

    @property
    def rows(self) -> int:
        if self.ends is None:
            return len(self.values)
        return int(self.ends[-1]) if len(self.ends) else 0

    def at(self, place: int) -> float:
        """Return the value of the row at a place in the order, from 0."""
        if self.ends is None:
            return float(self.values[place])
        return float(self.values[self.ends.searchsorted(place, side="right")])


class Moments(NamedTuple):
    """Mean, sample standard deviation (n - 1) and Fisher skewness; NaN where they are not defined."""

    mean: float
    deviation: float
    skewness: float


class Clipped(NamedTuple):
    """Rows per bin, and the rows below the first and above the last edge."""

    counts: Counts
    below: int
    above: int


def tallied(counts: Counts, low: int) -> Ordered:
    """Return values in order from the rows of each whole number, `low` being the first; rows of 0 are no values."""
    held = np.flatnonzero(counts)
    return Ordered(held + low, np.cumsum(counts[held]))


def gathered(ordered: Numbers) -> Ordered:
    """Return ascending values, equal ones held once where that makes them many fewer."""
    steps = ordered[1:] != ordered[:-1]
    if len(ordered) < FEW or np.count_nonzero(steps) * FEW >= len(ordered):
        return Ordered(ordered)
    last = np.append(np.flatnonzero(steps), len(ordered) - 1)
    return Ordered(ordered[last], last + 1)


def sorted_runs(ordered: Ordered) -> tuple[Numbers, Counts]:
    """Return the distinct values and how many rows hold each, both shape (k,)."""
    values, ends = ordered
    if ends is None:
        steps = values[1:] != values[:-1]
        if steps.all():
            return values, np.ones(len(values), dtype=np.int64)
        last = np.append(np.flatnonzero(steps), len(values) - 1)
        values, ends = values[last], last + 1
    return values, np.diff(ends, prepend=0)


def rows_below(ordered: Ordered, bounds: Numbers, *, through: bool = False) -> Counts:
    """Return how many rows lie below each bound, or up to and with it; integers are compared as integers.

    Args:
        ordered: The values.
        bounds: Shape (k,), float64, none NaN.
        through: True for rows at the bound too.
    """
    values, ends = ordered
    if values.dtype.kind in "iu":  # NumPy would make every value a float to compare it
        kind = np.iinfo(values.dtype)
        whole = np.floor(bounds) if through else np.ceil(bounds)
        over, under = whole >= float(kind.max) + 1, whole < float(kind.min)
        bounds = np.where(over | under, 0, whole).astype(values.dtype)
        places = values.searchsorted(bounds, side="right" if through else "left")
        places[over], places[under] = len(values), 0
    else:
        places = values.searchsorted(bounds, side="right" if through else "left")
    return places if ends is None else np.concatenate(([0], ends))[places]


def moments(ordered: Ordered) -> Moments:
    """Return mean, deviation and skewness.

    The deviation needs two rows, the skewness two different values. Values are centred first, so that a large mean
    costs no digits; numbers too large to be squared give infinity or NaN.
    """
    count, (values, ends) = ordered.rows, ordered
    if count == 0:
        return Moments(np.nan, np.nan, np.nan)
    rows = None if ends is None else np.diff(ends, prepend=0)
    squared = cubed = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = mean_of(values, rows, count)
        for first in range(0, len(values), BLOCK):
            centred = values[first : first + BLOCK].astype(np.float64) - mean
            squares = centred * centred if rows is None else centred * centred * rows[first : first + BLOCK]
            squared += float(squares.sum())
            cubed += float(np.dot(squares, centred))
        deviation = math.sqrt(squared / (count - 1)) if count > 1 else np.nan
        spread = math.sqrt(squared / count)
        skewness = float(np.float64(cubed) / count / np.float64(spread) ** 3) if spread > 0 else np.nan
    return Moments(mean, deviation, skewness)


def mean_of(values: Numbers, rows: Counts | None, count: int) -> float:
    """Return the mean of `count` rows, given their values or distinct values and the rows of each."""
    if rows is None:
        mean = float(values.mean(dtype=np.float64))
        return mean if np.isfinite(mean) else float((values / count).sum())
    return float(np.dot(values.astype(np.float64), rows / count))


def sorted_quantile(ordered: Ordered, share: float) -> float:
    """Return the value below which `share` of the rows lie, linear between two neighbours (Hyndman & Fan type 7).

    Args:
        ordered: At least one value.
        share: In [0, 1].
    """
    last = ordered.rows - 1
    place = share * last
    lower = int(place)
    low, high, part = ordered.at(lower), ordered.at(min(lower + 1, last)), place - lower
    return low if low == high else low * (1 - part) + high * part


def histogram_edges(
    ordered: Ordered, *, whole: bool = False, steps: Sequence[float] = (), bins: int = BINS
) -> NDArray[np.float64]:
    """Return readable bin edges for values in order: round steps, long thin tails left out.

    At least two edges, strictly ascending and finite. At most twice `bins` + 2 bins, unless `steps` has none so wide.

    Args:
        ordered: At least one value.
        whole: True for integers: no step is finer than 1, and few distinct integers get a bin each.
        steps: Widths to choose from, ascending; empty for round decimal ones.
        bins: About how many bins are wanted.
    """
    low, high = drawn_range(ordered)
    if high <= low:
        return one_bin(low)
    width = high / bins - low / bins
    if not WIDTHS[0] < width < WIDTHS[1]:
        return np.array([low, high])
    if steps:
        step = next((step for step in steps if step >= width), steps[-1] * np.ceil(width / steps[-1]))
    elif whole:
        step = 1.0 if high - low <= 1.5 * bins else max(1.0, round(nice_step(width)))
    else:
        step = nice_step(width)
    first = np.floor(low / step) * step
    edges = first + step * np.arange(int(np.floor((high - first) / step)) + 2)
    return edges if np.all(np.diff(edges) > 0) else np.array([low, high])


def drawn_range(ordered: Ordered) -> tuple[float, float]:
    """Return the lowest and highest value worth drawing: either end, or where its long thin tail begins."""
    low, high = float(ordered.values[0]), float(ordered.values[-1])
    inner_low, inner_high = sorted_quantile(ordered, TAIL), sorted_quantile(ordered, 1 - TAIL)
    room = STRETCH * (inner_high - inner_low)
    return (inner_low if inner_low - low > room else low), (inner_high if high - inner_high > room else high)


def one_bin(value: float) -> NDArray[np.float64]:
    """Return two edges around a single value."""
    width = max(0.5, abs(value) * 1e-9)
    return np.array([max(value - width, -np.finfo(np.float64).max), min(value + width, np.finfo(np.float64).max)])


def nice_step(step: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is at least `step` (above 0)."""
    scale = 10.0 ** np.floor(np.log10(step))
    return float(next((scale * nice for nice in NICE_STEPS if scale * nice >= step), scale * 10))


def sorted_histogram(ordered: Ordered, edges: NDArray[np.float64]) -> Clipped:
    """Return rows per half-open bin [edge, next edge), the last bin closed.

    Counts, below and above together are always the rows.
    """
    places = rows_below(ordered, edges)
    places[-1] = rows_below(ordered, edges[-1:], through=True)[0]
    return Clipped(np.diff(places), int(places[0]), ordered.rows - int(places[-1]))


def with_outside(drawn: Clipped) -> Counts:
    """Return rows per bin with those below and above the edges as two more, shape (bins + 2,)."""
    return np.concatenate(([drawn.below], drawn.counts, [drawn.above]))


def total_variation(p: Counts, q: Counts) -> float:
    """Return half the sum of absolute differences of two rows of counts as shares, in [0, 1]; 0 if either is empty."""
    if not p.sum() or not q.sum():
        return 0.0
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)
