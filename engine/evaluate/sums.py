"""Measures as functions of sums over rows, so that a bootstrap adds up blocks instead of rows. Pure NumPy, no I/O.

A test holds them to `metrics`, which says what each measure is.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import CALIBRATION_BINS, FLOOR

Values = NDArray[np.float64]
Places = NDArray[np.int64]
Measured = dict[str, Values]
BINS = CALIBRATION_BINS
CELLS = 1 << 20  # rows times repeats that are ranked at once; bounds memory


def block_sums(target: Values, score: Values, task: str, threshold: float, blocks: Places) -> Values:
    """Return what the measures of a task are made of, summed over the rows of each block, shape (blocks, k).

    Args:
        target: 0 or 1, the class's place, or a number, shape (n,).
        score: Probability of 1 or number, shape (n,); or of each class, shape (n, classes).
        task: binary, multiclass or regression.
        threshold: A probability at or above it is answered with yes.
        blocks: Block of each row, numbered from 0.
    """
    count = int(blocks.max(initial=-1)) + 1
    if score.ndim == 2:
        return class_sums(target.astype(np.int64), score, blocks, count)
    if task == "regression":
        error, centred = score - target, target - target.mean()  # the spread is the same, its digits are kept
        columns = [np.ones(target.size), abs(error), error**2, error, centred, centred**2]
        return np.column_stack([summed(blocks, column, count) for column in columns])
    yes, was = score >= threshold, target == 1
    lost = -np.log(np.clip(np.where(was, score, 1 - score), FLOOR, 1 - FLOOR))
    columns = [np.ones(target.size), lost, (score - target) ** 2, yes & was, yes & ~was, ~yes & was, ~yes & ~was]
    plain = [summed(blocks, column, count) for column in columns]
    place = blocks * BINS + np.minimum((score * BINS).astype(np.int64), BINS - 1)
    gap = summed(place, score - target, count * BINS).reshape(count, BINS)
    return np.column_stack([*plain, gap])


def class_sums(target: Places, score: Values, blocks: Places, count: int) -> Values:
    """Return rows, loss, squared distance and hits by block, then hits, answers and rows of each class."""
    classes, rows = score.shape[1], np.arange(target.size)
    answer = score.argmax(1)
    given = np.clip(score[rows, target], FLOOR, 1 - FLOOR)
    distance = (score**2).sum(1) - 2 * score[rows, target] + 1
    right = (answer == target).astype(np.float64)
    one = np.ones(target.size)
    columns = [one, -np.log(given), distance, right]
    plain = [summed(blocks, column, count) for column in columns]
    size = count * classes
    by_class = [
        summed(blocks * classes + place, weight, size).reshape(count, classes)
        for place, weight in ((target, right), (answer, one), (target, one))
    ]
    return np.column_stack([*plain, *by_class])


def summed(blocks: Places, column: NDArray[Any], count: int) -> Values:
    """Return the sum of a column of numbers or truth values over each block, shape (count,)."""
    found: Values = np.bincount(blocks, column, minlength=count).astype(np.float64)
    return found


def measures_of(sums: Values, task: str, value: Mapping[str, float]) -> Measured:
    """Return every measure that sums can tell, of sums of shape (…, k), each of shape (…); NaN where not defined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if task == "regression":
            return number_measures(sums)
        return binary_measures(sums, value) if task == "binary" else class_measures(sums)


def binary_measures(sums: Values, value: Mapping[str, float]) -> Measured:
    """Return the measures of a yes-or-no model; see `metrics.binary_metrics`."""
    rows, lost, squared, hit, false, missed, rejected = np.moveaxis(sums[..., :7], -1, 0)
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    earned = sum(
        (value.get(name, 0.0) * n for name, n in zip(names, (hit, false, missed, rejected), strict=True)), rows * 0
    )
    return {
        "log_loss": lost / rows,
        "brier": squared / rows,
        "ece": abs(sums[..., 7:]).sum(-1) / rows,
        "accuracy": (hit + rejected) / rows,
        "precision": hit / (hit + false),
        "recall": hit / (hit + missed),
        "f1": 2 * hit / (2 * hit + false + missed),
        "predicted_share": (hit + false) / rows,
        "value_per_1000": 1000 * earned / rows,
    }


def class_measures(sums: Values) -> Measured:
    """Return the measures of a model of several classes; see `metrics.multiclass_metrics`."""
    rows, lost, distance, right = np.moveaxis(sums[..., :4], -1, 0)
    classes = (sums.shape[-1] - 4) // 3
    hits, answered, were = (sums[..., 4 + classes * place : 4 + classes * (place + 1)] for place in range(3))
    present = were > 0
    recall = np.where(present, hits / were, np.nan)
    f1 = np.where(present, 2 * hits / (answered + were), np.nan)
    return {
        "log_loss": lost / rows,
        "brier": distance / rows,
        "accuracy": right / rows,
        "balanced_accuracy": np.nansum(recall, -1) / present.sum(-1),
        "f1": np.nansum(f1, -1) / present.sum(-1),
    }


def number_measures(sums: Values) -> Measured:
    """Return the measures of a model of a number; see `metrics.regression_metrics`."""
    rows, absolute, squared, error, said, said_squared = np.moveaxis(sums, -1, 0)
    spread = said_squared - said**2 / rows
    return {
        "rmse": np.sqrt(squared / rows),
        "mae": absolute / rows,
        "r2": 1 - squared / spread,
        "bias": error / rows,
    }


def average_precision(target: Values, score: Values, blocks: Places, drawn: Values) -> Values:
    """Return `metrics.pr_auc` in each repeat, NaN where no positive was drawn, shape (repeats,).

    Args:
        target: 0 or 1, shape (n,).
        score: Larger is more positive, shape (n,).
        blocks: Block of each row.
        drawn: How often each block was drawn, shape (repeats, blocks).
    """
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
    y, place = target[order], blocks[order]
    at_once = max(1, CELLS // max(1, target.size))
    found: list[Values] = []
    for start in range(0, len(drawn), at_once):
        weight = drawn[start : start + at_once, place]
        hits, asked = np.cumsum(weight * y, 1)[:, ends], np.cumsum(weight, 1)[:, ends]
        precision = np.divide(hits, asked, out=np.zeros_like(hits), where=asked > 0)
        reached = (np.diff(hits, prepend=0.0, axis=1) * precision).sum(1)
        found.append(np.divide(reached, hits[:, -1], out=np.full(len(hits), np.nan), where=hits[:, -1] > 0))
    return np.concatenate(found)
