"""Baselines: what is known before a row, what they answer, and how the model is judged against them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.deploy import DeployRoom
from lemnis.engine.evaluate import Baseline
from lemnis.engine.evaluate.earlier import answers_after, last_known
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
moments = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=40)


@settings(deadline=None)
@given(moments, st.integers(0, 5))
def test_the_last_known_answer_is_that_of_the_latest_moment_of_the_group_that_can_be_known(
    rows: list[tuple[int, int, int]], delay: int
) -> None:
    time, group, value = (np.array(column) for column in zip(*rows, strict=True))
    found = last_known(value[:, None].astype(float), time, group, delay=delay)[:, 0]
    for place in range(len(rows)):
        known = (group == group[place]) & (time <= time[place] - max(1, delay))
        if not known.any():
            assert np.isnan(found[place])
        else:
            latest = known & (time == time[known].max())
            assert found[place] == pytest.approx(value[latest].mean())


def test_classes_are_foretold_by_how_often_they_followed() -> None:
    before = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]])
    shares = answers_after(before, np.array([0.0, 1.0, 1.0, 0.0]))
    assert shares == pytest.approx(np.array([[2 / 4, 2 / 4], [1 / 3, 2 / 3]]))


def measured(engine: Engine, run_id: int) -> dict[str, Baseline]:
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    return {one.name: one for one in engine.evaluate.evaluation(run_id).baselines}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_task_is_measured_beside_the_constant_and_the_last_value(
    engine: Engine, trained: Trained, task: str
) -> None:
    run_id = trained(task, metric="log_loss", rule="max = 9.0")
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    evaluation = engine.evaluate.evaluation(run_id)
    constant, last, champion = evaluation.baselines
    assert (constant.rows, last.rows, champion.tests) == (evaluation.rows, evaluation.rows, [])
    assert champion.why == "No champion foretells this target yet."
    for one in (constant, last):
        first = one.tests[0]
        assert first.value == pytest.approx(evaluation.metrics[first.metric])
        assert first.low is not None
        assert first.high is not None
        assert first.low < (first.delta or 0) < first.high
        assert first.verdict == "better"
    if task == "binary":
        assert constant.tests[0].base == 0.5
        assert "taken as known at once" in last.words


def test_a_version_without_time_says_why_it_has_no_last_value(engine: Engine, trained: Trained) -> None:
    found = measured(engine, trained(timed=False))
    assert "no time column" in found["last value"].why
    assert "as there is no training part" in found["constant"].words


def test_the_champion_answers_the_same_rows_and_knows_itself(engine: Engine, trained: Trained) -> None:
    first = trained()
    room = DeployRoom(engine.store)
    room.register(first, "late", "me", "first")
    room.promote("late", 1, "champion", "me", "first", force=True)
    assert measured(engine, first)["champion"].why == f"This run is the champion: late v1, run {first}."
    champion = measured(engine, trained())["champion"]
    assert champion.words == f"late v1, run {first}"
    assert {test.verdict for test in champion.tests if test.verdict} == {"identical"}
