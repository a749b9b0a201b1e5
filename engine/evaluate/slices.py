"""Slices of the rows where a model is worse than elsewhere, found by search and tested. Pure, no I/O.

Every bin of a number and every category is a slice, and so is every pair of them over two features. A slice needs a
least share of the rows; its mean loss is tested against that of all other rows, rows of one day counted together, and
the false discoveries among all slices that were tested are held below 5 %.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.int64]
LEAST_SHARE, LEAST_ROWS = 0.01, 50
FALSE_DISCOVERIES = 0.05
STRONGER = 1.25  # times the difference of both its features alone: less, and a pair says nothing new
MOST = 40  # slices that are told


class Cut(NamedTuple):
    """One feature cut into levels.

    Attributes:
        words: Of each level, such as ``hour 17 to 21``.
        wheres: Of each level the SQL that finds its rows; empty where there is none.
        level: Of each row, -1 for none, shape (n,).
    """

    words: list[str]
    wheres: list[str]
    level: Places


class Test(NamedTuple):
    """Mean loss of each slice against all other rows, each of shape (slices,).

    Attributes:
        error: Standard error of the difference, rows of a block counted together.
        p: Of a difference this large or larger, if there is none.
    """

    rows: Values
    loss: Values
    rest: Values
    error: Values
    p: Values


class Found(NamedTuple):
    """A slice that is worse: which cuts and levels it is made of, and its test.

    Attributes:
        q: The share of false discoveries if this one and all stronger ones are taken.
    """

    cuts: tuple[int, ...]
    levels: tuple[int, ...]
    rows: int
    loss: float
    rest: float
    error: float
    q: float


def search(loss: Values, cuts: Sequence[Cut], paired: Sequence[int], blocks: Places) -> tuple[list[Found], int]:
    """Return the slices that are worse, the largest loss in all first, and how many were tested.

    Args:
        loss: Of each row, shape (n,).
        cuts: The features.
        paired: Which of them are looked at in pairs.
        blocks: Block of each row, numbered from 0: rows of a block go together.
    """
    least = max(LEAST_ROWS, LEAST_SHARE * loss.size)
    keys: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    tests: list[Test] = []
    for chosen in [(one,) for one in range(len(cuts))] + list(combinations(paired, 2)):
        sizes = [len(cuts[one].words) for one in chosen]
        level = cuts[chosen[0]].level
        for one in chosen[1:]:
            both = (level >= 0) & (cuts[one].level >= 0)
            level = np.where(both, level * len(cuts[one].words) + cuts[one].level, -1)
        test = tested(loss, level, int(np.prod(sizes)), blocks)
        kept = np.flatnonzero((test.rows >= least) & (test.rows <= loss.size - least))
        tests.append(Test(*(column[kept] for column in test)))
        keys += [(chosen, tuple(int(at) for at in np.unravel_index(place, sizes))) for place in kept]
    if not keys:
        return [], 0
    whole = Test(*(np.concatenate(columns) for columns in zip(*tests, strict=True)))
    q = discoveries(whole.p)
    worse = {
        key: Found(
            *key, int(whole.rows[at]), *(float(column[at]) for column in (whole.loss, whole.rest, whole.error, q))
        )
        for at, key in enumerate(keys)
        if q[at] <= FALSE_DISCOVERIES and whole.loss[at] > whole.rest[at]
    }
    alone = {key: whole.loss[at] - whole.rest[at] for at, key in enumerate(keys) if len(key[0]) == 1}
    return told(list(worse.values()), alone), len(keys)


def told(worse: Sequence[Found], alone: dict[tuple[tuple[int, ...], tuple[int, ...]], float]) -> list[Found]:
    """Return the slices that say something of their own, the largest loss in all first.

    A pair is left out where it is not clearly worse than both its features alone, and so is a slice of the very rows of
    another.
    """
    order = sorted(worse, key=lambda one: ((one.rest - one.loss) * one.rows, len(one.cuts)))
    seen: set[tuple[int, float]] = set()
    found: list[Found] = []
    for one in order:
        parents = [alone.get(((cut,), (level,)), 0.0) for cut, level in zip(one.cuts, one.levels, strict=True)]
        again = (one.rows, round(one.loss, 12)) in seen
        if again or (len(one.cuts) > 1 and one.loss - one.rest < STRONGER * max(parents)):
            continue
        seen.add((one.rows, round(one.loss, 12)))
        found.append(one)
    return found[:MOST]


def tested(loss: Values, level: Places, count: int, blocks: Places) -> Test:
    """Return the test of each level against all rows of other levels; rows of level -1 are of none.

    The variance of the difference is that of its blocks' influences (linearised, clustered by block); with one row a
    block this is Welch's.

    Args:
        loss: Of each row, shape (n,).
        level: Of each row, shape (n,).
        count: How many levels there are.
        blocks: Block of each row, numbered from 0.

    Source: B. Welch, Biometrika 34 (1947); K.-Y. Liang, S. Zeger, Biometrika 73 (1986).
    """
    from scipy.special import stdtr

    size, inside = int(blocks.max(initial=-1)) + 1, level >= 0
    cell = level[inside] * size + blocks[inside]
    rows = np.bincount(cell, minlength=count * size).reshape(count, size).astype(np.float64)
    sums = np.bincount(cell, loss[inside], count * size).reshape(count, size)
    all_rows = np.bincount(blocks, minlength=size).astype(np.float64)
    all_sums = np.bincount(blocks, loss, size)
    own, others = rows.sum(1), all_rows.sum() - rows.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, rest = sums.sum(1) / own, (all_sums.sum() - sums.sum(1)) / others
        influence = (sums - mean[:, None] * rows) / own[:, None]
        influence -= (all_sums - sums - rest[:, None] * (all_rows - rows)) / others[:, None]
        held = (rows > 0).sum(1)
        error = np.sqrt((influence**2).sum(1) * np.where(held > 1, held / (held - 1.0), np.inf))
        p = stdtr(np.maximum(1, held - 1), -(mean - rest) / error)
    return Test(own, mean, rest, error, np.where(np.isnan(p), 1.0, p))


def discoveries(p: Values) -> Values:
    """Return the share of false discoveries (q) of each p among all of them.

    Source: Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995).
    """
    order = np.argsort(p)[::-1]
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    found = np.empty(p.size)
    found[order] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return found
