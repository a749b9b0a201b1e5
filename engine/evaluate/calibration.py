"""Whether probabilities mean what they say, and maps that make them: isotonic, Platt, temperature. Pure, no I/O."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.records import Bin, Reliability
from lemnis.engine.evaluate.significance import draws
from lemnis.engine.models.calibration import LOGIT_ENDS, Points, ProbabilityMap, log_odds, logistic, tempered
from lemnis.engine.models.kinds import Method

Values = NDArray[np.float64]
Places = NDArray[np.int64]
BINS = 10
STEPS = 50  # of Newton's method; under ten are usual
METHODS: dict[str, tuple[Method, ...]] = {"binary": ("isotonic", "platt"), "multiclass": ("temperature", "isotonic")}
SHARPEST, FLATTEST = 50.0, 0.02  # what logarithms are multiplied by: the inverse of a temperature
AS_SAID: Points = [[0.0, 0.0], [1.0, 1.0]]


def reliability(target: Values, probability: Values, blocks: Places, bins: int = BINS) -> Reliability:
    """Return how probabilities compare with what happened; rows that go together are drawn together for the intervals.

    Args:
        target: 0 or 1, at least one row, shape (n,).
        probability: Of 1, shape (n,).
        blocks: Block of each row, numbered from 0.
        bins: Of equally many rows, fewer where probabilities repeat.

    Source: A. Murphy, A new vector partition of the probability score, J. Applied Meteorology 12 (1973).
    """
    inner = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(inner, probability, side="right")
    _, place = np.unique(place, return_inverse=True)  # bins without rows are left out
    count, size = int(place.max()) + 1, int(blocks.max()) + 1
    rows = np.bincount(place, minlength=count).astype(np.float64)
    said, was = (np.bincount(place, column, count) / rows for column in (probability, target))
    cell = blocks * count + place
    drawn = draws(size)
    held = drawn @ np.bincount(cell, minlength=size * count).reshape(size, count)
    hits = drawn @ np.bincount(cell, target, size * count).reshape(size, count)
    shares = np.where(held > 0, hits / np.maximum(held, 1), np.nan)
    low, high = np.nanquantile(shares, [0.025, 0.975], axis=0)
    share, mean = rows / target.size, float(target.mean())
    found = zip(said.tolist(), was.tolist(), rows.tolist(), low.tolist(), high.tolist(), strict=True)
    return Reliability(
        bins=[Bin(said=s, was=w, rows=int(n), low=lo, high=hi) for s, w, n, lo, hi in found],
        ece=float((share * abs(said - was)).sum()),
        brier=float(((probability - target) ** 2).mean()),
        off=float((share * (said - was) ** 2).sum()),
        apart=float((share * (was - mean) ** 2).sum()),
        spread=mean * (1 - mean),
    )


def fitted(method: Method, target: Values, score: Values) -> ProbabilityMap:
    """Return the map of a model's probabilities that suits what happened best.

    Args:
        method: One of METHODS of the task.
        target: 0 or 1, or the class's place, two different ones at least, shape (n,).
        score: Probability of 1, shape (n,); or of each class, shape (n, classes).

    Source: of several classes C. Guo et al., On calibration of modern neural networks (ICML 2017) for temperature;
    B. Zadrozny, C. Elkan, Transforming classifier scores into accurate multiclass probability estimates (KDD 2002).
    """
    if method == "temperature":
        return ProbabilityMap(method=method, points=[[temperature(target.astype(np.int64), score)]])
    if score.ndim == 1:
        return ProbabilityMap(method=method, points=fit_map(method, target, score))
    present = set(np.unique(target).astype(int).tolist())
    each = enumerate(score.T)
    points = [isotonic((target == k).astype(float), column) if k in present else AS_SAID for k, column in each]
    return ProbabilityMap(method=method, classes=points)


def temperature(target: Places, score: Values) -> float:
    """Return the temperature that makes what happened likeliest, by Newton's method between bounds.

    The log loss is convex in the inverse of the temperature, so the sign of its slope tells on which side the least is.
    """
    logs, rows = np.log(np.maximum(score, LOGIT_ENDS)), np.arange(target.size)
    low, high, sharp = FLATTEST, SHARPEST, 1.0
    for _ in range(STEPS):
        weight = tempered(score, 1 / sharp)
        mean = (weight * logs).sum(1)
        slope = float((mean - logs[rows, target]).sum())
        curvature = float(((weight * logs**2).sum(1) - mean**2).sum())
        low, high = (low, sharp) if slope > 0 else (sharp, high)
        step = sharp - slope / curvature if curvature > 0 else math.nan
        before, sharp = sharp, step if low < step < high else (low + high) / 2
        if abs(sharp - before) < 1e-9:
            break
    return 1 / sharp


def fit_map(method: str, target: Values, probability: Values) -> list[list[float]]:
    """Return a map from said to better probabilities, as points to interpolate between, or [[slope, offset]].

    Args:
        method: isotonic or platt.
        target: 0 or 1, both present, shape (n,).
        probability: Of 1, shape (n,).

    Source: B. Zadrozny, C. Elkan, Transforming classifier scores (KDD 2002); J. Platt, Probabilistic outputs for
    support vector machines (1999), with its targets away from 0 and 1; the log odds stand for the score.
    """
    return isotonic(target, probability) if method == "isotonic" else platt(target, probability)


def isotonic(target: Values, probability: Values) -> list[list[float]]:
    """Return the points of the rising steps that are nearest to the target; none says 0 or 1 for certain."""
    from sklearn.isotonic import IsotonicRegression

    steps: Any = IsotonicRegression(out_of_bounds="clip").fit(probability, target)
    least = 1 / (target.size + 2)
    said, better = steps.X_thresholds_, np.clip(steps.y_thresholds_, least, 1 - least)
    return np.column_stack([said, better]).tolist()


def platt(target: Values, probability: Values) -> list[list[float]]:
    """Return slope and offset of the log odds that are likeliest, by Newton's method."""
    hits = float(target.sum())
    wanted = np.where(target == 1, (hits + 1) / (hits + 2), 1 / (target.size - hits + 2))
    design = np.column_stack([log_odds(probability), np.ones(target.size)])
    weights = np.array([1.0, 0.0])
    for _ in range(STEPS):
        said = logistic(design @ weights)
        curvature = (design * (said * (1 - said))[:, None]).T @ design + 1e-10 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (wanted - said))
        weights = weights + step
        if float(abs(step).max()) < 1e-10:
            break
    return [weights.tolist()]


def wins(brier: tuple[float | None, float | None], loss: tuple[float | None, float | None]) -> bool:
    """Say whether a map wins: the whole 95 % interval of the change of both Brier score and log loss is below 0."""
    return all(high is not None and math.isfinite(high) and high < 0 for _, high in (brier, loss))
