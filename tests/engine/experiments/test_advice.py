"""Advice on devices: tried for real with the person's own data, judged by time, cost and metric; GPU use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.experiments import Run, advising, devices
from lemnis.engine.experiments.advice import Tried, read_advice, recommended, with_outlook
from lemnis.engine.experiments.advising import advise, price_hour
from lemnis.engine.experiments.train import gpu_metrics
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.resources import gpu_use
from lemnis.engine.resources.device import keep
from lemnis.engine.resources.gpu_use import GpuUse, GpuWatch
from lemnis.engine.resources.records import Gpu, GpuProcess, GpuReport

OPENCL = list(Path("/etc/OpenCL/vendors").glob("*.icd"))
Train = Callable[..., Run]


def at_once(_: list[Tried]) -> float:
    return 0.01


def arguments(engine: Engine, **overrides: object) -> dict[str, object]:
    return engine.jobs.job(engine.experiments.advisor.start(overrides=overrides)).arguments  # type: ignore[arg-type]


@pytest.mark.slow
def test_every_device_is_tried_for_real_and_what_can_not_be_used_says_why(engine: Engine, trained: Train) -> None:
    text = engine.workspace.config.read_text()
    engine.workspace.config.write_text(text + "\n[pool]\nprice_core_hour = 3.6\n")
    found = read_advice(advise(JobContext.for_test(engine.store), arguments(engine, num_leaves=7)))
    cpu, gpu, cuda = found.tried
    assert (found.algorithm, found.rounds, found.tried_rounds, found.metric) == ("gbdt", 20, 20, "auc")
    assert found.device in [one.device for one in found.tried if one.usable]
    assert cpu.value == pytest.approx(trained().metrics["auc"])
    assert cpu.prepare_s is not None
    assert cpu.round_s is not None
    assert cpu.total_s == pytest.approx(cpu.prepare_s + 19 * cpu.round_s)
    assert cpu.cost == pytest.approx((cpu.total_s or 0) / 1000)
    assert (cpu.peak_bytes or 0) > 1 << 20
    assert (cpu.gpu_peak_bytes, cpu.gpu_busy_percent) == (None, None)
    assert (cuda.usable, cuda.total_s) == (False, None)
    assert "CUDA" in cuda.why
    if OPENCL:
        assert (gpu.usable, bool(gpu.name), gpu.cost) == (True, True, None)
        assert gpu.value == pytest.approx(cpu.value, abs=0.01)
        assert f"{found.device} is best: " in found.why
    assert engine.experiments.count() == 1  # nothing but the run that it was compared with


def test_a_trial_that_dies_or_hangs_ends_nothing_else_and_one_that_is_cancelled_is_gone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, context = arguments(engine), JobContext.for_test(engine.store)
    with monkeypatch.context() as patched:
        patched.setattr(advising.sys, "executable", "/bin/false")
        with pytest.raises(BadInput, match=r"cpu: the trial ended with status 1\."):
            advise(context, asked)
    with monkeypatch.context() as patched:
        patched.setattr(advising, "DEVICES", ("cpu",))
        patched.setattr(advising, "limit_of", at_once)
        with pytest.raises(BadInput, match="cpu: it was given up after 0 s"):
            advise(context, asked)
    monkeypatch.setattr(advising, "LOOK_EVERY_S", 0.01)
    found = advising.wait_for

    def stopped(context: JobContext, child: object, limit_s: float) -> int | None:
        context.stop.set()
        return found(context, child, limit_s)  # type: ignore[arg-type]

    monkeypatch.setattr(advising, "wait_for", stopped)
    with pytest.raises(Cancelled):
        advise(context, asked)
    assert list(context.directory.iterdir()) == []


def test_an_algorithm_of_the_cpu_alone_needs_no_advice_and_linear_trees_are_not_tried_on_cuda(engine: Engine) -> None:
    with pytest.raises(BadInput, match="linear trains on the CPU only"):
        engine.experiments.advisor.start(overrides={"algorithm": "linear"})
    assert engine.jobs.jobs() == []
    job_id = engine.experiments.advisor.start(overrides={"algorithm": "linear_tree", "device": "gpu"})
    assert engine.jobs.job(job_id).arguments["overrides"] == {"algorithm": "linear_tree"}
    with pytest.raises(BadInput, match="gave no advice"):
        engine.experiments.advisor.read(job_id)


def tried(device: str, total_s: float, value: float | None = 0.8, cost: float | None = None) -> Tried:
    return Tried(device=device, usable=True, total_s=total_s, value=value, cost=cost)


@pytest.mark.parametrize(
    ("found", "device", "said"),
    [
        ([tried("cpu", 10), tried("gpu", 9.5)], "cpu", "gpu takes 0.95 times"),
        ([tried("cpu", 10), tried("gpu", 5), tried("cuda", 2)], "cuda", "cpu takes 5 times as much, gpu takes 2.5"),
        ([tried("cpu", 10), tried("cuda", 2, 0.7)], "cpu", "cuda is less, but its auc is worse: 0.7 against 0.8"),
        ([tried("cpu", 10, cost=0.1), tried("cuda", 2, cost=0.5)], "cpu", "cuda costs 5 times as much"),
        ([tried("cpu", 10, cost=0.1), tried("cuda", 2)], "cuda", "cpu takes 5 times"),
        ([Tried(device="cpu", usable=False, why="no."), tried("cuda", 2)], "cuda", "the only device that works"),
    ],
)
def test_the_cpu_is_left_only_for_a_device_that_takes_clearly_less_and_is_no_worse(
    found: list[Tried], device: str, said: str
) -> None:
    best, why = recommended(found, "auc")
    assert (best, said in why) == (device, True)


def test_without_any_device_the_reasons_are_told_and_prices_count_cores_and_gpu(engine: Engine) -> None:
    with pytest.raises(BadInput, match=r"gpu: it hangs\."):
        recommended([Tried(device="gpu", usable=False, why="it hangs.")], "auc")
    pool = type(engine.config().pool)(price_core_hour=0.5, price_gpu_hour=2.0)
    assert (price_hour(pool, 4, gpu=False), price_hour(pool, 4, gpu=True)) == (2.0, 4.0)
    assert with_outlook(tried("cpu", 1), rounds=9, price_hour=1.0) == tried("cpu", 1)
    assert devices.device_name("x\nUsing GPU Device: Tesla, Vendor: N\n") == "Tesla, Vendor: N"


def report(at: int, *gpus: tuple[float, list[tuple[int, int]]]) -> GpuReport:
    """Return a report of GPUs: how busy each is, and who holds how many bytes of it."""
    found = [
        Gpu(
            index=str(index),
            busy_percent=busy,
            processes=[GpuProcess(pid=pid, kind="compute", memory_bytes=held) for pid, held in processes],
        )
        for index, (busy, processes) in enumerate(gpus)
    ]
    return GpuReport(at=at, devices=found)


def test_only_a_process_own_gpu_memory_and_only_a_gpu_of_its_own_are_counted_for_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_use, "LOOK_EVERY_S", 0.005)
    me, other = os.getpid(), 1
    watch = GpuWatch(engine.store, me)
    seen: list[int] = []
    taken = watch.take
    watch.take = lambda one: (taken(one), seen.append(one.at))[0]  # type: ignore[method-assign]
    for one in (
        report(1, (10.0, [(other, 900)])),
        report(2, (60.0, [(me, 100)]), (99.0, [(me, 30), (other, 900)])),
        report(3, (80.0, [(me, 120)])),
    ):
        keep(engine.store, one, tidy_now=False)
        until(lambda at=one.at: at in seen)
    assert watch.close() == GpuUse(peak_bytes=130, busy_percent=70.0)
    assert gpu_metrics(GpuUse(peak_bytes=3 << 20, busy_percent=70.04)) == {
        "gpu_memory_mib": 3.0, "gpu_busy_percent": 70.0,
    }  # fmt: skip
    assert gpu_metrics(GpuUse()) == {}
