"""Readings of the machine: CPU, memory, pressure, disk and network, without waiting in between."""

import os
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources import kernel
from lemnis.engine.resources.cgroups import Limits, memory_in_use, read_limits, usable_cores
from lemnis.engine.resources.disks import DiskReader, rates, space_of
from lemnis.engine.resources.kernel import CoreTicks, OpenFile
from lemnis.engine.resources.records import HostSample

LIMITS_EVERY_S = 30.0  # quotas rarely move


class HostReader:
    """Reads one HostSample after another; rates and shares are over the time between two readings.

    Any thread may call; the first reading has no rates.
    """

    def __init__(self, folder: Path, over_s: float = 0.0) -> None:
        """Take a folder on the disk that is looked at; rates are over at least `over_s`, however often it is read."""
        self.folder, self.over_s = folder, over_s
        self.device = disk_of(folder)
        self._lock = threading.Lock()
        self._files = Files()
        self._disks = DiskReader(folder)
        self._counted: deque[Counters] = deque()
        self._limits = read_limits()
        self._limits_at = monotonic_s()

    def read(self) -> HostSample:
        """Return what the machine does now."""
        with self._lock:
            after = Counters(self._files)
            before = self._before(after)
            if after.at_s - self._limits_at > LIMITS_EVERY_S:
                self._limits, self._limits_at = read_limits(), after.at_s
            limits = self._limits
            disks = self._disks.read(before.disks, after.disks, after.at_s - before.at_s)
        load = os.getloadavg()
        files, space = self._files, space_of(self.folder)
        return HostSample(
            at=now_ms(),
            load_1m=load[0],
            load_5m=load[1],
            load_15m=load[2],
            cores_total=len(after.cores) or 1,
            cores_usable=usable_cores(limits),
            cpu_pressure_percent=kernel.pressure_percent(files.cpu_pressure.read()),
            memory_pressure_percent=kernel.pressure_percent(files.memory_pressure.read()),
            disk_pressure_percent=kernel.pressure_percent(files.disk_pressure.read()),
            disk_device=self.device,
            disk_total_bytes=space.total_bytes,
            disk_free_bytes=space.free_bytes,
            disks=disks,
            uptime_s=kernel.uptime_s(files.uptime.read()),
            **memory(kernel.memory_bytes(files.memory.read()), limits),
            **between(before, after, self.device),
        )

    def _before(self, after: "Counters") -> "Counters":
        """Return what rates are counted from: the latest counters that are old enough, else the oldest there are."""
        counted = self._counted
        counted.append(after)
        while len(counted) > 2 and after.at_s - counted[1].at_s >= self.over_s:
            counted.popleft()
        return counted[0]


class Files:
    """The files of /proc that a reading is made of."""

    def __init__(self) -> None:
        self.cores, self.memory, self.uptime = map(OpenFile, ("/proc/stat", "/proc/meminfo", "/proc/uptime"))
        self.disks, self.cards = OpenFile("/proc/diskstats"), OpenFile("/proc/net/dev")
        self.cpu_pressure, self.memory_pressure, self.disk_pressure = (
            OpenFile(f"/proc/pressure/{resource}") for resource in ("cpu", "memory", "io")
        )
        self._real: dict[str, bool] = {}  # of each network card, whether it is a device

    def network(self) -> tuple[int, int] | None:
        """Return bytes received and sent by the real interfaces; where none is real (containers), by all of them."""
        cards = kernel.card_counts(self.cards.read())
        if cards.keys() != self._real.keys():
            self._real = {name: Path(f"/sys/class/net/{name}/device").exists() for name in cards}
        chosen = [count for name, count in cards.items() if self._real[name]] or list(cards.values())
        return (sum(count[0] for count in chosen), sum(count[1] for count in chosen)) if chosen else None


class Counters:
    """Counters of the kernel at one moment; only differences mean something."""

    def __init__(self, files: Files) -> None:
        self.at_s = monotonic_s()
        self.cores = kernel.core_ticks(files.cores.read())
        self.network = files.network()
        self.disks = kernel.disk_counts(files.disks.read())


def between(before: Counters, after: Counters, device: str) -> dict[str, Any]:
    """Return the rates and shares from one reading to the next, by the names of HostSample; `device` is its disk."""
    seconds = after.at_s - before.at_s
    if seconds <= 0:
        return {}
    found: dict[str, Any] = cpu_shares(before.cores, after.cores)
    if before.network and after.network:
        received, sent = (max(0, late - early) for early, late in zip(before.network, after.network, strict=True))
        found |= {"net_received_bytes_per_s": received / seconds, "net_sent_bytes_per_s": sent / seconds}
    if device in before.disks and device in after.disks:
        of_disk = rates(before.disks[device], after.disks[device], seconds)
        found |= {f"disk_{name}": value for name, value in of_disk.items()}
    return found


def cpu_shares(before: Sequence[CoreTicks], after: Sequence[CoreTicks]) -> dict[str, Any]:
    """Return busy shares per core and of all, 0..100; a core that went on- or offline in between makes all None."""
    if len(before) != len(after) or not after:
        return {"core_percents": [None] * len(after)}
    moved = [
        [max(0, late - early) for early, late in zip(one, other, strict=True)]
        for one, other in zip(before, after, strict=True)
    ]
    user, nice, system, idle, waited, irq, softirq, stolen = (sum(spent) for spent in zip(*moved, strict=True))
    total = user + nice + system + idle + waited + irq + softirq + stolen

    def percent(ticks: int) -> float | None:
        return 100 * ticks / total if total else None

    return {
        "core_percents": [busy_percent(core) for core in moved],
        "cpu_percent": percent(total - idle - waited),
        "user_percent": percent(user + nice),
        "system_percent": percent(system + irq + softirq),
        "wait_percent": percent(waited),
        "steal_percent": percent(stolen),
    }


def busy_percent(core: Sequence[int]) -> float | None:
    """Return the busy share of one core's time, None when its clock did not move."""
    total = sum(core)
    return 100 * (total - core[3] - core[4]) / total if total else None


def memory(machine: dict[str, int], limits: Limits) -> dict[str, Any]:
    """Return memory and swap; inside a bounded control group its own use counts, not the machine's.

    Args:
        machine: What `kernel.memory_bytes` returns.
        limits: Of our control group.
    """
    total = machine.get("MemTotal")
    if total is None:
        return {}
    cached = machine.get("Cached", 0) + machine.get("SReclaimable", 0)
    without = machine.get("MemFree", 0) + machine.get("Buffers", 0) + cached  # before Linux 3.14
    usable, used = total, total - machine.get("MemAvailable", without)
    if limits.memory_bytes is not None and limits.memory_bytes < total:
        in_use = memory_in_use(limits.memory_folder) if limits.memory_folder is not None else None
        usable, used = limits.memory_bytes, used if in_use is None else in_use
    swap = machine.get("SwapTotal", 0)
    return {
        "memory_total_bytes": total,
        "memory_usable_bytes": usable,
        "memory_used_bytes": min(used, usable),
        "memory_cached_bytes": cached,
        "swap_total_bytes": swap,
        "swap_used_bytes": swap - machine.get("SwapFree", 0),
    }


def disk_of(folder: Path, root: Path = Path("/")) -> str:
    """Return the kernel's name of the block device under `folder`, e.g. ``nvme0n1p2``; empty when there is none."""
    try:
        number = os.stat(folder).st_dev
        device = f"{os.major(number)}:{os.minor(number)}"
        link = root / "sys/dev/block" / device
        if link.exists():
            return link.resolve().name
        for line in (root / "proc/self/mountinfo").read_text().splitlines():
            mount, _, source = line.partition(" - ")
            if mount.split()[2] == device and source.split()[1].startswith("/dev/"):
                return Path(source.split()[1]).resolve().name
    except (OSError, IndexError):
        pass
    return ""
