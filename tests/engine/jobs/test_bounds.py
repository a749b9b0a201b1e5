"""A job is kept to its allocation: its memory, its part of a GPU, its processors."""

import os
from pathlib import Path

import msgspec
from support import until

from lemnis.engine import Engine
from lemnis.engine.jobs import Terms, bounds, queue
from lemnis.engine.jobs.bounds import Excess, chosen_cpus, gpu_excess, reason
from lemnis.engine.jobs.processes import identity_of
from lemnis.engine.resources import Gpu, GpuProcess, GpuReport

MIB = 1 << 20


def test_a_job_that_takes_more_memory_than_declared_is_ended_with_what_to_write(engine: Engine) -> None:
    given = 200 * MIB
    job_id = engine.jobs.submit(
        "jobs.selftest", "hungry", {"steps": 400, "pause_s": 0.05, "grow_mib": 20}, memory_bytes=given,
        terms=Terms(limited=True),
    )  # fmt: skip
    engine.jobs.ensure_supervisor()
    job = until(lambda: found if (found := engine.jobs.job(job_id)).ended else None, 60)
    assert job.state == "failed"
    assert job.why.startswith("ran out of its 200 MiB: ")
    assert "in use at 'step " in job.why
    assert job.why.endswith('; try memory = "0.5GiB"')
    assert job.peak_bytes is not None
    assert job.peak_bytes > given
    assert job.identity is not None
    until(lambda: not bounds.is_alive(job.identity) if job.identity else True)


def test_memory_that_is_only_expected_bounds_nothing(engine: Engine) -> None:
    job_id = engine.jobs.submit("jobs.selftest", "free", {"steps": 3, "grow_mib": 40}, memory_bytes=50 * MIB)
    engine.jobs.ensure_supervisor()
    assert engine.jobs.wait(job_id).state == "finished"


def test_the_reason_names_what_it_did_and_at_least_doubles_its_memory(engine: Engine) -> None:
    job = engine.jobs.job(engine.jobs.submit("jobs.selftest", "x", {}))
    job = msgspec.structs.replace(job, progress_text="reading rows")
    told = reason(job, Excess(int(2.1 * 2**30), 2 << 30))
    assert told == "ran out of its 2.0 GiB: 2.1 GiB in use at 'reading rows'; try memory = \"4GiB\""


def test_more_gpu_memory_than_its_part_is_an_excess_of_that_job_alone(engine: Engine) -> None:
    job_id = engine.jobs.submit("jobs.selftest", "x", {}, gpu=0.25)
    assert queue.claim(engine.store, job_id) is not None
    assert queue.register(engine.store, job_id, 1, identity_of(os.getpid()))
    job = engine.jobs.job(job_id)
    mine = GpuProcess(pid=os.getpid(), kind="compute", memory_bytes=30 * MIB)
    other = GpuProcess(pid=1, kind="compute", memory_bytes=60 * MIB)
    report = GpuReport(at=0, devices=[Gpu(index="0", memory_total_bytes=100 * MIB, processes=[mine, other])])
    assert gpu_excess(job, report) == Excess(30 * MIB, 25 * MIB, " on GPU 0")
    less = msgspec.structs.replace(mine, memory_bytes=20 * MIB)
    report.devices[0] = Gpu(index="0", memory_total_bytes=100 * MIB, processes=[less, other])
    assert gpu_excess(job, report) is None


def test_processors_are_chosen_free_and_least_busy() -> None:
    assert chosen_cpus(2, range(4), [0], {1: 90.0, 2: 5.0, 3: 10.0}) == (2, 3)
    assert chosen_cpus(4, range(4), [], {}) == ()
    assert chosen_cpus(2, range(4), [0, 1, 2], {}) == ()
    assert chosen_cpus(0, range(4), [], {}) == ()


def test_a_process_with_its_children_is_counted(tmp_path: Path) -> None:
    assert bounds.family(os.getpid())[0] == os.getpid()
    assert bounds.resident_bytes(os.getpid()) >= bounds.proportional_bytes(os.getpid()) > 0
    assert bounds.resident_bytes(2**22 + 1) == 0
