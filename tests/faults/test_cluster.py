"""A cluster that loses workers, its scheduler, or whoever waits for it: nothing hangs, nothing is counted twice."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import RealCluster
from support import until

from lemnis.engine import Engine
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.sweep import Wishes
from lemnis.engine.jobs import Job

TRIALS, ROUNDS = 6, 1500


@pytest.fixture
def cluster() -> Iterator[RealCluster]:
    made = RealCluster()
    made.add_workers(2)
    yield made
    made.close()


@pytest.fixture
def declared(engine: Engine, cluster: RealCluster) -> Engine:
    """The engine, with the cluster declared."""
    path: Path = engine.workspace.config
    path.write_text(f'{path.read_text()}\n[cluster]\naddress = "{cluster.address}"\n')
    return engine


def sweep(engine: Engine) -> None:
    space = ["num_leaves=4..31:log", "learning_rate=0.02..0.3:log"]
    overrides: dict[str, Value] = {"rounds": ROUNDS}
    wishes = Wishes(name="s", space=space, overrides=overrides, trials=TRIALS, pruner="none", executor="dask")
    engine.sweeps.start(wishes=wishes)
    engine.jobs.ensure_supervisor()


def training_on(engine: Engine, cluster: RealCluster, rounds: int = 100) -> str:
    """Return a worker that has told so many rounds of a trial."""

    def found() -> str:
        rows = engine.store.rows("select cluster, id from runs where state = 'running'")
        deep = "select max(step) from metric_points where run_id = ?"
        for row in rows:
            if (engine.store.value(deep, [row["id"]], name="metrics") or 0) >= rounds:
                workers = engine.experiments.run(int(row["id"])).cluster["workers"]
                return str(workers[0])
        return ""

    return until(found, 120.0)


def whole(engine: Engine) -> None:
    """The sweep is finished, every trial once and with each of its rounds once."""
    found, trials = engine.sweeps.sweep("s"), engine.sweeps.trials("s")
    assert (found.state, found.counts) == ("finished", {"finished": TRIALS}), (found.why, trials)
    assert [trial.number for trial in trials] == list(range(1, TRIALS + 1))
    assert engine.store.value("select count(*) from runs") == TRIALS
    for trial in trials:
        run = engine.experiments.run(trial.run_id or 0)
        assert (run.state, run.rounds_done, trial.values) == ("finished", ROUNDS, [run.metrics["auc"]])
        steps = engine.store.rows(
            "select step from metric_points where run_id = ? and key = 'auc' order by step", [run.id], name="metrics"
        )
        assert [row["step"] for row in steps] == list(range(1, ROUNDS + 1))


def test_a_sweep_outlives_a_worker_and_says_so(declared: Engine, cluster: RealCluster) -> None:
    sweep(declared)
    victim = training_on(declared, cluster)
    cluster.kill(victim)
    until(lambda: declared.sweeps.sweep("s").state != "running", 240.0)
    whole(declared)
    said = [event.what for event in declared.sweeps.events("s")]
    told = [what for what in said if f"worker {victim} left at round" in what and "begins again on tcp://" in what]
    assert told, said
    number = int(told[0].partition("trial ")[2].partition(" ")[0])
    run = declared.experiments.run(declared.sweeps.trials("s")[number - 1].run_id or 0)
    assert told[0] in run.cluster["events"]


def test_a_lost_scheduler_ends_a_sweep_with_the_reason_and_it_goes_on(declared: Engine, cluster: RealCluster) -> None:
    sweep(declared)
    training_on(declared, cluster)
    cluster.stop()
    began = time.monotonic()
    until(lambda: declared.sweeps.sweep("s").state != "running", 60.0)
    assert time.monotonic() - began < 45
    found = declared.sweeps.sweep("s")
    assert found.state == "failed"
    assert f"The Dask scheduler at {cluster.address} has gone." in found.why
    cluster.start_scheduler()
    cluster.add_workers(2)
    declared.sweeps.resume("s")
    until(lambda: declared.sweeps.sweep("s").state != "running", 240.0)
    whole(declared)


def test_what_drives_a_sweep_is_killed_and_its_trials_begin_again(declared: Engine, cluster: RealCluster) -> None:
    sweep(declared)
    training_on(declared, cluster)
    jobs: list[Job] = declared.jobs.jobs(states=("running",))
    driver = next(job for job in jobs if job.kind == "experiments.sweep")
    assert driver.identity is not None
    os.kill(driver.identity.pid, signal.SIGKILL)
    until(lambda: declared.sweeps.sweep("s").state != "running", 240.0)
    whole(declared)


def test_a_sweep_that_is_cancelled_leaves_no_worker_busy_and_goes_on_when_asked(
    declared: Engine, cluster: RealCluster
) -> None:
    sweep(declared)
    training_on(declared, cluster)
    job = declared.sweeps.sweep("s").job_id
    assert job is not None
    declared.jobs.cancel(job)
    until(lambda: declared.sweeps.sweep("s").state != "running", 30.0)
    until(lambda: cluster.trainings() == 0, 10.0)
    found = declared.sweeps.sweep("s")
    assert (found.state, found.why) == ("paused", "what drives it was stopped")
    assert declared.jobs.jobs(states=("preparing", "running")) == []
    declared.sweeps.resume("s")
    until(lambda: declared.sweeps.sweep("s").state != "running", 240.0)
    whole(declared)


def spread(engine: Engine) -> int:
    run_id = engine.experiments.start(overrides={"rounds": 3000, "executor": "dask"})
    engine.jobs.ensure_supervisor()
    return run_id


@pytest.mark.parametrize("together", [True, False])
def test_a_training_that_is_cancelled_ends_on_its_workers_too(
    declared: Engine, cluster: RealCluster, together: bool
) -> None:
    run_id = declared.experiments.start(overrides={"rounds": 100_000, "executor": "dask"})
    if not together:
        with declared.store.write() as db:
            db.execute("update runs set spread = 0 where id = ?", [run_id])
    declared.jobs.ensure_supervisor()
    training_on(declared, cluster)
    assert cluster.trainings() == 1 + together
    began = time.monotonic()
    declared.jobs.cancel(declared.experiments.run(run_id).job_id or 0)
    until(lambda: declared.experiments.run(run_id).ended, 30.0)
    until(lambda: cluster.trainings() == 0, 10.0)
    assert time.monotonic() - began < 20
    run = declared.experiments.run(run_id)
    assert run.state == "cancelled", run.why
    assert len(declared.experiments.curve(run_id)["auc"]) >= 100
    next_run = declared.experiments.start(overrides={"rounds": 20, "executor": "dask"})  # all workers are free again
    until(lambda: declared.experiments.run(next_run).ended, 240.0)
    assert (declared.experiments.run(next_run).state, len(cluster.there())) == ("finished", 2)


def test_a_training_over_all_workers_begins_again_without_the_one_it_lost(
    declared: Engine, cluster: RealCluster
) -> None:
    run_id = spread(declared)
    victim = training_on(declared, cluster)
    cluster.kill(declared.experiments.run(run_id).cluster["workers"][1])
    until(lambda: declared.experiments.run(run_id).ended, 240.0)
    run = declared.experiments.run(run_id)
    assert (run.state, run.rounds_done) == ("finished", 3000), run.why
    assert run.cluster["workers"] == [victim]
    assert len(run.cluster["events"]) == 1
    assert "left at round" in run.cluster["events"][0]
    assert "begins again" in run.cluster["events"][0]


def test_a_training_that_loses_all_workers_fails_with_the_reason(declared: Engine, cluster: RealCluster) -> None:
    run_id = spread(declared)
    victim = training_on(declared, cluster)
    cluster.kill(victim)
    until(lambda: len(declared.experiments.run(run_id).cluster["events"]) == 1, 60.0)
    until(lambda: len(declared.experiments.run(run_id).cluster["workers"]) == 1, 60.0)
    cluster.kill(training_on(declared, cluster))
    until(lambda: declared.experiments.run(run_id).ended, 60.0)
    run = declared.experiments.run(run_id)
    assert run.state == "failed"
    assert "for the second time" in run.why
