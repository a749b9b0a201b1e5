"""Exact figures of one column from one sort: moments, quantiles, distinct values, histograms. Pure NumPy, no I/O."""

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


def moments(distinct: Numbers, rows: Counts) -> Moments:
    """Return mean, deviation and skewness of finite values, given as distinct values and rows of each, shape (k,).

    The deviation needs two rows, the skewness two different values. Values are centred first, so that a large mean
    costs no digits; numbers too large to be squared give infinity or NaN.
    """
    count = int(rows.sum())
    if count == 0:
        return Moments(np.nan, np.nan, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        values = distinct.astype(np.float64)
        mean = float(np.dot(values, rows / count))
        centred = values - mean
        squares = centred * centred * rows
        total = float(squares.sum())
        deviation = float(np.sqrt(total / (count - 1))) if count > 1 else np.nan
        spread = np.sqrt(total / count)
        skewness = float(np.dot(squares, centred) / count / spread**3) if spread > 0 else np.nan
    return Moments(mean, deviation, skewness)


def sorted_quantile(ordered: Numbers, share: float) -> float:
    """Return the value below which `share` of the rows lie, linear between two neighbours (Hyndman & Fan type 7).

    Args:
        ordered: Values in ascending order, shape (n,), n at least 1.
        share: In [0, 1].
    """
    place = share * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    low, high, part = float(ordered[lower]), float(ordered[upper]), place - lower
    return low if low == high else low * (1 - part) + high * part


def sorted_runs(ordered: Numbers) -> tuple[Numbers, Counts]:
    """Return the distinct values of ascending values and how many rows hold each, both shape (k,)."""
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(ordered) else np.empty(0, int)
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


def histogram_edges(
    ordered: Numbers, *, whole: bool = False, steps: Sequence[float] = (), bins: int = BINS
) -> NDArray[np.float64]:
    """Return readable bin edges for ascending finite values: round steps, long thin tails left out.

    At least two edges, strictly ascending and finite. At most twice `bins` + 2 bins, unless `steps` has none so wide.

    Args:
        ordered: Values in ascending order, shape (n,), n at least 1.
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


def drawn_range(ordered: Numbers) -> tuple[float, float]:
    """Return the lowest and highest value worth drawing: either end, or where its long thin tail begins."""
    low, high = float(ordered[0]), float(ordered[-1])
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


def sorted_histogram(ordered: Numbers, edges: NDArray[np.float64]) -> Clipped:
    """Return rows per half-open bin [edge, next edge) of ascending values, the last bin closed.

    Counts, below and above together are always n.
    """
    places = np.searchsorted(ordered, edges, side="left")
    places[-1] = np.searchsorted(ordered, edges[-1], side="right")
    return Clipped(np.diff(places), int(places[0]), len(ordered) - int(places[-1]))


def with_outside(drawn: Clipped) -> Counts:
    """Return rows per bin with those below and above the edges as two more, shape (bins + 2,)."""
    return np.concatenate(([drawn.below], drawn.counts, [drawn.above]))


def class_histogram(
    values: Numbers, edges: NDArray[np.float64], codes: NDArray[Any], classes: int, totals: Counts
) -> Counts:
    """Return rows per class and bin, shape (classes, bins + 2): first those below the edges, last those above.

    Codes of -1 count nowhere. The first class is what the others leave of the totals; its rows are not looked at, so
    it should be the largest.

    Args:
        values: Shape (n,), any order.
        edges: Ascending, as from `histogram_edges`.
        codes: The class of each value, shape (n,), -1 for none.
        classes: How many classes there are.
        totals: Rows per bin of all values, as from `with_outside`.
    """
    bins = len(edges) + 1
    others = codes != 0
    values, codes = values[others], codes[others]
    places = np.searchsorted(edges, values, side="right")
    places[values == edges[-1]] = bins - 2
    cells = (codes.astype(np.int64) + 1) * bins + places
    table = np.bincount(cells, minlength=(classes + 1) * bins).reshape(classes + 1, bins)
    table[1] = totals - table.sum(axis=0)
    return table[1:]


def code_class_counts(values: NDArray[Any], codes: NDArray[Any], kinds: int, classes: int) -> Counts:
    """Return rows per class and category, shape (classes, kinds); a code of -1 on either side counts nowhere."""
    inside = (values >= 0) & (codes >= 0)
    cells = codes[inside].astype(np.int64) * kinds + values[inside]
    return np.bincount(cells, minlength=classes * kinds).reshape(classes, kinds)


def total_variation(p: Counts, q: Counts) -> float:
    """Return half the sum of absolute differences of two rows of counts as shares, in [0, 1]; 0 if either is empty."""
    if not p.sum() or not q.sum():
        return 0.0
    return float(np.abs(p / p.sum() - q / q.sum()).sum() / 2)
