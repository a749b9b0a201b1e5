"""The rules of sweeps: spaces, objectives, pruning as Optuna judges, Pareto fronts, and what may be expected."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.config import parse_config
from lemnis.engine.errors import BadInput, ConfigError
from lemnis.engine.experiments.sweep.expectation import expected_gain
from lemnis.engine.experiments.sweep.goals import Objective, best_of, dominates, read_constraints, violations
from lemnis.engine.experiments.sweep.pruning import behind_median, behind_rung, bracket_of, rungs
from lemnis.engine.experiments.sweep.records import Trial
from lemnis.engine.experiments.sweep.space import (
    USUAL,
    Dimension,
    declared_space,
    holds,
    narrowed,
    read_dimension,
    read_space,
    share_of,
)

numbers = st.integers(1, 400)
curves = st.lists(st.integers(0, 80).map(lambda n: n / 8), min_size=1, max_size=12)


def trial(number: int, values: list[float], missed: list[float | None] | None = None) -> Trial:
    return Trial(
        number=number, state="finished", why="", params={}, values=values, missed=missed or [], last_round=None,
        last_value=None, run_id=None, asked_to_stop="", enqueued_by="", created_at=0, ended_at=0,
    )  # fmt: skip


@given(low=numbers, more=numbers, log=st.booleans())
def test_a_range_reads_as_it_is_written(low: int, more: int, log: bool) -> None:
    for text in (f"{low}..{low + more}", f"{low}.5..{low + more}.75"):
        dimension = read_dimension("x", text + (":log" if log else ""))
        assert read_dimension("x", dimension.words) == dimension
        assert dimension.integer == ("." not in text.replace("..", ""))
        assert holds(dimension, dimension.low)
        assert not holds(dimension, dimension.high + 1)
        assert share_of(dimension, dimension.low) == 0.0
        assert share_of(dimension, dimension.high) == 1.0


def test_choices_keep_their_kinds() -> None:
    assert read_space(["a=gbdt,dart", "b=true,false", "c=1,2.5"]) == [
        Dimension(name="a", choices=["gbdt", "dart"]),
        Dimension(name="b", choices=[True, False]),
        Dimension(name="c", choices=[1, 2.5]),
    ]


def test_narrowing_stays_inside_what_the_sweep_began_with() -> None:
    leaves, boosting = USUAL[0], Dimension(name="algorithm", choices=["gbdt", "dart"])
    once = narrowed(leaves, leaves, "20..80")
    assert (once.low, once.high, once.log, once.integer) == (20, 80, True, True)
    assert narrowed(once, leaves, "7..255") == leaves
    assert narrowed(boosting, boosting, "dart").choices == ["dart"]
    for dimension, text in (
        (leaves, "1..20"),
        (leaves, "20..300"),
        (leaves, "20.5..30"),
        (boosting, "rf"),
        (leaves, "x"),
    ):
        with pytest.raises(BadInput):
            narrowed(dimension, dimension, text)


def test_a_declared_sweep_is_read_and_a_wrong_one_is_refused_with_its_line() -> None:
    text = """
[sweeps.trees]
space = { num_leaves = { low = 7, high = 255, log = true }, algorithm = ["gbdt", "dart"] }
objectives = ["auc", "train_seconds:min"]
trials = 20
"""
    declared = parse_config(text).sweeps["trees"]
    assert [dimension.words for dimension in declared_space(declared.space)] == ["7..255:log", "gbdt,dart"]
    with pytest.raises(ConfigError, match="pruner"):
        parse_config(text + 'pruner = "sometimes"\n')


def test_constraints_say_by_how_much_they_are_missed() -> None:
    constraints = read_constraints(["metrics.train_seconds < 5", "auc >= 0.7", "x > 1"])
    assert violations(constraints, {"train_seconds": 7.0, "auc": 0.7, "x": None}) == [2.0, 0.0, None]
    assert (violations(constraints[:1], {"train_seconds": 5.0})[0] or 0) > 0


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), max_size=25))
def test_the_front_is_what_nothing_feasible_dominates(points: list[tuple[int, int, bool]]) -> None:
    goals = [Objective(metric="auc", larger=True), Objective(metric="seconds", larger=False)]
    trials = [trial(place, [a, b], [0.0 if kept else 1.0]) for place, (a, b, kept) in enumerate(points)]
    feasible = [one for one in trials if one.feasible]
    front = best_of(goals, trials)
    for one in feasible:
        beaten = any(dominates(goals, other.values, one.values) for other in feasible)
        assert (one in front) != beaten
    single = best_of(goals[:1], [trial(one.number, one.values[:1]) for one in trials])
    assert [one.values[0] for one in single] == ([max(a for a, _, _ in points)] if points else [])


@given(own=curves, others=st.lists(curves, max_size=9), larger=st.booleans())
def test_the_median_rule_is_that_of_optuna(own: list[float], others: list[list[float]], larger: bool) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize" if larger else "minimize")

    def told(curve: list[float], state: Any) -> Any:
        steps = {step: value for step, value in enumerate(curve, 1)}
        done = state == optuna.trial.TrialState.COMPLETE
        return optuna.trial.create_trial(state=state, value=curve[-1] if done else None, intermediate_values=steps)

    for other in others:
        study.add_trial(told(other, optuna.trial.TrialState.COMPLETE))
    theirs = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5).prune(
        study, told(own, optuna.trial.TrialState.RUNNING)
    )
    finished = [{step: value for step, value in enumerate(other, 1)} for other in others]
    ours = behind_median({step: value for step, value in enumerate(own, 1)}, finished, larger=larger)
    assert bool(ours) == theirs


@given(value=st.integers(0, 20), others=st.lists(st.integers(0, 20), max_size=12), larger=st.booleans())
def test_at_a_rung_the_best_third_goes_on(value: int, others: list[int], larger: bool) -> None:
    why = behind_rung({5: value}, [{5: other} for other in others], 5, larger=larger)
    better = sum((other > value) if larger else (other < value) for other in others)
    assert bool(why) == (better >= max(1, (len(others) + 1) // 3))
    assert behind_rung({4: value}, [{5: other} for other in others], 5, larger=larger) == ""


def test_brackets_go_round_and_begin_later_each() -> None:
    assert rungs(200, 0) == [5, 15, 45, 135]
    assert rungs(200, 2) == [45, 135]
    assert [bracket_of(number, 200) for number in range(6)] == [0, 1, 2, 3, 0, 1]
    assert bracket_of(3, 4) == 0


def test_the_expected_gain_is_about_what_more_trials_really_bring() -> None:
    rng = np.random.default_rng(3)
    said: list[float] = []
    came: list[float] = []
    inside = 0
    for _ in range(200):
        first, later = 0.7 - rng.exponential(0.01, 40), 0.7 - rng.exponential(0.01, 20)
        first, later = first + rng.normal(0, 0.002, 40), later + rng.normal(0, 0.002, 20)
        found = expected_gain(first.tolist(), float(first.max()), larger=True)
        assert found is not None
        gain = max(0.0, float(later.max() - first.max()))
        said.append(found.mean)
        came.append(gain)
        inside += found.low <= gain <= found.high
        assert 0 <= found.low <= found.mean
        assert 0 <= found.chance <= 1
    assert 0.5 < np.mean(said) / np.mean(came) < 2.5
    assert inside / 200 > 0.75


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60))
def test_a_smaller_better_value_is_expected_alike(values: list[float | None]) -> None:
    found = [value for value in values if value is not None]
    up = expected_gain(values, max(found, default=0.0), larger=True)
    down = expected_gain([None if v is None else -v for v in values], -max(found, default=0.0), larger=False)
    assert (up is None) == (down is None)
    if up is not None and down is not None:
        assert math.isclose(up.mean, down.mean)
        assert math.isfinite(up.high)
