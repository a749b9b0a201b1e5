"""The curves of a model, thinned to what a terminal can draw. Pure NumPy, no I/O."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import calibration, confusion, money

Values = NDArray[np.float64]
Points = list[list[float]]
POINTS = 120  # of a curve: more than a wide terminal has columns of dots
STEPS = 100  # thresholds of the sweep: 0.00, 0.01 … 1.00


def roc_curve(target: Values, score: Values) -> Points:
    """Return [false positive rate, true positive rate] from (0, 0) to (1, 1), never falling; empty for one class."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
    hits, false = np.cumsum(target[order])[ends], np.cumsum(1 - target[order])[ends]
    if not hits.size or not hits[-1] or not false[-1]:
        return []
    return thinned(np.column_stack([np.r_[0.0, false / false[-1]], np.r_[0.0, hits / hits[-1]]]))


def pr_curve(target: Values, score: Values) -> Points:
    """Return [recall, precision] from low to high recall; empty without positives."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
    hits = np.cumsum(target[order])[ends]
    if not hits.size or not hits[-1]:
        return []
    return thinned(np.column_stack([hits / hits[-1], hits / (ends + 1)]))


def calibration_curve(target: Values, probability: Values) -> Points:
    """Return [mean probability, share of positives, rows] per bin that holds rows."""
    return calibration(target, probability).tolist()


def threshold_sweep(target: Values, probability: Values, value: Mapping[str, float]) -> Points:
    """Return, for thresholds 0 to 1, [threshold, TP, FP, FN, TN, money per 1,000 rows]; the four sum to the rows."""
    points: Points = []
    for step in range(STEPS + 1):
        threshold = step / STEPS
        counts = confusion(target, probability >= threshold)
        per_1000 = 1000 * money(counts, value) / max(1, target.size)
        points.append([threshold, *counts.values(), per_1000])
    return points


def best_threshold(sweep: Points) -> float:
    """Return the threshold of a sweep that earns most; of equals the one nearest to a half."""
    best = max(point[-1] for point in sweep)
    return min((point[0] for point in sweep if point[-1] == best), key=lambda threshold: abs(threshold - 0.5))


def thinned(curve: Values, points: int = POINTS) -> Points:
    """Return at most `points` of a curve's points, its ends among them, spread evenly along its length."""
    if len(curve) <= points:
        return np.round(curve, 6).tolist()
    steps: Values = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(curve, axis=0)).sum(1))])
    chosen = np.searchsorted(steps, np.linspace(0, float(steps[-1]), points))
    chosen[0], chosen[-1] = 0, len(curve) - 1
    return np.round(curve[np.unique(chosen)], 6).tolist()
