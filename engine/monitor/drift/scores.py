"""Five scores of one feature from counts alone, and the test that says whether chance explains them. Pure NumPy."""

from typing import Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.distances import jensen_shannon_distance, population_stability_index, smoothed_shares
from lemnis.engine.monitor.drift.cells import step_of
from lemnis.engine.monitor.drift.chance import chi_square_survival, kolmogorov_survival
from lemnis.engine.monitor.tally import Binning, Column

Numbers = NDArray[np.float64]
Method: TypeAlias = Literal["kolmogorov_smirnov", "jensen_shannon"]

RARE = 5.0  # expected rows below which bins are tested together (Cochran's rule)
LEAST_EXPECTED = 1.0  # an expected count below counts as this, so that one row in a new bin proves nothing


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """How far a feature of a window is from its reference.

    Attributes:
        psi: In nats, over the bins and the missing values.
        jensen_shannon: Distance over the same bins, 0 to 1.
        kolmogorov_smirnov: Largest difference of the cumulated shares, missing values lowest, 0 to 1; exact at the
            cells' edges, so at most the share of one cell (1/128, more where a single value holds more) too small.
            None for categories.
        chi_square: Pearson's statistic over the bins; None for numbers.
        wasserstein: Mean distance that rows have moved, in standard deviations of the reference; exact but for cells
            inside which the two distributions cross. None for categories and constants.
        effect: The one of them that decides: KS of a number, JS of a category.
        statistic: What is tested: the KS distance times the root of the effective rows, or the chi-square.
        freedom: Degrees of freedom of the chi-square, 0 for KS.
    """

    psi: float
    jensen_shannon: float
    kolmogorov_smirnov: float | None
    chi_square: float | None
    wasserstein: float | None
    effect: float
    statistic: float
    freedom: int


def method_of(binning: Binning) -> Method:
    """Return which score decides about a feature."""
    return "jensen_shannon" if is_nominal(binning) else "kolmogorov_smirnov"


def is_nominal(binning: Binning) -> bool:
    """Say whether a feature's values have no order."""
    return binning.kind == "categorical" or binning.logical


def scores_of(binning: Binning, column: Column) -> Scores:
    """Return the scores of one feature's counts against its reference."""
    before, after = np.array(binning.counts, float), np.array(column.counts, float)
    coarse_before, coarse_after = coarse(binning, before), coarse(binning, after)
    used = coarse_before + coarse_after > 0  # a bin that nobody fills is no degree of freedom
    expected, found = smoothed_shares(coarse_before[used]), smoothed_shares(coarse_after[used])
    distance = jensen_shannon_distance(expected, found)
    nominal = is_nominal(binning)
    if nominal:
        statistic, freedom = chi_square(before, after)
        effect = distance
    else:
        effect, statistic = kolmogorov_smirnov(before, after)
        freedom = 0
    return Scores(
        psi=population_stability_index(expected, found),
        jensen_shannon=distance,
        kolmogorov_smirnov=None if nominal else float(effect),
        chi_square=float(statistic) if nominal else None,
        wasserstein=None if nominal else wasserstein(binning, column),
        effect=float(effect),
        statistic=float(statistic),
        freedom=freedom,
    )


def coarse(binning: Binning, counts: Numbers) -> Numbers:
    """Return rows per bin and, last, without a value, from rows per cell; along the last axis."""
    if binning.kind == "categorical" or not binning.bounds:
        return counts
    starts = [0, *(place + 1 for place in binning.bounds), counts.shape[-1] - 1]
    return np.add.reduceat(counts, starts, axis=-1)


def kolmogorov_smirnov(before: Numbers, after: Numbers) -> tuple[Numbers, Numbers]:
    """Return the KS distance and its test statistic, along the last axis.

    Args:
        before: Rows per cell of the reference, missing values last, shape (…, k).
        after: Of the window, likewise.
    """
    sides = [np.cumsum(np.roll(counts, 1, axis=-1), axis=-1) for counts in (before, after)]
    n, m = (np.maximum(side[..., -1], 1) for side in sides)
    distance = np.abs(sides[0] / n[..., None] - sides[1] / m[..., None]).max(axis=-1)
    return distance, distance * np.sqrt(n * m / (n + m))


def chi_square(before: Numbers, after: Numbers) -> tuple[Numbers, int]:
    """Return Pearson's statistic of the window's counts, the reference's own error included, and its freedom.

    Bins where fewer than RARE rows are expected are tested together.

    Args:
        before: Rows per bin of the reference, shape (k,).
        after: Of the window, shape (…, k).
    """
    n, m = max(float(before.sum()), 1.0), np.maximum(after.sum(axis=-1), 1.0)
    share = before / n
    rare = share * np.median(m) < RARE
    groups = np.concatenate([share[~rare], [share[rare].sum()]])
    found = np.concatenate([after[..., ~rare], after[..., rare].sum(axis=-1, keepdims=True)], axis=-1)
    expected = groups * m[..., None]
    spread = np.maximum(expected, LEAST_EXPECTED) * (1 + m / n)[..., None]
    held = int((~rare).sum()) + bool(groups[-1] > 0 or found[..., -1].any())
    return ((found - expected) ** 2 / spread).sum(axis=-1), max(held - 1, 1)


def wasserstein(binning: Binning, column: Column) -> float | None:
    """Return the Wasserstein-1 distance of the values, in standard deviations of the reference.

    Over a cell from a to b, the integral of a distribution function is ``b F(b) - a F(a) - (sum of the values there)
    / n``: exact from counts and sums. The absolute difference is taken cell by cell.
    """
    low, high = (
        [v for v in pair if v is not None] for pair in ((binning.low, column.low), (binning.high, column.high))
    )
    held = [np.array(side.counts[:-1], float) for side in (binning, column)]
    if not binning.spread or not low or not high or not column.sums or not all(side.sum() for side in held):
        return None
    step = step_of(binning.spread)
    bounds = (np.array([min(low), *binning.edges, max(high)]) - binning.centre) / step
    areas: list[Numbers] = []
    for counts, sums in zip(held, (binning.sums, column.sums), strict=True):
        shares = np.concatenate(([0.0], np.cumsum(counts) / counts.sum()))
        areas.append(np.diff(bounds * shares) - np.array(sums, float) / counts.sum())
    return float(np.abs(areas[0] - areas[1]).sum() * step / binning.spread)


def p_value(scores: Scores, inflation: float) -> float:
    """Return how often chance alone gives such a statistic.

    Args:
        scores: Of one feature.
        inflation: How much larger the statistic is in past windows than for independent rows, at least 1.
    """
    statistic = scores.statistic / inflation
    return chi_square_survival(statistic, scores.freedom) if scores.freedom else kolmogorov_survival(statistic)
