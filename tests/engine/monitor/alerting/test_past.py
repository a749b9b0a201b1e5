"""What was told of alerts at a moment is what is told of that moment later, whatever happened since."""

# pyright: basic

import itertools

import pytest
from alert_bench import CONFIG, Bench, play
from hypothesis import given, settings
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine import Engine

STEPS = st.sampled_from(["B", "k", "-", "ack", "ack 1m", "silence 2m", "unsilence", "resolve"])
TOLD = ("id", "state", "state_at", "fired_at", "acknowledged_at", "acknowledged_by", "resolved_at", "incident_id")
numbers = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    engine = engine_at(tmp_path_factory.mktemp("shared") / "flights", CONFIG)
    yield Bench(engine)
    engine.store.close()


@settings(max_examples=5, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=12))
def test_what_was_told_then_is_told_of_then(shared: Bench, done: list[str]) -> None:
    bench, endpoint = shared, f"late{next(numbers)}"
    told = {}
    for step in done:
        play(bench, endpoint, step)
        told[bench.now] = facts(bench.engine, endpoint)
        bench.now += 1  # what is done at one moment can't be told apart
    for at, known in told.items():
        then = Engine(bench.engine.workspace, at=at)
        assert facts(then, endpoint) == known
        then.store.close()


def facts(engine: Engine, endpoint: str):
    """Return what is told of an endpoint's alerts, incidents and silences."""
    alerts = engine.monitor.alerts(open_only=False, endpoint=endpoint)
    incidents = engine.monitor.alerting.incidents(open_only=False)
    silences = engine.monitor.alerting.silences(in_force=False)
    return (
        [tuple(getattr(alert, name) for name in TOLD) for alert in alerts],
        [(one.id, one.opened_at, one.ended_at) for one in incidents if one.endpoint == endpoint],
        [(one.id, one.ended_at, one.ended_by) for one in silences if one.endpoint == endpoint],
        [(event.at, event.state) for alert in alerts for event in engine.monitor.events(alert.id)],
    )
