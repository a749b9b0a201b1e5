"""`lemnis resources top` alone: the same picture at every size, and keys that do what they say."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import becomes, screen_text, shows

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import Unavailable
from lemnis.engine.resources import GpuReport, History, HostSample, Mark, Process, ProcessDetail, ProcessTable, asked
from lemnis.engine.resources.alone import MachineAlone
from lemnis.engine.resources.closeup import look_at, send, stat_of
from lemnis.tui.stages.resources.live.busiest import ProcessTable as Tree
from lemnis.tui.stages.resources.top import Top

FAKE = Path(__file__).parents[2] / "engine/resources/fake_nvml.py"
spec = importlib.util.spec_from_file_location("fake_nvml", FAKE)
assert spec is not None
assert spec.loader is not None
fake_nvml = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fake_nvml)
SIZES = [(40, 15), (80, 24), (160, 48)]


class Box:
    """A machine that says the same at every reading, or refuses; it signals what it is told to."""

    def __init__(self, *, broken: bool = False, busier: bool = False, rows: list[Process] | None = None) -> None:
        self.busier = busier  # at every reading but the first
        self.broken, self.read, self.listed = broken, 0, 0
        one = Process(pid=7, command="/bin/[x] \x1b", line=[(7, 1)], user="ada", cpu_percent=5.0)
        child = Process(pid=8, command="python train.py", line=[(8, 2), (7, 1)], user="bob", cpu_percent=90.0)
        self.rows = [child, one] if rows is None else rows
        self.sent: list[tuple[int, str]] = []

    def now(self) -> HostSample:
        if self.broken:
            raise Unavailable("The kernel says nothing.")
        self.read += 1
        busy = 42.0 if self.read == 1 or not self.busier else 57.0
        return HostSample(at=now_ms(), cpu_percent=busy, core_percents=[40.0, 44.0], cores_total=2, cores_usable=2)

    def processes(self) -> ProcessTable:
        self.listed += 1
        return ProcessTable(at=now_ms(), total=2, rows=self.rows)

    def gpus(self) -> GpuReport:
        return GpuReport(at=now_ms(), reason="no driver")

    def matching(self, processes: ProcessTable, query: str) -> ProcessTable:
        return asked.matching(processes, query)

    def process(self, pid: int, started_ticks: int) -> ProcessDetail:
        return look_at(pid, started_ticks)

    def signal(self, pid: int, started_ticks: int, name: str) -> None:
        self.sent.append((pid, name))
        if pid > 10:
            send(pid, started_ticks, name)

    def histories(self, source: str, metrics: list[str], seconds: int = 900, points: int = 150) -> History:
        return History(source=source, step_s=seconds / 2, at=[0, 1], values={name: [1.0, 1.0] for name in metrics})

    def cores(self, seconds: int = 900, points: int = 150) -> History:
        return self.histories("cores", ["0", "1"], seconds)

    def marks(self, seconds: int = 900) -> list[Mark]:
        return []


async def test_between_two_readings_of_everything_it_shows_what_the_machine_does() -> None:
    box = Box(busier=True)
    async with Top(box).run_test(size=(160, 48)) as pilot:
        await shows(pilot, "57%")
        await becomes(pilot, lambda: box.read > box.listed + 1)


@pytest.mark.parametrize("size", SIZES)
async def test_it_shows_the_machine_and_leaves_on_q(size: tuple[int, int]) -> None:
    async with Top(Box()).run_test(size=size) as pilot:
        text = await shows(pilot, "42%", "python tr")
        assert size[0] < 80 or "no driver" in text
        assert "[x] ␛" in text
        await pilot.press("q")
        assert not pilot.app.is_running or pilot.app._exit  # pyright: ignore[reportPrivateUsage]


async def test_a_reading_that_fails_is_said_and_tried_again() -> None:
    machine = Box(broken=True)
    async with Top(machine).run_test(size=(100, 30)) as pilot:
        await shows(pilot, "The kernel says nothing.")
        machine.broken = False
        await shows(pilot, "42%")


async def test_t_puts_processes_under_those_that_started_them_and_sorting_keeps_them_there() -> None:
    async with Top(Box()).run_test(size=(160, 48)) as pilot:
        await shows(pilot, "python train.py")
        await pilot.press("t")
        await shows(pilot, "└─ python train.py", "tree")
        await pilot.press("s")  # by pid, smallest first
        table = pilot.app.query_one(Tree)
        assert [row.key for row in table.rows] == ["7:1", "8:2"]
        await pilot.press("t")
        await becomes(pilot, lambda: "└─" not in screen_text(pilot))


async def test_a_filter_is_a_query_says_what_is_wrong_and_esc_takes_it_away() -> None:
    async with Top(Box()).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "python train.py")
        await pilot.press("slash", *"cpu >", "enter")
        await shows(pilot, "column 6")
        await pilot.press(*" 50", "enter")
        await becomes(pilot, lambda: "[x]" not in screen_text(pilot))
        assert "1 of 2 shown: cpu > 50" in screen_text(pilot)
        await pilot.press("escape")
        await shows(pilot, "[x]")


async def test_p_lets_the_picture_stand_still() -> None:
    machine = Box()
    async with Top(machine).run_test(size=(120, 40)) as pilot:
        await becomes(pilot, lambda: machine.read >= 2)
        await pilot.press("p")
        await shows(pilot, "p goes on")
        read = machine.read
        await pilot.pause(1.2)
        assert machine.read <= read + 1  # the one that was on its way
        await pilot.press("p")
        await becomes(pilot, lambda: machine.read > read + 1)


async def test_a_signal_is_asked_for_and_the_key_that_asked_sends_none() -> None:
    machine = Box()
    async with Top(machine).run_test(size=(120, 40)) as pilot:
        await shows(pilot, "python train.py")
        await pilot.press("X", "X", "x", "enter")
        await shows(pilot, "Which signal shall process 8 of bob get?")
        assert machine.sent == []
        await pilot.press("escape", "X", "i")
        await becomes(pilot, lambda: machine.sent == [(8, "INT")])
        await pilot.press("space", "space", "X")
        await shows(pilot, "Which signal shall these 2 processes get?")
        await pilot.press("t")
        await becomes(pilot, lambda: machine.sent[1:] == [(8, "TERM"), (7, "TERM")])


@pytest.fixture
def child() -> Iterator[Process]:
    """A process of ours that does nothing."""
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield Process(pid=running.pid, line=[(running.pid, stat_of(running.pid).started_ticks)], name="child")
    running.kill()
    running.communicate()


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_enter_shows_one_process_over_time_until_it_ends(child: Process, size: tuple[int, int]) -> None:
    async with Top(Box(rows=[child])).run_test(size=size) as pilot:
        await shows(pilot, str(child.pid))
        await pilot.press("enter")
        await shows(pilot, "input()", "open files", "CPU", "memory", "now")
        await pilot.press("X", "K")
        await shows(pilot, "ended: this is what was seen of it")
        await pilot.press("escape")
        await shows(pilot, "42%")


async def test_a_driver_that_hangs_stops_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pynvml.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    machine = MachineAlone(tmp_path)
    try:
        async with Top(machine).run_test(size=(120, 40)) as pilot:
            await shows(pilot, "asking the NVIDIA driver", "python")
            past = machine.cores(60, 60)
            await becomes(pilot, lambda: machine.cores(60, 60) != past)
    finally:
        machine.close()


async def test_gpus_are_seen_without_a_workspace_and_have_a_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvml.write(tmp_path / "nvml", "works")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/nvml{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    machine = MachineAlone(tmp_path)
    try:
        async with Top(machine).run_test(size=(160, 48)) as pilot:
            await shows(pilot, "Fake [red]900", "SM  12%", "▲ slowed: power cap", "PCIe 4 of 5 ×16")
            await becomes(
                pilot, lambda: 40 in machine.histories("gpu:0", ["busy_percent"], 60, 60).values["busy_percent"]
            )
            await pilot.press("v", "v", "v", "v")
            await shows(pilot, "GPU busy")
    finally:
        machine.close()
