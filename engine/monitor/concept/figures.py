"""Figures with their intervals: of labelled rows as they are, and of rows without labels as they are expected. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import FLOOR
from lemnis.engine.models.kinds import Task
from lemnis.engine.monitor.concept.influence import (
    auc_influence,
    interval,
    mean_covariance,
    quantile,
    share_interval,
)
from lemnis.engine.monitor.concept.records import Figure, Figures, Z

Values = NDArray[np.float64]
Places = NDArray[np.int64]
IN_SHARES = frozenset({"roc_auc", "accuracy", "brier"})  # their intervals stay within 0 and 1
RIGHT = np.array([1.0, 0.0, 0.0, 1.0])
FEWEST_BLOCKS = 8  # fewer days can't stand for the days to come; rows are taken for themselves instead


def blocks_by_day(days: Places) -> tuple[Places, str]:
    """Return the block of each row and what a block is: days where there are enough of them, else rows."""
    distinct, places = np.unique(days, return_inverse=True)
    if distinct.size >= FEWEST_BLOCKS:
        return places.astype(np.int64), "days"
    return np.arange(days.size, dtype=np.int64), "rows"


def answer_shares(target: Values, positive: NDArray[np.bool_]) -> Values:
    """Return how far each row counts as each answer, shape (n, 4).

    Args:
        target: 0 or 1, or the probability of 1, shape (n,).
        positive: Rows that are answered with yes.
    """
    return np.column_stack([target * positive, (1 - target) * positive, target * ~positive, (1 - target) * ~positive])


def losses(target: Values, probability: Values) -> Values:
    """Return log loss and squared distance of each row, shape (n, 2); a target between 0 and 1 gives their mean."""
    held = np.clip(probability, FLOOR, 1 - FLOOR)
    log_loss = -(target * np.log(held) + (1 - target) * np.log1p(-held))
    squared = target * (1 - probability) ** 2 + (1 - target) * probability**2
    return np.column_stack([log_loss, squared])


def labelled_figures(task: Task, target: Values, score: Values, threshold: float, days: Places) -> Figures:
    """Return the figures of labelled rows; rows without an answer or a label are left out.

    Args:
        task: Decides which figures there are.
        target: 0 or 1, the class's place, or the number, shape (n,).
        score: Probability of 1 or the number, shape (n,); or of every class, shape (n, classes).
        threshold: A probability at or above it is answered with yes.
        days: Number of each row's day.
    """
    known = np.isfinite(target) & np.isfinite(score if score.ndim == 1 else score.sum(axis=1))
    target, score, days = target[known], score[known], days[known]
    if not target.size:
        return Figures()
    blocks, name = blocks_by_day(days)
    if task == "binary":
        return binary_figures(target, score, threshold, blocks, name)
    if task == "regression":
        return Figures(rows=int(target.size), found=means(distances(target, score), blocks), blocks=name)
    found = class_auc(target, score, blocks) | means(class_losses(target, score), blocks)
    return Figures(rows=int(target.size), found=found, blocks=name)


def binary_figures(target: Values, score: Values, threshold: float, blocks: Places, name: str) -> Figures:
    """Return the figures of a yes-or-no model."""
    auc, moved = auc_influence(target, target, score)
    loss, answers = losses(target, score), answer_shares(target, score >= threshold)
    each = {"log_loss": loss[:, 0], "brier": loss[:, 1], "accuracy": answers @ RIGHT}
    found = means(each, blocks)
    if math.isfinite(auc):
        error = math.sqrt(mean_covariance(moved[:, None], blocks)[0, 0])
        smaller = min(float(target.sum()), target.size - float(target.sum()))
        found = {"roc_auc": Figure(auc, *share_interval(auc, error, smaller, quantile(int(blocks.max()) + 1)))} | found
    return Figures(
        rows=int(target.size),
        found=found,
        counts=answers.mean(axis=0).tolist(),
        covariance=mean_covariance(answers, blocks).ravel().tolist() if blocks.max() else [],
        blocks=name,
    )


def class_auc(target: Values, score: Values, blocks: Places) -> dict[str, Figure]:
    """Return the mean over the classes there are of the ROC AUC of each against all others; empty of fewer than two.

    Args:
        target: Places of the classes, shape (n,).
        score: Probability of each class, shape (n, classes).
        blocks: Block of each row, numbered from 0.
    """
    held = [place for place in range(score.shape[1]) if 0 < int((target == place).sum()) < target.size]
    if len(held) < 2:
        return {}
    ones = {place: (target == place).astype(np.float64) for place in held}
    each = [auc_influence(ones[place], ones[place], score[:, place]) for place in held]
    value, moved = float(np.mean([auc for auc, _ in each])), np.mean([row for _, row in each], axis=0)
    error = math.sqrt(mean_covariance(moved[:, None], blocks)[0, 0])
    smallest = min(float(one.sum()) for one in ones.values())
    return {"roc_auc": Figure(value, *share_interval(value, error, smallest, quantile(int(blocks.max()) + 1)))}


def class_losses(target: Values, score: Values) -> dict[str, Values]:
    """Return what each row of a model of several classes adds."""
    place, rows = target.astype(np.int64), np.arange(target.size)
    wrong = score.copy()
    wrong[rows, place] -= 1
    return {
        "log_loss": -np.log(np.clip(score[rows, place], FLOOR, 1.0)),
        "brier": (wrong**2).sum(axis=1),
        "accuracy": (score.argmax(axis=1) == place).astype(np.float64),
    }


def distances(target: Values, score: Values) -> dict[str, Values]:
    """Return what each row of a model of a number adds."""
    return {"mean_absolute_error": abs(score - target), "mean_squared_error": (score - target) ** 2}


def means(each: dict[str, Values], blocks: Places) -> dict[str, Figure]:
    """Return the mean of each column with its interval; a mean squared error is told as its root."""
    count = int(blocks.max()) + 1
    found: dict[str, Figure] = {}
    for name, values in each.items():
        value, error = float(values.mean()), math.sqrt(mean_covariance(values[:, None], blocks)[0, 0])
        found[name] = Figure(value, *ends_of(name, value, error, values.size, quantile(count)))
    squared = found.pop("mean_squared_error", None)
    if squared is not None:
        ends = [None if end is None else math.sqrt(max(end, 0.0)) for end in (squared.low, squared.high)]
        found["rmse"] = Figure(math.sqrt(squared.value), *ends)
    return found


def ends_of(name: str, value: float, error: float, rows: float, reach: float = Z) -> tuple[float | None, float | None]:
    """Return the ends of a figure's interval, within the figure's own bounds."""
    if name in IN_SHARES and 0 <= value <= 1:
        return share_interval(value, error, rows, reach)
    low, high = interval(value, error, reach)
    return (None if low is None else max(low, 0.0)), high
