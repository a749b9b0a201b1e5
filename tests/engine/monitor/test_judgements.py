"""What was said of a window before it was judged again is told of that time, and a person can look back at it."""

# pyright: basic

import pytest
from sqlite_utils import Database

from lemnis.engine.clock import parse_ms
from lemnis.engine.monitor import MonitorRoom, judgements
from lemnis.engine.monitor.windows import refresh
from lemnis.engine.store import Store

HOUR_MS = 3_600_000
NOW = parse_ms("2014-01-01")


def told(flown, at: int | None = None):
    """Return what windows and their features are known at a moment."""
    store = Store(flown.store.workspace, at=at)
    room = MonitorRoom(store)
    found = {
        (window.starts, window.ends): (
            (window.id, window.rows, window.verdict, window.why, window.closed, window.labelled, window.roc_auc),
            [(one.feature, one.verdict, one.score, one.bins) for one in room.features(window.id)]
            if window.verdict != "insufficient"
            else [],
        )
        for window in room.windows("late")
    }
    assert [one.endpoint for one in room.status().watched] == ["late"]  # whose windows the console shows
    store.close()
    return found


@pytest.mark.slow
def test_a_window_that_late_rows_change_is_told_as_it_was_before_them(flown) -> None:
    windy = flown.between("2013-09-01", "2013-10-01")
    july = flown.between("2013-07-01", "2013-08-01")
    known = {}
    steps = (
        lambda: flown.answer(july, order=list(range(100))),  # too few rows to say something
        lambda: flown.answer(july, order=list(range(100, 600))),
        lambda: flown.answer(windy, order=list(range(500))),  # July has closed
        lambda: flown.answer(july, order=list(range(600, july.num_rows))),  # late
        lambda: flown.answer(flown.between("2013-10-01", "2013-11-01")),
        lambda: flown.label(flown.between("2013-07-01", "2013-11-01"), now=5),
    )
    for place, step in enumerate(steps):
        step()
        now = NOW + place * HOUR_MS
        refresh(flown.store, flown.config, now=now)
        known[now] = told(flown)
    for now, then in known.items():
        assert told(flown, now + 1) == then
    first = next(iter(told(flown)))
    assert [of[first][0][1] for of in known.values()] == [100, 600, 600, *[july.num_rows] * 3]
    july_id = told(flown)[first][0][0]
    earlier = flown.room.judgements(july_id)
    assert [(one.verdict, one.rows, one.replaced_at) for one in earlier] == [
        ("ok", 600, NOW + 3 * HOUR_MS),
        ("insufficient", 100, NOW + HOUR_MS),
    ]


def test_windows_of_another_width_leave_what_was_said_of_the_former_ones(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-09-01"))
    refresh(flown.store, flown.config, now=NOW)
    months = told(flown)
    path = flown.store.workspace.config
    path.write_text(path.read_text().replace('window = "month"', 'window = "week"'))
    refresh(flown.store, flown.config, now=NOW + HOUR_MS)
    assert len(told(flown)) > len(months) == 2
    assert told(flown, NOW + 1) == months


@pytest.fixture
def db(flown):
    with flown.store.write() as db:
        yield db


def test_what_is_kept_of_a_window_is_bounded_and_has_no_gaps(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgements, "KEPT", 4)
    place = {"endpoint": "late", "model": "late", "version": 1, "starts": 0}
    moment = 0
    for turn in range(12):
        window = {**place, "ends": 9, "id": 1, "verdict": ("ok", "watch")[turn % 2], "judged_at": moment}
        moment += 1_000 + turn % 5
        judgements.keep_former(db, window, moment)
    spans = db.execute("select judged_at, replaced_at from monitor_judgements order by judged_at").fetchall()
    assert len(spans) == 4
    assert [one[1] for one in spans[:-1]] == [one[0] for one in spans[1:]]
    assert spans[-1][1] == moment
