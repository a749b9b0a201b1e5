"""The meter: what each job and service uses, added up by the sampler into minutes and hours.

A row is at most 120 bytes: a job or service that is always there takes 0.2 MB of minutes (kept two days) and 1.2 MB of
hours (kept 400 days).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.resources.accounting.power import Rapl
from lemnis.engine.resources.owners import Owner
from lemnis.engine.resources.records import GpuReport, Process, ProcessTable

if TYPE_CHECKING:
    from sqlite_utils import Database

WIDTHS = {60: 172_800, 3600: 34_560_000}  # seconds a row stands for: how long it is kept
EXACT = 0  # width of what a worker measured of itself, over the whole of its attempt
LONGEST_S = 10.0  # a reading says nothing of a longer time: the machine slept or the sampler was stopped
GPU_FRESH_MS = 30_000

ADD = """
    insert into used (owner, width, at, seconds, cpu_s, memory_byte_s, peak_bytes, gpu_s, gpu_peak_bytes, cpu_j, gpu_j)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (owner, width, at) do update set seconds = seconds + excluded.seconds, cpu_s = cpu_s + excluded.cpu_s,
      memory_byte_s = memory_byte_s + excluded.memory_byte_s, peak_bytes = max(peak_bytes, excluded.peak_bytes),
      gpu_s = gpu_s + excluded.gpu_s, gpu_peak_bytes = max(gpu_peak_bytes, excluded.gpu_peak_bytes),
      cpu_j = case when excluded.cpu_j is null then cpu_j else coalesce(cpu_j, 0) + excluded.cpu_j end,
      gpu_j = case when excluded.gpu_j is null then gpu_j else coalesce(gpu_j, 0) + excluded.gpu_j end"""


class Used(msgspec.Struct):
    """What one owner used since the last writing."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    memory_byte_s: float = 0.0
    peak_bytes: int = 0
    gpu_s: float = 0.0
    gpu_peak_bytes: int = 0
    cpu_j: float | None = None
    gpu_j: float | None = None


def owner_key(owner: Owner) -> str:
    """Return by what name use is added up: of a job its number, of a service its name without its worker's."""
    return f"job:{owner.job_id}" if owner.job_id is not None else owner.service.partition("#")[0]


class UseMeter:
    """Adds up one process table after another; whoever holds it says when to write."""

    def __init__(self, rapl: Rapl | None = None) -> None:
        self.rapl = rapl or Rapl()
        self._used: dict[str, Used] = {}
        self._pids: dict[int, str] = {}
        self._busy_core_s = 0.0  # of all processes of the machine
        self._at: int | None = None
        self._written_at: int | None = None

    def take(self, table: ProcessTable, owners: Mapping[tuple[int, int], Owner], busy_cores: float | None) -> None:
        """Add what the processes of known owners used since the table before.

        Args:
            table: With shares over the time since the one before.
            owners: Of processes by pid and start time.
            busy_cores: Of the machine, as a number of cores; None where it is not known yet.
        """
        elapsed_s = 0.0 if self._at is None else min(LONGEST_S, (table.at - self._at) / 1000)
        self._at = table.at
        self._written_at = self._written_at or table.at
        self._busy_core_s += (busy_cores or 0.0) * elapsed_s
        held: dict[str, int] = {}
        self._pids = {}
        for process in table.rows:
            owner = next((owners[step] for step in process.line if step in owners), None)
            if owner is not None:
                self._take_process(owner_key(owner), process, elapsed_s, held)
        for name, bytes_ in held.items():
            used = self._used.setdefault(name, Used())
            used.seconds += elapsed_s
            used.memory_byte_s += bytes_ * elapsed_s
            used.peak_bytes = max(used.peak_bytes, bytes_)

    def _take_process(self, name: str, process: Process, elapsed_s: float, held: dict[str, int]) -> None:
        self._pids[process.pid] = name
        held[name] = held.get(name, 0) + (process.memory_bytes or 0)
        self._used.setdefault(name, Used()).cpu_s += (process.cpu_percent or 0.0) / 100 * elapsed_s

    def write(self, db: "Database", gpus: GpuReport | None) -> None:
        """Add what was used since the last writing to the minute and the hour of the last table.

        Args:
            db: metrics.db in a transaction.
            gpus: The newest report of the device service; None without one.
        """
        if self._at is None or self._written_at is None:
            return
        elapsed_s = max(0.0, (self._at - self._written_at) / 1000)
        if gpus is not None and abs(self._at - gpus.at) <= GPU_FRESH_MS:
            self._take_gpus(gpus, elapsed_s)
        self._take_energy()
        for name, used in self._used.items():
            if used.seconds > 0:
                for width in WIDTHS:
                    start = self._at // (1000 * width) * 1000 * width
                    db.execute(ADD, [name, width, start, *msgspec.structs.astuple(used)])
        self._used, self._busy_core_s, self._written_at = {}, 0.0, self._at

    def _take_gpus(self, report: GpuReport, elapsed_s: float) -> None:
        """Share each GPU's time and energy evenly among the processes that compute on it.

        How busy a MIG slice is the driver doesn't count: it is in use for as long as a process is on it.
        """
        watts = drawn_watts(report)
        for gpu in report.devices:
            computing = [one for one in gpu.processes if one.kind == "compute"]
            for process in computing:
                name = self._pids.get(process.pid)
                if name is None:
                    continue
                used, part = self._used.setdefault(name, Used()), elapsed_s / len(computing)
                busy_percent = 100.0 if gpu.is_slice and gpu.busy_percent is None else gpu.busy_percent
                used.gpu_s += (busy_percent or 0.0) / 100 * part
                used.gpu_peak_bytes = max(used.gpu_peak_bytes, process.memory_bytes or 0)
                power = watts.get(gpu.index)
                if power is not None:
                    used.gpu_j = (used.gpu_j or 0.0) + power * part

    def _take_energy(self) -> None:
        """Share what the processors drew among those who worked, by their time."""
        joules = self.rapl.spent()
        if joules is None or self._busy_core_s <= 0:
            return
        for used in self._used.values():
            used.cpu_j = joules * min(1.0, used.cpu_s / self._busy_core_s)


def drawn_watts(report: GpuReport) -> dict[str, float | None]:
    """Return what each GPU draws, by its index; of a divided one its slices in use bear all of it, evenly."""
    in_use: dict[str, int] = {}
    for gpu in report.devices:
        if gpu.is_slice and gpu.processes:
            in_use[gpu.whole] = in_use.get(gpu.whole, 0) + 1
    wholes = {gpu.index: gpu.power_watts for gpu in report.devices if not gpu.is_slice}
    found: dict[str, float | None] = {}
    for gpu in report.devices:
        power, sharers = wholes.get(gpu.whole), in_use.get(gpu.whole, 0)
        divided = power / sharers if power is not None and gpu.is_slice and sharers else None
        found[gpu.index] = gpu.power_watts if gpu.power_watts is not None else divided
    return found


def tidy_used(db: "Database", now_ms: int) -> None:
    """Drop what is older than it is kept."""
    for width, seconds in WIDTHS.items():
        db.execute("delete from used where width = ? and at < ?", [width, now_ms - seconds * 1000])
