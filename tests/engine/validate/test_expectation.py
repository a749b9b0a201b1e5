"""Learned row counts: enough history or nothing is said, few false alarms, and faults that are seen."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store
from lemnis.engine.validate import CheckResult, ValidateRoom, jobs
from lemnis.engine.validate.expectation import STEPS, Past, expected_rows
from lemnis.engine.workspace import create_workspace

DAY = 86_400_000
MONDAY = 4 * DAY  # 1970-01-05


def series(rows: list[int], start: int = MONDAY, step: int = DAY) -> list[Past]:
    return [Past(at=start + place * step, rows=count) for place, count in enumerate(rows)]


@given(st.lists(st.integers(0, 10**9), max_size=STEPS))
def test_too_little_history_says_nothing(rows: list[int]) -> None:
    assert not expected_rows(series(rows), MONDAY).known


@given(st.lists(st.integers(0, 10**9), min_size=STEPS + 1, max_size=60), st.integers(0, 10**12))
def test_with_enough_history_there_is_an_interval_of_possible_counts(rows: list[int], at: int) -> None:
    found = expected_rows(series(rows), at)
    assert found.known
    assert 0 <= found.low <= found.high


def test_a_growing_table_is_judged_by_its_increments() -> None:
    found = expected_rows(series([1000, 1100, 1200, 1300, 1400, 1500, 1600]), MONDAY + 7 * DAY)
    assert found.low <= 1700 <= found.high
    assert found.high < 1750
    assert "earlier increments +100" in found.rule


def test_a_weekday_with_enough_deliveries_has_a_rule_of_its_own() -> None:
    rows = [100 if place % 7 < 5 else 10 for place in range(70)]  # weekends are quiet
    sunday, monday = expected_rows(series(rows)[:-1], MONDAY + 69 * DAY), expected_rows(series(rows), MONDAY + 70 * DAY)
    assert (sunday.low <= 10 <= sunday.high, sunday.low <= 100 <= sunday.high) == (True, False)
    assert (monday.low <= 100 <= monday.high, monday.low <= 10 <= monday.high) == (True, False)
    assert "on a Sunday" in sunday.rule


def test_one_earlier_outlier_does_not_widen_the_interval() -> None:
    rows = [1000, 1010, 990, 1000, 5, 1005, 1000, 995, 1000, 1010]
    found = expected_rows(series(rows, step=DAY * 30), MONDAY + 300 * DAY)
    assert not found.low <= 5 <= found.high


def test_false_alarms_are_rare_and_a_lost_third_is_seen() -> None:
    chance = random.Random(7)
    alarms = seen = 0
    for _ in range(400):
        rows = [100_000]
        for _ in range(12):
            rows.append(rows[-1] + round(chance.gauss(5_000, 400)))
        found = expected_rows(series(rows[:-1]), MONDAY + 12 * DAY)
        alarms += not found.low <= rows[-1] <= found.high
        seen += not found.low <= rows[-1] * 2 // 3 <= found.high
    assert alarms <= 8  # 2 %
    assert seen == 400


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(create_workspace(tmp_path / "it", '[[checks]]\nname = "it"\nkind = "row_count"\nlearned = true\n'))


def deliver(store: Store, rows: int, day: int) -> CheckResult:
    table = pa.table({"x": list(range(rows))})
    record_version(store, table, name="trips", roles={}, split={}, now=MONDAY + day * DAY)
    return ValidateRoom(store).results(jobs.run(JobContext.for_test(store), {})["check_run"])[0]


def test_a_learned_count_is_not_evaluated_until_there_is_history_and_then_shows_its_rule(store: Store) -> None:
    for day in range(STEPS + 1):
        early = deliver(store, 1000 + 10 * day, day)
        assert (early.verdict, early.failing) == ("not evaluated", None)
    assert "of the 6 that a learned interval needs" in early.message
    good = deliver(store, 1060, STEPS + 1)
    assert good.verdict == "pass"
    assert good.expected is not None
    assert good.expected.points == STEPS
    assert "expected, median of 5 earlier increments +10" in good.message
    bad = deliver(store, 500, STEPS + 2)
    assert (bad.verdict, bad.listable) == ("fail", False)
    assert "too few" in bad.message
