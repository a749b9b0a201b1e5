"""Whether two models differ on the same rows: DeLong for the AUC, a paired bootstrap, Holm. Pure NumPy, no I/O.

Rows that go together (those of one day) are blocks, as in `intervals`: a block is drawn, or counted as one observation,
as a whole. A difference is judged by its standard error and Student's t with one degree of freedom less than there are
blocks, so that an interval excludes 0 exactly when p < 0.05, and a few blocks are not taken for many rows.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.int64]
LEVEL = 0.95
REPEATS = 1_000
MOST_BLOCKS = 2_000  # more are merged with their neighbours: the standard error stays right to some 2 %


def placements(target: Values, score: Values) -> Values:
    """Return how well each row is placed: the share of rows of the other class on its right side, ties half.

    For a positive row the share of negatives that score below it, for a negative the share of positives above it; both
    average to the AUC. O(n log n).

    Args:
        target: 0 or 1, both present, shape (n,).
        score: Larger is more positive, shape (n,).

    Source: X. Sun, W. Xu, Fast implementation of DeLong's algorithm, IEEE Signal Processing Letters 21 (2014).
    """
    positive = target == 1
    hits, others = int(positive.sum()), int((~positive).sum())
    everywhere = midranks(score)
    found = np.empty(score.size)
    found[positive] = (everywhere[positive] - midranks(score[positive])) / others
    found[~positive] = 1 - (everywhere[~positive] - midranks(score[~positive])) / hits
    return found


def midranks(values: Values) -> Values:
    """Return each value's rank from 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[places]


def auc_covariance(target: Values, placed: Values, blocks: Places | None = None) -> tuple[Values, Values]:
    """Return the AUCs of k models on the same rows, shape (k,), and their covariance, shape (k, k).

    Args:
        target: 0 or 1, at least two of each, shape (n,).
        placed: `placements` of each model, shape (k, n).
        blocks: Block of each row, numbered from 0; None if every row is one by itself (DeLong).

    Source: E. DeLong et al., Biometrics 44 (1988); with blocks N. Obuchowski, Biometrics 53 (1997), eq. 5 and 6, of
    which DeLong's is the case of one row a block.
    """
    positive = target == 1
    hits, others = int(positive.sum()), int((~positive).sum())
    auc = placed[:, positive].mean(1)
    off = placed - auc[:, None]
    if blocks is None:
        return auc, np.atleast_2d(np.cov(off[:, positive])) / hits + np.atleast_2d(np.cov(off[:, ~positive])) / others
    count = int(blocks.max()) + 1
    above, below = (
        np.stack([np.bincount(blocks[part], row[part], minlength=count) for row in off])
        for part in (positive, ~positive)
    )
    with_hits, with_others = np.unique(blocks[positive]).size, np.unique(blocks[~positive]).size
    both = np.unique(blocks).size
    spread = correction(with_hits) * above @ above.T / hits**2 + correction(with_others) * below @ below.T / others**2
    across = correction(both) * above @ below.T / (hits * others)
    return auc, spread + across + across.T


def correction(count: int) -> float:
    """Return n / (n - 1), infinite for one."""
    return count / (count - 1) if count > 1 else math.inf


def mean_auc_error(targets: Sequence[Values], placed: Sequence[tuple[Values, Values]], blocks: Places) -> float:
    """Return the standard error of the difference of two models' mean AUC over several classes, each against the rest.

    Args:
        targets: For each class 1 where a row is of it, shape (n,).
        placed: `placements` of both models for each class.
        blocks: Block of each row.

    Source: the infinitesimal jackknife: the same placements as DeLong's, weighted and summed over classes by row.
    """
    moved: Values = np.zeros(blocks.size)
    for target, (first, second) in zip(targets, placed, strict=True):
        positive = target == 1
        change = second - first
        change = change - change[positive].mean()
        for part in (positive, ~positive):
            moved[part] += change[part] / (part.sum() * len(targets))
    sums = np.bincount(blocks, moved)
    return math.sqrt(correction(np.unique(blocks).size) * float((sums**2).sum()))


def merged(blocks: Places, most: int = MOST_BLOCKS) -> Places:
    """Return blocks numbered from 0, neighbours merged so that there are at most `most`."""
    count = int(blocks.max(initial=-1)) + 1
    return blocks if count <= most else blocks * most // count


def draws(count: int, *, repeats: int = REPEATS, seed: int = 1) -> Values:
    """Return how often each of `count` blocks is drawn, with replacement, in each repeat; shape (repeats, count)."""
    random = np.random.default_rng(seed)
    chosen = random.integers(0, count, (repeats, count)) + np.arange(repeats)[:, None] * count
    return np.bincount(chosen.ravel(), minlength=repeats * count).reshape(repeats, count).astype(np.float64)


def bootstrap_error(drawn: Values, count: int) -> float | None:
    """Return the standard error of which `drawn` are bootstrap values; None if more than a tenth are NaN.

    Args:
        drawn: The difference in each repeat.
        count: Blocks that were drawn; the bootstrap's own spread is too small by (count - 1) / count.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 6 and 8.
    """
    known = drawn[~np.isnan(drawn)]
    if known.size < max(2, 0.9 * drawn.size):
        return None
    return float(known.std(ddof=1)) * math.sqrt(correction(count))


def judged(delta: float, error: float, count: int) -> tuple[float, float, float]:
    """Return the 95 % interval of a difference and its two-sided p, by Student's t with `count` - 1 degrees of freedom.

    A difference of 0 without any spread (two models that say the same) has p = 1.
    """
    from scipy.special import stdtr, stdtrit

    degrees = max(1, count - 1)
    reach = float(stdtrit(degrees, (1 + LEVEL) / 2)) * error
    if not error:
        return delta, delta, 0.0 if delta else 1.0
    return delta - reach, delta + reach, min(1.0, 2 * float(stdtr(degrees, -abs(delta) / error)))


def holm(found: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for being looked at together, in their order; None stays None and is not counted.

    The chance that any true "no difference" falls below 0.05 is then at most 5 %, whatever the tests have in common.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979).
    """
    order = sorted((p, place) for place, p in enumerate(found) if p is not None)
    adjusted: list[float | None] = [None] * len(found)
    reached = 0.0
    for rank, (p, place) in enumerate(order):
        reached = max(reached, min(1.0, (len(order) - rank) * p))
        adjusted[place] = reached
    return adjusted
