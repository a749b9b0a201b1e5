# pyright: basic

from typing import Any

import msgspec
import pytest

from lemnis.engine.deploy.faults import Fault
from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.monitor import inspection
from lemnis.engine.monitor.inspection import inspect_due, note, subjects
from lemnis.engine.monitor.skew.records import Paired, Skew

MINUTE = 60_000


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that were asked for; none of them runs."""
    asked: list[Any] = []
    monkeypatch.setattr(inspection.CHILDREN, "ended", lambda *arguments: asked.append(arguments))
    return asked


def refuse(flown: Any) -> None:
    entry = Entry(at=1, version=1, rows=0, latency_us=9, status=400, error="no", faults=[Fault("absent", "wind", 1)])
    with flown.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])


def test_an_endpoint_is_looked_at_when_something_came_and_not_more_often_than_it_is_worth(flown, started) -> None:
    inspect_due(flown.store, 0)
    assert started == [(inspection.MODULE, str(flown.store.workspace.root), "late")]
    (subject,) = subjects(flown.store)
    usual: dict[str, Any] = {
        "endpoint": "late",
        "model": "late",
        "version": 1,
        "at": 0,
        "start": 0,
        "end": 0,
        "rows": 0,
    }
    skew = Skew(**usual, shares=[], paired=Paired(), took_ms=10_000)
    note(flown.store, subject, 0, skew=msgspec.json.encode(skew).decode())
    inspect_due(flown.store, 100 * MINUTE)
    assert len(started) == 1  # nothing came since
    refuse(flown)
    inspect_due(flown.store, 4 * MINUTE)
    assert len(started) == 1  # it took ten seconds: five minutes must pass
    inspect_due(flown.store, 5 * MINUTE)
    assert len(started) == 2


def test_an_inspection_that_failed_says_why_and_keeps_what_was_found_before(flown, monkeypatch) -> None:
    monkeypatch.setattr(inspection.CHILDREN, "ended", lambda *_: "it ended with status -9")
    inspect_due(flown.store, 7)
    (looked,) = flown.room.schema.inspected()
    assert (looked.endpoint, looked.at, looked.problem) == ("late", 7, "it ended with status -9")
