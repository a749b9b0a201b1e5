# pyright: basic

"""Traffic with a day and a week in it: hours are compared with the same hours, and a shift inside them is found."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from bench.null_rows import MONDAY, hourly, rows_of_hours
from drifting import judge_stream, reference_of, tally_of
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.monitor.drift.seasons import called, count_hours, hour_of_week, hours_of, place_of, rows_in
from lemnis.engine.monitor.reference import Reference, keep_reference, kept_reference
from lemnis.engine.monitor.seasonal import in_season, seasonal_reference
from lemnis.engine.monitor.spans import DAY_MS, HOUR_MS
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

NAMES = ["load", "noise", "channel"]


@pytest.fixture(scope="module")
def reference() -> Reference:
    moments = hourly(8, 104)
    return reference_of(rows_of_hours(moments, 1), [2], NAMES, moments)


def verdicts_of(reference: Reference, hours: int, *, seed: int, shift: float = 0.0, seasonal: bool = True) -> list[str]:
    starts = [MONDAY + 70 * DAY_MS + hour * HOUR_MS for hour in range(hours)]
    windows = [rows_of_hours(np.full(500, start), seed + place, shift) for place, start in enumerate(starts)]
    references = [in_season(reference, "hour", start) if seasonal else reference for start in starts]
    return [str(one.window["verdict"]) for one in judge_stream(references, windows)]


def test_a_day_and_a_week_are_no_drift_and_a_shift_inside_them_is(reference: Reference) -> None:
    quiet = verdicts_of(reference, 168, seed=100)
    assert quiet.count("drift") <= 2
    shifted = verdicts_of(reference, 24, seed=500, shift=0.3)
    assert "drift" in shifted[:4]
    assert shifted.count("drift") >= 12
    blind = verdicts_of(reference, 24, seed=500, shift=0.3, seasonal=False)
    assert blind.count("drift") <= 2, "all rows together don't tell a shift from the time of day"


def test_the_rule_says_which_rows_a_window_is_compared_with_and_why(reference: Reference) -> None:
    monday = in_season(reference, "hour", MONDAY + 9 * HOUR_MS)
    assert monday.against.startswith("the 832 training rows of Mondays 09:00–10:00 UTC: by hour of the week, ")
    assert in_season(reference, "day", MONDAY + 5 * DAY_MS).against.startswith("the 19,968 training rows of Saturdays")
    week = in_season(reference, "week", MONDAY)
    assert week.against == "all 139,776 training rows: a week holds every hour and weekday"
    assert week.binnings == reference.binnings
    judged = judge_stream([monday], [rows_of_hours(np.full(300, MONDAY), 3)])[0]
    assert judged.features[0]["rule"].endswith(f"Compared with {monday.against}.")


def test_rows_without_a_season_or_without_weeks_keep_one_reference() -> None:
    moments = hourly(5, 20)
    chance = np.random.default_rng(2).standard_normal((len(moments), 1))
    flat = in_season(reference_of(chance, [], ["x"], moments), "hour", MONDAY)
    assert flat.against == "all 16,800 training rows: no hour or weekday differs from the others by 0.05"
    short = in_season(reference_of(chance[:9_000], [], ["x"], moments[:9_000]), "hour", MONDAY)
    assert "they span 2.7 weeks; 4 are needed" in short.against
    assert "they have no time" in in_season(reference_of(chance, [], ["x"]), "day", MONDAY).against


def test_counts_by_hour_are_kept_beside_the_reference_and_read_for_the_window(reference, tmp_path: Path) -> None:
    store = Store(create_workspace(tmp_path / "w", "[problem]\ntitle = 'Made up'\n"))
    keep_reference(store, reference)
    kept = kept_reference(store, reference.model, reference.version)
    assert kept is not None
    assert kept.hours == {}
    for width in ("minute", "hour", "day", "month"):
        for start in (MONDAY + 9 * HOUR_MS, MONDAY + 5 * DAY_MS):
            found = seasonal_reference(store, kept, width, start)
            wanted = in_season(reference, width, start)
            assert (found.binnings, found.against) == (wanted.binnings, wanted.against)
    store.close()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_hours_add_up_to_all_rows_in_whatever_order_they_come(reference: Reference, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(500)
    moments = MONDAY + np.arange(500) * 7 * HOUR_MS
    rows = rows_of_hours(moments, 5)
    counted = count_hours(reference.binnings, rows, moments)
    assert counted == count_hours(reference.binnings, rows[order], moments[order])
    assert rows_in(counted, range(168)) == tally_of(reference.binnings, rows)
    by_day = [rows_in(counted, hours_of("weekday", day)) for day in range(7)]
    assert sum(tally.rows for tally in by_day) == 500


@given(st.integers(0, 4_000_000_000_000))
def test_an_hour_of_the_week_is_what_the_calendar_says(ms: int) -> None:
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    hour = int(hour_of_week(np.array(ms)))
    assert place_of("weekday", hour) == moment.weekday()
    assert place_of("hour", hour) == moment.hour
    assert moment.strftime("%A") in called("hour of the week", hour)
