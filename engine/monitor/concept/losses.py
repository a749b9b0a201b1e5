"""What one labelled row tells the detectors: whether its answer was wrong, or how far off it was. Pure."""

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.models.kinds import Task
from lemnis.engine.monitor.concept.figures import blocks_by_day
from lemnis.engine.monitor.concept.influence import mean_covariance
from lemnis.engine.monitor.concept.records import Scale

Values = NDArray[np.float64]
Places = NDArray[np.int64]
FAR = 0.9  # share of the held-out rows whose distance is smaller than what counts as a miss of a number
FARTHEST = 0.999  # beyond this share a distance counts as 1


def losses_of(task: Task, target: Values, score: Values, threshold: float) -> Values:
    """Return the loss of each row: 1 for a wrong answer and 0 for a right one, or the distance of a number.

    Args:
        task: What the model answers.
        target: 0 or 1, the class's place, or the number, shape (n,).
        score: Probability of 1, the class's place that was answered, or the number, shape (n,); of every class,
            shape (n, classes).
        threshold: A probability at or above it is answered with yes.
    """
    if task == "regression":
        return abs(score - target)
    if task == "multiclass":
        answer = score.argmax(axis=1) if score.ndim == 2 else score
        return (answer != target).astype(np.float64)
    return ((score >= threshold) != (target >= 0.5)).astype(np.float64)


def scale_of(losses: Values, days: Places) -> Scale | None:
    """Return the scale of the held-out rows' losses; None without rows.

    Args:
        losses: Shape (n,); those that are not finite are left out.
        days: Number of each row's day.
    """
    known = np.isfinite(losses)
    losses, days = losses[known], days[known]
    if not losses.size:
        return None
    mean, deviation = float(losses.mean()), float(losses.std())
    blocks, _ = blocks_by_day(days)
    effect = 1.0
    if deviation and losses.size > 1:
        effect = max(float(mean_covariance(losses[:, None], blocks)[0, 0]) * losses.size / deviation**2, 1.0)
    if losses.max() <= 1 and np.isin(losses, (0.0, 1.0)).all():
        return Scale(mean=mean, deviation=deviation, effect=effect)
    miss, top = (float(end) for end in np.quantile(losses, [FAR, FARTHEST]))
    return Scale(mean=mean, deviation=deviation, miss=miss, top=max(top, 1e-300), effect=effect)
