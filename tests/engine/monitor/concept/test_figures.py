# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Value
from lemnis.engine.evaluate.intervals import bootstrap_intervals
from lemnis.engine.evaluate.metrics import binary_metrics, roc_auc
from lemnis.engine.monitor.concept.figures import labelled_figures
from lemnis.engine.monitor.concept.influence import auc_influence, mean_covariance, quantile, share_interval

ROWS = 4_000
WORTH = Value(true_positive=40, false_positive=-15, false_negative=-3, true_negative=1)


def rows_of(seed: int, rows: int = ROWS) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and calibrated probabilities."""
    chance = np.random.default_rng(seed)
    score = chance.beta(2, 5, rows)
    return (chance.random(rows) < score).astype(np.float64), score


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60))
def test_what_each_row_moves_the_auc_adds_up_to_nothing_and_the_auc_is_that_of_ranks(rows) -> None:
    target = np.array([float(one) for one, _ in rows])
    score = np.array([value / 6 for _, value in rows])
    auc, moved = auc_influence(target, target, score)
    if 0 < target.mean() < 1:
        assert auc == pytest.approx(roc_auc(target, score))
        assert moved.mean() == pytest.approx(0, abs=1e-9)
    else:
        assert math.isnan(auc)


def test_figures_are_the_known_ones_and_intervals_those_of_a_bootstrap_over_the_same_days() -> None:
    target, score = rows_of(3)
    days = np.repeat(np.arange(40), ROWS // 40)
    found = labelled_figures("binary", target, score, 0.4, days)
    known = binary_metrics(target, score, 0.4, {name: getattr(WORTH, name) for name in WORTH.__struct_fields__})
    drawn = bootstrap_intervals(
        lambda weight: binary_metrics(
            target, score, 0.4, {name: getattr(WORTH, name) for name in WORTH.__struct_fields__}, weight
        ),
        days,
    )
    assert found.blocks == "days"
    for name in ("roc_auc", "log_loss", "brier", "accuracy", "value_per_1000"):
        figure = found.named(name, WORTH)
        assert figure is not None
        assert figure.value == pytest.approx(known[name])
        low, high = drawn[name]
        assert figure.low == pytest.approx(low, abs=0.25 * (high - low))
        assert figure.high == pytest.approx(high, abs=0.25 * (high - low))


@pytest.mark.parametrize("name", ["roc_auc", "brier", "value_per_1000"])
def test_an_interval_holds_the_truth_in_95_of_100_windows(name: str) -> None:
    truth = labelled_figures("binary", *rows_of(0, 400_000), 0.4, np.zeros(400_000, dtype=np.int64))
    wanted, inside = truth.named(name, WORTH), 0
    assert wanted is not None
    for seed in range(1, 201):
        figure = labelled_figures("binary", *rows_of(seed, 500), 0.4, np.zeros(500, dtype=np.int64)).named(name, WORTH)
        assert figure is not None
        assert figure.low is not None
        assert figure.high is not None
        inside += figure.low <= wanted.value <= figure.high
    assert 0.91 <= inside / 200 <= 0.99


def test_rows_of_one_day_that_go_together_make_the_interval_wider() -> None:
    chance = np.random.default_rng(1)
    days = np.repeat(np.arange(30), 100)
    score = np.full(3_000, 0.4)
    target = (chance.random(3_000) < np.repeat(chance.uniform(0.1, 0.7, 30), 100)).astype(np.float64)
    apart = labelled_figures("binary", target, score, 0.5, np.zeros(3_000, dtype=np.int64)).found["accuracy"]
    together = labelled_figures("binary", target, score, 0.5, days).found["accuracy"]
    assert together.high - together.low > 2.5 * (apart.high - apart.low)


def test_a_number_and_several_classes_have_their_figures_too() -> None:
    chance = np.random.default_rng(2)
    truth = chance.normal(0, 1, 500)
    found = labelled_figures("regression", truth, truth + chance.normal(0, 2, 500), 0.5, np.zeros(500, dtype=np.int64))
    assert found.found["rmse"].value == pytest.approx(2, abs=0.2)
    assert found.found["mean_absolute_error"].low < 2 * math.sqrt(2 / math.pi) < found.found["mean_absolute_error"].high
    score = chance.dirichlet([1, 1, 1], 500)
    place = score.argmax(1).astype(np.float64)
    several = labelled_figures("multiclass", place, score, 0.5, np.zeros(500, dtype=np.int64))
    assert several.found["accuracy"].value == 1
    assert several.found["accuracy"].low < 1
    assert several.money(WORTH) is None


def test_no_rows_one_row_and_one_class_say_what_they_can() -> None:
    none = np.zeros(0)
    assert labelled_figures("binary", none, none, 0.5, none.astype(np.int64)).rows == 0
    one = labelled_figures("binary", np.ones(1), np.full(1, 0.7), 0.5, np.zeros(1, dtype=np.int64))
    assert one.found["accuracy"].value == 1
    assert one.found["accuracy"].low is None
    assert one.money(WORTH).low is None
    same = labelled_figures("binary", np.ones(50), np.linspace(0.1, 0.9, 50), 0.5, np.zeros(50, dtype=np.int64))
    assert "roc_auc" not in same.found


@settings(max_examples=30)
@given(st.floats(0, 1), st.floats(0.0001, 0.2))
@example(5e-324, 0.1)
def test_the_interval_of_a_share_stays_a_share_and_holds_it(value: float, error: float) -> None:
    low, high = share_interval(value, error, 100)
    assert 0 <= low <= value <= high <= 1


def test_covariance_of_blocks_of_one_row_is_that_of_the_mean() -> None:
    values = np.random.default_rng(4).normal(0, 1, (200, 2))
    found = mean_covariance(values, np.arange(200))
    assert found == pytest.approx(np.cov(values.T) / 200)
    assert quantile(8) == pytest.approx(2.3646, abs=0.01)
    assert quantile(1_000_000) == pytest.approx(1.96, abs=0.001)
