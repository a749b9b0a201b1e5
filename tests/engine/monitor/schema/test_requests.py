# pyright: basic

from typing import Any

import numpy as np
import pytest

from lemnis.engine.deploy.faults import Fault
from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor import MonitorRoom

NOW = 1_400_000_000_000


def refuse(flown, *faults: Fault, at: int = NOW, status: int = 400) -> None:
    entry = Entry(at=at, version=1, rows=0, latency_us=9, status=status, error="no", faults=list(faults))
    with flown.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])


def answer(flown, change: dict[str, Any], start: str = "2013-06-01", end: str = "2013-07-01") -> None:
    """Log rows of a month of which some columns were changed."""
    table = flown.between(start, end)
    rows = table.select(flown.signature.names).to_pylist()
    as_is: Any = lambda value: value  # noqa: E731
    sent = [[change.get(name, as_is)(row[name]) for name in flown.signature.names] for row in rows]
    times = [int(time.timestamp() * 1000) for time in table.column("flown").to_pylist()]
    entry = Entry(
        at=NOW, version=1, rows=len(rows), latency_us=9, status=200, sent=sent, scores=[[0.5]] * len(rows),
        keys=[str(key) for key in table.column("id").to_pylist()], event_times=times,
    )  # fmt: skip
    with flown.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])


def inspected(flown) -> dict[tuple[str, str], Any]:
    room = MonitorRoom(flown.store)
    room.refresh()
    return {(one.kind, one.column): one for one in room.schema.inspect("late")}


@pytest.mark.slow
def test_answered_rows_show_units_codes_and_missing_values_with_the_month_in_which_it_began(flown) -> None:
    answer(flown, {}, "2013-06-01", "2013-07-01")
    assert inspected(flown) == {}
    odd = {
        "wind": lambda value: value and value * 1000,
        "carrier": lambda value: "ZZ" if value == "UA" else value,
        "distance": lambda value: None if value % 2 else value,
    }
    answer(flown, odd, "2013-07-01", "2013-09-01")
    found = inspected(flown)
    assert set(found) == {("unit", "wind"), ("code", "carrier"), ("code gone", "carrier"), ("nullability", "distance")}
    assert "1,000 times as large" in found["unit", "wind"].now
    assert found["unit", "wind"].verdict == "drift"
    assert found["code", "carrier"].examples == ["ZZ"]
    assert {one.since for one in found.values()} == {1_372_636_800_000}  # 2013-07-01


def test_refused_requests_become_one_finding_a_cause(flown) -> None:
    answer(flown, {})
    wind = (np.random.default_rng(3).gamma(2, 5, 40) * 0.44704).tolist()
    for place in range(3):
        faults = [Fault("absent", "wind", 40), Fault("unknown", "windMs", 40, wind)]
        refuse(flown, *faults, Fault("mistyped", "distance", 1, ["120 mi"]), at=NOW + place)
    refuse(flown, Fault("unknown", "gate\x1b[1m", 2, ["A"]), status=200)
    found = inspected(flown)
    renamed = found["renamed", "wind"]
    assert (renamed.new_name, renamed.rows, renamed.refused, renamed.verdict) == ("windMs", 120, True, "drift")
    assert (renamed.since, renamed.until) == (NOW, NOW + 2)
    assert found["type", "distance"].examples == ["120 mi"]
    assert found["added", "gate\x1b[1m"].verdict == "watch"
    assert len(found) == 3


def test_a_fault_that_has_not_come_for_a_day_and_many_requests_is_over(flown) -> None:
    refuse(flown, Fault("absent", "wind", 1))
    assert ("removed", "wind") in inspected(flown)
    for place in range(200):
        refuse(flown, at=NOW + 90_000_000 + place)
    assert inspected(flown) == {}
    assert flown.store.value("select count(*) from monitor_findings where gone_at is not null") == 1


def test_names_that_a_client_makes_up_do_not_fill_the_disk(flown) -> None:
    for place in range(50):
        refuse(flown, *(Fault("unknown", f"c{place}-{n}", 1, [1]) for n in range(16)))
    assert flown.store.value("select count(*) from schema_faults", name="predictions") == 500


def test_what_only_a_sender_can_mend_is_not_written(flown) -> None:
    refuse(flown, Fault("absent", "wind", 1))
    (found,) = inspected(flown).values()
    room = MonitorRoom(flown.store).schema
    with pytest.raises(BadInput, match="mends wind"):
        room.accept([found.id], who="ada")
    with pytest.raises(NotFound):
        room.accept([99], who="ada")
