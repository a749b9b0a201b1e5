"""A number's frozen grid: cells of equal weight whose counts and sums add up exactly, in any order. Pure NumPy."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

CELLS = 128  # at least so many where the values allow it: the KS distance is then at most 1/128 too small
STEPS = 1 << 20  # of a standard deviation: what values are rounded to before they are summed, so that sums are integers
FARTHEST = 1 << 40  # steps from the centre (a million standard deviations); a value beyond counts as if it lay there


def grid(ordered: Numbers, bins: int) -> tuple[Numbers, list[int]]:
    """Return the inner edges of the cells, and the places among them of the edges of `bins` bins.

    Every bin is a union of cells. Edges are distinct and lie above the smallest value; a column of few distinct values
    gets fewer cells.

    Args:
        ordered: Finite numbers, ascending, shape (n,); may be empty.
        bins: Bins of equal weight that are to be unions of cells, at least 2.
    """
    if ordered.size == 0:
        return np.empty(0), []
    each = -(-CELLS // bins)
    cells = bins * each
    cuts = ordered[(np.arange(1, cells) * (ordered.size - 1) + cells - 1) // cells]
    coarse = np.unique(cuts[each - 1 :: each])
    edges = np.unique(cuts)
    edges, coarse = edges[edges > ordered[0]], coarse[coarse > ordered[0]]
    return edges, np.searchsorted(edges, coarse).tolist()


def scale_of(held: Numbers) -> tuple[float, float]:
    """Return centre and standard deviation of finite numbers, 0 and 0 where there are none."""
    if held.size == 0:
        return 0.0, 0.0
    centre = float(held.mean())
    return centre, float(held.std())


def count_cells(values: Numbers, edges: Numbers, centre: float, spread: float) -> tuple[Counts, Counts]:
    """Return rows per cell with, last, those without a value (NaN), and the sum of the values in each cell.

    A value belongs to cell i when it is at least ``edges[i - 1]`` and below ``edges[i]``; the outer cells are open.
    Sums are of distances from the centre in whole steps of ``step_of(spread)``: integers, so that adding up in any
    order gives the same. One sort, then work that is linear in the rows.

    Args:
        values: Shape (n,), NaN for a missing one.
        edges: Ascending, shape (k,).
        centre: Of the reference.
        spread: Standard deviation of the reference, 0 for a constant.

    Returns:
        Counts of shape (k + 2,) and sums of shape (k + 1,).
    """
    ordered = np.sort(values)  # NaN comes last
    held = ordered[: np.searchsorted(ordered, np.nan)]
    cuts = np.concatenate(([0], np.searchsorted(held, edges), [held.size]))
    steps = np.clip((held - centre) / step_of(spread), -FARTHEST, FARTHEST)
    total = np.concatenate(([0], np.cumsum(np.rint(steps, out=steps).astype(np.int64))))
    return np.append(np.diff(cuts), ordered.size - held.size), np.diff(total[cuts])


def step_of(spread: float) -> float:
    """Return what sums are counted in, in the feature's unit."""
    return (spread or 1.0) / STEPS
