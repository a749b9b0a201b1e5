"""Whether probabilities mean what they say, and maps that make them: isotonic and Platt. Pure, no I/O."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.records import Bin, Reliability
from lemnis.engine.evaluate.significance import draws
from lemnis.engine.models.calibration import Method, log_odds, logistic

Values = NDArray[np.float64]
Places = NDArray[np.int64]
BINS = 10
STEPS = 50  # of Newton's method; under ten are usual
METHODS: tuple[Method, ...] = ("isotonic", "platt")


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

    fitted: Any = IsotonicRegression(out_of_bounds="clip").fit(probability, target)
    least = 1 / (target.size + 2)
    said, better = fitted.X_thresholds_, np.clip(fitted.y_thresholds_, least, 1 - least)
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
