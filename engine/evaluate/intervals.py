"""95 % intervals by drawing blocks of rows again, so that rows of one day, which go together, stay together. Pure."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
REPEATS = 200
FEWEST_BLOCKS = 8  # fewer blocks can't stand for the days to come; rows are drawn instead
LEVEL = 0.95


def blocks_of(day: NDArray[np.int64] | None, rows: int) -> tuple[NDArray[np.int64], str]:
    """Return the block of each row, numbered from 0, and what a block is: ``days`` or ``rows``.

    Args:
        day: Number of each row's day, shape (rows,); None where rows have no time.
        rows: How many rows there are.
    """
    if day is not None:
        distinct, places = np.unique(day, return_inverse=True)
        if distinct.size >= FEWEST_BLOCKS:
            return places.astype(np.int64), "days"
    return np.arange(rows, dtype=np.int64), "rows"


def bootstrap_intervals(
    measure: Callable[[Values], Mapping[str, float]],
    blocks: NDArray[np.int64],
    *,
    repeats: int = REPEATS,
    seed: int = 1,
) -> dict[str, list[float]]:
    """Return the 2.5 % and 97.5 % quantiles of measures over draws of blocks with replacement.

    Args:
        measure: Takes how often each row counts, shape (n,), and returns the measures.
        blocks: Block of each row, numbered from 0 without gaps, shape (n,).
        repeats: Draws; each calls `measure` once.
        seed: The same seed gives the same intervals.

    Returns:
        [low, high] by measure; measures that are NaN in more than a tenth of the draws are left out.

    Source: B. Efron, R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8.5 and 13.3.
    """
    random = np.random.default_rng(seed)
    count = int(blocks.max(initial=-1)) + 1
    if not count:
        return {}
    drawn: dict[str, list[float]] = {}
    for _ in range(repeats):
        times = np.bincount(random.integers(0, count, count), minlength=count).astype(np.float64)
        for name, value in measure(times[blocks]).items():
            drawn.setdefault(name, []).append(value)
    tail = (1 - LEVEL) / 2
    found: dict[str, list[float]] = {}
    for name, values in drawn.items():
        known = np.array(values)[~np.isnan(values)]
        if known.size >= 0.9 * repeats:
            low, high = np.quantile(known, [tail, 1 - tail])
            found[name] = [float(low), float(high)]
    return found
