"""What a training has told so far: its rounds, the best of them, and whether it is time to stop. No I/O."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lemnis.engine.experiments.checkpoint import Checkpoint
from lemnis.engine.experiments.parameters import TASKS, metric_name

Values = dict[str, float | None]


class Rounds:
    """Takes the metrics of round after round.

    Attributes:
        wanted: How many rounds there are to be.
        done: How many there are.
        best_round: The best by the main validation metric; None without a validation part.
        best, latest: Every metric at the best and at the last round, None for NaN.
        early_stopping: Enough when this many rounds were no better on validation; 0 for never.
    """

    def __init__(self, task: str, wanted: int, early_stopping: int = 0, resumed: Checkpoint | None = None) -> None:
        start = resumed or Checkpoint(round=0)
        self.wanted, self.early_stopping, self.first = wanted, early_stopping, start.round
        self.done, self.best_round, self.best = start.round, start.best_round, dict(start.best)
        self.latest: Values = {}
        kind = TASKS[task]
        self._main, self._better = metric_name("validation", kind.metrics[0]), better(kind.larger_is_better)

    def take(self, step: int, values: Mapping[str, float | None]) -> None:
        """Take the metrics of one round, the first is 1."""
        self.done, self.latest = step, dict(values)
        value, best = values.get(self._main), self.best.get(self._main)
        if value is not None and (best is None or self._better(value, best)):
            self.best_round, self.best = step, dict(values)

    @property
    def enough(self) -> bool:
        """Whether validation has not become better for long enough."""
        return bool(
            self.early_stopping and self.best_round and self.done - self.best_round >= self.early_stopping
        )  # fmt: skip

    @property
    def cut(self) -> int | None:
        """The round the model is cut at, None for all of them."""
        return self.best_round if self.early_stopping and self.best_round else None

    @property
    def metrics(self) -> Values:
        """The metrics of the model that is kept."""
        return dict(self.best if self.cut else self.latest)


def values_of(results: Iterable[Any]) -> Values:
    """Return LightGBM's results of one round by our names, None for what is no finite number. Any: it has no types."""
    found: Values = {}
    for result in results:
        value = float(result.metric_value)
        found[metric_name(result.dataset_name, result.metric_name)] = value if math.isfinite(value) else None
    return found


def better(larger: bool) -> Callable[[float, float], bool]:
    """Return the comparison that says that the first value is better than the second."""
    return (lambda a, b: a > b) if larger else (lambda a, b: a < b)
