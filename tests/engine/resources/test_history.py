"""History is thinned out without changing what it says, and a month of it stays small."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.resources.history import (
    KEPT_S,
    Steps,
    add_sample,
    continued,
    decode,
    encode,
    history,
    mean_of,
    resolution_for,
    tidy,
)
from lemnis.engine.resources.sampler import KEPT_FIGURES

START = 1_700_000_000_000 // 600_000 * 600_000


def record(engine: Engine, values: dict[int, float | None], now_s: int) -> None:
    """Keep a value for each second after START, and tidy as of `now_s`."""
    with engine.store.write("metrics") as db:
        for second, value in values.items():
            add_sample(db, "host", START + second * 1000, {"cpu_percent": value})
        tidy(db, "host", START + now_s * 1000)


def rows(engine: Engine, resolution: int) -> dict[int, Any]:
    found = engine.store.rows(
        "select at, sample from telemetry where source = 'host' and resolution = ?", [resolution], name="metrics"
    )
    return {(row["at"] - START) // 1000: decode(row["sample"])["cpu_percent"] for row in found}


def test_ten_seconds_become_their_mean_once_they_have_passed(engine: Engine) -> None:
    record(engine, {second: float(second) for second in range(15)}, now_s=15)
    assert rows(engine, 10) == {0: 4.5}
    assert rows(engine, 60) == {}


def test_a_restart_in_the_middle_of_an_interval_loses_nothing(engine: Engine) -> None:
    record(engine, {0: 10.0, 1: 20.0}, now_s=2)
    record(engine, {8: 60.0, 650: 50.0}, now_s=1300)
    assert rows(engine, 10) == {0: 30.0, 650: 50.0}
    assert rows(engine, 60) == {0: 30.0, 600: 50.0}
    assert rows(engine, 600) == {0: 30.0, 600: 50.0}


def test_what_is_older_than_it_is_kept_is_gone(engine: Engine) -> None:
    record(engine, {0: 1.0}, now_s=700)
    record(engine, {}, now_s=KEPT_S[1] + 1)
    assert rows(engine, 1) == {}
    assert rows(engine, 600) == {0: 1.0}
    record(engine, {}, now_s=KEPT_S[600] + 1)
    assert rows(engine, 600) == {}


def test_a_month_of_a_host_and_eight_gpus_stays_below_fifty_megabytes() -> None:
    host = len(encode(dict.fromkeys(KEPT_FIGURES, 1234567890123.0)))
    gpu = len(encode(dict.fromkeys(KEPT_FIGURES[:6], 1234567890123.0)))
    rows_of_a_source = sum(seconds // resolution for resolution, seconds in KEPT_S.items())
    assert KEPT_S[600] >= 30 * 86_400
    assert rows_of_a_source * ((host + 30) + 8 * (gpu + 30)) * 1.3 < 50_000_000  # pages are never full


def test_a_gap_is_a_gap_and_the_newest_step_comes_last(engine: Engine) -> None:
    record(engine, {0: 10.0, 1: 20.0, 9: 30.0}, now_s=0)
    found = history(engine.store, "host", ["cpu_percent"], seconds=10, points=5, now_ms=START + 9_500)
    assert found.step_s == 2
    assert found.values["cpu_percent"] == [15.0, None, None, None, 30.0]
    assert found.at[-1] == START + 8_000


def test_a_coarse_history_ends_with_what_is_not_thinned_out_yet(engine: Engine) -> None:
    record(engine, dict.fromkeys(range(0, 3600), 10.0), now_s=3600)
    record(engine, dict.fromkeys(range(3600, 3605), 50.0), now_s=3600)
    found = history(engine.store, "host", ["cpu_percent"], seconds=3600, points=60, now_ms=START + 3_604_000)
    values = found.values["cpu_percent"]
    assert values[-1] == 50.0
    assert set(values[:-1]) == {10.0}


@given(st.integers(60, 2_592_000), st.integers(10, 400))
def test_the_rows_that_are_read_reach_back_far_enough(seconds: int, points: int) -> None:
    assert KEPT_S[resolution_for(seconds, points)] >= seconds


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), min_size=1, max_size=20))
def test_a_mean_lies_within_what_was_measured(values: list[float | None]) -> None:
    mean = mean_of([{"x": value} for value in values])["x"]
    known = [value for value in values if value is not None]
    if not known:
        assert mean is None
    else:
        assert mean is not None
        assert min(known) <= mean * (1 + 1e-12)
        assert mean <= max(known) * (1 + 1e-12)


@given(st.one_of(st.just(math.nan), st.floats(-1e15, 1e15)))
def test_a_kept_number_is_right_to_a_thousandth(value: float) -> None:
    kept = decode(encode({"x": value}))["x"]
    if math.isnan(value):
        assert kept is None
    else:
        assert kept == pytest.approx(value, rel=1e-3)


def test_two_readings_of_one_second_are_one_row(engine: Engine) -> None:
    record(engine, {0: 1.0}, now_s=0)
    record(engine, {0: 2.0}, now_s=0)
    assert rows(engine, 1) == {0: 2.0}


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, 119), st.one_of(st.none(), st.floats(0, 100)), max_size=60),
    st.lists(st.integers(1, 119), min_size=1, max_size=5, unique=True),
    st.sampled_from([(60, 12), (60, 60), (50, 7), (10, 4)]),
)
def test_going_on_from_an_earlier_answer_says_the_same_as_asking_anew(
    values: dict[int, float | None], moments: list[int], span: tuple[int, int]
) -> None:
    readings = [(START + second * 1000, {"cpu_percent": value}) for second, value in sorted(values.items())]
    before = None
    for moment in sorted(moments):
        now = START + moment * 1000 + 500

        def rows_since(start: float, end: float, now: int = now) -> list[tuple[int, Any]]:
            return [reading for reading in readings if start <= reading[0] < end and reading[0] <= now]

        steps = Steps.up_to(now, *span)
        before = continued("host", ["cpu_percent"], steps, rows_since, before)
        anew = continued("host", ["cpu_percent"], steps, rows_since, None)
        assert before == anew
        assert before.at[-1] <= now < before.at[-1] + before.step_s * 1000 + 1


def test_the_room_reads_only_what_is_new(engine: Engine) -> None:
    at = now_ms()
    record(engine, {}, now_s=0)
    for ago in (30, 20, 2):
        with engine.store.write("metrics") as db:
            add_sample(db, "host", at - ago * 1000, {"cpu_percent": 50.0})
    first = engine.resources.histories("host", ["cpu_percent"], 60, 12)
    with engine.store.write("metrics") as db:
        db.execute("delete from telemetry")
    again = engine.resources.histories("host", ["cpu_percent"], 60, 12)
    assert sum(value is not None for value in first.values["cpu_percent"]) == 3
    assert sum(value is not None for value in again.values["cpu_percent"]) >= 2  # what was read before
