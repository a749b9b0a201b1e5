"""The sequential test: it seldom aborts what is as good as allowed, however often one looks, and soon what is worse."""

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lemnis.engine.deploy.rollout.sequential import Arm, Bound, evidence, log_martingale, standing

ALPHA = 0.05
NEEDED = math.log(1 / ALPHA)
arms = st.integers(0, 400).flatmap(lambda n: st.floats(0, n).map(lambda total: Arm(n, total)))
bounds = st.builds(Bound, allowed=st.floats(0, 0.9), both_sides=st.booleans())


def aborted_after(chance: random.Random, first: float, second: float, bound: Bound, most: int) -> int | None:
    """Return the challenger's answers until the abort when one looks after each, None if it never came.

    A tenth of the traffic goes to the challenger.
    """
    champion, challenger = [0, 0], [0, 0]
    while challenger[0] < most:
        arm, mean = (challenger, second) if chance.random() < 0.1 else (champion, first)
        arm[0] += 1
        arm[1] += chance.random() < mean
        if arm is challenger and evidence(Arm(*champion), Arm(*challenger), bound) >= NEEDED:
            return challenger[0]
    return None


@pytest.mark.parametrize(("mean", "allowed"), [(0.02, 0.01), (0.05, 0.05), (0.4, 0.1)])
def test_looking_after_every_answer_aborts_a_challenger_at_the_bound_at_most_as_often_as_alpha_says(
    mean: float, allowed: float
) -> None:
    chance = random.Random(7)
    runs = 120
    false = sum(
        aborted_after(chance, mean, mean + allowed, Bound(allowed=allowed), 200) is not None for _ in range(runs)
    )
    assert false <= runs * ALPHA + 2 * math.sqrt(runs * ALPHA * (1 - ALPHA)), false


@pytest.mark.parametrize(
    ("first", "second", "allowed", "within"), [(0.001, 0.3, 0.01, 60), (0.05, 0.5, 0.05, 80), (0.5, 0.8, 0.1, 300)]
)
def test_a_worse_challenger_is_found_out_soon(first: float, second: float, allowed: float, within: int) -> None:
    chance = random.Random(11)
    delays = sorted(aborted_after(chance, first, second, Bound(allowed=allowed), 2000) or 2000 for _ in range(15))
    assert delays[7] <= within
    assert delays[-1] < 2000


def test_scores_between_nought_and_one_abort_no_more_often_than_truths_do() -> None:
    chance = random.Random(3)
    false = 0
    for _ in range(60):
        champion, challenger = Arm(), Arm()
        for _ in range(150):
            champion = Arm(champion.n + 1, champion.total + chance.betavariate(4, 4))
            challenger = Arm(challenger.n + 1, challenger.total + chance.betavariate(4.8, 3.2))
            if evidence(champion, challenger, Bound(allowed=0.1, both_sides=True)) >= NEEDED:
                false += 1
                break
    assert false <= 60 * ALPHA


@given(arms, arms, bounds)
@example(Arm(1, 0.0), Arm(2, 5e-324), Bound(allowed=0.0))
def test_evidence_is_finite_and_never_positive_within_the_bound(first: Arm, second: Arm, bound: Bound) -> None:
    found = evidence(first, second, bound)
    assert math.isfinite(found)
    if first.n and second.n:
        apart = second.total / second.n - first.total / first.n
        if apart <= bound.allowed and (not bound.both_sides or -apart <= bound.allowed):
            assert found <= 1e-9


@given(arms, arms, st.floats(0, 0.9), st.floats(0, 1))
def test_evidence_is_the_smallest_over_all_means_that_are_allowed(
    first: Arm, second: Arm, allowed: float, mean: float
) -> None:
    if first.n and second.n:
        there = min(1.0, mean + allowed)
        least = log_martingale(first, mean) + log_martingale(second, there)
        assert evidence(first, second, Bound(allowed=allowed)) <= least + 1e-6


@given(arms, arms, st.floats(0, 0.9))
def test_both_sides_treat_the_versions_alike(first: Arm, second: Arm, allowed: float) -> None:
    bound = Bound(allowed=allowed, both_sides=True)
    assert evidence(first, second, bound) == pytest.approx(evidence(second, first, bound), abs=1e-9)


def test_a_standing_says_how_much_of_the_evidence_there_is() -> None:
    none = standing("errors", Arm(100, 1), Arm(10, 0), Bound(allowed=0.01), ALPHA)
    full = standing("errors", Arm(100, 0), Arm(10, 9), Bound(allowed=0.01), ALPHA)
    assert (none.share, none.worse) == (0.0, False)
    assert (full.share, full.worse) == (1.0, True)
    some = standing("errors", Arm(100, 0), Arm(10, 3), Bound(allowed=0.01), ALPHA)
    assert 0 < some.share < 1
