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


def drawn(places: Places, most: int, seed: int) -> Places:
    """Return at most `most` of some rows, drawn by a seed, in their order."""
    if places.size <= most:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, most, replace=False))
