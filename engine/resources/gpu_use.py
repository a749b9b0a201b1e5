"""What one process used of the GPUs: the most memory it held, and how busy they were while they were its own."""

import threading

import msgspec

from lemnis.engine.errors import StoreError
from lemnis.engine.resources.records import GpuReport
from lemnis.engine.store import Store

LOOK_EVERY_S = 1.0  # the driver's process reports once a second


class GpuUse(msgspec.Struct, frozen=True):
    """What was seen; None where the driver's process saw nothing of this process.

    Attributes:
        peak_bytes: The most memory it held on all GPUs together.
        busy_percent: Mean share of time with at least one kernel, of the GPUs that no other process computed on.
    """

    peak_bytes: int | None = None
    busy_percent: float | None = None


class GpuWatch:
    """Follows the reports of the device service in a thread; nothing is asked of the driver here."""

    def __init__(self, store: Store, pid: int) -> None:
        """Start watching a process."""
        self._store, self._pid = store, pid
        self._seen_at = 0
        self._peaks: list[int] = []
        self._busy: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu", daemon=True)
        self._thread.start()

    def close(self) -> GpuUse:
        """Stop, and return what was seen."""
        self._stop.set()
        self._thread.join()
        return GpuUse(
            peak_bytes=max(self._peaks, default=None),
            busy_percent=sum(self._busy) / len(self._busy) if self._busy else None,
        )

    def _run(self) -> None:
        try:
            while not self._stop.wait(LOOK_EVERY_S):
                self._look()
        finally:
            self._store.close()

    def _look(self) -> None:
        try:
            row = self._store.row("select at, sample from latest where name = 'gpu'", name="metrics")
        except StoreError:
            return  # the next look may do better
        if row is None or row["at"] <= self._seen_at:
            return
        self._seen_at = int(row["at"])
        self.take(msgspec.json.decode(row["sample"], type=GpuReport))

    def take(self, report: GpuReport) -> None:
        """Take one report."""
        held: list[int] = []
        for gpu in report.devices:
            mine = [one for one in gpu.processes if one.pid == self._pid]
            held += [one.memory_bytes for one in mine if one.memory_bytes is not None]
            alone = all(one.pid == self._pid for one in gpu.processes if one.kind == "compute")
            if mine and alone and gpu.busy_percent is not None:
                self._busy.append(gpu.busy_percent)
        if held:
            self._peaks.append(sum(held))
