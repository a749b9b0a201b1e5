"""Supervisor and workers as real processes, killed for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.jobs import Job, JobFailed
from lemnis.engine.jobs.processes import is_alive, send_signal

LONG = {"steps": 600, "pause_s": 0.1}


def start(engine: Engine, **arguments: object) -> int:
    job_id = engine.jobs.submit("jobs.selftest", "self-test", arguments)
    engine.jobs.ensure_supervisor()
    return job_id


def running(engine: Engine, job_id: int) -> Job:
    def ready() -> Job | None:
        job = engine.jobs.job(job_id)
        return job if job.state == "running" and job.progress_n > 0 else None

    return until(ready)


def test_a_job_runs_in_a_process_of_its_own_and_tells_its_result(engine: Engine) -> None:
    job = engine.jobs.wait(start(engine, steps=3))
    assert job.result is not None
    assert job.result["steps"] == 3
    assert job.result["pid"] != os.getpid()
    assert job.progress == 1.0


def test_a_worker_that_has_ended_leaves_no_zombie(engine: Engine) -> None:
    job = engine.jobs.wait(start(engine, steps=1))
    assert job.result is not None
    worker = Path(f"/proc/{job.result['pid']}")
    until(lambda: not worker.exists())


@pytest.mark.parametrize(
    ("ending", "reason"),
    [("badly", "told to fail. (ending) Run it without"), ("bug", "RuntimeError: the self-test"), ("crash", "SIGSEGV")],
)
def test_every_bad_end_has_a_reason_a_person_can_read(engine: Engine, ending: str, reason: str) -> None:
    with pytest.raises(JobFailed) as failure:
        engine.jobs.wait(start(engine, ending=ending))
    assert reason in failure.value.problem


def test_a_killed_worker_is_lost_within_ten_seconds_and_can_be_retried(engine: Engine) -> None:
    job = running(engine, start(engine, **LONG))
    assert job.identity is not None
    os.kill(job.identity.pid, signal.SIGKILL)
    killed_at = time.monotonic()
    lost = until(lambda: found if (found := engine.jobs.job(job.id)).ended else None, 10.0)
    assert time.monotonic() - killed_at < 10.0
    assert lost.state == "lost"
    assert "SIGKILL" in lost.why
    engine.jobs.retry(job.id)
    assert running(engine, job.id).epoch == 2


def test_a_killed_supervisor_is_replaced_and_its_worker_adopted(engine: Engine) -> None:
    job = running(engine, start(engine, **LONG))
    first = engine.jobs.status().pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: engine.jobs.status().state == "down")
    moved = engine.jobs.job(job.id).progress_n
    until(lambda: engine.jobs.job(job.id).progress_n > moved)
    second = engine.jobs.ensure_supervisor().pid
    assert second not in (None, first)
    until(lambda: engine.jobs.job(job.id).progress_n > moved + 3)
    same = engine.jobs.job(job.id)
    assert (same.state, same.epoch, same.identity) == ("running", 1, job.identity)
    assert job.identity is not None
    os.kill(job.identity.pid, signal.SIGKILL)
    assert "gone without a word" in until(lambda: j.why if (j := engine.jobs.job(job.id)).state == "lost" else "", 10.0)


def test_a_running_job_stops_when_asked(engine: Engine) -> None:
    job = running(engine, start(engine, **LONG))
    engine.jobs.cancel(job.id)
    ended = until(lambda: found if (found := engine.jobs.job(job.id)).ended else None)
    assert (ended.state, ended.why) == ("cancelled", "cancelled on request")
    assert job.identity is not None
    until(lambda: job.identity is None or not is_alive(job.identity))


def test_a_second_supervisor_leaves_at_once(engine: Engine) -> None:
    first = engine.jobs.ensure_supervisor()
    command = [sys.executable, "-m", "lemnis.engine.jobs.supervisor", "--workspace", str(engine.workspace.root)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (second.returncode, second.stdout.strip()) == (0, "already running")
    assert engine.jobs.status() == first


def test_a_job_that_does_not_fit_beside_another_waits_and_says_why(engine: Engine) -> None:
    first = engine.jobs.submit("jobs.selftest", "first", LONG, cores=2)
    engine.jobs.ensure_supervisor()
    running(engine, first)
    second = engine.jobs.submit("jobs.selftest", "second", {"steps": 1}, cores=1)
    assert until(lambda: why if f"job {first}" in (why := engine.jobs.job(second).why) else "")
    assert engine.jobs.job(second).state == "queued"
    engine.jobs.cancel(first)
    assert engine.jobs.wait(second).state == "finished"


def test_a_service_comes_back_after_a_kill(engine: Engine) -> None:
    engine.jobs.ensure_supervisor()

    def sampler_up() -> object:
        return next((s for s in engine.jobs.services() if s.name == "sampler" and s.state == "up"), None)

    first = until(sampler_up)
    identity = first.identity  # type: ignore[attr-defined]
    assert send_signal(identity, signal.SIGKILL)
    second = until(lambda: s if (s := sampler_up()) and s.identity != identity else None)  # type: ignore[attr-defined]
    assert is_alive(second.identity)  # type: ignore[attr-defined]
