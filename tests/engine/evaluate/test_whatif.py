"""What-if: the answers of an edited row, and what would flip them, against models whose rule is known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.evaluate.jobs import explain
from lemnis.engine.evaluate.whatif.flips import apart, joint_changes, nearest, single_changes, spreads
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
Matrix = np.ndarray
STEPS = [np.array([0.0, 1.0, 2.0, 5.0]), np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0])]
NUMBERS = st.one_of(st.floats(-1e3, 1e3), st.just(float("nan")))


def over(limit: float) -> Callable[[Matrix], Matrix]:
    return lambda rows: rows.sum(axis=1) > limit


def test_the_smallest_single_change_of_each_feature_that_is_enough_is_found() -> None:
    row = np.array([1.0, 1.0, 0.0])
    found = single_changes(row, STEPS, over(3.5), np.ones(3) * 5, [])
    assert found == [(1, 3.0), (0, 5.0)]  # the category alone never is enough


def test_where_no_single_change_is_enough_a_few_are_and_none_of_them_is_needless() -> None:
    row = np.zeros(3)
    assert single_changes(row, STEPS, over(7.0), np.ones(3), []) == []
    found = dict(joint_changes(row, STEPS, over(7.0), lambda rows: rows.sum(axis=1)))
    assert found == {0: 5.0, 1: 3.0}
    assert joint_changes(row, STEPS, over(99.0), lambda rows: rows.sum(axis=1)) == []


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 20), st.just(3)), elements=NUMBERS))
def test_a_distance_lies_between_0_and_1_and_is_0_to_the_row_itself(rows: Matrix) -> None:
    spread = spreads(rows, [2])
    distances = apart(rows[0], rows, spread, [2])
    assert np.all((distances >= 0) & (distances <= 1))
    assert distances[0].sum() == 0
    assert nearest(distances.mean(axis=1), np.ones(len(rows), bool), 1) != []


def test_a_row_is_answered_with_its_own_and_with_other_values_as_the_model_answers(
    engine: Engine, trained: Trained
) -> None:
    run_id = trained()
    told = explain(JobContext.for_test(engine.store), {"run": run_id, "key": "F3000"})
    desk = engine.evaluate.what_if(run_id, "F3000")
    try:
        assert desk.row.key == "F3000"
        assert desk.row.first.score == pytest.approx(told["score"])
        amounts = {field.name: desk.row.first.amounts[place] for place, field in enumerate(desk.row.fields)}
        assert amounts == pytest.approx({one["feature"]: one["amount"] for one in told["contributions"]})
        values = {field.name: field.value for field in desk.row.fields}
        assert desk.answer(values) == desk.row.first
        windy = desk.answer({**values, "wind": 60.0})
        assert windy.score > desk.row.first.score
        assert windy.bias + sum(windy.amounts) == pytest.approx(windy.raw)
        assert desk.answer({**values, "carrier": "never seen"}) == desk.answer({**values, "carrier": None})
        with pytest.raises(BadInput, match="wind"):
            desk.answer({**values, "wind": "strong"})
        flips = desk.flips(values)
        said = desk.row.first.said
        assert flips.near
        assert all(near.said != said for near in flips.near)
        assert [near.distance for near in flips.near] == sorted(near.distance for near in flips.near)
        for change, score in zip(flips.single, flips.scores, strict=True):
            assert (score >= 0.4) != (desk.row.first.score >= 0.4), change
    finally:
        desk.close()
    with pytest.raises(Unavailable):
        desk.answer(values)


@pytest.mark.slow
def test_a_row_that_is_not_there_is_refused_and_leaves_no_process(engine: Engine, trained: Trained) -> None:
    with pytest.raises(BadInput, match="no row with the key"):
        engine.evaluate.what_if(trained(), "nothing")
