"""What is odd about a column, from its sorted values or its classes: fences, coverage of time, shape. Pure NumPy."""

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.distances import population_stability_index, smoothed_shares
from lemnis.engine.explore.statistics import Ordered, rows_below, sorted_quantile

Numbers: TypeAlias = NDArray[Any]  # Any: every integer and floating dtype is welcome
Counts: TypeAlias = NDArray[np.int64]

FENCE = 1.5  # interquartile ranges beyond the quartiles, Tukey 1977
ROBUST_Z = 3.5  # Iglewicz and Hoaglin 1993
CONSISTENT = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation
PERIODS = 400  # most periods a strip of time coverage has
UNITS = ("m", "h", "D", "W", "M", "Y")
BLOCKS = 10  # bins of about equal weight that drift is measured in


class Fences(NamedTuple):
    """Values below `low` or above `high` are outliers; `below` and `above` say how many rows those are."""

    low: float
    high: float
    below: int
    above: int


class Periods(NamedTuple):
    """Rows per period of one unit (m, h, D, W, M, Y), the first one starting at `start` (epoch ms)."""

    unit: str
    start: int
    counts: Counts


def quartile_fences(ordered: Ordered) -> Fences | None:
    """Return Tukey's fences of values in order: 1.5 interquartile ranges beyond the quartiles.

    None when the quartiles are equal, for then every other value would be an outlier.
    """
    low, high = sorted_quantile(ordered, 0.25), sorted_quantile(ordered, 0.75)
    spread = high - low
    return counted(ordered, low - FENCE * spread, high + FENCE * spread) if 0 < spread < math.inf else None


def robust_fences(ordered: Ordered) -> Fences | None:
    """Return the fences at a robust z-score of 3.5: the distance from the median in median absolute deviations.

    None when half of the values equal the median.
    """
    middle = sorted_quantile(ordered, 0.5)
    deviation = CONSISTENT * median_deviation(ordered, middle)
    if not 0 < deviation < math.inf:
        return None
    return counted(ordered, middle - ROBUST_Z * deviation, middle + ROBUST_Z * deviation)


def counted(ordered: Ordered, low: float, high: float) -> Fences:
    """Return fences with the rows beyond them."""
    below, through = rows_below(ordered, np.array([low])), rows_below(ordered, np.array([high]), through=True)
    return Fences(low, high, int(below[0]), ordered.rows - int(through[0]))


def median_deviation(ordered: Ordered, middle: float) -> float:
    """Return the median absolute deviation of values in order from `middle`; of two in the middle the lower one.

    The half of the rows that lies nearest stands side by side in the order, so its place is found by bisection and no
    array of deviations is made.
    """
    values, ends = ordered
    wanted = (ordered.rows + 1) // 2
    if ends is not None:
        distances = np.abs(values - middle)
        order = np.argsort(distances)
        reached = np.cumsum(np.diff(ends, prepend=0)[order])
        return float(distances[order[reached.searchsorted(wanted)]])
    low, high = 0, len(values) - wanted  # the first row of the nearest half
    while low < high:
        half = (low + high) // 2
        if float(values[half + wanted - 1]) - middle >= middle - float(values[half]):
            high = half
        else:
            low = half + 1
    starts = [low, low - 1] if low else [low]
    return min(max(middle - float(values[at]), float(values[at + wanted - 1]) - middle) for at in starts)


def time_periods(distinct: Numbers, rows: Counts) -> Periods:
    """Return the rows per period, in the finest unit that needs at most PERIODS periods.

    Args:
        distinct: Ascending times in epoch ms, shape (k,), k at least 1.
        rows: Rows of each, shape (k,).
    """
    moments = distinct.astype("datetime64[ms]")
    units = [unit for unit in UNITS if period_numbers(moments[[0, -1]], unit)[-1] < PERIODS]
    unit = units[0] if units else UNITS[-1]
    places = period_numbers(moments, unit)
    places = np.minimum(places, 10 * PERIODS)  # a century of minutes is drawn no better
    start = moments[0].astype(f"datetime64[{unit}]").astype("datetime64[ms]").astype(np.int64)
    return Periods(unit, int(start), np.bincount(places, weights=rows).astype(np.int64))


def period_numbers(moments: NDArray[Any], unit: str) -> Counts:
    """Return the number of each moment's period, counted from the first moment's."""
    places: Counts = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    return places - places[0]


def empty_runs(counts: Counts) -> list[tuple[int, int]]:
    """Return the runs of empty periods as (first, behind the last), the longest first."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], counts == 0, [0]))))
    runs = [(int(first), int(behind)) for first, behind in edges.reshape(-1, 2)]
    return sorted(runs, key=lambda run: run[0] - run[1])


def information_share(table: Counts) -> float:
    """Return the share of the classes' uncertainty that a column takes away, in [0, 1].

    0 when the column says nothing about the class, 1 when it tells it. Mutual information over the entropy of the
    classes, with the bias of few rows taken off.

    Args:
        table: Rows per class and bin, shape (classes, bins).

    Source: Theil's uncertainty coefficient; bias by G. Miller (1955), Note on the bias of information estimates.
    """
    cells = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0].astype(np.float64)
    if min(cells.shape, default=0) < 2:
        return 0.0
    total = float(cells.sum())
    classes, bins = cells.sum(axis=1), cells.sum(axis=0)
    held = cells > 0
    expected = np.outer(classes, bins) / total
    information = float((cells[held] * np.log(cells[held] / expected[held])).sum() / total)
    bias = (len(classes) - 1) * (len(bins) - 1) / (2 * total)
    entropy = float(-(classes / total * np.log(classes / total)).sum())
    return min(1.0, max(0.0, (information - bias) / entropy))


def drift(before: Counts, now: Counts) -> tuple[float, int]:
    """Return the PSI between two countings over the same bins, and in how many blocks of bins it was measured.

    Neighbouring bins are put together until each block has a tenth of the rows before; the last bin, the missing
    rows, stays by itself.

    Args:
        before: Rows per bin, shape (k,), k at least 2.
        now: As `before`.
    """
    inner = before[:-1]
    places = (np.cumsum(inner) - inner / 2) / max(1, inner.sum()) * BLOCKS
    blocks = np.unique(np.floor(places), return_inverse=True)[1]
    many = int(blocks.max(initial=-1)) + 1
    pair = [np.append(np.bincount(blocks, weights=side[:-1], minlength=many), side[-1]) for side in (before, now)]
    if not (pair[0][-1] or pair[1][-1]):
        pair = [side[:-1] for side in pair]
    return population_stability_index(*(smoothed_shares(side.astype(np.float64)) for side in pair)), len(pair[0])


def margin(estimates: NDArray[np.float64], part: float) -> float:
    """Return half the width of a 95% interval around the mean of estimates from equal random groups of rows.

    NaN for fewer than two groups. Rows that lie together are alike, so the spread between the groups, not between the
    rows, says how sure a sample is.

    Args:
        estimates: One estimate a group, shape (k,).
        part: Share of all rows that the sample has, in [0, 1].

    Source: K. Wolter, Introduction to Variance Estimation (2007), chapter 2: the random group method.
    """
    estimates = estimates[np.isfinite(estimates)]
    if len(estimates) < 2:
        return math.nan
    error = float(np.std(estimates, ddof=1)) / math.sqrt(len(estimates)) * math.sqrt(max(0.0, 1 - part))
    return student_quantile(len(estimates) - 1) * error


def student_quantile(freedom: int) -> float:
    """Return the 97.5% point of Student's t, within 1% from 1 degree of freedom on."""
    known = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
    return known[freedom - 1] if freedom <= len(known) else 1.96 + 2.5 / freedom
