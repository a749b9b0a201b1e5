"""When a trial that falls behind is ended early, by the metric it tells every round. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

STARTUP = 5  # trials that must have finished before any is judged by the median
WARM_UP = 5  # rounds in which nothing is judged: the first trees say little
FACTOR = 3  # of the trials that come to a rung one in so many goes on

Curve = Mapping[int, float]  # the value by round


def behind_median(curve: Curve, finished: Sequence[Curve], *, larger: bool) -> str:
    """Return why a trial is to be ended by the median rule; empty if it is not.

    It is, if the best it has told so far is worse than the median of what the finished trials had at the same round.
    Source: D. Golovin et al., Google Vizier (KDD 2017), section 3.2; Optuna's MedianPruner, which a test compares with.
    """
    if not curve or len(finished) < STARTUP:
        return ""
    at = max(curve)
    there = [other[at] for other in finished if at in other]
    if at < WARM_UP or not there:
        return ""
    best, middle = (max if larger else min)(curve.values()), median(there)
    if (best < middle) if larger else (best > middle):
        return f"its best {best:.6g} by round {at} is worse than the median {middle:.6g} of {len(there)} trials"
    return ""


def rungs(rounds: int, bracket: int, *, least: int = WARM_UP) -> list[int]:
    """Return the rounds at which the trials of a bracket are compared: a later bracket begins FACTOR times later."""
    found: list[int] = []
    at = least * FACTOR**bracket
    while at < rounds:
        found.append(at)
        at *= FACTOR
    return found


def bracket_of(number: int, rounds: int) -> int:
    """Return the bracket of a trial: the trials go round all brackets that have a rung."""
    brackets = max(1, sum(1 for bracket in range(20) if rungs(rounds, bracket)))
    return number % brackets


def behind_rung(curve: Curve, others: Sequence[Curve], rung: int, *, larger: bool) -> str:
    """Return why a trial does not go on past a rung; empty if it does.

    It goes on if it is among the best third of the trials of its bracket that have come to the rung so far, or the
    best while they are fewer than three. Source: L. Li et al., A system for massively parallel hyperparameter tuning
    (MLSys 2020), asynchronous successive halving; over several brackets this is Hyperband.
    """
    if rung not in curve:
        return ""
    own = curve[rung]
    there = sorted([own, *(other[rung] for other in others if rung in other)], reverse=larger)
    worst = there[max(1, len(there) // FACTOR) - 1]
    if (own >= worst) if larger else (own <= worst):
        return ""
    return f"{own:.6g} at round {rung} is not among the best third of {len(there)} trials"
