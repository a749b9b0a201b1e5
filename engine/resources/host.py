"""Readings of the machine: CPU, memory, pressure, disk and network, without waiting in between."""

import os
import threading
from pathlib import Path
from typing import Any

import psutil

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources.cgroups import read_limits, usable_cores
from lemnis.engine.resources.records import HostSample

LIMITS_EVERY_S = 30.0  # quotas rarely move


class HostReader:
    """Reads one HostSample after another; rates and shares are over the time between two readings.

    Any thread may call; the first reading has no rates.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.device = disk_of(folder)
        self._lock = threading.Lock()
        self._before: Counters | None = None
        self._limits = read_limits()
        self._limits_at = monotonic_s()

    def read(self) -> HostSample:
        """Return what the machine does now."""
        with self._lock:
            after = Counters(self.device)
            before, self._before = self._before, after
            if after.at_s - self._limits_at > LIMITS_EVERY_S:
                self._limits, self._limits_at = read_limits(), after.at_s
            limits = self._limits
        rates = between(before, after) if before is not None else {}
        load = os.getloadavg()
        return HostSample(
            at=now_ms(),
            load_1m=load[0],
            load_5m=load[1],
            load_15m=load[2],
            cores_total=len(after.cores) or 1,
            cores_usable=usable_cores(limits),
            cpu_pressure_percent=pressure("cpu"),
            memory_pressure_percent=pressure("memory"),
            disk_pressure_percent=pressure("io"),
            disk_device=self.device,
            uptime_s=uptime_s(),
            **memory(limits.memory_bytes, limits.memory_used_bytes),
            **disk_space(self.folder),
            **rates,
        )


class Counters:
    """Counters of the kernel at one moment; only differences mean something."""

    def __init__(self, device: str) -> None:
        self.at_s = monotonic_s()
        self.cores: list[Any] = psutil.cpu_times(percpu=True)  # Any: the fields depend on the platform
        self.network = network_bytes()
        self.disk = psutil.disk_io_counters(perdisk=True).get(device) if device else None


def between(before: Counters, after: Counters) -> dict[str, Any]:
    """Return the rates and shares from one reading to the next, by the names of HostSample."""
    seconds = after.at_s - before.at_s
    if seconds <= 0:
        return {}
    found: dict[str, Any] = cpu_shares(before.cores, after.cores)
    if before.network and after.network:
        received, sent = (max(0, late - early) for early, late in zip(before.network, after.network, strict=True))
        found |= {"net_received_bytes_per_s": received / seconds, "net_sent_bytes_per_s": sent / seconds}
    if before.disk and after.disk:
        found |= {
            "disk_read_bytes_per_s": max(0, after.disk.read_bytes - before.disk.read_bytes) / seconds,
            "disk_write_bytes_per_s": max(0, after.disk.write_bytes - before.disk.write_bytes) / seconds,
        }
        busy_ms = getattr(after.disk, "busy_time", None)
        if busy_ms is not None:
            share = 100 * (busy_ms - before.disk.busy_time) / (seconds * 1000)
            found["disk_busy_percent"] = min(100.0, max(0.0, share))
    return found


def cpu_shares(before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Return busy shares per core and of all, 0..100; a core that went on- or offline in between makes all None."""
    if len(before) != len(after) or not after:
        return {"core_percents": [None] * len(after)}
    moved = [
        {name: max(0.0, getattr(late, name, 0.0) - getattr(early, name, 0.0)) for name in CPU_FIELDS}
        for early, late in zip(before, after, strict=True)
    ]
    total = sum(sum(core.values()) for core in moved)

    def percent(*names: str) -> float | None:
        return 100 * sum(core[name] for core in moved for name in names) / total if total else None

    idle = percent("idle", "iowait")
    return {
        "core_percents": [busy_percent(core) for core in moved],
        "cpu_percent": None if idle is None else 100 - idle,
        "user_percent": percent("user", "nice"),
        "system_percent": percent("system", "irq", "softirq"),
        "wait_percent": percent("iowait"),
        "steal_percent": percent("steal"),
    }


CPU_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")  # guest time is within user


def busy_percent(core: dict[str, float]) -> float | None:
    """Return the busy share of one core, None when its clock did not move."""
    total = sum(core.values())
    return 100 * (total - core["idle"] - core["iowait"]) / total if total else None


def memory(bound_bytes: int | None, group_used_bytes: int | None) -> dict[str, Any]:
    """Return memory and swap; inside a bounded control group its own use counts, not the machine's."""
    machine = psutil.virtual_memory()
    usable, used = machine.total, machine.total - machine.available
    if bound_bytes is not None and bound_bytes < machine.total:
        usable, used = bound_bytes, group_used_bytes if group_used_bytes is not None else used
    swap = psutil.swap_memory()
    return {
        "memory_total_bytes": machine.total,
        "memory_usable_bytes": usable,
        "memory_used_bytes": min(used, usable),
        "memory_cached_bytes": getattr(machine, "cached", None),
        "swap_total_bytes": swap.total,
        "swap_used_bytes": swap.used,
    }


def disk_space(folder: Path) -> dict[str, Any]:
    """Return size and free space, as a plain user may fill it, of the disk that holds `folder`."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return {}
    return {"disk_total_bytes": disk.f_frsize * disk.f_blocks, "disk_free_bytes": disk.f_frsize * disk.f_bavail}


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


def network_bytes() -> tuple[int, int] | None:
    """Return bytes received and sent by the real interfaces; where none is real (containers), by all but loopback."""
    cards = {name: card for name, card in psutil.net_io_counters(pernic=True).items() if name != "lo"}
    real = [card for name, card in cards.items() if Path(f"/sys/class/net/{name}/device").exists()]
    chosen = real or list(cards.values())
    return (sum(c.bytes_recv for c in chosen), sum(c.bytes_sent for c in chosen)) if chosen else None


def pressure(resource: str, root: Path = Path("/")) -> float | None:
    """Return the share of the last 10 s, 0..100, in which some task waited for `resource`; None without PSI."""
    try:
        line = (root / "proc/pressure" / resource).read_text().split("\n", 1)[0]
        return float(dict(part.split("=") for part in line.split()[1:])["avg10"])
    except (OSError, KeyError, ValueError):
        return None


def uptime_s() -> float | None:
    """Return seconds since boot."""
    try:
        return float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
