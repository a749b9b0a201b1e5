"""Driving a sweep in the test's own process: its trainings too, one after the other, without a supervisor."""

from small_problem import do_train

from lemnis.engine import Engine
from lemnis.engine.experiments.sweep import Sweep, Trial
from lemnis.engine.experiments.sweep.coordinator import Driver
from lemnis.engine.jobs.context import JobContext


def driver_of(engine: Engine, name: str) -> Driver:
    """Return what drives a sweep, as the worker of its job would."""
    sweep = engine.sweeps.sweep(name)
    with engine.store.write() as db:
        db.execute("update jobs set state = 'running', epoch = epoch + 1 where id = ?", [sweep.job_id])
    assert sweep.job_id is not None
    job = engine.jobs.job(sweep.job_id)
    return Driver(JobContext(engine.store, job.id, epoch=job.epoch, cores=1), sweep.id)


def drive(engine: Engine, name: str, rounds: int = 1000) -> list[Trial]:
    """Go round until the sweep has nothing left to do, training what it queues; return its trials."""
    driver = driver_of(engine, name)
    for _ in range(rounds):
        train_queued(engine)
        if driver.go_round():
            break
    with engine.store.write() as db:
        db.execute("update jobs set state = 'finished', why = '' where id = ?", [driver.context.job_id])
    return engine.sweeps.trials(name)


def train_queued(engine: Engine) -> None:
    """Train every run that waits."""
    for row in engine.store.rows("select id from runs where state = 'queued'"):
        do_train(engine, int(row["id"]))


def state_of(sweep: Sweep) -> tuple[str, dict[str, int]]:
    return sweep.state, sweep.counts
