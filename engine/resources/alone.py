"""The machine read by this very process: with every process, with or without a workspace beside it."""

from collections import deque
from pathlib import Path

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources import asked, closeup
from lemnis.engine.resources.device import Watch
from lemnis.engine.resources.history import Sample, in_steps
from lemnis.engine.resources.records import (
    GpuReport,
    History,
    HostSample,
    Mark,
    ProcessDetail,
    ProcessTable,
)
from lemnis.engine.resources.room import ResourcesRoom, own_readers
from lemnis.engine.resources.sampler import core_figures, figures

FIRST_ANSWER_S = 2.0
KEPT = 3600  # readings of the past without a workspace that keeps them


class MachineAlone:
    """Answers as ResourcesRoom does, from its own readings; one thread at a time.

    Where a workspace's engine is up, `room` adds whom processes work for, the GPUs and the past that it keeps.
    """

    def __init__(self, folder: Path, room: ResourcesRoom | None = None) -> None:
        self._host, self._processes = own_readers(folder)
        self._room = room
        self._watch = Watch() if room is None else None
        self._gpus: GpuReport | None = None
        self._past: dict[str, deque[tuple[int, Sample]]] = {"host": deque(maxlen=KEPT), "cores": deque(maxlen=KEPT)}

    def host(self) -> HostSample:
        """Return what the machine does now; the first reading has no rates."""
        read = self._host.read()
        if read.cpu_percent is not None:
            self._past["host"].append((read.at, figures(read)))
            self._past["cores"].append((read.at, core_figures(read)))
        return read

    def processes(self) -> ProcessTable:
        """Return all processes."""
        table = self._processes.read(set(), top=None)
        return table if self._room is None else self._room.joined(table, self.gpus())

    def gpus(self) -> GpuReport:
        """Return the newest report of the driver; waits for the first one, but not for long."""
        if self._watch is None:
            assert self._room is not None
            return self._room.gpus()
        deadline = monotonic_s() + (FIRST_ANSWER_S if self._gpus is None else 0.0)
        while (report := self._watch.turn(0.05)) is not None or self._gpus is None:
            self._gpus = report or self._gpus
            if monotonic_s() >= deadline:
                break
        return self._gpus or GpuReport(at=now_ms(), reason="the NVIDIA driver has not answered yet")

    def matching(self, processes: ProcessTable, query: str) -> ProcessTable:
        """Return the rows that a query finds; raises QueryError when it can't be read."""
        return asked.matching(processes, query)

    def process(self, pid: int, started_ticks: int) -> ProcessDetail:
        """Return one process looked at closely; raises NotFound when it has ended."""
        if self._room is not None:
            return self._room.process(pid, started_ticks)
        return closeup.look_at(pid, started_ticks)

    def signal(self, pid: int, started_ticks: int, name: str) -> None:
        """Send a signal to exactly this process; see `closeup.send`."""
        if self._room is not None:
            self._room.signal(pid, started_ticks, name)
        else:
            closeup.send(pid, started_ticks, name)

    def histories(self, source: str, metrics: list[str], seconds: int = 900, points: int = 150) -> History:
        """Return figures over time: of the workspace that keeps them, or of this process's last hour."""
        if self._room is not None:
            return self._room.histories(source, metrics, seconds, points)
        points = max(1, min(points, seconds))
        width = seconds * 1000 / points
        start = (now_ms() // width + 1) * width - points * width
        return in_steps(source, self._past[source], metrics, start=start, step_s=width / 1000, points=points)

    def cores(self, seconds: int = 900, points: int = 150) -> History:
        """Return how busy each core was over time, 0..100 by its number."""
        last = self._past["cores"]
        return self.histories("cores", list(last[-1][1]) if last else [], seconds, points)

    def marks(self, seconds: int = 900) -> list[Mark]:
        """Return the workspace's jobs that started or ended in the last `seconds`, the oldest first."""
        return [] if self._room is None else self._room.marks(seconds)

    def close(self) -> None:
        """End the probe."""
        if self._watch is not None:
            self._watch.close()
