"""Failure types: errors grouped by the features that led to them; pure functions of arrays but for scikit-learn.

The signature of an error is what each feature adds towards the wrong answer, divided by the row's sum of sizes, so that
it says which features led there, not how far. Groups are found by k-means, the number by the mean silhouette: unlike
density clustering (HDBSCAN was the alternative) every error belongs to a type, and a type is a centre that errors of a
later model can be compared with. Of each kind of error apart, because a feature that hides one makes up another.

Source: P. Rousseeuw, Silhouettes (1987); S. Lundberg et al. (2020), section "supervised clustering" of TreeSHAP values.
"""

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.interpretation.records import Condition, FailureType, Tone
from lemnis.engine.features.signature import Feature

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

MOST_TYPES, LEAST_ROWS = 5, 12  # of a kind
SEPARATED = 0.12  # mean silhouette from which groups are worth telling apart
LEADING = 3
IN_COMMON = 0.6  # share of a type's rows from which a category speaks for it
FAR_SHARE = 95  # percentile of the distances to the centre that still belong
SEED = 1


def errors_of(target: Values, score: Values, task: str, threshold: float) -> tuple[Mask, Values, NDArray[np.str_]]:
    """Return which rows are errors, how bad each row is, and which kind of error it would be; shape (n,) each.

    A class is an error if the answer is another (for two classes by the threshold); a number if it is among the tenth
    that is farthest off. Badness is −ln of the true class's probability, or the distance.

    Args:
        target: True classes by place, or numbers.
        score: Probability of the positive class or number, shape (n,); or of each class, (n, classes).
        task: binary, multiclass or regression.
        threshold: Of two classes.
    """
    if task == "regression":
        off = np.abs(score - target)
        wrong = (off >= np.quantile(off, 0.9)) & (off > 0)
        return wrong, off, np.where(score < target, "too low", "too high")
    if task == "multiclass":
        given = score[np.arange(target.size), target.astype(np.int64)]
        wrong = score.argmax(axis=1) != target
        return wrong, -np.log(np.maximum(given, 1e-15)), np.full(target.size, "wrong class")
    yes = score >= threshold
    given = np.where(target == 1, score, 1 - score)
    return yes != (target == 1), -np.log(np.maximum(given, 1e-15)), np.where(yes, "false alarm", "missed")


def signatures(amounts: Values) -> Values:
    """Return each row's contributions towards the wrong answer as shares of their sizes, shape (n, features)."""
    size = np.abs(amounts).sum(axis=1, keepdims=True)
    return amounts / np.where(size > 0, size, 1.0)


def groups_of(signature: Values) -> NDArray[np.int64]:
    """Return the group of each error, numbered from 0; all in one where they do not fall apart."""
    cluster, metrics = import_module("sklearn.cluster"), import_module("sklearn.metrics")  # without types
    best, chosen = SEPARATED, np.zeros(len(signature), np.int64)
    distinct = len(np.unique(signature.round(9), axis=0))
    for count in range(2, 1 + min(MOST_TYPES, len(signature) // LEAST_ROWS, distinct - 1)):
        found = cluster.KMeans(count, n_init=4, random_state=SEED).fit_predict(signature)
        if np.bincount(found).min() < LEAST_ROWS:
            continue
        apart = float(metrics.silhouette_score(signature, found))
        if apart > best:
            best, chosen = apart, found.astype(np.int64)
    return chosen


def leading(signature: Values) -> list[int]:
    """Return the features that push a group towards the wrong answer, strongest first."""
    mean = signature.mean(axis=0)
    order = np.argsort(-mean, kind="stable")[:LEADING].tolist()
    return [place for place in order if mean[place] >= max(0.05, 0.35 * mean[order[0]])]


def condition(feature: Feature, values: Values, everywhere: Values) -> Condition | None:
    """Return what most of a group's values have in common, None if nothing.

    Args:
        feature: Whose values they are.
        values: Of the group, encoded.
        everywhere: Of all held-out rows.
    """
    known = values[np.isfinite(values)]
    if known.size < (1 - IN_COMMON) * values.size or not known.size:
        return Condition(feature=feature.name, missing=True)
    if feature.kind == "categorical":
        codes, rows = np.unique(known, return_counts=True)
        order = np.argsort(-rows, kind="stable")[:3]
        enough = [at for at in range(1, 4) if rows[order[:at]].sum() >= IN_COMMON * values.size]
        if not enough:
            return None
        return Condition(
            feature=feature.name, categories=[feature.categories[int(codes[at])] for at in order[: enough[0]]]
        )
    low, high = (float(value) for value in np.quantile(known, [0.1, 0.9], method="inverted_cdf"))
    return Condition(feature=feature.name, low=low, high=high, tone=tone_of(float(np.median(known)), everywhere))


def tone_of(middle: float, everywhere: Values) -> Tone:
    """Return in which third of all rows a value lies."""
    known = everywhere[np.isfinite(everywhere)]
    if not known.size:
        return ""
    low, high = np.quantile(known, [1 / 3, 2 / 3])
    return "low" if middle <= low else "high" if middle >= high else "middle"


def meets(one: Condition, feature: Feature, values: Values) -> Mask:
    """Say which encoded values meet a condition."""
    if one.missing:
        return ~np.isfinite(values)
    if one.categories:
        return np.isin(values, [feature.categories.index(name) for name in one.categories])
    assert one.low is not None
    assert one.high is not None
    with np.errstate(invalid="ignore"):
        return (values >= one.low) & (values <= one.high)


def nearest_type(signature: Values, names: list[str], types: list[FailureType]) -> NDArray[np.int64]:
    """Return to which of earlier types each error belongs, -1 for none: the nearest centre, if it is near enough."""
    if not types or not len(signature):
        return np.full(len(signature), -1, np.int64)
    centres = np.array([[one.centre.get(name, 0.0) for name in names] for one in types])
    distances = np.linalg.norm(signature[:, None, :] - centres[None], axis=2)
    found = distances.argmin(axis=1)
    near = distances[np.arange(len(found)), found] <= np.array([one.radius for one in types])[found]
    return np.where(near, found, -1)
