"""Confidence-based performance estimation (CBPE): figures of rows without labels, from calibrated scores. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import expected_calibration_error
from lemnis.engine.models.calibration import ProbabilityMap, mapped
from lemnis.engine.monitor.concept.figures import (
    RIGHT,
    answer_shares,
    ends_of,
    losses,
)
from lemnis.engine.monitor.concept.influence import auc_influence, mean_covariance
from lemnis.engine.monitor.concept.records import Doubt, Figure, Figures

Values = NDArray[np.float64]
Places = NDArray[np.int64]


def doubt_of(target: Values, score: Values, better: Values, threshold: float, blocks: Places) -> Doubt:
    """Return how far truth is from expectation.

    Args:
        target: 0 or 1, shape (n,).
        score: The model's probabilities, shape (n,).
        better: The calibrated ones, by maps fitted on other rows, shape (n,).
        threshold: A score at or above it is answered with yes.
        blocks: Block of each row, numbered from 0.
    """
    turns, rows = turned(better, score, threshold), target.size
    missed = (target - better)[:, None]
    variance = mean_covariance(np.column_stack(list(turns.values())) * missed, blocks).diagonal() * rows
    own = own_variance(better, turns)
    found = {name: float(value) for name, value in zip(turns, variance, strict=True)}
    return Doubt(
        rows=rows,
        variance=found,
        effect={name: max(found[name] / own[name], 1.0) if own[name] else 1.0 for name in found},
        counts=(mean_covariance(answer_turns(score >= threshold) * missed, blocks) * rows).ravel().tolist(),
        calibration_error=expected_calibration_error(target, better),
    )


def turned(better: Values, score: Values, threshold: float) -> dict[str, Values]:
    """Return by figure what each row adds when it turns out 1 more than when it turns out 0."""
    zero, one = np.zeros(score.size), np.ones(score.size)
    loss = losses(one, score) - losses(zero, score)
    turns = {"log_loss": loss[:, 0], "brier": loss[:, 1], "accuracy": answer_turns(score >= threshold) @ RIGHT}
    auc, up = auc_influence(one, better, score)
    if math.isfinite(auc):
        turns["roc_auc"] = up - auc_influence(zero, better, score)[1]
    return turns


def answer_turns(positive: NDArray[np.bool_]) -> Values:
    """Return by answer what each row adds when it turns out 1 more than when it turns out 0, shape (n, 4)."""
    yes = positive.astype(np.float64)
    return np.column_stack([yes, -yes, 1 - yes, yes - 1])


def own_variance(better: Values, turns: dict[str, Values]) -> dict[str, float]:
    """Return by figure the variance of one row whose answer is drawn from its probability."""
    chance = better * (1 - better)
    return {name: float((chance * turn**2).mean()) for name, turn in turns.items()}


def estimated_figures(score: Values, points: list[list[float]], threshold: float, doubt: Doubt) -> Figures:
    """Return the figures that rows are expected to have once their labels are known, with 95 % intervals.

    The calibrated probability of a row says how likely each answer is to turn out right; a figure is its mean over
    what may turn out. It holds as long as the calibration does: concept drift breaks it.

    Args:
        score: The model's probabilities, shape (n,); rows without an answer are left out.
        points: The calibration map, see `evaluate.calibration.mapped`.
        threshold: A score at or above it is answered with yes.
        doubt: How far off such estimates were on held-out rows.

    Source: CBPE as in NannyML; J. Kivimäki et al., Confidence-based estimators for predictive performance in model
    monitoring, JAIR 82 (2025).
    """
    score = score[np.isfinite(score)]
    rows = int(score.size)
    if not rows:
        return Figures()
    better = mapped("isotonic", points, score)
    positive = score >= threshold
    shares = answer_shares(better, positive).mean(axis=0)
    log_loss, brier = losses(better, score).mean(axis=0).tolist()
    auc, _ = auc_influence(better, better, score)
    expected = {"roc_auc": auc} if math.isfinite(auc) else {}
    expected |= {"log_loss": log_loss, "brier": brier, "accuracy": float(shares @ RIGHT)}
    own = own_variance(better, turned(better, score, threshold))
    turns = answer_turns(positive) * np.sqrt(better * (1 - better))[:, None]
    spread = doubt.effect["accuracy"] * (turns.T @ turns) / rows**2 + np.reshape(doubt.counts, (4, 4)) / doubt.rows
    return Figures(
        rows=rows,
        found={
            name: Figure(value, *ends_of(name, value, doubt.error(name, own[name], rows), rows))
            for name, value in expected.items()
        },
        counts=shares.tolist(),
        covariance=spread.ravel().tolist(),
    )


def calibration_error(target: Values, score: Values, calibration: ProbabilityMap) -> float | None:
    """Return the expected calibration error of the calibrated scores of labelled rows; None without rows or a map.

    Of several classes it is that of all their probabilities together.
    """
    if not calibration.points and not calibration.classes:
        return None
    known = np.isfinite(target) & np.isfinite(score if score.ndim == 1 else score.sum(axis=1))
    if not known.any():
        return None
    target, better = target[known], calibration.many(score[known])
    if better.ndim == 2:
        target = np.eye(better.shape[1], dtype=np.float64)[target.astype(np.int64)].ravel()
    return expected_calibration_error(target, better.ravel())
