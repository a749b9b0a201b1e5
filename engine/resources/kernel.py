"""What the kernel counts of the whole machine: files of /proc that stay open, and their figures. Pure but for them."""

import os
import re
from itertools import takewhile
from typing import NamedTuple, TypeAlias

CoreTicks: TypeAlias = tuple[int, ...]  # user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user

CORE_FIELDS = 8
SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own are
PAGE_BYTES = 2048  # a file made of many lines comes in pieces of a page; a shorter one is the last
MEMORY = re.compile(
    rb"^(MemTotal|MemFree|MemAvailable|Buffers|Cached|SReclaimable|SwapTotal|SwapFree): +(\d+)", re.MULTILINE
)


class OpenFile:
    """A file of /proc or /sys that is read again and again. Any thread may read."""

    def __init__(self, path: str) -> None:
        try:
            self._descriptor: int | None = os.open(path, os.O_RDONLY)
        except OSError:
            self._descriptor = None

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def read(self) -> bytes:
        """Return what it says now; nothing where the kernel has no such file."""
        if self._descriptor is None:
            return b""
        pieces: list[bytes] = []
        try:
            while not pieces or len(pieces[-1]) >= PAGE_BYTES:
                pieces.append(os.pread(self._descriptor, 1 << 17, sum(map(len, pieces))))
        except OSError:
            return b""
        return b"".join(pieces)


class DiskCount(NamedTuple):
    """What a block device did since it is there."""

    read_bytes: int
    written_bytes: int
    busy_ms: int


def core_ticks(stat: bytes) -> list[CoreTicks]:
    """Return the time of each core that is online, of what /proc/stat says."""
    lines = takewhile(lambda line: line.startswith(b"cpu"), stat.split(b"\n")[1:])
    return [tuple(map(int, line.split()[1 : CORE_FIELDS + 1])) for line in lines]


def disk_counts(diskstats: bytes) -> dict[str, DiskCount]:
    """Return what each disk and each part of one did by its name, of what /proc/diskstats says."""
    fields = (line.split() for line in diskstats.splitlines())
    return {
        field[2].decode(): DiskCount(int(field[5]) * SECTOR_BYTES, int(field[9]) * SECTOR_BYTES, int(field[12]))
        for field in fields
        if len(field) > 12 and (field[3] != b"0" or field[7] != b"0")
    }


def card_counts(dev: bytes) -> dict[str, tuple[int, int]]:
    """Return bytes received and sent by each network interface but loopback, of what /proc/net/dev says."""
    found: dict[str, tuple[int, int]] = {}
    for line in dev.splitlines()[2:]:
        name, _, rest = line.partition(b":")
        field = rest.split()
        if len(field) > 8 and name.strip() != b"lo":
            found[name.strip().decode()] = (int(field[0]), int(field[8]))
    return found


def memory_bytes(meminfo: bytes) -> dict[str, int]:
    """Return the sizes that count, by the kernel's names, of what /proc/meminfo says."""
    return {name.decode(): int(kibibytes) * 1024 for name, kibibytes in MEMORY.findall(meminfo)}


def pressure_percent(pressure: bytes) -> float | None:
    """Return the share of the last 10 s in which some task waited, 0..100, of /proc/pressure; None if none."""
    found = re.match(rb"some avg10=([\d.]+)", pressure)
    return float(found[1]) if found else None


def uptime_s(uptime: bytes) -> float | None:
    """Return seconds since boot, of what /proc/uptime says."""
    found = uptime.split()
    return float(found[0]) if found else None
