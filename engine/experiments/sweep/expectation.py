"""What further trials may be expected to gain, from how the best trials so far lie above the others."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 10  # trials that must have ended before anything is said
DRAWS = 4000
# −2/d: of points spread over d parameters that matter, those within δ of a smooth best are in proportion to δ^(d/2).
SHAPES = (-2.0 / 1.5, -1.0, -2.0 / 3, -0.5, -0.4, -0.2)
SCALES = 120  # steps of the scale, from a tenth of the mean excess to ten times it
WINDOW = 40  # the last so many trials stand for how the sampler draws now


class Expectation(Struct, frozen=True, kw_only=True):
    """The gain in the best value that some more trials may bring.

    Attributes:
        trials: How many more.
        mean, low, high: Of the gain, 0 or more, in the objective's unit; 80 of 100 times it lies between the two.
        chance: That there is any gain, 0 to 1.
        seconds: What they are expected to take, one after the other; None if no trial tells.
    """

    trials: int
    mean: float
    low: float
    high: float
    chance: float
    seconds: float | None = None


def expected_gain(
    values: Sequence[float | None], best: float, *, larger: bool, more: int = 20, seed: int = 0
) -> Expectation | None:
    """Return the expected gain over the best value of `more` trials like the last ones; None while too few ended.

    Peaks over a threshold: what the best trials exceed a high threshold by follows a generalised Pareto distribution
    (Pickands 1975). How many trials come above, and the distribution's scale and shape, are drawn from their
    posteriors (Beta; a grid with vague priors), then the best of `more` trials, and what it gains. Trials that were
    pruned or failed count as trials that came to nothing. The sampler learns, so only the last WINDOW trials are
    looked at.

    Args:
        values: Of the ended trials in their order; None for one without a value.
        best: The best value so far.
        larger: Whether a larger value is better.
        more: How many trials.
        seed: Of the draws; the same trials give the same answer.
    """
    import numpy as np

    recent = list(values)[-WINDOW:]
    sign = 1.0 if larger else -1.0
    found = sorted((sign * value for value in recent if value is not None), reverse=True)
    if len(recent) < FEWEST or len(found) < 4:
        return None
    above = max(3, min(len(found) - 1, round(math.sqrt(len(recent)) * 1.5)))
    threshold = found[above]
    excess = np.array(found[:above]) - threshold
    if float(excess.sum()) <= 0:
        return Expectation(trials=more, mean=0.0, low=0.0, high=0.0, chance=0.0)
    rng = np.random.default_rng(seed)
    shape, scale = drawn_tails(excess, rng)
    exceeding = rng.binomial(more, rng.beta(above + 0.5, len(recent) - above + 0.5, DRAWS))
    # The largest of n, by its inverse distribution function.
    rest = 1.0 - rng.uniform(size=DRAWS) ** (1.0 / np.maximum(exceeding, 1))
    top = np.where(exceeding > 0, scale / shape * (rest**-shape - 1.0), 0.0)
    gain = np.maximum(0.0, top - (sign * best - threshold))
    low, high = (float(part) for part in np.quantile(gain, [0.1, 0.9]))
    return Expectation(trials=more, mean=float(gain.mean()), low=low, high=high, chance=float((gain > 0).mean()))


def drawn_tails(excess: "NDArray[np.float64]", rng: "np.random.Generator") -> "tuple[Any, Any]":
    """Return draws of a generalised Pareto distribution's shape and scale, each (DRAWS,), from their posterior.

    The priors are equal weights of SHAPES, and of the scale's logarithm; where an excess can't be, the weight is 0.
    """
    import numpy as np

    scales = float(excess.mean()) * np.geomspace(0.1, 10.0, SCALES)
    shape, scale = (grid.ravel() for grid in np.meshgrid(np.array(SHAPES), scales, indexing="ij"))
    inside = 1.0 + shape[:, None] * excess[None, :] / scale[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = -len(excess) * np.log(scale) - ((1.0 / shape + 1.0)[:, None] * np.log(inside)).sum(axis=1)
    logs = np.where((inside > 0).all(axis=1) & np.isfinite(logs), logs, -np.inf)
    weight = np.exp(logs - logs.max())
    chosen = rng.choice(len(shape), DRAWS, p=weight / weight.sum())
    return shape[chosen], scale[chosen]
