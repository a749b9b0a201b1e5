"""A server's statistics become minutes, and what the monitor says of an endpoint is text that Prometheus reads."""

# pyright: basic

from pathlib import Path

import pytest
from alert_bench import MINUTE, START, Bench
from prometheus_client.parser import text_string_to_metric_families
from support import engine_at

from lemnis.engine.deploy.predictions import Entry, record_actuals, write_entries
from lemnis.engine.monitor.alerting.exposition import exposed, publish
from lemnis.engine.monitor.alerting.minutes import PATIENCE_MS, count_minutes, list_minutes
from lemnis.engine.store import Store

FIRST = START // MINUTE * MINUTE


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with an endpoint."""
    engine = engine_at(tmp_path / "w")
    with engine.store.write() as db:
        db.table("models").insert({"name": "late", "created_at": 1})
        row = {"name": "late", "model": "late", "alias": "champion", "host": "127.0.0.1", "port": 1, "ready": 1}
        db.table("endpoints").insert(row | {"serving_version": 3, "created_at": 1, "changed_at": 1})
    return engine.store


def ask(store: Store, at: int, *, status: int = 200, ms: int = 2) -> None:
    entry = Entry(
        at=at, version=3, rows=1, latency_us=ms * 1000, status=status, sent=[[1]], scores=[[0.5]], keys=["k"],
        event_times=[at],
    )  # fmt: skip
    with store.write("predictions") as db:
        write_entries(db.conn, "late", "late", [entry])


def test_a_minute_is_counted_once_when_it_is_over(store: Store) -> None:
    for second in range(10):
        ask(store, FIRST + second * 1000, status=500 if second < 3 else 200, ms=second)
    record_actuals(store, "late", [("k", 1.0)], now=FIRST - 3_600_000)
    assert count_minutes(store, now=FIRST + MINUTE + PATIENCE_MS - 1) == {"late"}
    assert [one.at for one in list_minutes(store, "late", since=0)] == [FIRST - MINUTE]
    assert count_minutes(store, now=FIRST + MINUTE + PATIENCE_MS) == {"late"}
    assert count_minutes(store, now=FIRST + MINUTE + PATIENCE_MS) == set()
    minute = list_minutes(store, "late", since=FIRST)[0]
    assert (minute.requests, minute.errors, minute.value("error_rate"), minute.version) == (10, 3, 0.3, 3)
    assert minute.p99_ms == 9.0
    assert minute.idle_minutes == pytest.approx(51 / 60)
    assert minute.value("label_age_hours") == pytest.approx(1 + 1 / 60)
    assert minute.value("serving_down") == 0


def test_minutes_go_on_without_traffic_and_say_how_long_it_is_quiet(store: Store) -> None:
    ask(store, FIRST)
    count_minutes(store, now=FIRST + MINUTE + PATIENCE_MS)
    count_minutes(store, now=FIRST + 5 * MINUTE + PATIENCE_MS)
    assert [one.idle_minutes for one in list_minutes(store, "late", since=0)] == [1, 2, 3, 4, 5]
    assert [one.value("error_rate") for one in list_minutes(store, "late", since=0)] == [0.0, None, None, None, None]


@pytest.mark.parametrize(("state", "wanted", "down"), [("failed", "up", 1), ("up", "up", 0), ("failed", "down", 0)])
def test_an_endpoint_is_down_when_it_should_answer_and_does_not(store: Store, state, wanted, down) -> None:
    with store.write() as db:
        db.execute("update endpoints set ready = 0")
        row = {"name": "endpoint:late", "module": "m", "arguments": "[]", "updated_at": 1}
        db.table("services").insert(row | {"state": state, "wanted": wanted})
    count_minutes(store, now=FIRST + MINUTE + PATIENCE_MS)
    assert list_minutes(store, "late", since=0)[0].down == down


def test_what_the_monitor_says_is_read_by_prometheus(bench: Bench) -> None:
    bench.minutes("kB", endpoint='la"te\\')
    text = exposed(bench.store, 'la"te\\', now=bench.now)
    families = {one.name: one for one in text_string_to_metric_families(text)}
    states = {
        (s.labels["rule"], s.labels["state"]): s.value
        for s in families["lemnis_alert_state"].samples
        if s.labels["endpoint"] == 'la"te\\'
    }
    assert states["errors", "firing"] == 1
    assert states["errors", "ok"] == 0
    assert states["serving down", "ok"] == 1
    publish(bench.store, "late", now=1)
    before = bench.store.data_version("metrics")
    publish(bench.store, "late", now=2)
    assert bench.store.data_version("metrics") == before
