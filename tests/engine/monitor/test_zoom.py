# pyright: basic

import pytest

from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.monitor import counting, zoom
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000
DAY_MS = 86_400_000
SAID = ("starts", "ends", "rows", "labelled", "verdict", "why", "max_psi", "roc_auc", "log_loss", "closed")


def said(windows) -> list[tuple[object, ...]]:
    return [tuple(getattr(window, name) for name in SAID) for window in windows]


@pytest.mark.slow
def test_any_width_shows_what_declaring_it_would_and_declaring_it_reads_no_row_again(
    flown, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown.answer(flown.between("2013-08-01", "2013-10-01"))
    flown.label(flown.between("2013-08-01", "2013-09-12"), now=5)
    refresh(flown.store, flown.config, now=NOW)
    room = flown.room
    zoomed = {width: room.windows("late", width=width) for width in ("day", "week")}
    assert {width: len(windows) for width, windows in zoomed.items()} == {"day": 61, "week": 10}
    grid = room.grid(zoomed["week"][-4:])
    assert [cell.verdict for cell in grid.cells["wind"] if cell] == ["drift"] * 3 + ["insufficient"]
    monkeypatch.setattr(counting, "tally_of", refuse)
    path, width = flown.store.workspace.config, "month"
    for other in zoomed:
        path.write_text(path.read_text().replace(f'window = "{width}"', f'window = "{other}"'))
        width = other
        assert refresh(flown.store, flown.config, now=NOW) == {"late"}
        kept = flown.room.windows("late")
        assert all(window.id > 0 for window in kept)
        assert said(kept) == said(zoomed[width])
        assert refresh(flown.store, flown.config, now=NOW) == set()
    assert [window.rows for window in flown.room.windows("late", width="month")] == [930, 900]


def refuse(*_: object) -> None:
    raise AssertionError("rows are counted again")


def test_minutes_are_kept_for_two_days_and_a_look_at_them_follows_new_rows_and_labels(flown) -> None:
    flown.answer(flown.between("2013-07-01", "2013-07-05"))
    refresh(flown.store, flown.config, now=NOW)
    minutes = flown.room.windows("late", width="minute")
    assert minutes[0].starts == parse_ms("2013-07-02T19:20")
    assert {window.verdict for window in minutes} == {"insufficient"}
    hours = flown.room.windows("late", width="hour")
    assert sum(window.rows for window in hours) == 120
    flown.answer(flown.between("2013-07-05", "2013-07-06"))
    flown.label(flown.between("2013-07-02", "2013-07-03"), now=5)
    refresh(flown.store, flown.config, now=NOW)
    days = flown.room.windows("late", width="day")
    assert [window.rows for window in days] == [30] * 5
    assert [window.labelled > 25 for window in days] == [False, True, False, False, False]


def test_judged_windows_are_remembered_as_long_as_they_are_listed_and_no_more_than_some(
    flown, monkeypatch: pytest.MonkeyPatch
) -> None:
    flown.answer(flown.between("2013-07-01", "2013-07-03"))
    refresh(flown.store, flown.config, now=NOW)
    monkeypatch.setattr(zoom, "REMEMBERED", 10)
    room = flown.room
    hours = room.windows("late", width="hour")
    assert len(hours) > 10
    assert all(room.features(window.id) for window in hours)
    assert all(None not in cells for cells in room.grid(hours).cells.values())
    days = room.windows("late", width="day")
    assert {one.feature for one in room.features(days[0].id)} >= {"wind", "prediction"}
    assert len(room._zoom._seen) == 10


def test_rows_of_a_closed_window_are_counted_the_window_is_judged_again_and_it_is_said(flown) -> None:
    flown.answer(flown.between("2013-07-02", "2013-08-02"))
    refresh(flown.store, flown.config, now=NOW)
    assert [(window.rows, window.late, window.closed) for window in flown.room.windows()] == [
        (900, 0, True),
        (30, 0, False),
    ]
    flown.answer(flown.between("2013-07-01", "2013-07-03"))  # 30 of them were answered before
    refresh(flown.store, flown.config, now=NOW)
    assert [(window.rows, window.duplicates, window.late) for window in flown.room.windows()] == [
        (930, 30, 30),
        (30, 0, 0),
    ]
    assert iso_utc(flown.room.windows("late", width="day")[0].starts)[:10] == "2013-07-01"
