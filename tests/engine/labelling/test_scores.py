"""What makes a row worth a label: the promises of each score, and planted errors found by confident learning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lemnis.engine.labelling.scores import disagreement, entropy, label_issues, margin, moved

raw = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(2, 5)), elements=st.floats(0.001, 1))


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum(axis=1, keepdims=True)


@given(raw)
def test_scores_of_one_model_are_shares_and_largest_where_it_knows_nothing(values: np.ndarray) -> None:
    probabilities = shares(values)
    even = np.full((1, values.shape[1]), 1 / values.shape[1])
    for score in (entropy, margin):
        found = score(probabilities)
        assert ((found >= 0) & (found <= 1 + 1e-12)).all()
        assert (found <= score(even) + 1e-9).all()
    assert entropy(np.eye(values.shape[1])) == pytest.approx(0, abs=1e-9)
    assert margin(np.eye(values.shape[1])) == pytest.approx(0)


@given(raw)
def test_a_model_does_not_disagree_with_itself_and_two_disagree_alike_both_ways(values: np.ndarray) -> None:
    one, two = shares(values), shares(values[:, ::-1])
    assert disagreement(one, one) == pytest.approx(0)
    assert disagreement(one, two) == pytest.approx(disagreement(two, one))
    assert (disagreement(one, two) <= 1 + 1e-12).all()


def test_two_tables_of_different_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="equal tables"):
        disagreement(np.ones((2, 2)), np.ones((2, 3)))


def test_only_bins_that_grew_have_moved_and_the_one_that_grew_most_moved_most() -> None:
    parts = moved(np.array([100.0, 100, 100, 0]), np.array([50.0, 110, 100, 40]))
    assert parts[0] == 0
    assert parts[3] == parts.max() > 0


def test_planted_errors_are_found_and_right_labels_are_left_alone() -> None:
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 600)
    probabilities = shares(np.eye(3)[true] * 4 + 0.1 * rng.random((600, 3)))
    given_ = true.copy()
    planted = rng.choice(600, 30, replace=False)
    given_[planted] = (given_[planted] + 1) % 3
    rows, likely, leads = label_issues(probabilities, given_)
    assert set(planted.tolist()) == set(rows.tolist())
    assert (likely == true[rows]).all()
    assert (np.diff(leads) <= 0).all()


def test_a_class_that_nobody_gave_is_never_suggested() -> None:
    probabilities = np.array([[0.1, 0.1, 0.8], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]])
    _, likely, _ = label_issues(probabilities, np.array([0, 0, 1]))
    assert 2 not in likely
