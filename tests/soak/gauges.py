"""What a process holds, as the kernel counts it: memory, threads and descriptors."""

# pyright: basic

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
OF_PROCESS = re.compile(r"/proc/\d+/stat")


@dataclass(frozen=True)
class Sample:
    """One look at a process.

    Attributes:
        at_s: When, since the walk began.
        pss: Memory in bytes, what is shared counted in part.
        uss: Memory in bytes that nobody else has: what it wrote, not a library's pages that nobody else happens to map.
        threads: How many.
        descriptors: How many are open.
        tasks: Tasks of its event loop.
        widgets: Widgets that the garbage collector looks at: none that were there when it last froze what it had.
        keys_ms: From keys to the first output after each.
    """

    at_s: float
    pss: int
    uss: int
    threads: int
    descriptors: int
    tasks: int
    widgets: int
    keys_ms: tuple[float, ...]


def memory(pid: int) -> tuple[int, int]:
    """Return the proportional and the private memory of a process, in bytes.

    The pages of a file that were read alone are not its own: DuckDB's 30 MiB are private or shared, from one moment to
    the next, as a worker of somebody's ends or begins.
    """
    kept: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        kept[name] = int(value) * KIB
    return kept["Pss:"], kept["Private_Dirty:"]


def threads(pid: int) -> int:
    """Return how many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def busy(pid: int) -> bool:
    """Say whether a thread of a process runs, waits for a processor, or waits for a disk."""
    return any(state(pid, thread) in "RD" for thread in os.listdir(f"/proc/{pid}/task"))


def state(pid: int, thread: str) -> str:
    """Return the kernel's letter for what a thread does; S, it sleeps, for one that has ended."""
    try:
        return Path(f"/proc/{pid}/task/{thread}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "S"


def descriptors(pid: int) -> int:
    """Return how many files, pipes and sockets a process has open, but for what it reads of other processes.

    Resources keeps one file a process of the machine: of those there are more when others work on it.
    """
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            count += not OF_PROCESS.match(os.readlink(f"/proc/{pid}/fd/{name}"))
    return count
