"""Folds: which rows a model learns from and which it is judged by, so that each is judged by rows it has not seen."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Places = NDArray[np.int64]


class Fold(Struct, frozen=True, kw_only=True):
    """Rows of one fold, as numbers in the sample; `name` says which rows judge."""

    name: str
    learn: Places
    judge: Places


def time_folds(rows: int, count: int, names: Sequence[str] = ()) -> list[Fold]:
    """Return folds of rows in order of time: each learns from all blocks before the one that judges it.

    Args:
        rows: How many there are, in order of time; at least count + 1.
        count: How many folds; the rows are cut into one block more.
        names: What each judging block is called, e.g. its dates; else ``block 2`` …

    Source: R. J. Hyndman, G. Athanasopoulos, Forecasting: principles and practice, 5.10 (rolling origin).
    """
    blocks = np.array_split(np.arange(rows), count + 1)
    return [
        Fold(
            name=names[place - 1] if names else f"block {place + 1}",
            learn=np.concatenate(blocks[:place]),
            judge=blocks[place],
        )
        for place in range(1, count + 1)
    ]


def shuffled_folds(rows: int, count: int, seed: int) -> list[Fold]:
    """Return folds of rows without an order: each is judged by its own part and learns from all others."""
    parts = np.array_split(np.random.default_rng(seed).permutation(rows), count)
    return [
        Fold(
            name=f"part {place + 1}",
            learn=np.sort(np.concatenate([part for other, part in enumerate(parts) if other != place])),
            judge=np.sort(parts[place]),
        )
        for place in range(count)
    ]


def group_folds(groups: Places, count: int) -> list[Fold]:
    """Return folds that keep the rows of a group together: each is judged by its own groups and learns from all others.

    Groups go, the largest first, to the fold with the fewest rows so far.

    Args:
        groups: Number of each row's group, from 0; at least `count` groups.
        count: How many folds.
    """
    sizes = np.bincount(groups)
    fold_of, held = np.zeros(sizes.size, np.int64), np.zeros(count, np.int64)
    order: list[int] = np.argsort(-sizes, kind="stable").tolist()
    for group in order:
        place = int(held.argmin())
        fold_of[group] = place
        held[place] += sizes[group]
    folds = fold_of[groups]
    return [
        Fold(
            name=f"part {place + 1}, {int((fold_of[sizes > 0] == place).sum()):,} groups",
            learn=np.flatnonzero(folds != place),
            judge=np.flatnonzero(folds == place),
        )
        for place in range(count)
    ]


def month_folds(months: Sequence[str], count: int) -> list[Fold]:
    """Return folds of rows in order of time: each of the last months is judged by what learned from all before it.

    Args:
        months: Month of each row, rising, such as ``2013-07``; at least count + 1 different ones.
        count: How many months judge.
    """
    names = sorted(set(months))
    starts = [*(months.index(name) for name in names), len(months)]
    return [
        Fold(name=names[at], learn=np.arange(starts[at]), judge=np.arange(starts[at], starts[at + 1]))
        for at in range(len(names) - count, len(names))
    ]


def drawn(places: Places, most: int, seed: int) -> Places:
    """Return at most `most` of some rows, drawn by a seed, in their order."""
    if places.size <= most:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, most, replace=False))
