# pyright: basic

"""Rows that come late, twice, in disorder, or with a clock that is wrong: each is counted once, where it belongs."""

import random

import numpy as np
import pytest
from served import DAY_MS, START_MS, served

from lemnis.engine.monitor import MonitorRoom

HOUR_MS = 3_600_000


@pytest.fixture
def late(tmp_path):
    return served(tmp_path / "workspace", 3)


def rows(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3))


def windows(made) -> list[tuple[int, int, int, int, bool]]:
    return [
        ((window.starts - START_MS) // DAY_MS, window.rows, window.duplicates, window.late, window.closed)
        for window in MonitorRoom(made.store).windows("late")
    ]


def test_a_batch_that_is_sent_twice_and_a_row_that_is_sent_again_count_once(late) -> None:
    matrix, events = rows(400), [START_MS + place for place in range(400)]
    keys = [str(place) for place in range(400)]
    late.log(matrix, events, keys=keys)
    late.look(START_MS + DAY_MS)
    first = MonitorRoom(late.store).windows("late")[0]
    late.log(matrix, events, keys=keys)
    late.log(rows(1, 5), [START_MS + 500], keys=["7"])
    late.look(START_MS + DAY_MS)
    again = MonitorRoom(late.store).windows("late")[0]
    assert (again.rows, again.duplicates) == (first.rows, 401)
    assert (again.max_psi, again.prediction_mean, again.verdict) == (
        first.max_psi,
        first.prediction_mean,
        first.verdict,
    )


@pytest.mark.parametrize("looks", [4])
def test_batches_in_any_order_make_the_windows_of_an_orderly_stream(tmp_path, looks: int) -> None:
    matrix, step = rows(600), 6 * HOUR_MS // 50
    made, orderly = served(tmp_path / "any", 3), served(tmp_path / "orderly", 3)
    events = [START_MS + place * step for place in range(600)]
    orderly.log(matrix, events)
    orderly.look(START_MS + 9 * DAY_MS)
    for place, batch in enumerate(random.Random(looks).sample(range(12), 12)):
        made.log(matrix[batch * 50 : batch * 50 + 50], events[batch * 50 : batch * 50 + 50])
        if place % looks == 0:
            made.look(START_MS + 9 * DAY_MS)
    made.look(START_MS + 9 * DAY_MS)
    for ours, theirs in zip(MonitorRoom(made.store).windows(), MonitorRoom(orderly.store).windows(), strict=True):
        names = ("starts", "rows", "max_psi", "verdict", "why", "predicted_share", "closed")
        assert [getattr(ours, name) for name in names] == [getattr(theirs, name) for name in names]
    totals = made.rows_by_tier()
    assert totals["day"] == totals["hour"] == 600


def test_a_sender_whose_clock_is_a_year_ahead_closes_no_window_and_is_told(late) -> None:
    now = START_MS + 2 * HOUR_MS
    late.log(rows(100), [START_MS + place for place in range(100)], at=now)
    late.log(rows(20), [START_MS + 365 * DAY_MS] * 20, at=now)
    late.log(rows(5), [-5] * 5, at=now)
    late.log(rows(10), [now + 60_000] * 10, at=now)  # a minute ahead is believed
    late.look(now)
    assert windows(late) == [(0, 110, 0, 0, False)]
    assert MonitorRoom(late.store).status().watched[0].misdated == 25


def test_when_this_machines_clock_was_a_day_ahead_its_rows_stand_and_today_goes_on(late) -> None:
    today, tomorrow = START_MS + 2 * HOUR_MS, START_MS + 26 * HOUR_MS
    late.log(rows(100), [today] * 100, at=today)
    late.look(today)
    late.log(rows(60), [tomorrow] * 60, at=tomorrow)
    late.look(tomorrow)
    assert windows(late) == [(0, 100, 0, 0, True), (1, 60, 0, 0, False)]
    later = today + HOUR_MS  # the clock is right again
    late.log(rows(70), [later] * 70, at=later)
    late.look(later)
    assert windows(late) == [(0, 170, 0, 70, True), (1, 60, 0, 0, False)]
    late.log(rows(30), [tomorrow + 1] * 30, at=tomorrow)
    late.log(rows(50), [tomorrow + DAY_MS] * 50, at=tomorrow + DAY_MS)
    late.look(tomorrow + DAY_MS)
    assert windows(late)[1:] == [(1, 90, 0, 0, True), (2, 50, 0, 0, False)]


def test_a_clock_that_goes_back_leaves_no_row_out(late) -> None:
    today, yesterday = START_MS + 26 * HOUR_MS, START_MS + 2 * HOUR_MS
    late.log(rows(100), [today] * 100, at=today)
    late.look(yesterday)
    assert windows(late) == [(1, 100, 0, 0, False)]
    assert not late.look(yesterday + 1)
    assert MonitorRoom(late.store).status().watched[0].misdated == 0


def test_200_features_in_one_look(tmp_path) -> None:
    wide = served(tmp_path / "workspace", 200)
    matrix = np.random.default_rng(1).normal(size=(600, 200)) + 0.5
    wide.log(matrix, [START_MS + place for place in range(600)])
    wide.look(START_MS + DAY_MS)
    room = MonitorRoom(wide.store)
    window = room.windows("late")[0]
    assert len(room.features(window.id)) == 201
    assert len(room.grid([window]).features) == 201
    assert len(window.why) < 200
