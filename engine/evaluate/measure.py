"""One part of the rows, measured: metrics, intervals, curves, confusion and months of one model."""

import math
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.config import Problem
from lemnis.engine.evaluate.curves import best_threshold, calibration_curve, pr_curve, roc_curve, threshold_sweep
from lemnis.engine.evaluate.intervals import blocks_of, bootstrap_intervals
from lemnis.engine.evaluate.metrics import (
    binary_metrics,
    confusion,
    multiclass_metrics,
    regression_metrics,
)
from lemnis.engine.evaluate.records import Evaluation, Month
from lemnis.engine.evaluate.subject import DAY_MS, Subject, months_of

Values = NDArray[np.float64]
Measures = dict[str, float]
FEWEST_IN_MONTH = 200  # rows of a month before it can be the worst …
FULL_MONTH = 0.1  # … and their share of the median month's: the first and the last may be cut short
FIRST_METRIC = {"binary": "roc_auc", "multiclass": "roc_auc", "regression": "rmse"}


class Scored(Struct, frozen=True, kw_only=True):
    """Rows with a known target and the model's answer to them.

    Attributes:
        score: Probability of the positive class or number, shape (n,); or of each class, shape (n, classes).
        time: Epoch ms, None if the version has no time column.
    """

    target: Values
    score: Values
    time: NDArray[np.int64] | None

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Scored":
        """Return some of the rows."""
        time = self.time[chosen] if self.time is not None else None
        return Scored(target=self.target[chosen], score=self.score[chosen], time=time)


def measures(scored: Scored, problem: Problem, weight: Values | None = None) -> Measures:
    """Return every measure of the problem's task."""
    if problem.task == "regression":
        return regression_metrics(scored.target, scored.score, weight)
    if scored.score.ndim == 2:
        return multiclass_metrics(scored.target, scored.score, weight)
    return binary_metrics(scored.target, scored.score, problem.threshold, value_of(problem), weight)


def value_of(problem: Problem) -> dict[str, float]:
    """Return the money per answer by name."""
    return msgspec.to_builtins(problem.value)


def known(found: Mapping[str, float]) -> dict[str, float | None]:
    """Return measures with None for what is not defined."""
    return {name: None if math.isnan(value) else value for name, value in found.items()}


def evaluate_part(
    subject: Subject, part: str, scored: Scored, problem: Problem, *, intervals: bool, now: int
) -> Evaluation:
    """Measure one part; intervals cost some hundred passes and are left out where nothing is decided on them."""
    found: dict[str, list[float]] = {}
    blocks = ""
    if intervals and scored.target.size:
        order = np.argsort(scored.score, kind="stable") if scored.score.ndim == 1 else slice(None)
        rows = scored.where(order) if isinstance(order, np.ndarray) else scored  # sorted rows sort again at once
        days = rows.time // DAY_MS if rows.time is not None else None
        places, blocks = blocks_of(days, rows.target.size)
        found = bootstrap_intervals(lambda weight: measures(rows, problem, weight), places)
    plain = Evaluation(
        run_id=subject.run_id,
        version_id=subject.version.id,
        part=part,
        rows=scored.target.size,
        metrics=known(measures(scored, problem)),
        created_at=now,
        intervals=found,
        blocks=blocks,
        currency=problem.currency,
        days=None if scored.time is None else int(np.unique(scored.time // DAY_MS).size),
    )
    if problem.task == "regression":
        return plain
    if scored.score.ndim == 2:
        return msgspec.structs.replace(
            plain, labels=subject.signature.classes, matrix=confusion_matrix(scored, len(subject.signature.classes))
        )
    sweep = threshold_sweep(scored.target, scored.score, value_of(problem))
    return msgspec.structs.replace(
        plain,
        roc=roc_curve(scored.target, scored.score),
        pr=pr_curve(scored.target, scored.score),
        calibration=calibration_curve(scored.target, scored.score),
        sweep=sweep,
        confusion=confusion(scored.target, scored.score >= problem.threshold),
        labels=subject.signature.classes,
        threshold=problem.threshold,
        best_threshold=best_threshold(sweep),
    )


def confusion_matrix(scored: Scored, classes: int) -> list[list[int]]:
    """Return how often each actual class (row) was answered with each class (column)."""
    pairs = scored.target.astype(np.int64) * classes + scored.score.argmax(1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).tolist()


def by_month(
    subject: Subject, scored: Scored, problem: Problem, told: Callable[[str], None] = lambda month: None
) -> list[Month]:
    """Return the model's measures in each calendar month (UTC) of the rows, in order of time."""
    if scored.time is None:
        return []
    names = np.array(months_of(scored.time))
    found: list[Month] = []
    for name in sorted(set(names.tolist())):
        told(name)
        rows = scored.where(names == name)
        first = int(rows.time.min()) if rows.time is not None else 0
        parts = [part for part, span in subject.version.split.items() if span.start <= first < span.end]
        found.append(
            Month(
                name=name,
                rows=rows.target.size,
                part=parts[0] if parts else "",
                positive_share=float(rows.target.mean()),
                metrics=known(measures(rows, problem)),
            )
        )
    return found


def worst_month(months: list[Month], task: str) -> str:
    """Return the name of the month with the poorest first metric, empty if no month has enough rows."""
    metric = FIRST_METRIC[task]
    fewest = max(FEWEST_IN_MONTH, FULL_MONTH * float(np.median([month.rows for month in months] or [0])))
    judged = [
        (value, month.name)
        for month in months
        if month.rows >= fewest and (value := month.metrics.get(metric)) is not None
    ]
    if not judged:
        return ""
    return (max(judged) if task == "regression" else min(judged))[1]
