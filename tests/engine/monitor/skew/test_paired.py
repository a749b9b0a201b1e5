# pyright: basic

from collections.abc import Callable
from typing import Any

from lemnis.engine.deploy.predictions import Entry, write_entries
from lemnis.engine.monitor import MonitorRoom


def serve(
    flown: Any, change: Callable[[Any], Any] = lambda row: row, *, key: Callable[[Any], str] = str, off: float = 0.0
) -> None:
    """Log July's rows as a sender that changes them would have them."""
    table = flown.between("2013-07-01", "2013-08-01")
    rows = [change(dict(row)) for row in table.select(flown.signature.names).to_pylist()]
    scores = flown.scores(table)
    entry = Entry(
        at=1, version=1, rows=len(rows), latency_us=9, status=200,
        sent=[[row[name] for name in flown.signature.names] for row in rows],
        scores=[[float(score) + off] for score in scores],
        keys=[key(one) for one in table.column("id").to_pylist()],
        event_times=[int(time.timestamp() * 1000) for time in table.column("flown").to_pylist()],
    )  # fmt: skip
    with flown.store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])


def measured(flown: Any) -> Any:  # a Skew; what it holds is asserted
    room = MonitorRoom(flown.store)
    room.refresh()
    room.schema.inspect("late")
    return room.schema.skews("late")[0]


def test_the_same_rows_through_both_pipelines_are_the_same(flown) -> None:
    config = flown.store.workspace.config
    config.write_text(config.read_text() + "\n[dataset]\ngroup = ['id']\n")
    serve(flown, key=lambda one: f"x{one}")
    assert measured(flown).paired.why.startswith("No key of the newest 930 logged rows is in flights v1")
    serve(flown)
    found = measured(flown)
    assert (found.paired.looked, found.paired.rows, found.paired.rows_apart) == (1860, 930, 0)
    assert found.paired.scores is not None
    assert (found.paired.scores.differ, found.paired.unexplained) == (0, 0)
    assert found.labels_why == "No true answer has come back yet."
    assert any(one.kind == "group" and one.value == "other" for one in found.shares)
    flown.label(flown.between("2013-07-01", "2013-08-01"), now=5)
    assert any(one.kind == "class" for one in measured(flown).shares)


def test_a_feature_that_serving_reads_otherwise_is_named_with_its_rows_and_a_pair(flown) -> None:
    def odd(row):
        if row["carrier"] == "B6":
            row |= {"carrier": "AA", "distance": row["distance"] + 100}
        return row

    serve(flown, odd, off=1e-9)
    found = measured(flown)
    rows = sum(carrier == "B6" for carrier in flown.between("2013-07-01", "2013-08-01").column("carrier").to_pylist())
    apart = {one.name: one for one in found.paired.features}
    assert set(apart) == {"carrier", "distance"}
    assert apart["carrier"].differ == apart["distance"].differ == found.paired.rows_apart == rows
    assert (apart["carrier"].example.served, apart["carrier"].example.trained) == ("AA", "B6")
    assert apart["distance"].largest == 100
    assert found.paired.scores.differ == 0  # it was scored as training would
    assert ("carrier", "B6", "drift") in {(one.column, one.value, one.verdict) for one in found.told}


def test_scores_that_differ_although_every_feature_is_the_same_are_told(flown) -> None:
    serve(flown, off=0.25)
    found = measured(flown).paired
    assert (found.scores.differ, found.unexplained) == (930, 930)
    assert abs(found.scores.largest - 0.25) < 1e-6
