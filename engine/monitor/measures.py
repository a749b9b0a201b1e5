"""How good answers were, as the figures a window keeps. Pure."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Value
from lemnis.engine.evaluate.metrics import binary_metrics, multiclass_metrics, regression_metrics
from lemnis.engine.models.kinds import Task
from lemnis.engine.monitor.statistics import auc_standard_error

Numbers = NDArray[np.float64]


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the labelled rows; None where there are too few rows or classes, or the task has no such figure."""

    labelled: int = 0
    label_share: float | None = None
    roc_auc: float | None = None
    roc_auc_error: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    value_per_1000: float | None = None
    mean_absolute_error: float | None = None


def measures(task: Task, targets: Numbers, scores: Numbers, threshold: float, value: Value | None) -> Measures:
    """Return the figures of labelled rows.

    Args:
        task: Decides which figures there are.
        targets: 0 or 1, the class's place, or the true value, shape (n,).
        scores: Probability of the positive class or the value, shape (n,); or of every class, shape (n, classes).
            Rows whose score is NaN got no answer and are left out.
        threshold: From which score a binary answer is positive.
        value: What right and wrong answers of a binary model are worth; None leaves the money out.
    """
    answered = np.isfinite(scores if scores.ndim == 1 else scores.sum(axis=1)) & np.isfinite(targets)
    targets, scores = targets[answered], scores[answered]
    rows = int(targets.size)
    if rows == 0:
        return Measures()
    if task == "regression":
        return Measures(labelled=rows, mean_absolute_error=known(regression_metrics(targets, scores)["mae"]))
    if task == "multiclass":
        found = multiclass_metrics(targets, scores)
        return Measures(labelled=rows, **{name: known(found[name]) for name in ("roc_auc", "log_loss", "brier")})
    found = binary_metrics(targets, scores, threshold, msgspec.structs.asdict(value or Value()))
    positives = int(targets.sum())
    return Measures(
        labelled=rows,
        label_share=found["positive_share"],
        roc_auc_error=known(auc_standard_error(found["roc_auc"], positives, rows - positives)),
        value_per_1000=None if value is None else known(found["value_per_1000"]),
        **{name: known(found[name]) for name in ("roc_auc", "log_loss", "brier")},
    )


def known(value: float) -> float | None:
    """Return a finite number, else None."""
    return value if math.isfinite(value) else None
