"""`lemnis resources top` alone: the same picture at every size, from whoever can read the machine."""

import pytest
from support import shows

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import Unavailable
from lemnis.engine.resources import GpuReport, HostSample, Process, ProcessTable
from lemnis.tui.stages.resources.top import Top


class Machine:
    """A machine that says the same at every reading, or refuses."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    def host(self) -> HostSample:
        if self.broken:
            raise Unavailable("The kernel says nothing.")
        return HostSample(at=now_ms(), cpu_percent=42.0, core_percents=[40.0, 44.0], cores_total=2, cores_usable=2)

    def processes(self) -> ProcessTable:
        return ProcessTable(at=now_ms(), total=1, rows=[Process(pid=7, command="/bin/[x] \x1b", line=[(7, 1)])])

    def gpus(self) -> GpuReport:
        return GpuReport(at=now_ms(), reason="no driver")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_it_shows_the_machine_and_leaves_on_q(size: tuple[int, int]) -> None:
    async with Top(Machine()).run_test(size=size) as pilot:
        text = await shows(pilot, "42%")
        assert "no GPU: no driver" in text
        assert "[x] ␛" in text
        await pilot.press("q")
        assert not pilot.app.is_running or pilot.app._exit  # pyright: ignore[reportPrivateUsage]


async def test_a_reading_that_fails_is_said_and_tried_again() -> None:
    machine = Machine(broken=True)
    async with Top(machine).run_test(size=(100, 30)) as pilot:
        await shows(pilot, "The kernel says nothing.")
        machine.broken = False
        await shows(pilot, "42%")
