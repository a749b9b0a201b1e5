"""The last known answers before each row: a forecast that any model has to beat where rows have a time. Pure NumPy."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.int64]
SMOOTHING = 1.0  # rows that each class is taken to have had after each answer, so that no probability is 0


def last_known(values: Values, time: Places, group: Places | None = None, *, delay: int = 0) -> Values:
    """Return the mean of the values at the latest moment of each row's group that it can know; NaN where there is none.

    That moment is before the row's own, and by the delay at least. Rows of one moment do not know of each other, and
    where several share the latest one none of them is preferred. O(n log n).

    Args:
        values: What becomes known of each row, shape (n, k).
        time: Of each row, epoch ms, shape (n,).
        group: Number of each row's group, from 0, shape (n,); None if all rows are one group.
        delay: How long after a row's time its values are known, ms.

    Returns:
        Shape (n, k).
    """
    if not time.size:
        return values.astype(np.float64)
    first, span = int(time.min()), int(np.ptp(time)) + delay + 2
    grouped = np.zeros(time.size, np.int64) if group is None else group
    moment = grouped * span + (time - first)  # groups are a span apart, so that none reaches into the one before
    moments, places, rows = np.unique(moment, return_inverse=True, return_counts=True)
    sums = np.column_stack([np.bincount(places, column) for column in values.T])
    latest = np.searchsorted(moments, moment - max(1, delay), side="right") - 1
    known = (latest >= 0) & (moments[latest] // span == grouped)
    return np.where(known[:, None], sums[latest] / rows[latest, None], np.nan)


def answers_after(before: Values, target: Values) -> Values:
    """Return how often each class follows each class, shape (classes, classes), rows summing to 1.

    Args:
        before: The classes' shares among the last known answers of each row, NaN where there are none: (n, classes).
        target: Its own class, shape (n,).
    """
    known = ~np.isnan(before[:, 0])
    own = np.eye(before.shape[1])[target[known].astype(np.int64)]
    counts = before[known].T @ own + SMOOTHING
    return counts / counts.sum(1, keepdims=True)
