# pyright: basic, reportOptionalMemberAccess=false

import threading

import pytest

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.lifecycle import Lifecycle
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.retraining import Figure, Retrained
from lemnis.engine.monitor.retraining.challenge import decide
from lemnis.engine.monitor.retraining.ledger import act, events, listed, queue
from lemnis.engine.store import Store

from .conftest import declare, work


def fire(flown) -> None:
    windows = flown.room.windows("late")
    advance(flown.store, flown.config, "late", windows)
    assert "firing" in {alert.state for alert in flown.room.alerts()}


def do_all(flown) -> None:
    for job in JobsRoom(flown.store).jobs(states=("queued",)):
        work(flown.store, job.id)


def test_a_firing_alert_has_a_challenger_trained_that_a_person_promotes(until_november, in_process: None) -> None:
    flown = until_november
    fire(flown)
    (first, *_) = queue(flown.store, flown.config)
    assert first.decision.answer == "train"
    assert act(flown.store, flown.config) == 1
    assert act(flown.store, flown.config) == 0
    do_all(flown)
    (made,) = listed(flown.store)
    assert (made.who, made.policy, made.outcome, made.kind) == ("policy", "suggest", "challenger", "alert")
    deploy = DeployRoom(flown.store)
    assert deploy.alias("late", "champion") is None
    monitor = next(stage for stage in Lifecycle(flown.store).stages() if stage.name == "monitor")
    assert monitor.state == "attention"
    said = [(event.who, event.what) for event in reversed(events(flown.store)) if event.cause == made.cause]
    assert said == [("policy", "queued"), ("policy", "challenger"), ("policy", "kept")]
    for waiting in queue(flown.store, flown.config):
        assert "cool-down" in waiting.decision.why
    count = len(events(flown.store))
    act(flown.store, flown.config)
    waits = len(events(flown.store))
    act(flown.store, flown.config)
    assert len(events(flown.store)) == waits >= count
    for alert in flown.room.alerts():
        flown.room.resolve(alert.id, "ada", "seen")
    monitor = next(stage for stage in Lifecycle(flown.store).stages() if stage.name == "monitor")
    assert monitor.why == f"late v{made.challenger_version} was trained again and waits for a person"
    deploy.withdraw("late", "challenger", "ada", "no")
    monitor = next(stage for stage in Lifecycle(flown.store).stages() if stage.name == "monitor")
    assert monitor.state == "ready"


@pytest.mark.parametrize(
    ("gates", "verdict", "promoted"),
    [("pass", "better", True), ("pass", "indistinguishable", True), ("pass", "worse", False), ("fail", "better", False),
     ("not enough data", "better", False), ("no gates", "better", False), ("pass", "", False)],
)  # fmt: skip
def test_auto_promotes_only_when_every_gate_passes_on_its_bound_and_it_is_not_worse(
    until_november, in_process: None, monkeypatch: pytest.MonkeyPatch, gates: str, verdict: str, promoted: bool
) -> None:
    flown, moved = until_november, []
    declare(flown, '\n[retraining]\npolicy = "auto"\n')
    fire(flown)
    act(flown.store, flown.config)
    monkeypatch.setattr(DeployRoom, "promote", lambda _, *said: moved.append(said))
    figure = Figure(metric="roc_auc", champion=0.6, challenger=0.7, delta=0.1, verdict=verdict)
    found = Retrained(
        run_id=2, dataset="flights v2", champion_version=1, challenger_version=2, part=("a", "b"), rows=9,
        blocks="days", currency="USD", figures=[figure], gates=gates,
    )  # fmt: skip
    (made,) = listed(flown.store)
    decide(JobContext.for_test(flown.store), made, found, flown.config)
    assert [said[:4] for said in moved] == ([("late", 2, "champion", "policy")] if promoted else [])
    last = events(flown.store)[0]
    assert last.what == ("promoted" if promoted else "kept")
    assert listed(flown.store)[0].outcome == ("promoted" if promoted else "")


def test_a_manual_policy_says_so_once_and_trains_nothing(until_november) -> None:
    flown = until_november
    declare(flown, '\n[retraining]\npolicy = "manual"\n')
    fire(flown)
    assert act(flown.store, flown.config) == act(flown.store, flown.config) == 0
    assert not JobsRoom(flown.store).jobs()
    said = events(flown.store)
    assert {event.what for event in said} == {"declined"}
    assert len({event.cause for event in said}) == len(said)


def test_many_watchers_at_once_train_for_a_cause_once(until_november) -> None:
    flown = until_november
    fire(flown)
    begun: list[int] = []
    together = threading.Barrier(6)

    def look() -> None:
        store = Store(flown.store.workspace)
        together.wait()
        begun.append(act(store, flown.config))
        store.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(begun) == [0, 0, 0, 0, 0, 1]  # no one failed either
    assert len(listed(flown.store)) == len(JobsRoom(flown.store).jobs()) == 1


def test_what_is_killed_between_row_and_job_leaves_neither(until_november, monkeypatch: pytest.MonkeyPatch) -> None:
    flown = until_november
    fire(flown)
    with monkeypatch.context() as killed:
        killed.setattr(JobsRoom, "submit", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            act(flown.store, flown.config)
    assert not listed(flown.store)
    assert not events(flown.store)
    assert act(flown.store, flown.config) == 1
