"""Columns that say the same: hierarchical clusters by association, and an order in which they stand together. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Values = NDArray[np.float64]
REDUNDANT = 0.7  # mean association from which columns form one group


class Clusters(Struct, frozen=True, kw_only=True):
    """Groups of columns.

    Attributes:
        order: Places of the columns so that neighbours go together, for a matrix that shows its blocks.
        groups: By column the number of its group from 1; 0 for a column that stands alone.
    """

    order: list[int]
    groups: list[int]


def clusters_of(association: Values, threshold: float = REDUNDANT) -> Clusters:
    """Return the groups of columns whose mean association with each other is at least `threshold`.

    Average linkage on 1 - |association|; a pair without a value counts as not associated. Groups are numbered by
    their size, the largest first.

    Args:
        association: Shape (k, k), symmetric, in [-1, 1] or NaN.
        threshold: 0..1.

    Source: R. R. Sokal, C. D. Michener, A statistical method for evaluating systematic relationships, Univ. Kansas
        Sci. Bull. 38 (1958) 1409-1438 (average linkage), as in scipy.cluster.hierarchy.
    """
    k = association.shape[0]
    if k < 2:
        return Clusters(order=list(range(k)), groups=[0] * k)
    import scipy.cluster.hierarchy
    import scipy.spatial.distance

    hierarchy: Any = scipy.cluster.hierarchy  # typed in part
    distance = 1.0 - np.abs(np.nan_to_num(association, nan=0.0))
    np.fill_diagonal(distance, 0.0)
    distance = np.clip((distance + distance.T) / 2, 0.0, 1.0)
    condensed: Any = scipy.spatial.distance.squareform(distance, checks=False)
    tree = hierarchy.linkage(condensed, method="average", optimal_ordering=k <= 300)
    flat = hierarchy.fcluster(tree, t=1.0 - threshold + 1e-12, criterion="distance")
    order: list[int] = hierarchy.leaves_list(tree).tolist()
    numbers, counts = np.unique(flat, return_counts=True)
    several = [int(number) for number, count in sorted(zip(numbers, counts, strict=True), key=by_size) if count > 1]
    named = {number: place + 1 for place, number in enumerate(several)}
    return Clusters(order=order, groups=[named.get(int(number), 0) for number in flat])


def by_size(pair: tuple[Any, Any]) -> tuple[int, int]:
    """Return what groups are sorted by. Any: NumPy's integers."""
    number, count = pair
    return (-int(count), int(number))


def representatives(groups: Sequence[int], worth: Sequence[float]) -> list[bool]:
    """Say of each column whether it stands for its group: the one that is worth most; a lone column does.

    Args:
        groups: Number of each column's group, 0 for none.
        worth: What each column is worth, larger is more; of equal ones the first stands for the group.
    """
    best: dict[int, int] = {}
    for place, group in enumerate(groups):
        if group and (group not in best or worth[place] > worth[best[group]]):
            best[group] = place
    return [not group or best[group] == place for place, group in enumerate(groups)]
