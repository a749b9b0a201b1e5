"""Interpretation: swarms, dependence and interactions against models whose effects are known by construction."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine import Engine
from lemnis.engine.evaluate.interpretation.dependence import dependence, grid_of, interactions
from lemnis.engine.evaluate.interpretation.jobs import interpret
from lemnis.engine.evaluate.interpretation.swarm import BINS, swarm_output
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.features.signature import Feature
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
X, Y = Feature(name="x", kind="numeric"), Feature(name="y", kind="numeric")
CARRIER = Feature(name="carrier", kind="categorical", categories=["AA", "B6", "UA"])
NUMBERS = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")), st.sampled_from([0.0, 0.0, 1.0]))


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.integers(1, 60), elements=NUMBERS), st.randoms(use_true_random=False))
def test_every_row_is_in_one_level_and_one_bin(values: np.ndarray, random: object) -> None:
    amounts = np.sin(np.nan_to_num(values)) * 3
    output = swarm_output("yes", [X], values[:, None], amounts[:, None])
    levels = output.swarms[0].levels
    assert sum(level.rows for level in levels) == values.size
    assert all(sum(level.counts) == level.rows and len(level.counts) == BINS for level in levels)
    assert all(level.rows for level in levels)


def test_a_rising_feature_pushes_up_where_it_is_high_and_a_category_by_its_name() -> None:
    random = np.random.default_rng(3)
    matrix = np.column_stack([random.normal(size=900), random.integers(0, 3, 900).astype(np.float64)])
    amounts = np.column_stack([matrix[:, 0], np.array([-0.1, 0.3, 0.0])[matrix[:, 1].astype(np.int64)]])
    output = swarm_output("late", [X, CARRIER], matrix, amounts)
    first, second = output.swarms
    assert (first.feature, second.feature) == ("x", "carrier")
    low, high = first.extremes or pytest.fail("no extremes")
    assert (low.tone, high.tone) == ("low", "high")
    assert (low.mean or 0) < -0.5 < 0.5 < (high.mean or 0)
    assert sum(low.counts[BINS // 2 :]) == 0  # every low value pushes down
    assert [level.name for level in second.extremes or ()] == ["AA", "B6"]


def test_partial_dependence_is_the_mean_of_what_is_answered_and_its_band_that_of_the_rows() -> None:
    random = np.random.default_rng(3)
    matrix = random.normal(size=(200, 2))

    def answer(rows: np.ndarray) -> np.ndarray:
        return (2 * rows[:, 0] + rows[:, 1])[:, None]

    found = dependence(answer, X, 0, matrix)
    grid = np.array(found.values, dtype=float)
    assert np.allclose(found.mean[0], 2 * grid + matrix[:, 1].mean())
    assert np.allclose(found.high[0], 2 * grid + np.percentile(matrix[:, 1], 90))
    assert np.allclose(found.centred_low[0], found.centred_high[0])  # parallel curves: no interaction
    assert sum(found.rows) == 200


def test_missing_values_and_categories_are_tried_too() -> None:
    column = np.array([0.0, 1.0, 1.0, np.nan])
    assert np.array_equal(grid_of(CARRIER, column), [1.0, 0.0, np.nan], equal_nan=True)
    found = dependence(lambda rows: np.isnan(rows[:, :1]) * 1.0, CARRIER, 0, column[:, None])
    assert found.names == ["B6", "AA", "missing"]
    assert found.mean == [[0.0, 0.0, 1.0]]
    assert found.rows == [2, 1, 1]


def test_only_features_that_multiply_interact() -> None:
    matrix = np.random.default_rng(3).normal(size=(60, 3))

    def answer(rows: np.ndarray) -> np.ndarray:
        return (rows[:, 0] * rows[:, 1] + rows[:, 2])[:, None]

    first, *others = interactions(answer, ["x", "y", "z"], [0, 1, 2], matrix, lambda done: None)
    assert (first.first, first.second) == ("x", "y")
    assert (first.share or 0) > 0.9
    assert all(pair.strength < 1e-9 for pair in others)


def test_a_run_is_interpreted_and_evaluating_already_keeps_its_swarms(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    kept = engine.evaluate.contributions(run_id)
    assert kept is not None
    assert kept.outputs[0].answer == "true"
    assert engine.evaluate.dependences(run_id) is None
    interpret(JobContext.for_test(engine.store), {"run": run_id})
    assert engine.evaluate.contributions(run_id) == kept
    weights = {one.feature: one.contribution for one in engine.evaluate.importances(run_id)}
    assert kept.outputs[0].swarms[0].feature == max(weights, key=lambda name: weights[name] or 0)
    curves = engine.evaluate.dependences(run_id)
    pairs = engine.evaluate.interactions(run_id)
    assert curves is not None
    assert pairs is not None
    assert {one.feature for one in curves.features} == {"wind", "hour", "carrier"}
    wind = next(one for one in curves.features if one.feature == "wind")
    assert wind.mean[0][0] < wind.mean[0][-2]  # more wind, more delay
    assert wind.names[-1] == "missing"
    assert len(pairs.pairs) == 3


@pytest.mark.slow
def test_several_classes_have_a_swarm_each_and_a_number_has_one(engine: Engine, trained: Trained) -> None:
    run_id = trained("multiclass", metric="log_loss", rule="max = 5.0")
    interpret(JobContext.for_test(engine.store), {"run": run_id})
    found, curves = engine.evaluate.contributions(run_id), engine.evaluate.dependences(run_id)
    assert found is not None
    assert curves is not None
    assert [output.answer for output in found.outputs] == ["early", "late", "on time"] == curves.answers
    assert len(curves.features[0].mean) == 3
    run_id = trained("regression", metric="rmse", rule="max = 100.0")
    interpret(JobContext.for_test(engine.store), {"run": run_id})
    number = engine.evaluate.contributions(run_id)
    assert number is not None
    assert [output.answer for output in number.outputs] == [""]
