"""Partial dependence and individual conditional expectation (ICE), and interactions: what a model answers to what-ifs.

Source: J. Friedman, Greedy function approximation (2001), section 8.2; A. Goldstein et al., Peeking inside the black
box (2015) for ICE and its centred form; J. Friedman and B. Popescu, Predictive learning via rule ensembles (2008),
section 8.1 for H. H of two features with hardly any effect is large by chance, so pairs are ordered by the part itself,
not by its share (A. Inglis et al., Visualizing variable importance and variable interaction effects, 2022).
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.interpretation.records import Dependence, Interaction
from lemnis.engine.features.signature import Feature

Values = NDArray[np.float64]
Answering = Callable[[Values], Values]  # encoded rows (n, features) to answers (n, outputs)

POINTS = 21  # of a number, at its quantiles
CATEGORIES = 20  # the commonest
BARS = 30  # of the rows' own distribution
WITHIN = (10, 90)  # percentiles of the band of single rows
NO_EFFECT = 1e-12


def dependence(answer: Answering, feature: Feature, place: int, matrix: Values) -> Dependence:
    """Return what is answered when one column is set to each of its values in every row.

    Args:
        answer: The model.
        feature: The column's.
        place: Which column.
        matrix: Encoded rows, shape (n, features), n > 0.
    """
    column = matrix[:, place]
    grid = grid_of(feature, column)
    rows = np.tile(matrix, (grid.size, 1))
    rows[:, place] = np.repeat(grid, len(matrix))
    curves = answer(rows).reshape(grid.size, len(matrix), -1)  # (values, rows, outputs)
    low, high = np.percentile(curves, WITHIN, axis=1)
    centred_low, centred_high = np.percentile(curves - curves[:1], WITHIN, axis=1)
    numeric = feature.kind == "numeric"
    return Dependence(
        feature=feature.name,
        names=[value_name(feature, value) for value in grid.tolist()],
        values=[value if numeric and np.isfinite(value) else None for value in grid.tolist()],
        mean=curves.mean(axis=1).T.tolist(),
        low=low.T.tolist(),
        high=high.T.tolist(),
        centred_low=centred_low.T.tolist(),
        centred_high=centred_high.T.tolist(),
        rows=distribution(feature, column, grid),
    )


def grid_of(feature: Feature, column: Values) -> Values:
    """Return the values that are tried: quantiles of a number, the commonest categories; last NaN if there are any."""
    known = column[np.isfinite(column)]
    if feature.kind == "categorical":
        codes, rows = np.unique(known, return_counts=True)
        grid = codes[np.argsort(-rows, kind="stable")][:CATEGORIES]
    else:
        steps = np.quantile(known, np.linspace(0, 1, POINTS), method="inverted_cdf") if known.size else known
        grid = np.unique(steps)
    missing = feature.nullable or known.size < column.size or not grid.size
    return np.append(grid, np.nan) if missing else grid


def value_name(feature: Feature, value: float) -> str:
    """Return an encoded value as a person reads it."""
    if not np.isfinite(value):
        return "missing"
    if feature.kind == "categorical":
        return feature.categories[int(value)]
    return ("true" if value else "false") if feature.logical else f"{value:.6g}"


def distribution(feature: Feature, column: Values, grid: Values) -> list[int]:
    """Return how many rows have each category; of a number how many lie in each of BARS equal bins over the grid."""
    known, tried = column[np.isfinite(column)], grid[np.isfinite(grid)]
    if feature.kind == "categorical" or tried.size < 2:
        counts = [int((known == value).sum()) for value in tried.tolist()]
        return [*counts, column.size - known.size] if tried.size < grid.size else counts
    return np.histogram(known, BARS, (float(tried[0]), float(tried[-1])))[0].tolist()


def interactions(
    answer: Answering, names: list[str], places: list[int], matrix: Values, tell: Callable[[float], None]
) -> list[Interaction]:
    """Return how much each two features do together beyond what they do alone, strongest first.

    Args:
        answer: The model's raw score, which adds up where nothing interacts.
        names: Of the features that are tried.
        places: Their columns.
        matrix: Encoded rows, shape (n, features); every effect is estimated at these rows over these rows.
        tell: Called with the share done.
    """
    alone = {place: effect(answer, [place], matrix) for place in places}
    found: list[Interaction] = []
    pairs = list(combinations(zip(names, places, strict=True), 2))
    for done, ((first, one), (second, other)) in enumerate(pairs):
        tell(done / len(pairs))
        joint = effect(answer, [one, other], matrix)
        beyond = float(((joint - alone[one] - alone[other]) ** 2).sum(axis=1).mean())
        whole = float((joint**2).sum(axis=1).mean())
        share = min(1.0, (beyond / whole) ** 0.5) if whole > NO_EFFECT else None
        found.append(Interaction(first=first, second=second, strength=beyond**0.5, share=share))
    return sorted(found, key=lambda pair: -pair.strength)


def effect(answer: Answering, places: list[int], matrix: Values) -> Values:
    """Return the centred partial dependence of some columns at every row's own values, shape (n, outputs)."""
    count = len(matrix)
    rows = np.tile(matrix, (count, 1))
    for place in places:
        rows[:, place] = np.repeat(matrix[:, place], count)
    mean = answer(rows).reshape(count, count, -1).mean(axis=1)
    return mean - mean.mean(axis=0)
