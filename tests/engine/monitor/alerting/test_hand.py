"""Taking, silencing, inhibiting, flapping, reminding: what a person, other alerts and time do to an alert."""

# pyright: basic

import itertools
from pathlib import Path

import pytest
from alert_bench import CONFIG, HOUR, MINUTE, Bench, play
from hypothesis import given, settings
from hypothesis import strategies as st
from support import engine_at

from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.alerting import hand
from lemnis.engine.monitor.alerting.states import RAISED, Holds, held

DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("state", "holds", "wanted"),
    [
        ("firing", Holds(), None),
        ("firing", Holds(silence="s"), "silenced"),
        ("firing", Holds(inhibitor="down"), "inhibited"),
        ("firing", Holds(taken="taken by ada"), "acknowledged"),
        ("firing", Holds(flaps=True), "flapping"),
        ("flapping", Holds(flaps=True), None),
        ("flapping", Holds(), "firing"),
        ("acknowledged", Holds(taken="t", flaps=True), None),
        ("acknowledged", Holds(flaps=True), "flapping"),
        ("acknowledged", Holds(), "firing"),
        ("silenced", Holds(inhibitor="down", taken="t"), "inhibited"),
        ("silenced", Holds(silence="s", inhibitor="down", taken="t", flaps=True), None),
        ("inhibited", Holds(), "firing"),
        ("pending", Holds(silence="s"), None),
        ("resolved", Holds(silence="s"), None),
    ],
)
def test_what_holds_a_raised_alert_decides_its_state(state, holds, wanted) -> None:
    step = held(state, holds)
    assert (step.state if step else None) == wanted


def test_an_acknowledgement_with_an_end_fires_again_by_itself(bench: Bench) -> None:
    bench.minutes("kB")
    taken = hand.acknowledge(
        bench.store, bench.alert().id, who="ada", why="on it", until=bench.now + HOUR, now=bench.now
    )
    assert (taken.state, taken.acknowledged_by, taken.acknowledged_until) == ("acknowledged", "ada", bench.now + HOUR)
    bench.wait(HOUR - 1)
    assert bench.alert().state == "acknowledged"
    bench.wait(1)
    assert bench.alert().fires
    assert bench.told() == [("team", "fired")]  # the first still waits for company, so both are one message
    with pytest.raises(BadInput, match="before it begins"):
        hand.acknowledge(bench.store, bench.alert().id, who="ada", why="", until=bench.now, now=bench.now)


def test_a_silence_holds_what_fires_and_what_will_and_always_ends(bench: Bench) -> None:
    bench.minutes("kB")
    silence = hand.silence(bench.store, "errors", until=bench.now + HOUR, who="ada", why="load test", now=bench.now)
    assert bench.alert().state == "silenced"
    assert (bench.alert().silence_id, bench.alert().fires) == (silence.id, False)
    bench.minutes("kB")
    assert bench.states() == ["pending", "firing", "silenced", "resolved", "pending", "firing", "silenced"]
    bench.wait(HOUR)
    assert bench.alert().state == "firing"
    assert bench.room.events(bench.alert().id)[0].why == "the silence ended and it still fires"
    assert hand.list_silences(bench.store, in_force=True, now=bench.now) == []


@pytest.mark.parametrize(
    ("until", "who", "why"), [(0, "ada", "x"), (31 * DAY, "ada", "x"), (HOUR, " ", "x"), (HOUR, "ada", " ")]
)
def test_a_silence_needs_an_end_within_a_month_a_name_and_a_reason(bench: Bench, until: int, who, why) -> None:
    with pytest.raises(BadInput):
        hand.silence(bench.store, "errors", until=bench.now + until, who=who, why=why, now=bench.now)


def test_the_silence_that_ends_next_is_listed_first_and_can_be_ended_early(bench: Bench) -> None:
    bench.minutes("kB")
    for hours in (3, 1, 2):
        hand.silence(bench.store, "", until=bench.now + hours * HOUR, who="ada", why="w", now=bench.now)
    assert [one.id for one in hand.list_silences(bench.store, in_force=True, now=bench.now)] == [2, 3, 1]
    for silence in (1, 3):
        hand.end_silence(bench.store, silence, who="bob", now=bench.now)
    assert bench.alert().state == "silenced"
    hand.end_silence(bench.store, 2, who="bob", now=bench.now)
    assert bench.alert().state == "firing"
    with pytest.raises(BadInput, match="over already"):
        hand.end_silence(bench.store, 2, who="bob", now=bench.now)
    with pytest.raises(NotFound):
        hand.end_silence(bench.store, 9, who="bob", now=bench.now)
    with pytest.raises(NotFound, match="errrs"):
        bench.room.alerting.silence("errrs", until=bench.now, who="ada", why="w")


def test_an_endpoint_that_is_down_explains_what_is_inhibited_by_it(bench: Bench) -> None:
    bench.declare('inhibited_by = ["gone"]\n[[alerts]]\nname = "gone"\nmetric = "serving_down"\nabove = 0.5\n')
    bench.minutes("kB")
    with bench.store.write("metrics") as db:
        row = {"endpoint": "late", "at": bench.now, "version": 3, "requests": 10, "errors": 9, "down": 1}
        db.table("endpoint_minutes").insert(row)
    bench.now += MINUTE
    bench.look()
    assert (bench.alert("gone").state, bench.alert().state) == ("firing", "inhibited")
    assert bench.alert().inhibited_by == "gone"
    bench.minutes("B")
    assert (bench.alert("gone").state, bench.alert().state) == ("resolved", "firing")


def test_a_rule_that_flaps_is_held_and_told_once(bench: Bench) -> None:
    bench.minutes("kBkBkBkBkB")
    assert bench.alert().state == "flapping"
    kinds = [kind for _, kind in bench.told()]
    assert kinds.count("flapping") == 1
    held_from = len(kinds)
    bench.minutes("kBkBkBkB")
    assert bench.alert().state == "flapping"
    assert len(bench.told()) == held_from
    bench.minutes("kkkkkk")
    assert bench.alert().state == "resolved"


def test_keep_firing_waits_for_that_many_windows_that_keep_the_rule(bench: Bench) -> None:
    bench.declare("keep_firing = 3\n")
    bench.minutes("kBkk")
    assert bench.alert().state == "firing"
    bench.minutes("k")
    assert bench.alert().state == "resolved"


def test_an_alert_that_nobody_takes_is_escalated_and_told_again_and_its_end_is_told_to_all(bench: Bench) -> None:
    bench.minutes("kB")
    bench.wait(29 * MINUTE)
    assert bench.told() == [("team", "fired")]
    bench.wait(MINUTE)
    assert bench.told() == [("team", "fired"), ("boss", "escalated")]
    assert "escalated to boss" in bench.room.events(bench.alert().id)[0].why
    bench.wait(210 * MINUTE)
    assert bench.told()[2:] == [("team", "repeated"), ("boss", "repeated")]
    hand.resolve(bench.store, bench.alert().id, who="ada", why="rolled back", now=bench.now)
    assert bench.told()[4:] == [("boss", "resolved"), ("team", "resolved")]
    incident = bench.room.alerting.incidents(open_only=False)[0]
    assert (incident.cause, incident.endpoint, incident.ended_at) == ("serving", "late", bench.now)


def test_an_alert_that_is_taken_is_neither_escalated_nor_told_again(bench: Bench) -> None:
    bench.minutes("kB")
    hand.acknowledge(bench.store, bench.alert().id, who="ada", why="on it", now=bench.now)
    bench.wait(DAY)
    assert bench.told() == [("team", "fired")]


def test_every_rule_has_a_standing_also_when_nothing_is_wrong(bench: Bench) -> None:
    bench.look()
    standing = {one.rule: one for one in bench.room.alerting.standings()}
    assert standing["errors"].state == "no data"
    bench.minutes("--")
    bench.minutes("kk")
    since = bench.now - MINUTE
    standing = {one.rule: one for one in bench.room.alerting.standings()}
    assert (standing["errors"].state, standing["errors"].since) == ("ok", since)
    assert standing["errors"].why == "error rate 0 is not above 0.1"
    assert standing["serving down"].state == "ok"
    bench.minutes("---")
    assert {one.rule: one.state for one in bench.room.alerting.standings()}["errors"] == "insufficient"
    bench.wait(10 * MINUTE)
    bench.look()
    assert {one.rule: one.state for one in bench.room.alerting.standings()}["errors"] == "no data"
    bench.minutes("B")
    first = bench.room.alerting.standings()[0]
    assert (first.rule, first.state, first.alert_id) == ("errors", "firing", bench.alert().id)


STEPS = st.sampled_from(["B", "k", "-", "ack", "ack 1m", "silence 2m", "unsilence", "resolve", "hour", "twice"])
numbers = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder: Path = tmp_path_factory.mktemp("shared")
    return Bench(engine_at(folder / "flights", CONFIG))


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_whatever_happens_one_alert_is_open_every_change_is_an_event_and_every_silence_ends(shared, done) -> None:
    bench, endpoint = shared, f"late{next(numbers)}"
    for step in done:
        play(bench, endpoint, step)
        open_alerts = [a for a in bench.room.alerts(endpoint=endpoint) if a.rule == "errors"]
        assert len(open_alerts) <= 1
        for alert in open_alerts:
            assert bench.room.events(alert.id)[0].state == alert.state
            assert (alert.incident_id is not None) == (alert.state in RAISED)
            assert (alert.state == "silenced") == (alert.state in RAISED and silenced(bench, endpoint))
    bench.wait(31 * DAY)
    assert not [a for a in bench.room.alerts(endpoint=endpoint) if a.state == "silenced"]
    ids = [a.id for a in bench.room.alerts(open_only=False, endpoint=endpoint)]
    for alert_id in ids:
        states = [event.state for event in reversed(bench.room.events(alert_id))]
        assert states[0] == "pending"
        assert states[-1] == bench.room.alert(alert_id).state
        assert all(one != other or one == "firing" for one, other in itertools.pairwise(states))


def silenced(bench: Bench, endpoint: str) -> bool:
    return any(s.endpoint == endpoint for s in hand.list_silences(bench.store, in_force=True, now=bench.now))
