"""What /proc says of processes: their fields, whom they belong to, who started them."""

import os
import pwd
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lemnis.engine.resources.records import Process

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
COMMAND_LIMIT = 300
KERNEL_THREAD = 0x00200000  # a flag of the kernel's; they use no memory and belong to nobody


class Stat(NamedTuple):
    """What /proc/PID/stat says."""

    pid: int
    name: str
    state: str
    parent: int
    ticks: int  # of CPU time so far
    threads: int
    started_ticks: int  # since boot; with the pid it names the process for good
    memory_bytes: int
    nice: int = 0
    kernel: bool = False  # it is a thread of the kernel


def content_of(pid: int | str, proc: Path = Path("/proc")) -> bytes:
    """Return what a process says of itself; raises OSError when it has ended."""
    descriptor = os.open(f"{proc}/{pid}/stat", os.O_RDONLY)
    try:
        return os.read(descriptor, 2048)
    finally:
        os.close(descriptor)


def descendants(roots: set[int], table: dict[int, Stat]) -> set[int]:
    """Return those of `roots` that are there and all whom they started."""
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    found, waiting = set[int](), [pid for pid in roots if pid in table]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def read_table(proc: Path = Path("/proc")) -> dict[int, Stat]:
    """Return every process by pid; one that ends while it is read is left out."""
    table: dict[int, Stat] = {}
    for name in os.listdir(proc):
        if name.isdigit():
            with suppress(OSError):
                table[int(name)] = parse_stat(content_of(name, proc))
    return table


def parse_stat(content: bytes) -> Stat:
    """Return the fields of one /proc/PID/stat; the name may hold spaces and parentheses."""
    head, _, tail = content.rpartition(b")")
    pid, _, name = head.partition(b" (")
    field = tail.split()
    return Stat(
        pid=int(pid),
        name=name.decode("utf-8", "backslashreplace"),
        state=field[0].decode(),
        parent=int(field[1]),
        ticks=int(field[11]) + int(field[12]),
        threads=int(field[17]),
        started_ticks=int(field[19]),
        memory_bytes=int(field[21]) * PAGE_BYTES,
        nice=int(field[16]),
        kernel=bool(int(field[6]) & KERNEL_THREAD),
    )


def line_of(one: Stat, table: dict[int, Stat]) -> list[tuple[int, int]]:
    """Return (pid, start) of a process and its ancestors below init, itself first."""
    line: list[tuple[int, int]] = []
    step: Stat | None = one
    while step is not None and step.pid > 1 and len(line) < 32:
        line.append((step.pid, step.started_ticks))
        step = table.get(step.parent)
    return line


def said_of(one: Stat) -> tuple[str, str]:
    """Return user and command line of one process; the bare name where it has none or is gone."""
    user, command = "", one.name
    try:
        folder = f"/proc/{one.pid}"
        user = user_name(os.stat(folder).st_uid)
        command = command_line(one.pid)[:COMMAND_LIMIT] or f"[{one.name}]"
    except OSError:
        pass
    return user, command


def command_line(pid: int, limit: int = 4096) -> str:
    """Return the words a process was started with; empty for a zombie or a kernel thread. Raises OSError."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read(limit).rstrip(b"\0").split(b"\0")
    return b" ".join(words).decode("utf-8", "backslashreplace")


def process_of(one: Stat, line: list[tuple[int, int]], cpu_percent: float | None, said: tuple[str, str]) -> Process:
    """Return the record of one process, with its line, user and command line as `line_of` and `said_of` return them."""
    return Process(
        pid=one.pid,
        user=said[0],
        name=one.name,
        command=said[1],
        state=one.state,
        threads=one.threads,
        nice=one.nice,
        cpu_percent=cpu_percent,
        cpu_s=one.ticks / TICKS_PER_S,
        memory_bytes=one.memory_bytes,
        started_at=boot_ms() + one.started_ticks * 1000 // TICKS_PER_S,
        line=line,
    )


@lru_cache(maxsize=256)
def user_name(uid: int) -> str:
    """Return a user's name, or the number where nobody has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def own_user() -> str:
    """Return the name of the user whom this process belongs to."""
    return user_name(os.getuid())


@lru_cache(maxsize=1)
def boot_ms() -> int:
    """Return when the machine was booted, epoch ms; 0 when the kernel doesn't say."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) * 1000
    return 0
