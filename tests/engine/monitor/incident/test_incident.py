"""The incident of an alert: where it began, how sure it is, what it costs, what moved, and what changed before it."""

# pyright: basic

from pathlib import Path

import pytest
from alert_bench import CONFIG, START, Bench
from hypothesis import given
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine.clock import parse_ms
from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.incident.served import Bounds
from lemnis.engine.monitor.windows import refresh

NOW = 2_000_000_000_000


@pytest.fixture
def fired(flown):
    """Months of flights of which September and October drift, judged with all their labels."""
    flown.answer(flown.between("2013-07-01", "2013-11-01"))
    flown.label(flown.between("2013-07-01", "2013-11-01"), now=1_000)
    with flown.store.write() as db:
        moved = {"model": "late", "alias": "champion", "kind": "promote", "version": 1, "who": "ada", "why": "better"}
        for at in (1_000, -90_000_000_000):
            db.table("alias_events").insert(moved | {"at": at, "previous": None, "forced": 0, "evidence": "{}"})
    for later in (0, 1_000_000):
        refresh(flown.store, flown.config, now=NOW + later)
        advance(flown.store, flown.config, "late", flown.room.windows("late"), now=NOW + later)
    return flown


def incident(flown, rule: str):
    alert = next(alert for alert in flown.room.alerts() if alert.rule == rule)
    return flown.room.incident(alert.id)


def test_drift_says_where_it_began_what_moved_with_rows_that_are_in_it_and_what_changed_before(fired) -> None:
    found = incident(fired, "features-drift")
    assert found.first is not None
    assert found.first.starts == parse_ms("2013-09-01")
    assert found.window.starts == parse_ms("2013-10-01")
    assert found.features[0].feature == found.sure.feature == "wind"
    assert found.sure.counted == found.window.rows
    assert found.sure.p_adjusted < 0.01
    assert len(found.examples) == 3
    grew = [label for label, before, after in zip(*bins_of(found.features[0]), strict=True) if after - before > 0.02]
    lowest = min(float(label.split(" – ")[0].removeprefix("≥ ")) for label in grew if label != "missing")
    assert all(row.values["wind"] >= lowest and "wind" in row.moved for row in found.examples)
    assert found.data_version == fired.version.id
    assert [change.at for change in found.changes] == sorted(change.at for change in found.changes)
    aliases = [change for change in found.changes if change.room == "model"]
    assert [(change.at, change.earlier) for change in aliases] == [(-90_000_000_000, True), (1_000, False)]
    assert (aliases[1].what, aliases[1].who) == ("late@champion nothing → v1", "ada")


def bins_of(feature):
    return feature.bins.labels, feature.bins.reference, feature.bins.current


def test_a_fall_says_its_interval_its_money_and_who_carries_the_loss(fired) -> None:
    found = incident(fired, "auc-low")
    assert found.sure.unit == "labelled rows"
    assert found.sure.figure.low <= found.alert.value <= found.sure.figure.high
    assert found.first.starts == parse_ms("2013-09-01")
    for segment in found.segments:
        assert segment.loss > segment.part > 0
        assert segment.feature == "carrier"


def test_an_incident_of_a_server_has_no_window_and_begins_with_its_first_bad_minute(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "flights", CONFIG)
    bench = Bench(engine)
    bench.minutes("kkBBB")
    found = engine.monitor.incident(bench.alert().id)
    assert (found.window, found.first, found.cost) == (None, None, None)
    assert found.began == START + 2 * 60_000
    assert (found.sure.counted, found.sure.unit) == (300, "requests")
    assert found.alert.handling.runbook == "https://wiki/errors"
    assert [event.state for event in found.events] == ["firing", "pending"]
    assert [message.contact for message in found.notifications] == ["team"]
    with pytest.raises(NotFound):
        engine.monitor.incident(99)
    engine.store.close()


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True).map(sorted),
    st.one_of(st.none(), st.text(max_size=3), st.floats(-2e6, 2e6), st.booleans()),
)
def test_a_value_is_in_the_bin_that_the_monitor_counts_it_in(edges: list[float], value: object) -> None:
    place = Bounds("x", "numeric", edges=edges).place(value)
    if isinstance(value, bool | float):
        assert all(edge <= value for edge in edges[:place])
        assert all(edge > value for edge in edges[place:])
    else:
        assert place == len(edges) + 1


def test_a_category_without_a_bin_of_its_own_is_among_the_others() -> None:
    bounds = Bounds("x", "categorical", categories=["a", "b"])
    assert [bounds.place(value) for value in ("a", "b", "z", None, 3)] == [0, 1, 2, 3, 3]
