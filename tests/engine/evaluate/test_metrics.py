"""Every measure against scikit-learn, by the promises of its docstring, and weights against repeated rows."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine.evaluate.curves import (
    best_threshold,
    calibration_curve,
    pr_curve,
    roc_curve,
    threshold_sweep,
)
from lemnis.engine.evaluate.metrics import (
    binary_metrics,
    brier,
    confusion,
    expected_calibration_error,
    log_loss,
    money,
    multiclass_metrics,
    pr_auc,
    regression_metrics,
    roc_auc,
)

VALUE = {"true_positive": 240.0, "false_positive": -60.0, "false_negative": -10.0, "true_negative": 1.0}
# Few distinct probabilities, so that ties, ends and empty bins happen.
scored = st.integers(1, 120).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.integers(0, 1).map(float)),
        arrays(np.float64, n, elements=st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.999, 1.0]) | st.floats(0, 1)),
    )
)
Pair = tuple[np.ndarray, np.ndarray]


@settings(deadline=None, max_examples=25)
@given(scored)
def test_ranking_measures_agree_with_scikit_learn(pair: Pair) -> None:
    target, score = pair
    if 0 < target.sum() < target.size:
        assert roc_auc(target, score) == pytest.approx(reference.roc_auc_score(target, score), abs=1e-12)
    else:
        assert math.isnan(roc_auc(target, score))
    if target.sum():
        assert pr_auc(target, score) == pytest.approx(reference.average_precision_score(target, score), abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(scored)
def test_probability_measures_agree_with_scikit_learn(pair: Pair) -> None:
    target, score = pair
    clipped = np.clip(score, 1e-12, 1 - 1e-12)
    assert log_loss(target, clipped) == pytest.approx(reference.log_loss(target, clipped, labels=[0, 1]))
    assert brier(target, score) == pytest.approx(float(np.mean((score - target) ** 2)))


@settings(deadline=None, max_examples=25)
@given(scored, st.floats(0, 1))
def test_decisions_agree_with_scikit_learn(pair: Pair, threshold: float) -> None:
    target, score = pair
    found = binary_metrics(target, score, threshold, VALUE)
    said = score >= threshold
    counts = reference.confusion_matrix(target, said, labels=[0, 1])
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(target, said))
    for name, defined in (("precision", said.any()), ("recall", target.any())):
        if defined:
            assert found[name] == pytest.approx(getattr(reference, f"{name}_score")(target, said))
        else:
            assert math.isnan(found[name])
    (tn, fp), (fn, tp) = counts
    assert found["value"] == pytest.approx(240 * tp - 60 * fp - 10 * fn + tn)
    assert found["value_per_1000"] == pytest.approx(1000 * found["value"] / target.size)


@settings(deadline=None, max_examples=40)
@given(scored, st.data())
def test_a_weight_counts_a_row_that_often(pair: Pair, data: st.DataObject) -> None:
    target, score = pair
    weight = data.draw(arrays(np.int64, target.size, elements=st.integers(0, 3)))
    assume(weight.sum())
    repeated = binary_metrics(np.repeat(target, weight), np.repeat(score, weight), 0.3, VALUE)
    weighted = binary_metrics(target, score, 0.3, VALUE, weight.astype(float))
    assert weighted == pytest.approx(repeated, nan_ok=True)


@settings(deadline=None, max_examples=40)
@given(scored)
def test_measures_stay_in_their_range(pair: Pair) -> None:
    found = binary_metrics(*pair, 0.5, VALUE)
    for name in ("roc_auc", "pr_auc", "brier", "ece", "accuracy", "precision", "recall", "f1", "positive_share"):
        assert math.isnan(found[name]) or -1e-9 <= found[name] <= 1 + 1e-9
    assert found["log_loss"] >= 0


@settings(deadline=None, max_examples=40)
@given(scored)
def test_turning_the_score_round_turns_the_auc_round(pair: Pair) -> None:
    target, score = pair
    assume(0 < target.sum() < target.size)
    assert roc_auc(target, score) + roc_auc(target, -score) == pytest.approx(1)


def test_a_calibrated_model_has_no_calibration_error() -> None:
    probability = np.repeat([0.05, 0.25, 0.75], 20)
    target = np.concatenate([np.arange(20) < share for share in (1, 5, 15)]).astype(float)
    assert expected_calibration_error(target, probability) == pytest.approx(0)
    assert expected_calibration_error(1 - target, probability) > 0.4


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 5), st.integers(5, 80), st.integers(0, 2**32 - 1))
def test_several_classes_agree_with_scikit_learn(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    probability = random.dirichlet(np.ones(classes), rows)
    target = np.concatenate([np.arange(classes), random.integers(0, classes, rows)])[:rows].astype(float)
    present = np.unique(target)
    found = multiclass_metrics(target, probability)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(target, probability.argmax(1)))
    assert found["log_loss"] == pytest.approx(
        reference.log_loss(target, np.clip(probability, 1e-15, 1), labels=np.arange(classes))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found["balanced_accuracy"] == pytest.approx(
            reference.balanced_accuracy_score(target, probability.argmax(1))
        )
    each = [reference.roc_auc_score(target == place, probability[:, int(place)]) for place in present]
    assert found["roc_auc"] == pytest.approx(np.mean(each))


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, 30, elements=st.floats(-1e3, 1e3)), arrays(np.float64, 30, elements=st.floats(-1e3, 1e3)))
def test_numbers_agree_with_scikit_learn(target: np.ndarray, predicted: np.ndarray) -> None:
    assume(np.ptp(target) > 1e-3)
    found = regression_metrics(target, predicted)
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(target, predicted))
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(target, predicted))
    assert found["r2"] == pytest.approx(reference.r2_score(target, predicted))
    assert found["bias"] == pytest.approx(float((predicted - target).mean()), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(scored)
def test_curves_start_and_end_where_they_should_and_never_turn_back(pair: Pair) -> None:
    target, score = pair
    assume(0 < target.sum() < target.size)
    roc, pr = np.array(roc_curve(target, score)), np.array(pr_curve(target, score))
    assert roc[0].tolist() == [0, 0]
    assert roc[-1].tolist() == [1, 1]
    assert (np.diff(roc, axis=0) >= 0).all()
    assert (np.diff(pr[:, 0]) >= 0).all()
    assert pr[-1, 0] == 1
    assert len(roc) <= 121
    assert sum(rows for _, _, rows in calibration_curve(target, score)) == target.size


@settings(deadline=None, max_examples=40)
@given(scored)
def test_a_sweep_counts_every_row_at_every_threshold_and_knows_the_best(pair: Pair) -> None:
    target, score = pair
    sweep = threshold_sweep(target, score, VALUE)
    assert [point[0] for point in sweep] == [step / 100 for step in range(101)]
    assert all(sum(point[1:5]) == target.size for point in sweep)
    said_yes = [point[1] + point[2] for point in sweep]
    assert said_yes == sorted(said_yes, reverse=True)
    counts = confusion(target, score >= 0.3)
    assert sweep[30][-1] == pytest.approx(1000 * money(counts, VALUE) / target.size)
    best = best_threshold(sweep)
    assert max(point[-1] for point in sweep) == next(point[-1] for point in sweep if point[0] == best)
