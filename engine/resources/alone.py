"""The machine read by this very process: with every process, with or without a workspace beside it."""

from collections import deque
from functools import partial
from itertools import takewhile
from pathlib import Path

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources import asked, closeup, device
from lemnis.engine.resources.device import Watch
from lemnis.engine.resources.history import Sample, Steps, continued
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

TURN_S = 0.05
KEPT = 3600  # readings of the past without a workspace that keeps them


class MachineAlone:
    """Answers as ResourcesRoom does, from its own readings; one thread at a time.

    Where a workspace's engine is up, `room` adds whom processes work for, the GPUs and the past that it keeps.
    """

    def __init__(self, folder: Path, room: ResourcesRoom | None = None, *, patience_s: float = 0.0) -> None:
        """Take a folder on the disk that is looked at; `patience_s` is how long the driver's first answer may take."""
        self._host, self._processes = own_readers(folder)
        self._room = room
        self._watch = Watch() if room is None else None
        self._gpus: GpuReport | None = None
        self._patience_s = patience_s
        self._pasts: dict[tuple[str, tuple[str, ...], int], History] = {}
        self._past: dict[str, deque[tuple[int, Sample]]] = {"host": deque(maxlen=KEPT), "cores": deque(maxlen=KEPT)}

    def now(self) -> HostSample:
        """Return what the machine does now; the first reading has no rates."""
        read = self._host.read()
        kept = self._past["host"]
        if read.cpu_percent is not None and not (kept and read.at // 1000 == kept[-1][0] // 1000):
            self._past["host"].append((read.at, figures(read)))
            self._past["cores"].append((read.at, core_figures(read)))
        return read

    def processes(self) -> ProcessTable:
        """Return all processes."""
        table = self._processes.read(set(), top=None)
        return table if self._room is None else self._room.joined(table, self.gpus())

    def gpus(self) -> GpuReport:
        """Return the newest report of the driver; the first is waited for as long as there is patience."""
        if self._watch is None:
            assert self._room is not None
            return self._room.gpus()
        deadline = monotonic_s() + (self._patience_s if self._gpus is None else 0.0)
        while True:
            report = self._watch.turn(min(TURN_S, max(0.0, deadline - monotonic_s())))
            if report is not None:
                self._keep(report)
            if report is None and (self._gpus is not None or monotonic_s() >= deadline):
                break
        if self._gpus is None:
            return GpuReport(at=now_ms(), reason="asking the NVIDIA driver …")
        return self._gpus

    def _keep(self, report: GpuReport) -> None:
        self._gpus = report
        for gpu in report.devices:
            if not gpu.why:
                past = self._past.setdefault(f"gpu:{gpu.index}", deque(maxlen=KEPT))
                past.append((report.at, device.figures(gpu)))

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
        kept = self._past.get(source, deque())
        steps = Steps.up_to(now_ms(), seconds, max(1, min(points, seconds)))
        asked = (source, tuple(metrics), seconds)
        found = continued(source, metrics, steps, partial(since, kept), self._pasts.get(asked))
        self._pasts[asked] = found
        return found

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


def since(kept: deque[tuple[int, Sample]], start: float, end: float) -> list[tuple[int, Sample]]:
    """Return the readings between two moments."""
    newest = takewhile(lambda reading: reading[0] >= start, reversed(kept))
    return [reading for reading in newest if reading[0] < end]
