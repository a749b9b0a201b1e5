"""What would change an answer: the nearest rows with another one, and the smallest changes of values; pure.

Source: J. Gower, A general coefficient of similarity and some of its properties (1971), for rows of numbers and
categories; the changes are counterfactuals in the sense of S. Wachter et al. (2017), one value at a time.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Flipped = Callable[[Values], Mask]  # encoded rows to whether their answer is another one
Towards = Callable[[Values], Values]  # encoded rows to how near they are to another answer; larger is nearer

MOST_TOGETHER = 4


def spreads(matrix: Values, categorical: Sequence[int]) -> Values:
    """Return by what each column's difference is divided: 1st to 99th percentile of a number, 1 of a category."""
    found = np.ones(matrix.shape[1])
    for place in range(matrix.shape[1]):
        known = matrix[np.isfinite(matrix[:, place]), place]
        if place not in categorical and known.size:
            low, high = np.percentile(known, (1, 99))
            found[place] = (high - low) or (known.max() - known.min()) or 1.0
    return found


def apart(row: Values, rows: Values, spread: Values, categorical: Sequence[int]) -> Values:
    """Return how far each value of rows is from that of one row, 0..1, shape (n, features).

    Categories are alike or not, numbers differ by their share of the spread; a missing value is far from any other.
    """
    there, here = np.isfinite(rows), np.isfinite(row)
    with np.errstate(invalid="ignore"):
        found = np.minimum(1.0, np.abs(rows - row) / spread)
    for place in categorical:
        found[:, place] = rows[:, place] != row[place]
    found = np.where(there & here, found, 1.0)
    return np.where(~there & ~here, 0.0, found)


def nearest(distances: Values, allowed: Mask, most: int) -> list[int]:
    """Return the places of the nearest allowed rows, nearest first."""
    places = np.flatnonzero(allowed)
    return places[np.argsort(distances[places], kind="stable")[:most]].tolist()


def single_changes(
    row: Values, steps: Sequence[Values], flipped: Flipped, spread: Values, categorical: Sequence[int]
) -> list[tuple[int, float]]:
    """Return the smallest change of each column that is enough alone: column and value, smallest first."""
    places, tried = candidates(row, steps)
    if not len(tried):
        return []
    enough = flipped(tried)
    size = apart(row, tried, spread, categorical).sum(axis=1)
    best: dict[int, int] = {}
    for at in np.flatnonzero(enough).tolist():
        place = int(places[at])
        if place not in best or size[at] < size[best[place]]:
            best[place] = at
    ordered = sorted(best, key=lambda place: size[best[place]])
    return [(place, float(tried[best[place], place])) for place in ordered]


def joint_changes(row: Values, steps: Sequence[Values], flipped: Flipped, towards: Towards) -> list[tuple[int, float]]:
    """Return a few changes that are enough together, found greedily, without those that turn out to be needless."""
    now, chosen = row.copy(), dict[int, float]()
    for _ in range(MOST_TOGETHER):
        places, tried = candidates(now, [one if place not in chosen else one[:0] for place, one in enumerate(steps)])
        if not len(tried):
            return []
        best = int(towards(tried).argmax())
        place = int(places[best])
        chosen[place] = float(tried[best, place])
        now = tried[best]
        if flipped(now[None])[0]:
            break
    else:
        return []
    for place in list(chosen):
        without = now.copy()
        without[place] = row[place]
        if len(chosen) > 1 and flipped(without[None])[0]:
            now = without
            del chosen[place]
    return list(chosen.items())


def candidates(row: Values, steps: Sequence[Values]) -> tuple[NDArray[np.int64], Values]:
    """Return every row that differs in one value, and which column that is."""
    places = np.concatenate([np.full(one.size, place, np.int64) for place, one in enumerate(steps)])
    tried = np.tile(row, (places.size, 1))
    tried[np.arange(places.size), places] = np.concatenate(list(steps))
    differs = tried[np.arange(places.size), places] != row[places]
    return places[differs], tried[differs]
