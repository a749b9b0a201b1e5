"""What is odd about a column is found, and what is not odd is left alone."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lemnis.engine.explore import signals
from lemnis.engine.explore.patterns import missing_patterns
from lemnis.engine.explore.spellings import alike
from lemnis.engine.explore.statistics import Ordered, gathered

numbers = hnp.arrays(np.float64, st.integers(1, 80), elements=st.floats(-1e6, 1e6)).map(np.sort)
forms = st.sampled_from([Ordered, gathered, lambda ordered: Ordered(*held_once(ordered))])
tables = hnp.arrays(np.int64, (3, 4), elements=st.integers(0, 500))


def held_once(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, rows = np.unique(ordered, return_counts=True)
    return values, np.cumsum(rows)


@given(numbers, forms)
def test_the_deviation_by_bisection_is_the_median_of_the_deviations(
    ordered: np.ndarray, form: Callable[[np.ndarray], Ordered]
) -> None:
    middle = float(np.median(ordered))
    deviations = np.sort(np.abs(ordered - middle))
    wanted = deviations[(len(ordered) + 1) // 2 - 1]  # the lower one of two
    assert signals.median_deviation(form(ordered), middle) == wanted


@given(numbers, forms)
def test_rows_beyond_the_fences_are_counted(ordered: np.ndarray, form: Callable[[np.ndarray], Ordered]) -> None:
    for fences in (signals.quartile_fences(form(ordered)), signals.robust_fences(form(ordered))):
        if fences is not None:
            beyond = (ordered < fences.low).sum(), (ordered > fences.high).sum()
            assert (fences.below, fences.above) == beyond


def test_a_far_value_is_an_outlier_and_a_column_of_zeros_has_no_rule() -> None:
    ordered = np.append(np.linspace(-1, 1, 99), 50.0)
    found = signals.robust_fences(Ordered(ordered))
    assert found is not None
    assert (found.below, found.above) == (0, 1)
    assert signals.quartile_fences(gathered(np.append(np.zeros(99), 1.0))) is None


@given(tables)
def test_what_a_column_tells_is_a_share(table: np.ndarray) -> None:
    assert 0 <= signals.information_share(table) <= 1


def test_a_copy_of_the_label_tells_all_and_noise_tells_nothing() -> None:
    assert signals.information_share(np.diag([1000, 2000, 3000])) == pytest.approx(1, abs=0.01)
    assert signals.information_share(np.outer([10, 20], [30, 40, 50])) == 0


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=30))
def test_a_version_does_not_drift_from_itself(rows: list[int]) -> None:
    counts = np.array(rows)
    assert signals.drift(counts, counts)[0] == pytest.approx(0, abs=1e-9)
    moved = np.concatenate(([0], counts[:-2] * 3, [counts[-1]]))
    assert signals.drift(counts, moved[: len(counts)])[0] >= 0


def test_periods_without_rows_are_gaps_the_longest_first() -> None:
    days = np.array([0, 1, 2, 6, 9]) * 86_400_000 + 1_356_998_400_000
    periods = signals.time_periods(days, np.array([5, 5, 5, 5, 5]))
    assert periods.unit == "h"
    by_day = signals.time_periods(np.append(days, days[-1] + 86_400_000 * 90), np.full(6, 5))
    assert by_day.unit == "D"
    assert by_day.counts.sum() == 30
    assert signals.empty_runs(by_day.counts)[:2] == [(10, 99), (3, 6)]


def test_the_margin_of_a_sample_is_right_as_often_as_promised() -> None:
    random = np.random.default_rng(5)
    draws = random.normal(10, 3, size=(2000, 8))
    within = [abs(row.mean() - 10) <= signals.margin(row, 0.0) for row in draws]
    assert np.mean(within) == pytest.approx(0.95, abs=0.02)
    assert math.isnan(signals.margin(np.array([1.0]), 0.1))
    assert signals.margin(draws[0], 1.0) == 0


def test_spellings_of_one_category_are_found_and_two_words_are_not_one() -> None:
    rows = {"Seoul": 900, "seoul ": 3, "ＳＥＯＵＬ": 1, "서울특별시": 500, "서울특볋시": 4, "부산": 300, "부천": 9}
    rows |= {"N10156": 400, "N10157": 2, "N101UA": 300, "N101UB": 1, "New York": 700, "New Yrok": 5}
    found = {tuple(values): rule for rule, values in alike(rows)}
    assert found == {
        ("Seoul", "seoul ", "ＳＥＯＵＬ"): "same but for case, spaces or width",
        ("New York", "New Yrok"): "one letter apart",
        ("서울특별시", "서울특볋시"): "one letter apart",
    }


def test_composed_and_decomposed_hangul_is_one_spelling() -> None:
    assert alike({"서울": 10, "\u1109\u1165\u110b\u116e\u11af": 8})[0][1][0] == "서울"


@given(st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=60))
def test_every_row_has_one_pattern(gone: list[set[str]]) -> None:
    marks = {name: np.packbits([name in row for row in gone]) for name in "abc" if any(name in row for row in gone)}
    patterns, total = missing_patterns(marks, len(gone))
    assert total == len(patterns)
    assert {pattern.columns: pattern.rows for pattern in patterns} == {
        tuple(sorted(kind)): gone.count(set(kind)) for kind in {frozenset(row) for row in gone}
    }
