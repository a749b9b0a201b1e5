"""The machine without a workspace: this process reads it, and asks the driver through a probe of its own."""

from pathlib import Path

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources.device import Watch
from lemnis.engine.resources.records import GpuReport, HostSample, ProcessTable
from lemnis.engine.resources.room import own_readers

FIRST_ANSWER_S = 2.0


class MachineAlone:
    """Answers host, processes and gpus as ResourcesRoom does; one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._host, self._processes = own_readers(folder)
        self._watch = Watch()
        self._gpus: GpuReport | None = None

    def host(self) -> HostSample:
        """Return what the machine does now; the first reading has no rates."""
        return self._host.read()

    def processes(self) -> ProcessTable:
        """Return the busiest and largest processes."""
        return self._processes.read(set())

    def gpus(self) -> GpuReport:
        """Return the newest report of the driver; waits for the first one, but not for long."""
        deadline = monotonic_s() + (FIRST_ANSWER_S if self._gpus is None else 0.0)
        while (report := self._watch.turn(0.05)) is not None or self._gpus is None:
            self._gpus = report or self._gpus
            if monotonic_s() >= deadline:
                break
        return self._gpus or GpuReport(at=now_ms(), reason="the NVIDIA driver has not answered yet")

    def close(self) -> None:
        """End the probe."""
        self._watch.close()
