import pytest

from lemnis.engine.monitor.policy import (
    alarms_in_words,
    drifting,
    feature_verdict,
    listed,
    rule_in_words,
    suspicions,
    window_verdict,
)
from lemnis.engine.monitor.records import Verdict


@pytest.mark.parametrize(
    ("suspected", "rows", "expected"),
    [
        ([True, True, True], 0, "no data"),
        ([True, True, True], 199, "insufficient"),
        ([False], 200, "ok"),
        ([True], 200, "watch"),
        ([False, False, True], 200, "watch"),
        ([True, True], 200, "drift"),
        ([True, False, True], 200, "drift"),
        ([True, True, False], 200, "ok"),
    ],
)
def test_a_first_suspicion_is_to_watch_and_one_that_lasts_is_drift(
    suspected: list[bool], rows: int, expected: Verdict
) -> None:
    assert feature_verdict(suspected, rows=rows, min_rows=200) == expected
    assert not drifting([])


def test_a_suspicion_needs_a_large_effect_that_chance_does_not_explain() -> None:
    found = suspicions([(0.2, 0.1, 1e-9), (0.2, 0.3, 1e-9), (0.2, 0.1, 0.02), *[(0.0, 0.1, 0.9)] * 17])
    assert [one.suspected for one in found[:3]] == [True, False, False]


def test_what_is_significant_alone_may_be_chance_among_many() -> None:
    assert suspicions([(0.2, 0.1, 0.002)])[0].suspected
    assert not suspicions([(0.2, 0.1, 0.002), *[(0.0, 0.1, 0.9)] * 19])[0].suspected


@pytest.mark.parametrize(
    ("features", "rows", "verdict", "why"),
    [
        ([], 0, "no data", "no rows"),
        ([("a", "insufficient", 0.9)], 10, "insufficient", "10 rows, 200 are needed"),
        ([("a", "ok", 0.9), ("b", "ok", 0.1)], 500, "ok", "no feature"),
        ([("a", "drift", 0.9), ("b", "ok", 0.1)], 500, "drift", "a drifted"),
        ([("a", "ok", 0.99), ("b", "drift", 0.01)], 500, "watch", "b drifted; the model hardly uses it"),
        ([("a", "watch", 0.99), ("b", "ok", 0.01)], 500, "watch", "a moved for the first time"),
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
    declared = rule_in_words(
        score="KS", floor=0.05, chance=0.012, rows=20_000, past=(1_200, 20_000), alarms=alarms_in_words(1, 100)
    )
    assert "KS distance is at least 0.050" in declared
    assert "1,200 past windows of up to 20,000 consecutive training rows" in declared
    assert declared.endswith("It alarmed in 1 of 100 runs of past windows.")
    assert "too few training rows" in rule_in_words(
        score="JS", floor=0.05, chance=0.2, rows=300, past=None, alarms=alarms_in_words(None, None)
    )


def test_long_lists_of_names_are_cut() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
