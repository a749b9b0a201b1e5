"""How much each row moves a figure, and how far the figure may be off: rows of one day are taken together. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.monitor.concept.records import Z

Values = NDArray[np.float64]
Places = NDArray[np.int64]
RULE_OF_THREE = 3.0  # nothing seen in n rows: the share is below 3 / n with 95 % confidence


def placements(target: Values, score: Values) -> tuple[Values, Values]:
    """Return the share of negatives below each score and of positives above it; ties count half.

    Args:
        target: Share of each row that is positive: 0 or 1, or its probability; shape (n,).
        score: Larger is more positive, shape (n,).
    """
    order = np.argsort(score, kind="stable")
    ranked, y = score[order], target[order]
    starts = np.flatnonzero(np.diff(ranked, prepend=np.nan) != 0)
    sizes = np.diff(np.append(starts, ranked.size))
    positive, negative = np.add.reduceat(y, starts), np.add.reduceat(1 - y, starts)
    below = (np.cumsum(negative) - negative / 2) / max(negative.sum(), 1e-300)
    above = 1 - (np.cumsum(positive) - positive / 2) / max(positive.sum(), 1e-300)
    one, two = np.empty(ranked.size), np.empty(ranked.size)
    one[order], two[order] = np.repeat(below, sizes), np.repeat(above, sizes)
    return one, two


def auc_influence(target: Values, weight: Values, score: Values) -> tuple[float, Values]:
    """Return a ROC AUC and how much each row moves it; the mean of the influence under `weight` is 0.

    Args:
        target: What each row is taken as: 0 or 1, or the probability of 1; shape (n,).
        weight: Of which the AUC is taken: `target` itself, or the probabilities where the target is drawn from them.
        score: Larger is more positive, shape (n,).

    Source: E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988), as the influence function.
    """
    share = float(weight.mean()) if weight.size else math.nan
    if not 0 < share < 1:
        return math.nan, np.full(weight.size, math.nan)
    below, above = placements(weight, score)
    auc = float((weight * below).sum() / weight.sum())
    return auc, target * (below - auc) / share + (1 - target) * (above - auc) / (1 - share)


def mean_covariance(influence: Values, blocks: Places) -> Values:
    """Return the covariance of column means, shape (k, k), whatever the rows of one block have in common.

    Args:
        influence: What each row adds, shape (n, k); the mean need not be 0.
        blocks: Block of each row, numbered from 0 without gaps, shape (n,).

    Source: K.-Y. Liang, S. Zeger, Biometrika 73 (1986), with the factor g / (g - 1) of g blocks.
    """
    rows, width = influence.shape
    count = int(blocks.max(initial=-1)) + 1
    if count < 2:
        return np.full((width, width), math.nan)
    centred = influence - influence.mean(axis=0)
    sums = np.column_stack([np.bincount(blocks, centred[:, place], count) for place in range(width)])
    return sums.T @ sums * (count / (count - 1) / rows**2)


def quantile(blocks: int) -> float:
    """Return how many standard errors a 95 % interval reaches when the error was found from so many blocks.

    Source: the Cornish–Fisher expansion of Student's t with `blocks` - 1 degrees; within 0.01 from 8 blocks on.
    """
    free = max(blocks - 1, 1)
    return Z + (Z**3 + Z) / (4 * free) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * free**2)


def interval(value: float, error: float, reach: float = Z) -> tuple[float | None, float | None]:
    """Return both ends of value ± reach · error; None where the error is not known."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return None, None
    return value - reach * error, value + reach * error


def share_interval(value: float, error: float, rows: float, reach: float = Z) -> tuple[float | None, float | None]:
    """Return the interval of a value within [0, 1], symmetrical in its log odds.

    Args:
        value: In [0, 1].
        error: Its standard error.
        rows: Of the smaller class; says how far 0 and 1 may be off, by the rule of three.
        reach: Standard errors on each side.
    """
    if not (math.isfinite(value) and math.isfinite(error)) or rows < 1:
        return None, None
    least = min(RULE_OF_THREE / rows, 1.0)
    if value <= 0 or value >= 1:
        return (0.0, least) if value <= 0 else (1 - least, 1.0)
    odds, spread = math.log(value / (1 - value)), reach * error / (value * (1 - value))
    low, high = 1 / (1 + math.exp(min(spread - odds, 700))), 1 / (1 + math.exp(max(-spread - odds, -700)))
    return min(low, value), max(high, value)  # the exponentials are bounded, and round
