"""Whatever the driver does, GPUs are shown as they are, as lost since, or not at all with the reason in words."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources import device
from lemnis.engine.resources.device import Watch, keep, with_lost
from lemnis.engine.resources.records import Gpu, GpuReport

spec = importlib.util.spec_from_file_location("fake_nvml", Path(__file__).with_name("fake_nvml.py"))
assert spec is not None
assert spec.loader is not None
fake = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fake)


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a fake driver before the real one; call it with a mode."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/nvml{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(device, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(device, "SILENCE_S", 1.0)
    monkeypatch.setattr(device, "AWAKE_S", 3.0)
    return lambda mode: fake.write(tmp_path / "nvml", mode)


@pytest.fixture
def watch(driver: object) -> Iterator[Watch]:
    opened = Watch()
    yield opened
    opened.close()


def next_report(watch: Watch, wanted: Callable[[GpuReport], bool]) -> GpuReport:
    def look() -> GpuReport | None:
        report = watch.turn(0.2)
        return report if report is not None and wanted(report) else None

    return until(look)  # type: ignore[return-value]


def test_a_working_driver_gives_figures_and_none_for_what_it_does_not_know(
    driver: Callable[[str], None], watch: Watch
) -> None:
    driver("works")
    report = next_report(watch, lambda report: bool(report.devices))
    assert report.driver == "999.1"
    assert report.usable == 2
    gpu = report.devices[1]
    assert (gpu.busy_percent, gpu.power_watts, gpu.temperature_celsius, gpu.sm_clock_mhz) == (41, 123.4, 55, 1501)
    assert gpu.fan_percent is None
    assert gpu.throttled == "power cap"
    assert [(one.pid, one.memory_bytes, one.busy_percent) for one in gpu.processes] == [(77, None, 31)]
    assert (gpu.slows_at_celsius, gpu.stops_at_celsius, gpu.sm_clock_most_mhz) == (87, 92, 1980)
    assert (gpu.pcie_generation, gpu.pcie_generation_most, gpu.pcie_lanes) == (4, 5, 16)
    assert (gpu.pcie_received_bytes_per_s, gpu.pcie_sent_bytes_per_s) == (2 * 2**20, 2**20)
    assert (gpu.ecc_corrected, gpu.ecc_uncorrected) == (0, 1)
    assert gpu.sm_active_percent is None  # this one does not count it; the other does from its second reading on
    later = next_report(watch, lambda report: report.devices[0].sm_active_percent is not None)
    assert later.devices[0].sm_active_percent == 12.5


def test_a_divided_gpu_has_its_slices_beside_it_and_they_are_what_a_pool_gives_away(
    driver: Callable[[str], None], watch: Watch
) -> None:
    driver("mig")
    report = next_report(watch, lambda report: bool(report.devices))
    assert [(gpu.index, gpu.mig, gpu.uuid) for gpu in report.devices] == [
        ("0", True, "GPU-0"), ("0.0", True, "MIG-0-0"), ("0.2", True, "MIG-0-2"), ("1", False, "GPU-1"),
    ]  # fmt: skip
    assert [gpu.index for gpu in report.units] == ["0.0", "0.2", "1"]
    whole, part = report.devices[:2]
    assert (whole.processes, [one.pid for one in part.processes], part.busy_percent) == ([], [77], None)
    assert part.memory_total_bytes == 2**33


def test_a_driver_that_knows_nothing_gives_a_gpu_without_figures(driver: Callable[[str], None], watch: Watch) -> None:
    driver("poor")
    (gpu, _) = next_report(watch, lambda report: bool(report.devices)).devices
    assert (gpu.why, gpu.name, gpu.busy_percent, gpu.memory_used_bytes, gpu.processes) == ("", "", None, None, [])


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("absent", "no NVIDIA driver: libnvidia-ml.so.1 is not on this machine"),
        ("mismatch", "different versions; reboot"),
        ("none", "sees no GPU"),
        ("crash", "crashed its probe (SIGSEGV)"),
        ("hang", "has not answered for 1 s"),
        ("asleep", "has not answered for 3 s"),
    ],
)
def test_where_there_is_no_gpu_the_reason_is_in_words(
    driver: Callable[[str], None], watch: Watch, mode: str, words: str
) -> None:
    driver(mode)
    report = next_report(watch, lambda report: words in report.reason)
    assert report.devices == []


@pytest.mark.parametrize("mode", ["crash", "hang", "mismatch"])
def test_a_driver_that_recovers_is_shown_again_and_was_lost_in_between(
    driver: Callable[[str], None], watch: Watch, mode: str
) -> None:
    driver("works")
    next_report(watch, lambda report: report.usable == 2)
    driver(mode)
    if mode == "mismatch" and watch.probe is not None:
        watch.probe.process.kill()
    gone = next_report(watch, lambda report: any(gpu.why for gpu in report.devices))
    assert [gpu.busy_percent for gpu in gone.devices] == [None, None]
    assert all(gpu.lost_at for gpu in gone.devices)
    driver("works")
    next_report(watch, lambda report: report.usable == 2)


def test_one_lost_gpu_does_not_hide_the_other_and_keeps_when_it_was_lost(
    driver: Callable[[str], None], watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "SILENCE_S", 20.0)  # a slow machine is no hanging driver here
    driver("works")
    next_report(watch, lambda report: report.usable == 2)
    driver("lost")
    first = next_report(watch, lambda report: report.usable == 1)
    assert first.devices[0].busy_percent == 40
    assert first.devices[1].name == "Fake [red]900"
    assert "fallen off the bus" in first.devices[1].why
    asked = watch.probe
    seen: list[GpuReport] = []

    def afresh(report: GpuReport) -> bool:
        seen.append(report)
        return watch.probe is not asked and report.usable == 1

    later = next_report(watch, afresh)
    assert later.devices[1].lost_at == first.devices[1].lost_at
    assert all(report.devices[0].busy_percent == 40 for report in seen)  # it was well all the time
    driver("works")
    next_report(watch, lambda report: report.usable == 2)


def test_gpus_that_were_there_are_looked_for_often_and_others_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(device, "monotonic_s", lambda: now[0])
    never, lately = Watch(), Watch()
    lately.known = {"0": Gpu(index="0")}
    for _ in range(20):
        now[0] = max(never.retry_at, lately.retry_at, now[0])
        never._trouble()  # pyright: ignore[reportPrivateUsage]
        lately._trouble()  # pyright: ignore[reportPrivateUsage]
        if now[0] < 1_000 + device.PATIENCE_S:
            assert lately.retry_at - now[0] <= device.SHORT_PAUSE_S
    assert never.retry_at - now[0] == device.LONGEST_PAUSE_S
    assert lately.retry_at - now[0] == device.LONGEST_PAUSE_S


def test_after_a_driver_that_hung_the_next_is_asked_at_once_unless_the_last_is_stuck_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "monotonic_s", lambda: 1_000.0)
    waits = dict[tuple[bool, bool], float]()
    for hung, stuck in ((True, False), (True, True), (False, False)):
        watch = Watch()
        watch.known = {"0": Gpu(index="0")}
        for _ in range(4):
            watch._trouble(waited=hung, stuck=stuck)  # pyright: ignore[reportPrivateUsage]
        waits[hung, stuck] = watch.retry_at - 1_000
    assert waits == {(True, False): 0.0, (True, True): 8 * device.FIRST_PAUSE_S, (False, False): device.SHORT_PAUSE_S}


def test_the_drivers_process_needs_neither_store_nor_config() -> None:
    lines = "import sys; import lemnis.engine.resources.nvml; print(*sys.modules)"
    asked = subprocess.run([sys.executable, "-c", lines], check=True, capture_output=True, text=True).stdout.split()
    assert not {"lemnis.engine.store", "lemnis.engine.config", "sqlite3"} & set(asked)


def test_a_turn_never_blocks_for_long_even_when_the_driver_hangs(driver: Callable[[str], None], watch: Watch) -> None:
    driver("hang")
    for _ in range(8):
        before = monotonic_s()
        watch.turn(0.1)
        assert monotonic_s() - before < 2


def test_a_gpu_the_driver_forgets_is_a_row_without_figures() -> None:
    known = {"0": Gpu(index="0", name="A", busy_percent=50), "1": Gpu(index="1", name="B", lost_at=5, why="x")}
    report = with_lost(GpuReport(at=9, devices=[Gpu(index="0", name="A", busy_percent=60)]), known)
    assert report.devices[0].busy_percent == 60
    assert (report.devices[1].name, report.devices[1].lost_at, report.devices[1].busy_percent) == ("B", 5, None)


def test_the_room_never_shows_an_old_reading_as_a_live_one(engine: Engine) -> None:
    assert "has not reported" in engine.resources.gpus().reason
    keep(engine.store, GpuReport(at=now_ms(), devices=[Gpu(index="0", busy_percent=1)]), tidy_now=True)
    assert len(engine.resources.gpus().devices) == 1
    keep(engine.store, GpuReport(at=now_ms() - 90_000, devices=[Gpu(index="0")]), tidy_now=True)
    silent = engine.resources.gpus()
    assert silent.devices == []
    assert "silent for 90 s" in silent.reason


def test_the_service_outlives_a_driver_that_crashes_and_says_so(engine: Engine, driver: Callable[[str], None]) -> None:
    driver("crash")
    service = subprocess.Popen(
        [sys.executable, "-m", "lemnis.engine.resources.device", "--workspace", str(engine.workspace.root)]
    )
    try:
        until(lambda: "SIGSEGV" in engine.resources.gpus().reason)
        assert service.poll() is None
        driver("works")
        until(lambda: engine.resources.gpus().usable == 2)
        until(lambda: "gpu:1" in engine.resources.sources())
    finally:
        service.terminate()
        assert service.wait(timeout=10) == 0
