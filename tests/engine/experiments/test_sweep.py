"""Sweeps: each trial is a run, exists once, and what people change acts on the next one."""

import msgspec
import pytest
from small_problem import context_of, do_train
from sweeping import drive, driver_of, train_queued

import lemnis.engine.experiments.sweep.coordinator as coordinator
from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, Cancelled, NotFound
from lemnis.engine.experiments.points import write_points
from lemnis.engine.experiments.sweep import Wishes
from lemnis.engine.experiments.sweep.driving import MOST_LOSSES, queue_due
from lemnis.engine.experiments.train import train
from lemnis.engine.jobs import queue
from lemnis.engine.resources.situation import Reader

SPACE = ["num_leaves=3..15", "learning_rate=0.05..0.5:log"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "TICK_S", 0.0)


def wishes(**more: object) -> Wishes:
    kept: dict[str, object] = {"space": SPACE, "overrides": {"rounds": 3}, "parallel": 2, "trials": 4, **more}
    return Wishes(**kept)  # type: ignore[arg-type]


def test_every_trial_is_a_run_of_the_group_and_the_best_is_known(engine: Engine) -> None:
    sweep = engine.sweeps.start(wishes=wishes(constraints=["metrics.train_seconds < 1000"]))
    assert (sweep.name, sweep.state, sweep.pruner) == ("default-1", "running", "median")
    trials = drive(engine, sweep.name)
    sweep = engine.sweeps.sweep(sweep.name)
    assert (sweep.state, sweep.counts, sweep.why) == ("finished", {"finished": 4}, "all trials have ended")
    assert [trial.number for trial in trials] == [1, 2, 3, 4]
    assert len({trial.run_id for trial in trials}) == 4
    for trial in trials:
        run = engine.experiments.run(trial.run_id or 0)
        assert run.group_name == sweep.name
        assert run.tags["sweep"] == sweep.name
        assert run.tags["trial"] == str(trial.number)
        assert trial.values == [run.metrics["auc"]]
        assert run.params["num_leaves"] == str(trial.params["num_leaves"])
        assert 3 <= int(trial.params["num_leaves"]) <= 15
        assert 0.05 <= float(trial.params["learning_rate"]) <= 0.5
    best = sweep.best(trials)
    assert [best[0].values[0]] == [max(trial.values[0] for trial in trials)]
    assert engine.experiments.search("tags.sweep = 'default-1'", "metrics.auc").runs[0].id == best[0].run_id


def test_the_same_seed_tries_the_same_points(engine: Engine) -> None:
    for name in ("one", "two"):
        engine.sweeps.start(wishes=wishes(name=name, parallel=1, trials=3, sampler="random"))
    one, two = (drive(engine, name) for name in ("one", "two"))
    assert [trial.params for trial in one] == [trial.params for trial in two]


def test_enqueued_points_come_next_and_frozen_and_narrowed_parameters_stay_so(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", trials=6, parallel=1))
    engine.sweeps.enqueue("s", {"num_leaves": 2})  # outside of the range: it is asked for by name
    assert [job.kind for job in engine.jobs.jobs()] == ["experiments.sweep"]  # one drives it, and no other
    driver = driver_of(engine, "s")
    assert not driver.go_round()
    first = engine.sweeps.trials("s")[0]
    assert first.params["num_leaves"] == 2
    assert set(first.params) == {"num_leaves", "learning_rate"}
    assert first.enqueued_by
    train_queued(engine)
    engine.sweeps.narrow("s", "num_leaves", "10..11")
    engine.sweeps.freeze("s", "learning_rate", "0.3")
    trials = drive(engine, "s")
    assert len(trials) == 6
    assert {trial.params["learning_rate"] for trial in trials[1:]} == {0.3}
    assert {trial.params["num_leaves"] for trial in trials[1:]} <= {10, 11}
    engine.sweeps.freeze("s", "learning_rate", "-")
    engine.sweeps.extend("s", 2)
    trials = drive(engine, "s")
    assert (len(trials), engine.sweeps.sweep("s").state) == (8, "finished")
    assert len({trial.params["learning_rate"] for trial in trials[6:]} - {0.3}) == 2
    said = [event.what for event in engine.sweeps.events("s")]
    assert [what for what in said if "froze" in what or "vary" in what] == [
        "let learning_rate vary again",
        "froze learning_rate at 0.3",
        "let num_leaves vary within 10..11",
    ]


def test_a_paused_sweep_begins_nothing_until_it_goes_on(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", parallel=1))
    driver = driver_of(engine, "s")
    driver.go_round()
    engine.sweeps.pause("s")
    train_queued(engine)
    assert [driver.go_round() for _ in range(2)] == [False, True]
    assert engine.sweeps.sweep("s").counts == {"finished": 1}
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [driver.context.job_id])
    with pytest.raises(BadInput, match="is paused"):
        engine.sweeps.pause("s")
    assert engine.sweeps.resume("s").job_id != driver.context.job_id
    drive(engine, "s")
    assert engine.sweeps.sweep("s").counts == {"finished": 4}


def test_the_first_trials_of_a_gang_wait_for_each_other_and_not_for_one_that_is_gone(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", parallel=3, gang=True), user="ann")
    driver = driver_of(engine, "s")
    driver.go_round()
    assert [claim.gang_size for claim in Reader(engine.store).read().queued] == [3]
    for _ in range(2):
        driver.go_round()
    queued = Reader(engine.store).read().queued
    assert [(claim.account, claim.gang, claim.gang_size) for claim in queued] == [("ann", "sweep 1", 3)] * 3
    engine.jobs.cancel(queued[0].job_id)
    assert [claim.gang_size for claim in Reader(engine.store).read().queued] == [2, 2]
    assert queue.claim(engine.store, queued[1].job_id) is not None
    assert [claim.gang_size for claim in Reader(engine.store).read().queued] == [0]  # the other may start any time


def test_a_lost_training_goes_on_as_the_same_trial_and_a_new_driver_counts_nothing_twice(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", parallel=2))
    first = driver_of(engine, "s")
    first.go_round()
    first.go_round()
    one, two = engine.sweeps.trials("s")
    do_train(engine, one.run_id or 0)
    with engine.store.write() as db:  # as the supervisor finds it
        db.execute("update jobs set state = 'lost', why = 'killed', attempts = 1 where run_id = ?", [two.run_id])
        db.execute("update jobs set state = 'lost', why = 'killed' where id = ?", [first.context.job_id])
    assert len(queue_due(engine.store)) == 1
    assert queue_due(engine.store) == []
    with pytest.raises(coordinator.Replaced):
        first.go_round()
    trials = drive(engine, "s")
    assert engine.sweeps.sweep("s").counts == {"finished": 4}
    assert [trial.run_id for trial in trials[:2]] == [one.run_id, two.run_id]
    assert engine.store.value("select count(*) from runs") == 4
    said = [event.what for event in engine.sweeps.events("s")]
    assert "trial 2 was lost and goes on" in said
    assert "what drives it was lost; another goes on" in said


@pytest.mark.parametrize(
    ("job", "state", "why"),
    [
        ("cancelled", "paused", "what drives it was cancelled: by hand"),
        ("failed", "failed", "what drives it failed: by hand"),
        ("finished", "running", ""),
    ],
)
def test_a_driver_that_ended_decides_what_becomes_of_its_sweep(engine: Engine, job: str, state: str, why: str) -> None:
    begun = engine.sweeps.start(wishes=wishes(name="s"))
    with engine.store.write() as db:
        db.execute("update jobs set state = ?, why = 'by hand' where id = ?", [job, begun.job_id])
    assert len(queue_due(engine.store)) == (state == "running")
    sweep = engine.sweeps.sweep("s")
    assert (sweep.state, sweep.why) == (state, why)
    assert (sweep.job_id != begun.job_id) == (state == "running")


def test_a_driver_that_is_lost_again_and_again_pauses_its_sweep(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s"))
    for _ in range(MOST_LOSSES + 1):
        assert engine.sweeps.sweep("s").state == "running"
        with engine.store.write() as db:
            db.execute("update jobs set state = 'lost', why = 'killed' where id = ?", [engine.sweeps.sweep("s").job_id])
        queue_due(engine.store)
    sweep = engine.sweeps.sweep("s")
    assert sweep.state == "paused"
    assert "10 times in a minute" in sweep.why


def test_two_objectives_give_a_pareto_front_and_broken_constraints_leave_it(engine: Engine) -> None:
    asked = {"objectives": ["auc", "logloss:min"], "constraints": ["metrics.auc > 2"]}
    engine.sweeps.start(wishes=wishes(name="s", trials=5, **asked))
    trials = drive(engine, "s")
    sweep = engine.sweeps.sweep("s")
    assert sweep.pruner == "none"
    assert sweep.best(trials) == []
    assert {trial.why for trial in trials} == {"does not keep to auc > 2"}
    free = [msgspec.structs.replace(trial, missed=[]) for trial in trials]
    front = sweep.best(free)
    assert front
    for trial in free:
        beaten = [
            o
            for o in free
            if o.values[0] >= trial.values[0] and o.values[1] <= trial.values[1] and o.values != trial.values
        ]
        assert (trial in front) == (not beaten)


@pytest.mark.parametrize(
    ("pruner", "said"),
    [("median", "its best 0.5 by round 6 is worse than the median"), ("hyperband", "at round 5 is not")],
)
def test_a_trial_that_falls_behind_is_stopped_and_kept_with_its_last_round(
    engine: Engine, pruner: str, said: str
) -> None:
    engine.sweeps.start(wishes=wishes(name="s", trials=6, parallel=1, overrides={"rounds": 8}, pruner=pruner))
    driver = driver_of(engine, "s")
    while len(engine.sweeps.trials("s")) < 6:
        train_queued(engine)
        driver.go_round()
    last = engine.sweeps.trials("s")[-1]
    context = context_of(engine, last.run_id or 0)
    write_points(engine.store, last.run_id or 0, [("auc", step, 0, 0.5) for step in range(1, 7)])
    driver.go_round()
    asked = engine.sweeps.trials("s")[-1]
    assert said in asked.asked_to_stop
    assert engine.jobs.job(context.job_id).cancel_asked
    context.stop.set()  # as the signal does
    with pytest.raises(Cancelled):
        train(context, {"run_id": last.run_id})
    with engine.store.write() as db:
        db.execute("update jobs set state = 'cancelled', why = 'cancelled on request' where id = ?", [context.job_id])
    while engine.sweeps.sweep("s").state == "running":
        driver.go_round()
    pruned = engine.sweeps.trials("s")[-1]
    assert (pruned.state, pruned.last_round, pruned.values) == ("pruned", 6, [])
    assert engine.experiments.run(last.run_id or 0).why == f"pruned: {asked.asked_to_stop}"
    assert engine.sweeps.sweep("s").counts == {"finished": 5, "pruned": 1}


def test_an_algorithm_may_vary_and_does_without_what_it_has_no_use_for(engine: Engine) -> None:
    space = ["algorithm=gbdt,linear", "num_leaves=3..9"]
    engine.sweeps.start(wishes=wishes(name="s", space=space, trials=5, sampler="random", overrides={}))
    runs = [engine.experiments.run(trial.run_id or 0) for trial in drive(engine, "s")]
    assert engine.sweeps.sweep("s").counts == {"finished": 5}
    assert {run.algorithm for run in runs} == {"gbdt", "linear"}
    assert {"num_leaves" in run.params for run in runs if run.algorithm == "linear"} == {False}


def test_a_trial_is_timed_where_the_sweep_asks_for_it(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", trials=1, constraints=["metrics.predict_ms < 1000"]))
    driver = driver_of(engine, "s")
    driver.go_round()
    run_id = engine.sweeps.trials("s")[0].run_id or 0
    job_id = engine.experiments.run(run_id).job_id
    assert job_id is not None
    do_train(engine, run_id, **{"timed": engine.jobs.job(job_id).arguments["timed"]})
    trial = drive(engine, "s")[0]
    assert (trial.state, trial.feasible) == ("finished", True)
    assert 0 < (engine.experiments.run(run_id).metrics["predict_ms"] or 0) < 1000


def test_no_trial_begins_when_the_time_is_over(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", timeout="0.0001s", trials=50))
    driver = driver_of(engine, "s")
    while not driver.go_round():
        train_queued(engine)
    sweep = engine.sweeps.sweep("s")
    assert (sweep.state, sweep.counts, sweep.why) == ("finished", {}, "its time is over, 0 of 50 trials have ended")
    assert engine.sweeps.extend("s", 1).timeout_s is None


def test_a_sweep_whose_trials_all_fail_ends_with_their_reason(engine: Engine) -> None:
    engine.sweeps.start(wishes=wishes(name="s", trials=9, parallel=1))
    driver = driver_of(engine, "s")
    while engine.sweeps.sweep("s").state == "running":
        driver.go_round()
        with engine.store.write() as db:
            db.execute(
                "update jobs set state = 'failed', why = 'no such thing' where run_id is not null and state = 'queued'"
            )
    sweep = engine.sweeps.sweep("s")
    assert (sweep.state, sweep.counts) == ("failed", {"failed": 3})
    assert sweep.why.endswith("no such thing")
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished' where id = ?", [driver.context.job_id])
    engine.sweeps.resume("s")  # what was wrong was mended
    drive(engine, "s")
    assert engine.sweeps.sweep("s").counts == {"failed": 3, "finished": 6}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"space": ["num_leaves=9..3"]}, "no value from 9 to 3"),
        ({"space": ["learning_rate=0..1:log"]}, "no logarithm"),
        ({"space": ["num_leaves"]}, "is no dimension"),
        ({"space": ["seed=1..3"]}, "can't vary"),
        ({"space": ["a=1..2", "a=1..3"]}, "twice"),
        ({"space": ["num_leavs=3..9"]}, "no parameter 'num_leavs'"),
        ({"space": ["boosting=dart,rf"]}, "contradicts the algorithm"),
        ({"space": ["algorithm=gbdt,magic"]}, "magic"),
        ({"objectives": ["niceness"]}, "which way is better"),
        ({"objectives": ["auc", "logloss"], "pruner": "median"}, "one objective"),
        ({"constraints": ["fast"]}, "is no constraint"),
        ({"constraints": ["metrics.joy > 3"]}, "No training measures 'joy'"),
        ({"trials": 0}, "can't be swept"),
        ({"timeout": "soon"}, "is no time"),
        ({"name": "7"}, "at least one letter"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_stored(
    engine: Engine, more: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        engine.sweeps.start(wishes=wishes(**more))
    assert engine.sweeps.sweeps() == []
    assert engine.jobs.jobs() == []


def test_what_is_not_there_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no sweep or preset"):
        engine.sweeps.start("nope")
    with pytest.raises(NotFound, match="no sweep 'nope'"):
        engine.sweeps.sweep("nope")
    engine.sweeps.start(wishes=wishes(name="s"))
    with pytest.raises(NotFound, match="does not vary"):
        engine.sweeps.enqueue("s", {"lambda_l2": 1})
    with pytest.raises(BadInput, match="began with"):
        engine.sweeps.narrow("s", "num_leaves", "1..99")
    with pytest.raises(BadInput, match="No trial has finished"):
        engine.sweeps.freeze("s", "num_leaves")
