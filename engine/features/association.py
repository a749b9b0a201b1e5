"""How strongly two columns go together, on one scale for numbers and categories. Pure NumPy, no I/O."""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]

BINS = 16


def quantile_codes(values: Values, bins: int = BINS) -> Codes:
    """Cut numbers into bins of about equal size; a missing value (NaN) is a bin of its own, the last.

    Equal values always share a bin, and a larger value never has a smaller code.

    Args:
        values: Shape (n,); may hold NaN and infinities.
        bins: Most bins for the known values, at least 1.

    Returns:
        Codes 0, 1, 2 … without gaps, shape (n,).
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return np.zeros(values.shape, dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    codes = np.searchsorted(edges, values, side="left")
    codes[np.isnan(values)] = edges.size + 1
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def category_codes(values: Values, most: int = 256) -> Codes:
    """Number the commonest categories 0, 1, 2 …; all others share a code, and so do the missing ones (NaN).

    Args:
        values: Category codes as the matrix has them, shape (n,).
        most: Most categories kept apart, at least 1.
    """
    distinct, places, counts = np.unique(np.nan_to_num(values, nan=-1.0), return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(distinct.size, dtype=np.int64)
    rank[order] = np.minimum(np.arange(distinct.size), most)
    missing = np.flatnonzero(distinct == -1.0)
    if missing.size:
        rank[missing[0]] = most + 1
    return np.unique(rank[places], return_inverse=True)[1].astype(np.int64)


def contingency(a: Codes, b: Codes) -> Values:
    """Return how often each pair of codes occurs, shape (a's codes, b's codes)."""
    rows, columns = int(a.max(initial=0)) + 1, int(b.max(initial=0)) + 1
    return np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns).astype(np.float64)


def cramers_v(a: Codes, b: Codes) -> float:
    """Return Cramér's V of two coded columns with its bias taken off: 0 no association, 1 one tells the other.

    Symmetric, in [0, 1], and about 0 for independent columns however many codes they have; 0 if a column is constant.

    Args:
        a: Codes from 0, shape (n,).
        b: Codes from 0, shape (n,).

    Raises:
        ValueError: The shapes differ.

    Source: W. Bergsma, A bias-correction for Cramér's V and Tschuprow's T, J. Korean Stat. Soc. 42 (2013) 323-328.
    """
    if a.shape != b.shape:
        raise ValueError(f"need two columns of one length, got {a.shape} and {b.shape}")
    table = contingency(a, b)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    n, (r, k) = table.sum(), table.shape
    if n < 2 or min(r, k) < 2:
        return 0.0
    expected = np.outer(table.sum(1), table.sum(0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (r - 1) * (k - 1) / (n - 1))
    narrowest = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return min(1.0, math.sqrt(phi2 / narrowest)) if narrowest > 0 else 0.0


def correlation_ratio(codes: Codes, target: Values) -> float:
    """Return how much of a number's spread lies between the groups of a coded column, bias taken off.

    In [0, 1]: 0 when the groups' means agree, 1 when the group tells the number. The square root of Kelley's
    epsilon-squared; 0 where it is not defined.

    Args:
        codes: Group of each row from 0, shape (n,).
        target: The number, finite, shape (n,).

    Source: T. L. Kelley, An unbiased correlation ratio measure, PNAS 21 (1935) 554-559.
    """
    counts = np.bincount(codes)
    groups, n = int((counts > 0).sum()), target.size
    total = float(((target - target.mean()) ** 2).sum()) if n else 0.0
    if groups < 2 or n <= groups or total <= 0:
        return 0.0
    means = np.bincount(codes, weights=target) / np.maximum(counts, 1)
    within = float(((target - means[codes]) ** 2).sum())
    return math.sqrt(min(1.0, max(0.0, 1 - within / total * (n - 1) / (n - groups))))


def pearson(a: Values, b: Values) -> float:
    """Return the linear correlation of two columns over the rows where both are finite, in [-1, 1].

    Symmetric; NaN where it is not defined: fewer than two such rows, or a column that is constant in them.

    Args:
        a: Shape (n,); may hold NaN and infinities.
        b: Shape (n,).
    """
    known = np.isfinite(a) & np.isfinite(b)
    x, y = a[known], b[known]
    if x.size < 2 or x.min() == x.max() or y.min() == y.max():
        return math.nan
    x, y = x - x.mean(), y - y.mean()
    # Scaled before they are squared: numbers near the ends of the range must not overflow or vanish.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return float(np.clip((x * y).sum() / math.sqrt(float((x * x).sum()) * float((y * y).sum())), -1.0, 1.0))


def spearman(a: Values, b: Values) -> float:
    """Return the correlation of the ranks of two columns over the rows where neither is NaN, in [-1, 1].

    1 where one column rises with the other, however it does; equal values share their mean rank. NaN where it is not
    defined.

    Args:
        a: Shape (n,); may hold NaN.
        b: Shape (n,).

    Source: C. Spearman, The proof and measurement of association between two things, Am. J. Psychol. 15 (1904) 72-101.
    """
    known = ~(np.isnan(a) | np.isnan(b))
    return pearson(mean_ranks(a[known]), mean_ranks(b[known]))


def mean_ranks(values: Values) -> Values:
    """Return the rank of each value from 1; equal values share the mean of theirs, NaN keeps NaN."""
    ranks = np.full(values.shape, np.nan)
    known = ~np.isnan(values)
    _, places, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks[known] = (ends - (counts - 1) / 2)[places]
    return ranks


def mutual_information(a: Codes, b: Codes) -> float:
    """Return how much knowing one coded column tells of the other, as a share of their mean entropy, in [0, 1].

    Symmetric; 0 for independent columns (a little above it for finitely many rows), 1 where each tells the other, and
    0 where one is constant.

    Args:
        a: Codes from 0, shape (n,).
        b: Codes from 0, shape (n,).

    Source: the arithmetic normalisation of N. X. Vinh et al., Information theoretic measures for clusterings
        comparison, JMLR 11 (2010) 2837-2854.
    """
    table = contingency(a, b)
    n = table.sum()
    if not n:
        return 0.0
    rows, columns = entropy(table.sum(1)), entropy(table.sum(0))
    if rows <= 0 or columns <= 0:
        return 0.0
    return float(np.clip((rows + columns - entropy(table.ravel())) / ((rows + columns) / 2), 0.0, 1.0))


def entropy(counts: Values) -> float:
    """Return the entropy of counts, in nats: 0 where all rows are alike."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def group_scores(codes: Codes, target: Values, asked: Codes, *, weight: float = 20.0) -> Values:
    """Predict a target from one coded column alone: the mean of its group, pulled to the overall mean.

    Args:
        codes: Groups of the rows to learn from, shape (n,).
        target: Their target, shape (n,).
        asked: Groups of the rows to predict, shape (m,); a group never seen gets the overall mean.
        weight: Rows that the overall mean counts as in each group.

    Returns:
        One score a row, shape (m,), between the smallest and the largest target.
    """
    groups = int(max(codes.max(initial=0), asked.max(initial=0))) + 1
    overall = float(target.mean()) if target.size else 0.0
    counts = np.bincount(codes, minlength=groups)
    sums = np.bincount(codes, weights=target, minlength=groups)
    return ((sums + weight * overall) / (counts + weight))[asked]
