"""Key n: this machine and the workers of the cluster in one table."""

from pathlib import Path

import pytest
from support import becomes, engine_at, screen_text, shows

from lemnis.engine.clock import now_ms
from lemnis.engine.resources import Gpu, GpuReport, HostSample
from lemnis.engine.resources.nodes import Node, Nodes
from lemnis.tui import machines
from lemnis.tui.app import Console
from lemnis.tui.screens import nodes as screen
from lemnis.tui.widgets.cells import plain

BUSY = Node(
    name="gpu-box [1]", address="tcp://10.0.0.5:1", state="paused", threads=8, cpu_percent=250.0,
    memory_used_bytes=97 * 2**30, memory_limit_bytes=100 * 2**30, running=["run 12"], waiting=3,
)  # fmt: skip


class Heard:
    """A watch that has heard of one worker."""

    def __init__(self, workspace: object) -> None:
        self.closed = False

    def latest(self) -> Nodes:
        return Nodes(at=now_ms(), address="tcp://10.0.0.5:8786", nodes=[BUSY])

    def close(self) -> None:
        self.closed = True


def test_this_machine_tells_of_its_gpus_together() -> None:
    first = Gpu(index="0", name="H100", busy_percent=40.0, memory_used_bytes=2**30, memory_total_bytes=2**34)
    slice_ = Gpu(index="0.1", busy_percent=90.0, memory_used_bytes=2**30, memory_total_bytes=2**33)
    lost = Gpu(index="1", name="H100", why="the GPU has fallen off the bus")
    second = Gpu(index="2", name="H100", busy_percent=60.0, memory_used_bytes=0, memory_total_bytes=2**34)
    report = GpuReport(at=0, devices=[first, slice_, lost, second])
    here = machines.this_machine(HostSample(at=0), report, "box")
    assert (here.gpu_percent, here.gpu_used_bytes, here.gpu_total_bytes) == (50.0, 2**30, 2**35)
    cells = [plain(cell) for cell in machines.node_row(here).cells]
    assert cells[6:8] == ["50%", "1.0 GiB of 32.0 GiB"]
    nothing = machines.this_machine(HostSample(at=0), GpuReport(at=0, reason="no driver"), "box")
    assert [plain(cell) for cell in machines.node_row(nothing).cells][6:8] == ["–", "–"]


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_workers_are_listed_under_this_machine_with_what_is_wrong(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "NodeWatch", Heard)
    engine = engine_at(tmp_path / "box")
    async with Console(engine, stage="resources", supervise=False).run_test(size=size) as pilot:
        await shows(pilot, "Processes")
        await pilot.press("n")
        await shows(pilot, "this machine", "gpu-box [1]", "▲ paused", "✖ 97%", "run 12")
        await pilot.press("escape")
        await becomes(pilot, lambda: "gpu-box" not in screen_text(pilot))


async def test_without_a_cluster_the_screen_says_what_to_declare(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "box")
    async with Console(engine, stage="resources", supervise=False).run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Processes")
        await pilot.press("n")
        await shows(pilot, "no cluster is declared", "this machine")
