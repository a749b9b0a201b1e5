"""Spread, ranks and agreement of importances, and when one is called unstable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine.features.folds import drawn, shuffled_folds, time_folds
from lemnis.engine.features.records import Spread
from lemnis.engine.features.stability import agreement, spreads, unstable

tables = st.tuples(st.integers(1, 8), st.integers(1, 12)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1, 1))
)


@given(tables)
def test_a_spread_holds_its_mean_and_a_rank_its_place(values: np.ndarray) -> None:
    for place, spread in enumerate(spreads(values)):
        assert spread.low - 1e-12 <= spread.mean <= spread.high + 1e-12
        assert 1 <= spread.rank_low <= spread.rank_high <= values.shape[1]
        assert spread.values == values[:, place].tolist()


@given(tables)
def test_agreement_lies_between_0_and_1_and_does_not_depend_on_the_scale(values: np.ndarray) -> None:
    found = agreement(values)
    assert np.isnan(found) or -1e-9 <= found <= 1 + 1e-9
    assert agreement(values * 8) == pytest.approx(found, nan_ok=True)


def test_one_order_agrees_wholly_and_two_opposite_ones_not_at_all() -> None:
    assert agreement(np.array([[1.0, 2, 3], [10, 20, 30], [0.1, 0.5, 0.9]])) == 1
    assert agreement(np.array([[1.0, 2, 3], [3, 2, 1]])) == 0


def test_a_loss_that_changes_with_the_fold_or_the_seed_says_which() -> None:
    steady = spreads(np.array([[0.10], [0.11], [0.09], [0.10]]))[0]
    fold = spreads(np.array([[0.01], [0.01], [0.20], [0.21]]))[0]
    seed = spreads(np.array([[0.01], [0.20], [0.02], [0.21]]))[0]
    options = {"top": 0.2, "columns": 9, "seeds": 2}
    assert unstable(steady, steady, **options) == ""
    assert "costs 0.0100 to 0.2100, depending on the fold" in unstable(fold, steady, **options)
    assert "depending on the seed" in unstable(seed, steady, **options)


def test_a_column_that_hardly_matters_is_never_called_unstable() -> None:
    little = spreads(np.array([[0.0001], [0.0040]]))[0]
    assert unstable(little, little, top=0.2, columns=9, seeds=1) == ""


def test_a_rank_that_moves_far_is_unstable() -> None:
    steady = Spread(mean=0.1, deviation=0.001, low=0.1, high=0.1, values=[0.1] * 4)
    moving = Spread(mean=1, rank_low=2, rank_high=9, values=[1, 2, 3, 4])
    assert "number 2 to 9 of 12" in unstable(steady, moving, top=0.2, columns=12, seeds=2)


@given(st.integers(5, 300), st.integers(1, 4))
def test_no_row_is_judged_by_a_model_that_saw_it_or_a_later_one(rows: int, count: int) -> None:
    judged: list[int] = []
    for fold in time_folds(rows, count):
        assert fold.learn.max() < fold.judge.min()
        judged += fold.judge.tolist()
    assert judged == sorted(set(judged))
    parts = shuffled_folds(rows, max(2, count), 1)
    for fold in parts:
        assert sorted([*fold.learn.tolist(), *fold.judge.tolist()]) == list(range(rows))
    assert sorted(place for fold in parts for place in fold.judge.tolist()) == list(range(rows))


def test_a_seed_draws_the_same_rows_and_another_seed_others() -> None:
    places = np.arange(1000)
    assert drawn(places, 50, 1).tolist() == drawn(places, 50, 1).tolist() != drawn(places, 50, 2).tolist()
    assert drawn(places, 2000, 1) is places
