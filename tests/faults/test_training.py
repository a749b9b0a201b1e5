"""A training outlives whatever is killed around it, and goes on when it is itself the victim."""

import os
import signal
import time

from support import until

from lemnis.engine import Engine
from lemnis.engine.experiments import Run

ROUNDS = 6000  # of the default preset in conftest.py
TRUTH_S = 10.0  # a dead worker is known as lost within this


def started(engine: Engine) -> int:
    run_id = engine.experiments.start()
    engine.jobs.ensure_supervisor()
    return run_id


def learned(engine: Engine, run_id: int, rounds: int) -> Run:
    """Return the run once it trains and has at least so many rounds."""

    def far_enough() -> Run | None:
        run = engine.experiments.run(run_id)
        assert not run.ended, run.why
        return run if run.state == "running" and run.rounds_done >= rounds else None

    return until(far_enough, 60.0)


def finished(engine: Engine, run_id: int) -> Run:
    return until(lambda: run if (run := engine.experiments.run(run_id)).ended else None, 300.0)


def rounds_on_record(engine: Engine, run_id: int) -> list[int]:
    rows = engine.store.rows(
        "select step from metric_points where run_id = ? and key = 'auc' order by step", [run_id], name="metrics"
    )
    return [row["step"] for row in rows]


def kill_worker(engine: Engine, run_id: int) -> None:
    job_id = engine.experiments.run(run_id).job_id
    assert job_id is not None
    identity = engine.jobs.job(job_id).identity
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)


def test_a_killed_training_is_lost_within_ten_seconds_and_resumes_without_a_gap(engine: Engine) -> None:
    run_id = started(engine)
    checkpoint = engine.workspace.run_dir(run_id) / "checkpoint.txt"
    learned(engine, run_id, 100)
    until(checkpoint.exists, 60.0)
    kill_worker(engine, run_id)
    killed_at = time.monotonic()
    lost = finished(engine, run_id)
    assert time.monotonic() - killed_at < TRUTH_S
    assert (lost.state, "SIGKILL" in lost.why) == ("lost", True)
    engine.experiments.resume(run_id)
    run = finished(engine, run_id)
    assert (run.state, run.rounds_done) == ("finished", ROUNDS)
    assert rounds_on_record(engine, run_id) == list(range(1, ROUNDS + 1))


def test_a_killed_supervisor_costs_a_training_nothing(engine: Engine) -> None:
    run_id = started(engine)
    learned(engine, run_id, 50)
    supervisor = engine.jobs.status().pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    before = engine.experiments.run(run_id).rounds_done
    learned(engine, run_id, before + 50)
    engine.jobs.ensure_supervisor()
    run = finished(engine, run_id)
    assert (run.state, run.rounds_done) == ("finished", ROUNDS)
    assert rounds_on_record(engine, run_id) == list(range(1, ROUNDS + 1))
    assert run.job_id is not None
    assert engine.jobs.job(run.job_id).attempts == 1


def test_ten_kills_at_random_moments_never_lose_the_truth(engine: Engine) -> None:
    run_id = started(engine)
    for attempt in range(10):
        run = learned(engine, run_id, 1)
        learned(engine, run_id, min(run.rounds_done + 20 + 370 * attempt % 900, ROUNDS - 1))
        kill_worker(engine, run_id)
        assert finished(engine, run_id).state == "lost"
        engine.experiments.resume(run_id)
    run = finished(engine, run_id)
    assert (run.state, run.rounds_done) == ("finished", ROUNDS)
    assert rounds_on_record(engine, run_id) == list(range(1, ROUNDS + 1))
