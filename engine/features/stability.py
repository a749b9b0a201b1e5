"""How sure an importance is: its spread over folds and seeds, its ranks, and why it counts as unstable. Pure."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.features.association import mean_ranks
from lemnis.engine.features.records import Spread

Values = NDArray[np.float64]

NOTABLE = 0.10  # share of the largest loss from which a column matters enough to be called unstable
WAVERING = 0.5  # deviation over mean from which the size is not settled
RANK_SHARE, RANK_PLACES = 1 / 3, 3  # of the columns, and at least so many, that a rank may move


def spreads(values: Values) -> list[Spread]:
    """Return the spread of each column.

    Args:
        values: Importance by model and column, shape (models, columns), at least one model.
    """
    ranks = np.array([mean_ranks(-row) for row in values]).reshape(values.shape)
    means = values.mean(0)
    places = mean_ranks(-means)
    deviations = values.std(0, ddof=1) if values.shape[0] > 1 else np.zeros(values.shape[1])
    return [
        Spread(
            mean=float(means[place]),
            deviation=float(deviations[place]),
            low=float(values[:, place].min()),
            high=float(values[:, place].max()),
            rank=math.ceil(places[place]),
            rank_low=math.ceil(ranks[:, place].min()),
            rank_high=math.ceil(ranks[:, place].max()),
            values=[float(value) for value in values[:, place]],
        )
        for place in range(values.shape[1])
    ]


def agreement(values: Values) -> float:
    """Return Kendall's W: how far the models agree on the order of the columns, 0 (not at all) to 1 (one order).

    Ties share their mean rank and are corrected for. NaN for fewer than two models or columns, or when all tie.

    Args:
        values: Importance by model and column, shape (models, columns).

    Source: M. G. Kendall, B. Babington Smith, The problem of m rankings, Ann. Math. Stat. 10 (1939) 275-287.
    """
    models, columns = values.shape
    if models < 2 or columns < 2:
        return math.nan
    ranks = np.array([mean_ranks(row) for row in values])
    sums = ranks.sum(0)
    ties = sum(float((counts**3 - counts).sum()) for counts in map(tie_counts, values))
    most = models**2 * (columns**3 - columns) - models * ties
    return float(12 * ((sums - sums.mean()) ** 2).sum() / most) if most > 0 else math.nan


def tie_counts(row: Values) -> Values:
    """Return how many columns share each value."""
    return np.unique(row, return_counts=True)[1].astype(np.float64)


def unstable(loss: Spread, other: Spread, *, top: float, columns: int, seeds: int) -> str:
    """Say in a sentence why a column's importance is not settled; empty if it is, or if it hardly matters.

    Args:
        loss: Its loss when shuffled.
        other: A second importance, whose ranks are looked at: mean |SHAP|.
        top: The largest mean loss of all columns.
        columns: How many columns were ranked.
        seeds: Models a fold; tells what changes between folds from what changes between seeds.
    """
    if loss.mean < NOTABLE * top or top <= 0:
        return ""
    where = changes_between(loss.values, seeds)
    if loss.deviation > WAVERING * loss.mean:
        low, high = (f"{value:.4f}".replace("-", "−") for value in (loss.low, loss.high))
        return f"Shuffling it costs {low} to {high}, {where}."
    moved = other.rank_high - other.rank_low
    if moved > max(RANK_PLACES, RANK_SHARE * columns):
        where = changes_between(other.values, seeds)
        return f"By SHAP it is number {other.rank_low} to {other.rank_high} of {columns}, {where}."
    return ""


def changes_between(values: Sequence[float], seeds: int) -> str:
    """Say whether values change more between folds or between the seeds of one fold."""
    if seeds < 2 or len(values) < 2 * seeds:
        return "depending on the fold"
    table = np.array(values, dtype=np.float64).reshape(-1, seeds)
    within, between = float(table.var(1, ddof=1).mean()), float(table.mean(1).var(ddof=1))
    if between > 2 * within:
        return "depending on the fold: it differs from one stretch of rows to another"
    return "depending on the seed: another column may stand in for it"
