# pyright: basic, reportOptionalMemberAccess=false

from typing import Any

import msgspec

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.retraining import Figure, Loop, Retrained, Step
from lemnis.engine.monitor.retraining.ledger import act, listed, note
from lemnis.engine.monitor.retraining.loop import STEPS


def steps_of(flown: Any, watching: str = "") -> tuple[Loop, dict[str, Step]]:
    loop = flown.room.retraining.loop("late", watching=watching)
    assert tuple(step.name for step in loop.steps) == STEPS
    return loop, {step.name: step for step in loop.steps}


def test_the_loop_says_what_each_step_waits_for_and_which_key_moves_it_on(until_november) -> None:
    flown = until_november
    _, steps = steps_of(flown, "the watch was never started")
    assert (steps["observe"].state, steps["observe"].key) == ("attention", "w")
    assert steps["observe"].blocker == "the watch was never started"
    assert (steps["suspect"].state, steps["train"].state, steps["train"].key) == ("ready", "not started", "t")
    assert steps["watch"].why == "v1: 4 windows, 4 with labels, 0 to watch or drifted"

    advance(flown.store, flown.config, "late", flown.room.windows("late"))
    _, steps = steps_of(flown)
    assert steps["observe"].state == "ready"
    assert steps["suspect"].state == "attention"
    assert steps["suspect"].why.startswith("auc-low: ROC AUC 0.6 is below 0.7")
    assert steps["train"].why.startswith("begins at the watch's next look")
    act(flown.store, flown.config)
    loop, steps = steps_of(flown)
    assert (steps["train"].state, loop.last.state) == ("working", "queued")
    JobsRoom(flown.store).cancel(loop.last.job_id or 0)
    _, steps = steps_of(flown)
    assert (steps["train"].state, steps["train"].key) == ("attention", "t")
    assert steps["train"].command == f"lemnis jobs retry {loop.last.job_id}"


def test_a_challenger_is_verified_shadowed_and_promoted(until_november) -> None:
    flown = until_november
    made = flown.room.retraining.start("late", "ada", "try")
    deploy = DeployRoom(flown.store)
    deploy.promote("late", 2, "challenger", "ada", "try", force=True)
    figure = Figure(metric="roc_auc", champion=0.61, challenger=0.7, delta=0.09, verdict="better")
    found = Retrained(
        run_id=1, dataset="flights v2", champion_version=1, challenger_version=2, part=("a", "b"), rows=9,
        blocks="days", currency="USD", figures=[figure],
    )  # fmt: skip
    note(flown.store, made.id, challenger_version=2, found=msgspec.json.encode(found).decode())
    with flown.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [made.job_id])
        gate = {"run_id": 1, "metric": "roc_auc", "part": "test", "rule": ">= 0.9", "position": 0}
        db.table("gates").insert(gate | {"verdict": "fail", "why": "too low", "at": 1})
    loop, steps = steps_of(flown)
    assert (loop.version, loop.challenger) == (1, 2)
    assert steps["verify"].why == "v2; roc auc 0.610 → 0.700, better"
    assert (steps["verify"].blocker, steps["verify"].key) == ("a gate fails", "v")
    assert (steps["shadow"].state, steps["shadow"].key) == ("not started", "H")
    assert (steps["promote"].blocker, steps["promote"].key) == ("gates: fail", "v")
    with flown.store.write() as db:
        db.execute("update gates set verdict = 'pass'")
    _, steps = steps_of(flown)
    assert (steps["verify"].state, steps["promote"].key) == ("ready", "P")
    deploy.promote("late", 2, "champion", "ada", "it is better")
    with flown.store.write() as db:
        db.execute("update endpoints set serving_version = 2")
    loop, steps = steps_of(flown)
    assert (loop.version, loop.challenger) == (2, None)
    assert (steps["promote"].state, steps["promote"].why) == ("ready", "v2 is the champion")
    assert steps["watch"].why == "v2 has answered no row yet"
    assert steps["watch"].since == deploy.history("late")[0].at
    assert listed(flown.store)[0].challenger_version == 2
