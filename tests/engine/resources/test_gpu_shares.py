"""Shares of a GPU: what others hold is seen before a job starts, and how a share is kept to is said as it is."""

import os

import msgspec
import pytest

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.records import Lease
from lemnis.engine.resources import Gpu, GpuProcess, GpuReport, gpu_shares
from lemnis.engine.resources.accounting.meter import drawn_watts
from lemnis.engine.resources.capacity import gpu_report, machine_pool
from lemnis.engine.resources.device import keep
from lemnis.engine.resources.gpu_shares import enforcement, environment_of, kept_by
from lemnis.engine.resources.scheduling import schedule
from lemnis.tui.stages.resources.pool.words import holding_words

GIB = 2**30


def gpu(index: str, *processes: GpuProcess) -> Gpu:
    return Gpu(index=index, uuid=f"GPU-{index}", memory_total_bytes=80 * GIB, processes=list(processes))


def compute(pid: int, gib: int, kind: str = "compute") -> GpuProcess:
    return GpuProcess(pid=pid, kind=kind, memory_bytes=gib * GIB)


def report(engine: Engine, *gpus: Gpu) -> None:
    keep(engine.store, GpuReport(at=now_ms(), devices=list(gpus)), tidy_now=False)


def test_what_processes_of_others_hold_is_not_given_away_and_the_waiting_job_names_them(engine: Engine) -> None:
    report(engine, gpu("0", compute(os.getpid(), 60)), gpu("1", compute(os.getpid(), 4, "graphics")))
    pool = machine_pool(engine.config().pool, engine.store)
    assert (pool.gpus, [round(device.share, 2) for device in pool.devices]) == (2, [0.25, 1.0])
    assert pool.devices[0].foreign.startswith(f"on GPU 0 pid {os.getpid()} (")
    assert pool.devices[0].foreign.endswith("holds 60.0 GiB and is not of this workspace")
    engine.jobs.submit("jobs.selftest", "both", {}, gpu=2)
    assert "holds 60.0 GiB and is not of this workspace" in engine.resources.pool().waiting[0].why


def test_what_our_own_jobs_hold_is_not_taken_for_anothers(engine: Engine) -> None:
    job_id = engine.jobs.submit("jobs.selftest", "mine", {}, gpu=0.5)
    job = queue.claim(engine.store, job_id, lease=Lease(gpus=("0",)))
    assert job is not None
    report(engine, gpu("0", compute(2**22 + 5, 30)))  # of a pid that is not seen here
    assert machine_pool(engine.config().pool, engine.store).devices[0].share == 1.0
    with engine.store.write() as db:
        db.execute("update jobs set pid = ? where id = ?", [os.getpid(), job_id])
    report(engine, gpu("0", compute(os.getpid(), 30)))
    assert machine_pool(engine.config().pool, engine.store).devices[0].share == 1.0
    assert engine.resources.pool().holding[0].gpus == ["0"]


def sliced(index: str, *processes: GpuProcess) -> Gpu:
    return Gpu(index=index, uuid=f"MIG-{index}", memory_total_bytes=10 * GIB, mig=True, processes=list(processes))


def test_each_mig_slice_is_a_gpu_that_one_job_gets_by_its_name(engine: Engine) -> None:
    report(engine, msgspec.structs.replace(gpu("0"), mig=True), sliced("0.0"), sliced("0.1"), sliced("0.2"))
    pool = machine_pool(engine.config().pool, engine.store)
    assert (pool.gpus, [device.index for device in pool.devices]) == (3, ["0.0", "0.1", "0.2"])
    for number, share in ((1, 1.0), (2, 0.5), (3, 0.5), (4, 1.0), (5, 1.0), (6, 2.0)):
        engine.jobs.submit("jobs.selftest", f"work {number}", {}, cores=0.1, gpu=share)
    told = engine.resources.pool()
    assert told.enforcement.startswith("MIG: ")
    assert [one.why for one in told.waiting if one.refused] == [
        "needs 2 GPU, and a process can use one MIG slice only: ask for 1 GPU, or undivide one"
    ]
    queued = engine.resources._situations.read()  # pyright: ignore[reportPrivateUsage]
    given = {one.job_id: one.gpus for one in schedule(queued.queued, [], pool) if one.admitted}
    assert given == {1: ("0.0",), 2: ("0.1",), 3: ("0.1",), 4: ("0.2",)}
    seen = gpu_report(engine.store)
    assert environment_of(1.0, given[1], seen) == {"CUDA_VISIBLE_DEVICES": "MIG-0.0"}
    assert [kept_by(1.0, given[1]), kept_by(0.5, given[2]), kept_by(0.5, ["1"]), kept_by(1.0, ["1"])] == [
        "MIG", "MIG + watchdog", "watchdog", "",
    ]  # fmt: skip
    assert queue.claim(engine.store, 1, lease=Lease(gpus=given[1])) is not None
    held = engine.resources.pool().holding[0]
    assert (held.gpus, held.kept_by) == (["0.0"], "MIG")
    assert "on GPU 0.0 (MIG)" in holding_words(held)


def test_what_a_process_of_anothers_holds_of_a_slice_is_of_that_slice_alone(engine: Engine) -> None:
    report(engine, msgspec.structs.replace(gpu("0"), mig=True), sliced("0.0", compute(os.getpid(), 5)), sliced("0.1"))
    pool = machine_pool(engine.config().pool, engine.store)
    assert [round(device.share, 2) for device in pool.devices] == [0.5, 1.0]
    assert pool.devices[0].foreign.startswith("on GPU 0.0 pid ")


def test_a_divided_gpus_power_is_borne_by_the_slices_in_use() -> None:
    whole = Gpu(index="0", mig=True, power_watts=300.0)
    found = GpuReport(at=0, devices=[whole, sliced("0.0", compute(1, 1)), sliced("0.1", compute(2, 1)), sliced("0.2")])
    assert drawn_watts(found) == {"0": 300.0, "0.0": 150.0, "0.1": 150.0, "0.2": 150.0}
    assert drawn_watts(GpuReport(at=0, devices=[whole, sliced("0.0")])) == {"0": 300.0, "0.0": None}


def test_how_a_share_is_kept_to_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = GpuReport(at=0, devices=[gpu("0"), gpu("1")])
    assert enforcement(GpuReport(at=0)) == ""
    assert enforcement(seen).startswith("watchdog: ")
    assert environment_of(0.5, ("1",), seen) == {"CUDA_VISIBLE_DEVICES": "GPU-1"}
    monkeypatch.setattr(gpu_shares, "mps_runs", lambda: True)
    assert enforcement(seen).startswith("MPS: ")
    assert environment_of(0.25, ("0",), seen) == {
        "CUDA_VISIBLE_DEVICES": "GPU-0",
        "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "25",
        "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "0=20480M",
    }
    assert environment_of(0, (), seen) == {}
