"""How good predictions are: numbers of a target and its predictions, rows weighted if asked. Pure NumPy, no I/O.

Every function takes the target and the predictions as arrays of one length, and `weight`, how often each row counts
(None: once), so that a bootstrap draws weights instead of rows. A measure that is not defined (one class only, no
rows) is NaN.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
FLOOR = 1e-15  # the probability that 0 counts as in a logarithm, and 1 minus it that 1 does
CALIBRATION_BINS = 10
NAN = math.nan


def weights(target: Values, weight: Values | None) -> Values:
    """Return how often each row counts, shape (n,)."""
    return np.ones(target.size) if weight is None else weight


def quotient(part: float, whole: float) -> float:
    """Return part / whole, NaN when the whole is 0."""
    return float(part / whole) if whole else NAN


def roc_auc(target: Values, score: Values, weight: Values | None = None) -> float:
    """Return the probability that a positive row scores above a negative one; ties count half. In [0, 1].

    Args:
        target: 0 or 1, shape (n,).
        score: Larger is more positive, shape (n,).
        weight: How often each row counts.
    """
    order = np.argsort(score, kind="stable")
    w, y = weights(target, weight)[order], target[order]
    starts = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
    positive = np.add.reduceat(w * y, starts) if starts.size else np.zeros(0)
    negative = np.add.reduceat(w * (1 - y), starts) if starts.size else np.zeros(0)
    below = np.cumsum(negative) - negative
    return quotient(float((positive * (below + negative / 2)).sum()), float(positive.sum() * negative.sum()))


def pr_auc(target: Values, score: Values, weight: Values | None = None) -> float:
    """Return average precision: precision at each threshold, weighted by the recall it adds. In [0, 1]."""
    order = np.argsort(-score, kind="stable")
    w, y = weights(target, weight)[order], target[order]
    ends = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
    hits, asked = np.cumsum(w * y)[ends], np.cumsum(w)[ends]
    if not hits.size or not hits[-1]:
        return NAN
    precision = np.divide(hits, asked, out=np.zeros_like(hits), where=asked > 0)
    return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def log_loss(target: Values, probability: Values, weight: Values | None = None) -> float:
    """Return the mean of minus the logarithm of the probability given to what happened, in nats; at least 0.

    Args:
        target: 0 or 1, or the class's place.
        probability: Of the positive class, shape (n,); or of every class, shape (n, classes).
        weight: How often each row counts.
    """
    w = weights(target, weight)
    if probability.ndim == 2:
        given = probability[np.arange(target.size), target.astype(np.int64)]
    else:
        given = np.where(target == 1, probability, 1 - probability)
    return quotient(float(-(w * np.log(np.clip(given, FLOOR, 1 - FLOOR))).sum()), float(w.sum()))


def brier(target: Values, probability: Values, weight: Values | None = None) -> float:
    """Return the mean squared distance of the probability from what happened; 0 perfect, 0.25 a coin, at most 1."""
    w = weights(target, weight)
    return quotient(float((w * (probability - target) ** 2).sum()), float(w.sum()))


def calibration(
    target: Values, probability: Values, weight: Values | None = None, bins: int = CALIBRATION_BINS
) -> Values:
    """Return mean probability, share of positives and rows of each bin of equal width that holds rows, shape (k, 3)."""
    w = weights(target, weight)
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    rows: Values = np.bincount(place, weights=w, minlength=bins).astype(np.float64)
    said: Values = np.bincount(place, weights=w * probability, minlength=bins).astype(np.float64)
    was: Values = np.bincount(place, weights=w * target, minlength=bins).astype(np.float64)
    held = rows > 0
    return np.column_stack([said[held] / rows[held], was[held] / rows[held], rows[held]])


def expected_calibration_error(
    target: Values, probability: Values, weight: Values | None = None, bins: int = CALIBRATION_BINS
) -> float:
    """Return the mean gap between probability and share of positives over bins of equal width, by rows. In [0, 1].

    Source: M. P. Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015.
    """
    curve = calibration(target, probability, weight, bins)
    return quotient(float((abs(curve[:, 0] - curve[:, 1]) * curve[:, 2]).sum()), float(curve[:, 2].sum()))


def confusion(target: Values, positive: NDArray[np.bool_], weight: Values | None = None) -> dict[str, float]:
    """Return how often each answer was right or wrong, under the names of [problem.value]; the sum is all rows."""
    w, actual = weights(target, weight), target == 1
    return {
        "true_positive": float(w[actual & positive].sum()),
        "false_positive": float(w[~actual & positive].sum()),
        "false_negative": float(w[actual & ~positive].sum()),
        "true_negative": float(w[~actual & ~positive].sum()),
    }


def money(counts: Mapping[str, float], value: Mapping[str, float]) -> float:
    """Return what these answers are worth together: counts times the value of each."""
    return sum(count * value.get(name, 0.0) for name, count in counts.items())


def decisions(counts: Mapping[str, float]) -> dict[str, float]:
    """Return accuracy, precision, recall and F1 of a confusion, each in [0, 1] or NaN where it is not defined."""
    hit, false, missed, rejected = (
        counts[name] for name in ("true_positive", "false_positive", "false_negative", "true_negative")
    )
    return {
        "accuracy": quotient(hit + rejected, hit + false + missed + rejected),
        "precision": quotient(hit, hit + false),
        "recall": quotient(hit, hit + missed),
        "f1": quotient(2 * hit, 2 * hit + false + missed),
    }


def binary_metrics(
    target: Values,
    probability: Values,
    threshold: float,
    value: Mapping[str, float],
    weight: Values | None = None,
) -> dict[str, float]:
    """Return every measure of a yes-or-no model.

    Args:
        target: 0 or 1, shape (n,).
        probability: Of 1, in [0, 1], shape (n,).
        threshold: A probability at or above it is answered with yes.
        value: Money per answer: true_positive, false_positive, false_negative, true_negative.
        weight: How often each row counts.
    """
    counts = confusion(target, probability >= threshold, weight)
    rows = sum(counts.values())
    total = money(counts, value)
    return {
        "roc_auc": roc_auc(target, probability, weight),
        "pr_auc": pr_auc(target, probability, weight),
        "log_loss": log_loss(target, probability, weight),
        "brier": brier(target, probability, weight),
        "ece": expected_calibration_error(target, probability, weight),
        **decisions(counts),
        "positive_share": quotient(counts["true_positive"] + counts["false_negative"], rows),
        "predicted_share": quotient(counts["true_positive"] + counts["false_positive"], rows),
        "value": total,
        "value_per_1000": 1000 * quotient(total, rows),
    }


def multiclass_metrics(target: Values, probability: Values, weight: Values | None = None) -> dict[str, float]:
    """Return every measure of a model of several classes; the answer is the likeliest class.

    Args:
        target: Places of the classes, shape (n,).
        probability: Of each class, rows summing to 1, shape (n, classes).
        weight: How often each row counts.
    """
    w, answer = weights(target, weight), probability.argmax(1)
    present = [place for place in range(probability.shape[1]) if (w[target == place]).sum() > 0]
    each = [decisions(confusion((target == place).astype(np.float64), answer == place, weight)) for place in present]
    against = [roc_auc((target == place).astype(np.float64), probability[:, place], weight) for place in present]
    wrong = probability.copy()
    wrong[np.arange(target.size), target.astype(np.int64)] -= 1
    return {
        "roc_auc": float(np.mean(against)) if len(present) > 1 else NAN,
        "log_loss": log_loss(target, probability, weight),
        "brier": quotient(float((w * (wrong**2).sum(1)).sum()), float(w.sum())),
        "accuracy": quotient(float(w[answer == target].sum()), float(w.sum())),
        "balanced_accuracy": float(np.mean([one["recall"] for one in each])) if each else NAN,
        "f1": float(np.mean([one["f1"] for one in each])) if each else NAN,
    }


def regression_metrics(target: Values, predicted: Values, weight: Values | None = None) -> dict[str, float]:
    """Return every measure of a model of a number; errors are in its unit, `bias` is predicted minus actual."""
    w = weights(target, weight)
    rows, error = float(w.sum()), predicted - target
    mean = quotient(float((w * target).sum()), rows)
    spread = float((w * (target - mean) ** 2).sum())
    squared = float((w * error**2).sum())
    return {
        "rmse": math.sqrt(quotient(squared, rows)) if rows else NAN,
        "mae": quotient(float((w * abs(error)).sum()), rows),
        "median_absolute_error": weighted_median(abs(error), w),
        "r2": 1 - squared / spread if spread else NAN,
        "bias": quotient(float((w * error).sum()), rows),
    }


def weighted_median(values: Values, weight: Values) -> float:
    """Return the lower weighted median, NaN for no weight."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    if not reached.size or not reached[-1]:
        return NAN
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


HIGHER_IS_BETTER = frozenset(
    {"roc_auc", "pr_auc", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "r2", "value", "value_per_1000"}
    | {"rows_per_s"}
)
