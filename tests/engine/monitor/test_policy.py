import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.policy import drift_threshold, feature_verdict, listed, rule_in_words, window_verdict
from lemnis.engine.monitor.records import Verdict


@pytest.mark.parametrize(
    ("psi", "rows", "expected"),
    [
        (9.9, 0, "no data"),
        (9.9, 199, "insufficient"),
        (0.09, 200, "ok"),
        (0.1, 200, "watch"),
        (0.249, 200, "watch"),
        (0.25, 200, "drift"),
    ],
)
def test_a_feature_is_judged_by_its_thresholds_once_there_are_enough_rows(
    psi: float, rows: int, expected: Verdict
) -> None:
    assert feature_verdict(psi, watch=0.1, drift=0.25, rows=rows, min_rows=200) == expected


def test_a_small_window_needs_more_than_its_own_noise_and_a_large_one_the_declared_bound() -> None:
    assert drift_threshold(0.1, 10, 100_000, 200) == pytest.approx(0.1396, abs=0.002)
    assert drift_threshold(0.1, 10, 100_000, 20_000) == 0.1


@given(st.floats(0.01, 1), st.integers(2, 60), st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_rows_never_raise_the_threshold(bound: float, bins: int, reference_rows: int, rows: int) -> None:
    smaller = drift_threshold(bound, bins, reference_rows, rows)
    assert bound <= drift_threshold(bound, bins, reference_rows, rows + 1) <= smaller


@pytest.mark.parametrize(
    ("features", "rows", "verdict", "why"),
    [
        ([], 0, "no data", "no rows"),
        ([("a", "insufficient", 0.9)], 10, "insufficient", "10 rows, 200 are needed"),
        ([("a", "ok", 0.9), ("b", "ok", 0.1)], 500, "ok", "no feature"),
        ([("a", "drift", 0.9), ("b", "ok", 0.1)], 500, "drift", "a drifted"),
        ([("a", "ok", 0.99), ("b", "drift", 0.01)], 500, "watch", "b drifted; the model hardly uses it"),
        ([("a", "watch", 0.99), ("b", "ok", 0.01)], 500, "watch", "a moved"),
        ([("a", "ok", 0.99), ("b", "watch", 0.01)], 500, "ok", "no feature"),
    ],
)
def test_a_window_drifts_when_a_feature_drifts_that_the_model_uses(
    features: list[tuple[str, Verdict, float]], rows: int, verdict: Verdict, why: str
) -> None:
    found, said = window_verdict(features, rows, 200)
    assert found == verdict
    assert why in said


def test_the_rule_says_where_its_threshold_comes_from() -> None:
    declared = rule_in_words(bound=0.25, threshold=0.25, bins=11, reference_rows=100_000, rows=20_000)
    assert "psi_drift = 0.25 of [monitor]" in declared
    noisy = rule_in_words(bound=0.1, threshold=0.29, bins=11, reference_rows=100_000, rows=100)
    assert "sampling noise" in noisy
    assert "100 rows in 11 bins" in noisy


def test_long_lists_of_names_are_cut() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
