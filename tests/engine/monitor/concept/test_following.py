# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import msgspec
import pytest

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor.concept import following
from lemnis.engine.monitor.concept.following import LATE
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


@pytest.fixture
def served(flown):
    """The workspace after ten months were answered and nothing is labelled; its rows."""
    rows = flown.between("2013-07-01", "2013-11-01")
    flown.answer(rows)
    refresh(flown.store, flown.config, now=NOW)
    return rows


def concept_of(flown):
    return flown.room.performance("late").concept


def test_the_stream_follows_labels_in_order_and_finds_where_the_concept_changed(flown, served) -> None:
    assert concept_of(flown) is None
    flown.label(served, now=1_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    held_back = concept_of(flown)
    assert iso_utc(held_back.event_at)[:10] == "2013-10-30", "the last day may still get labels"
    assert refresh(flown.store, flown.config, now=NOW + 2) == set()
    refresh(flown.store, flown.config, now=NOW + 60_001)
    found = concept_of(flown)
    assert iso_utc(found.event_at)[:10] == "2013-10-31"
    assert found.rows == served.num_rows - served.column("late").null_count
    assert found.state == "drift"
    assert "2013-09-01" <= iso_utc(found.since)[:10] <= "2013-09-30"
    levels = [one.level for one in found.detections if one.detector == "concept"]
    assert levels[-2:] == ["warning", "drift"]


@pytest.mark.slow
def test_labels_in_any_order_leave_the_stream_that_orderly_ones_would(flown, served, monkeypatch) -> None:
    monkeypatch.setattr(following, "POINT", 300)
    flown.label(served, now=1_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    refresh(flown.store, flown.config, now=NOW + 60_001)
    orderly = concept_of(flown)
    assert len(flown.store.rows("select rows from monitor_stream_points")) > 8
    with flown.store.write("predictions") as db:
        db.execute("delete from actuals")
    with flown.store.write() as db:
        for table in ("monitor_streams", "monitor_stream_points", "monitor_detections"):
            db.execute(f"delete from {table}")
        db.execute("update monitor_cursors set labels_at = 0, labels = 0, newest_label_event = 0")
    parts = [("2013-07-01", "2013-07-20"), ("2013-08-10", "2013-10-01"), ("2013-07-20", "2013-08-10")]
    for number, (start, end) in enumerate([*parts, ("2013-10-01", "2013-11-01")], 1):
        flown.label(flown.between(start, end), now=20_000 * number)
        refresh(flown.store, flown.config, now=NOW + 100_000 * number)
    refresh(flown.store, flown.config, now=NOW + 900_000)
    found = concept_of(flown)
    late = flown.between("2013-07-20", "2013-08-10")
    assert found.late == late.num_rows - late.column("late").null_count
    assert found.waits_ms > 50 * 86_400_000
    assert found.left_out == 0
    for name in ("state", "rows", "event_at", "detections"):
        assert getattr(found, name) == getattr(orderly, name), name


def test_a_corrected_label_takes_the_stream_up_again_from_the_point_before_its_row(flown, served, monkeypatch) -> None:
    monkeypatch.setattr(following, "POINT", 300)
    flown.label(served, now=1_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    refresh(flown.store, flown.config, now=NOW + 60_001)
    before = concept_of(flown)
    flown.label(flown.between("2013-10-20", "2013-10-21"), now=30_000)
    refresh(flown.store, flown.config, now=NOW + 200_000)
    refresh(flown.store, flown.config, now=NOW + 300_000)
    after = concept_of(flown)
    assert after.late > 0
    assert (after.rows, after.detections, after.state) == (before.rows, before.detections, before.state)


@pytest.mark.slow
def test_a_label_from_before_all_kept_points_is_left_out_and_counted(flown, served, monkeypatch) -> None:
    monkeypatch.setattr(following, "POINT", 100)
    monkeypatch.setattr(following, "POINTS", 3)
    flown.label(flown.between("2013-08-01", "2013-10-01"), now=1_000)
    refresh(flown.store, flown.config, now=NOW + 1)
    refresh(flown.store, flown.config, now=NOW + 60_001)
    before = concept_of(flown)
    flown.label(flown.between("2013-07-01", "2013-07-02"), now=30_000)
    refresh(flown.store, flown.config, now=NOW + 200_000)
    after = concept_of(flown)
    assert 25 <= after.left_out <= 30
    assert msgspec.structs.replace(after, left_out=0) == before


def test_a_stream_that_another_process_moved_is_left_to_it(flown, served) -> None:
    flown.label(served, now=1_000)
    refresh(flown.store, flown.config, now=NOW + 60_001)
    stale = msgspec.structs.replace(following.head_of(flown.store, ["late", "late", 1]), rows=7)
    assert not following.write_head(flown.store, ["late", "late", 1], stale, stale)
    assert concept_of(flown).rows > 7


def test_late_labels_are_found_by_the_time_they_came(flown, served) -> None:
    plan = flown.store.rows(f"explain query plan {LATE}", [1] * LATE.count("?"), name="predictions")
    details = [row["detail"] for row in plan]
    assert "SEARCH a USING COVERING INDEX actuals_at (endpoint=? AND at>?)" in details
    assert "SEARCH p USING INDEX predictions_key (endpoint=? AND row_key=?)" in details
