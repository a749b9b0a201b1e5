"""Whether a challenger does worse than the champion, asked after every answer and not fooled by the asking. Pure.

Each measure is a number in [0, 1] of an answer: it failed or not, it was slow or not, the rank of its score among the
champion's. For one arm and a supposed mean p, the mixture likelihood ratio with a Beta(½, ½) prior,

    M(p) = B(½ + s, ½ + n − s) / B(½, ½) / (p^s (1 − p)^(n − s)),   s the sum of n answers,

is a non-negative martingale when the answers are 0 or 1 with mean p, and a supermartingale when they lie between
(its betting factor is convex in the answer). So is the product over both arms. Its smallest value over all pairs of
means that are allowed is therefore above 1/α with a chance of at most α, however often one looks (Ville's inequality).

Sources: Robbins 1970, Statistical methods related to the law of the iterated logarithm (mixture martingales); Johari,
Koomen, Pekelis & Walsh 2022, Always valid inference (mixture SPRT for A/B tests); Howard, Ramdas, McAuliffe & Sekhon
2021, Time-uniform confidence sequences; Waudby-Smith & Ramdas 2024, Estimating means of bounded variables by betting.
"""

import math
from collections.abc import Callable

from lemnis.engine.deploy.rollout.records import Arm, Bound, Measure, Standing

PRIOR = 0.5
HALVINGS = 40


def log_martingale(arm: Arm, mean: float) -> float:
    """Return ln M(mean) of one arm; infinite where the mean contradicts an answer."""
    failed = max(0.0, arm.n - arm.total)
    mixed = log_beta(PRIOR + arm.total, PRIOR + failed) - log_beta(PRIOR, PRIOR)
    return mixed - xlogy(arm.total, mean) - xlogy(failed, 1.0 - mean)


def evidence(champion: Arm, challenger: Arm, bound: Bound) -> float:
    """Return the logarithm of the e-value against "the challenger is within the bound".

    Under any pair of means within the bound, the chance that it ever reaches ln(1/α) is at most α. It is smallest, and
    at or below 0, while the means that were seen are within the bound themselves.
    """
    first, second = champion.mean, challenger.mean
    if first is None or second is None:
        return 0.0
    if second - first > bound.allowed:
        return log_martingale_at_bound(champion, challenger, bound.allowed)
    if bound.both_sides and first - second > bound.allowed:
        return log_martingale_at_bound(challenger, champion, bound.allowed)
    return min(0.0, log_martingale(champion, first) + log_martingale(challenger, second))  # 0 but for rounding


def log_martingale_at_bound(lower: Arm, upper: Arm, allowed: float) -> float:
    """Return the smallest ln M of both arms over all means that lie exactly `allowed` apart.

    The sum is convex in the lower mean, so its smallest place is where the slope changes sign.
    """
    if allowed >= 1.0:
        return 0.0

    def slope(mean: float) -> float:
        apart = mean + allowed
        return (
            -over(lower.total, mean)
            + over(lower.n - lower.total, 1.0 - mean)
            - over(upper.total, apart)
            + over(upper.n - upper.total, 1.0 - apart)
        )

    mean = crossing(slope, 0.0, 1.0 - allowed)
    return log_martingale(lower, mean) + log_martingale(upper, mean + allowed)


def crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a rising function changes sign between two ends; the nearer end when it does not."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def standing(measure: Measure, champion: Arm, challenger: Arm, bound: Bound, alpha: float) -> Standing:
    """Return where the test of one measure stands when its chance of a false abort may be at most `alpha`."""
    return Standing(
        measure=measure,
        champion=champion,
        challenger=challenger,
        allowed=bound.allowed,
        evidence=evidence(champion, challenger, bound),
        needed=math.log(1.0 / alpha),
    )


def log_beta(a: float, b: float) -> float:
    """Return the logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def xlogy(x: float, y: float) -> float:
    """Return x ln y, 0 where x is 0 and −∞ where only y is."""
    return 0.0 if x <= 0 else -math.inf if y <= 0 else x * math.log(y)


def over(x: float, y: float) -> float:
    """Return x / y, 0 where x is 0 and infinite where only y is."""
    return 0.0 if x <= 0 else math.inf if y <= 0 else x / y
