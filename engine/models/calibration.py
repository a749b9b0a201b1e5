"""Maps from the probabilities that a model says to better ones: as they are kept with a version and applied. Pure."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from lemnis.engine.models.kinds import Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values: TypeAlias = NDArray[np.float64]

LOGIT_ENDS = 1e-12  # probabilities nearer to 0 or 1 count as this near
Points: TypeAlias = list[list[float]]


class ProbabilityMap(Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True):
    """What makes a model's probability of yes, or its probabilities of several classes, better ones.

    Attributes:
        points: Said and better probabilities to interpolate between, said ones rising; of platt slope and offset of
            the log odds; of temperature what logarithms of probabilities are divided by.
        classes: Points of each class in their order, of isotonic maps of several classes: each is mapped against all
            others, then they are divided by their sum.
    """

    method: Method
    points: Points = []
    classes: list[Points] = []

    def many(self, probability: "Values") -> "Values":
        """Return the better probabilities of some, of any shape; of several classes shape (n, classes)."""
        if self.method == "temperature":
            return tempered(probability, self.points[0][0])
        if not self.classes:
            return mapped(self.method, self.points, probability)
        import numpy as np

        each = zip(self.classes, probability.T, strict=True)
        better = np.column_stack([mapped("isotonic", points, column) for points, column in each])
        return np.asarray(better / better.sum(1, keepdims=True), dtype=np.float64)

    def row(self, said: Sequence[float]) -> list[float]:
        """Return the better probabilities of one row: of yes, or of each class, without the cost of arrays."""
        if self.method == "temperature":
            logs = [math.log(max(one, LOGIT_ENDS)) / self.points[0][0] for one in said]
            most = max(logs)
            better = [math.exp(one - most) for one in logs]
        elif self.classes:
            better = [part.one(one) for part, one in zip(self._parts, said, strict=True)]
        else:
            return [self.one(one) for one in said]
        total = sum(better)
        return [one / total for one in better]

    def one(self, probability: float) -> float:
        """Return the better probability of yes of one, as `many` does."""
        if self.method == "platt":
            slope, offset = self.points[0]
            held = min(max(probability, LOGIT_ENDS), 1 - LOGIT_ENDS)
            odds = slope * (math.log(held) - math.log1p(-held)) + offset
            return 1 / (1 + math.exp(-min(max(odds, -700.0), 700.0)))
        said, better = self._columns
        above = bisect_right(said, probability)
        if above == 0:
            return better[0]
        if above == len(said):
            return better[-1]
        low, rise = said[above - 1], better[above] - better[above - 1]
        return better[above - 1] + rise * (probability - low) / (said[above] - low)

    @cached_property
    def _columns(self) -> tuple[Sequence[float], Sequence[float]]:
        return [said for said, _ in self.points], [better for _, better in self.points]

    @cached_property
    def _parts(self) -> list["ProbabilityMap"]:
        return [ProbabilityMap(method=self.method, points=points) for points in self.classes]


def mapped(method: str, points: Points, probability: "Values") -> "Values":
    """Return the probabilities that an isotonic or platt map makes of others."""
    import numpy as np

    if method == "platt":
        slope, offset = points[0]
        return logistic(slope * log_odds(probability) + offset)
    said, better = np.array(points).T
    return np.asarray(np.interp(probability, said, better), dtype=np.float64)


def tempered(probability: "Values", temperature: float) -> "Values":
    """Return the softmax of the logarithms of probabilities, divided by a temperature, shape (n, classes)."""
    import numpy as np

    logs = np.log(np.maximum(probability, LOGIT_ENDS)) / temperature
    better = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(better / better.sum(1, keepdims=True), dtype=np.float64)


def log_odds(probability: "Values") -> "Values":
    """Return ln(p / (1 - p)), finite."""
    import numpy as np

    held = np.clip(probability, LOGIT_ENDS, 1 - LOGIT_ENDS)
    return np.log(held) - np.log1p(-held)


def logistic(value: "Values") -> "Values":
    """Return 1 / (1 + e^-x)."""
    import numpy as np

    return 1 / (1 + np.exp(-np.clip(value, -700, 700)))
