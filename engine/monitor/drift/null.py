"""What chance does to a feature's scores, by window size, as past windows of the training rows have shown."""

import math

import msgspec
import numpy as np


class Null(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of windows of training rows, consecutive in time, against the rest of them.

    Attributes:
        rows: Sizes of the windows, ascending.
        windows: How many there were of each size.
        effect: What `LEVEL` of their effects stay below.
        inflation: How much larger the test's statistic is than for independent rows, at least 1.
    """

    rows: list[int]
    windows: list[int]
    effect: list[float]
    inflation: list[float]

    def at(self, rows: int) -> tuple[float, float]:
        """Return effect and inflation for a window of so many rows.

        Linear in the root of 1 / rows between the sizes; a larger window gets what the largest has, a smaller one an
        effect that grows with the root of 1 / rows.
        """
        sizes = 1 / np.sqrt(np.array(self.rows[::-1], float))
        place = 1 / math.sqrt(max(rows, 1))
        effect = float(np.interp(place, sizes, self.effect[::-1])) * max(1.0, place / float(sizes[-1]))
        return effect, float(np.interp(place, sizes, self.inflation[::-1]))


LEVEL = 0.99  # of past windows whose effect is below the threshold
