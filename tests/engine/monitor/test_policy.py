import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.monitor.policy import (
    alarms_in_words,
    drifting,
    feature_verdict,
    listed,
    moved_order,
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


JUDGED = st.tuples(st.sampled_from(("ok", "watch", "drift")), st.floats(0, 1), st.floats(0, 50))


@given(st.lists(JUDGED, min_size=1, max_size=8))
def test_what_moved_most_is_named_as_the_reason_of_the_verdict(found: list[tuple[Verdict, float, float]]) -> None:
    first = min(range(len(found)), key=lambda place: moved_order(*found[place]))
    verdict, why = window_verdict([(f"f{n}", one, share) for n, (one, share, _) in enumerate(found)], 500, 200)
    blamed = [
        n for n, (one, share, _) in enumerate(found) if window_verdict([("f", one, share)], 500, 200)[0] == verdict
    ]
    assert first in blamed
    assert verdict == "ok" or f"f{first}" in why or "more" in why
    assert all(
        moved_order(*found[n])[0] > moved_order(*found[first])[0] or found[n][2] <= found[first][2] for n in blamed
    )
