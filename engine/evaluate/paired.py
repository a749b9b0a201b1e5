"""A model against a baseline on the same rows: every measure's difference with its interval and p."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Problem
from lemnis.engine.evaluate.intervals import blocks_of
from lemnis.engine.evaluate.measure import Scored, measures, value_of
from lemnis.engine.evaluate.metrics import HIGHER_IS_BETTER
from lemnis.engine.evaluate.records import PairedTest
from lemnis.engine.evaluate.significance import (
    auc_covariance,
    bootstrap_error,
    draws,
    judged,
    mean_auc_error,
    merged,
    placements,
)
from lemnis.engine.evaluate.subject import DAY_MS
from lemnis.engine.evaluate.sums import average_precision, block_sums, measures_of

Values = NDArray[np.float64]
NEITHER = frozenset({"positive_share", "predicted_share", "bias"})  # more of it is neither better nor worse
UNTOLD = frozenset({"positive_share", "value"})  # of the rows, not the model; said per 1,000 rows
RANKED_REPEATS = 200  # of what must be ranked again in each repeat
DELONG, BOOTSTRAP, CURVES = "DeLong", "paired bootstrap", "infinitesimal jackknife"


class Yardstick:
    """A baseline on its rows, made ready once and then compared with any number of models."""

    def __init__(self, base: Scored, problem: Problem, told: Callable[[], None] = lambda: None) -> None:
        """Measure the baseline.

        Args:
            base: The rows with the baseline's scores; at least one.
            problem: Task, threshold and value of answers.
            told: Called now and then; may raise to stop.
        """
        self.base, self.problem, self.told = base, problem, told
        days = base.time // DAY_MS if base.time is not None else None
        found, self.blocks_name = blocks_of(days, base.target.size)
        self.blocks = merged(found)
        self.count = int(self.blocks.max(initial=-1)) + 1
        self.drawn = draws(self.count)
        self.measured, self._sums = measures(base, problem), self._drawn_measures(base.score)
        self._placed = [placements(target, score) for target, score in self._curves(base.score)]
        self._precision = self._drawn_precision(base.score)

    def tests(self, score: Values) -> list[PairedTest]:
        """Return every measure of a model against the baseline.

        Args:
            score: The model's scores of the same rows, shaped like the baseline's.
        """
        measured = measures(Scored(target=self.base.target, score=score, time=None), self.problem)
        errors = self._errors(score)
        found: list[PairedTest] = []
        for name, value in measured.items():
            before = self.measured[name]
            if name in UNTOLD or (name == "value_per_1000" and not any(value_of(self.problem).values())):
                continue
            delta = value - before
            plain = PairedTest(
                metric=name,
                base=none_if_nan(before),
                value=none_if_nan(value),
                delta=none_if_nan(delta),
                better=is_better(name, delta),
            )
            error, method, count = errors.get(name, (None, "", 0))
            if error is not None and math.isfinite(error) and not math.isnan(delta):
                low, high, p = judged(delta, error, count)
                plain = msgspec.structs.replace(plain, low=low, high=high, p=p, method=method)
            found.append(plain)
        return found

    def _errors(self, score: Values) -> dict[str, tuple[float | None, str, int]]:
        """Return standard error, method and number of blocks by measure."""
        drawn = self._drawn_measures(score)
        found: dict[str, tuple[float | None, str, int]] = {}
        for name, values in drawn.items():
            found[name] = (bootstrap_error(values - self._sums[name], self.count), BOOTSTRAP, self.count)
        if (found_auc := self._auc_error(score)) is not None:
            found["roc_auc"] = found_auc
        precision = self._drawn_precision(score)
        if precision is not None and self._precision is not None:
            found["pr_auc"] = (bootstrap_error(precision - self._precision, self.count), BOOTSTRAP, self.count)
        return found

    def _drawn_measures(self, score: Values) -> dict[str, Values]:
        sums = block_sums(self.base.target, score, self.problem.task, self.problem.threshold, self.blocks)
        self.told()
        return measures_of(self.drawn @ sums, self.problem.task, value_of(self.problem))

    def _drawn_precision(self, score: Values) -> Values | None:
        if self.problem.task != "binary":
            return None
        self.told()
        return average_precision(self.base.target, score, self.blocks, self.drawn[:RANKED_REPEATS])

    def _auc_error(self, score: Values) -> tuple[float, str, int] | None:
        curves = self._curves(score)
        if not curves:
            return None
        self.told()
        placed = list(zip(self._placed, [placements(*curve) for curve in curves], strict=True))
        if self.problem.task == "multiclass":
            return mean_auc_error([target for target, _ in curves], placed, self.blocks), CURVES, self.count
        alone = self.blocks_name == "rows"
        _, spread = auc_covariance(self.base.target, np.stack(placed[0]), None if alone else self.blocks)
        variance = float(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
        return max(0.0, variance) ** 0.5, DELONG, self.base.target.size if alone else self.count

    def _curves(self, score: Values) -> list[tuple[Values, Values]]:
        """Return target and score of each ROC curve: one, or each class against the rest; none where undefined."""
        target = self.base.target
        if self.problem.task == "regression":
            return []
        if score.ndim == 2:
            present = [place for place in range(score.shape[1]) if (target == place).any()]
            return [((target == p).astype(np.float64), score[:, p]) for p in present] if len(present) > 1 else []
        return [(target, score)] if 1 < target.sum() < target.size - 1 else []


def none_if_nan(value: float) -> float | None:
    """Return a number, None for NaN."""
    return None if math.isnan(value) else value


def is_better(metric: str, delta: float) -> bool | None:
    """Say whether a difference of a measure is for the better; None where it is neither or there is none."""
    if not delta or math.isnan(delta) or metric in NEITHER:
        return None
    return (delta > 0) == (metric in HIGHER_IS_BETTER)
