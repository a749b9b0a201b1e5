"""Syncs by the acquisition plan: when they are due, how they back off, and that the supervisor queues them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import until

from lemnis.engine import clock
from lemnis.engine.data import schedule
from lemnis.engine.data.schedule import MINUTE_MS, next_look, queue_due

DAY, HOUR = 86_400_000, 3_600_000


@pytest.mark.parametrize(
    ("arrived", "looked", "failures", "expected"),
    [
        (None, None, 0, 0),
        (None, 5 * HOUR, 0, 0),
        (0, HOUR, 0, DAY),
        (0, DAY + HOUR, 0, DAY + 2 * HOUR),
        (0, 0, 1, MINUTE_MS),
        (0, 0, 4, 8 * MINUTE_MS),
        (0, 0, 60, 6 * HOUR),
    ],
)
def test_when_a_source_is_looked_at_next(arrived: int | None, looked: int | None, failures: int, expected: int) -> None:
    assert next_look(DAY, arrived, looked, failures)[0] == expected


@given(
    st.sampled_from([HOUR, DAY, 366 * DAY]), st.integers(0, 10 * DAY), st.integers(0, 10 * DAY), st.integers(0, 10**6)
)
def test_no_source_is_looked_at_more_than_once_a_minute(period: int, arrived: int, looked: int, failures: int) -> None:
    at, why = next_look(period, arrived, looked, failures)
    assert at >= min(looked + MINUTE_MS, arrived + period)
    assert why


def declared(desk: Any) -> None:
    desk.write("table.csv", "a\n1\n")
    desk.declare(
        problem={"title": "T", "acquisition": [{"source": "table", "cadence": "daily"}]},
        sources={"table": {"path": "table.csv", "sync": "scheduled"}},
    )


def later(monkeypatch: pytest.MonkeyPatch, ms: int) -> None:
    now = clock.now_ms
    for module in ("data.schedule", "store.store"):
        monkeypatch.setattr(f"lemnis.engine.{module}.now_ms", lambda: now() + ms)


def test_what_is_due_is_queued_once(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    declared(desk)
    (job_id,) = queue_due(desk.engine.store)
    assert desk.engine.jobs.job(job_id).arguments == {"sources": ["table"]}
    assert queue_due(desk.engine.store) == []
    with desk.engine.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [job_id])
        db.execute("delete from jobs where id <> ?", [job_id])
    desk.sync()
    assert queue_due(desk.engine.store) == []
    later(monkeypatch, 25 * HOUR)
    (source,) = desk.engine.data.sources()
    assert (source.late, source.arrival.why) == (True, "overdue by 1 hours")
    assert len(queue_due(desk.engine.store)) == 1


def test_a_sync_that_fails_or_is_lost_is_tried_later_and_later(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    declared(desk)
    moment = clock.now_ms()
    monkeypatch.setattr(schedule, "now_ms", lambda: moment)
    waits = []
    for end in ("failed", "lost", "failed"):
        (job_id,) = queue_due(desk.engine.store)
        with desk.engine.store.write() as db:
            db.execute("update jobs set state = ? where id = ?", [end, job_id])
        assert queue_due(desk.engine.store) == []
        one = desk.engine.data.sources()[0].schedule
        waits.append((one.next_at - moment, one.failures))
        moment = one.next_at
    assert waits == [(MINUTE_MS, 1), (2 * MINUTE_MS, 2), (4 * MINUTE_MS, 3)]


def test_a_source_that_is_not_scheduled_is_left_to_people(desk: Any) -> None:
    desk.source("a\n1\n")
    assert queue_due(desk.engine.store) == []
    assert desk.engine.data.sources()[0].schedule is None


@pytest.mark.slow
def test_the_supervisor_reads_what_is_due(desk: Any) -> None:
    declared(desk)
    with desk.engine.store.write() as db:
        db.execute("delete from jobs")
    desk.engine.jobs.ensure_supervisor()
    until(lambda: desk.engine.data.snapshots("table"), 60.0)
    (job,) = desk.engine.jobs.jobs()
    assert job.title == "sync table (scheduled)"
