"""The process table, read from /proc: a tenth of psutil's cost, for a thousand processes too."""

import os
import pwd
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources.records import Process, ProcessTable

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
COMMAND_LIMIT = 300
KERNEL_THREADS = 2  # parent of all of them; they use no memory and belong to nobody


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


class ProcessReader:
    """Reads one ProcessTable after another; CPU shares are over the time between two readings."""

    def __init__(self) -> None:
        self._ticks: dict[tuple[int, int], int] = {}
        self._at_s = 0.0
        self._said: dict[tuple[int, int, str], tuple[str, str]] = {}  # user and command line

    def read(self, keep: set[int], *, top: int | None = 15) -> ProcessTable:
        """Return the `top` busiest and the `top` largest processes, and `keep` with all their descendants.

        The ancestors of each come with it, so that a tree of them has no holes; without `top` all processes come.
        """
        at_s, table = monotonic_s(), read_table()
        seconds = at_s - self._at_s
        busy: dict[int, float] = {}
        if self._ticks and seconds > 0:
            for one in table.values():
                # A process that was not there before spent all its ticks since then.
                spent = one.ticks - self._ticks.get((one.pid, one.started_ticks), 0)
                busy[one.pid] = 100 * max(0, spent) / TICKS_PER_S / seconds
        self._ticks = {(one.pid, one.started_ticks): one.ticks for one in table.values()}
        self._at_s = at_s
        people = [one for one in table.values() if KERNEL_THREADS not in (one.pid, one.parent)]
        if top is None:
            chosen = people
        else:
            by_cpu = sorted(people, key=lambda one: -busy.get(one.pid, 0.0))[:top]
            by_memory = sorted(people, key=lambda one: -one.memory_bytes)[:top]
            ours = [one for one in people if keep.intersection(pid for pid, _ in line_of(one, table))]
            wanted = {pid for one in (*by_cpu, *by_memory, *ours) for pid, _ in line_of(one, table)}
            chosen = [one for one in people if one.pid in wanted]
        said, self._said = self._said, {}
        rows: list[Process] = []
        for one in chosen:
            key = (one.pid, one.started_ticks, one.name)  # the name tells a program from what it replaced
            self._said[key] = said.get(key) or said_of(one)
            rows.append(process_of(one, table, busy.get(one.pid), self._said[key]))
        return ProcessTable(
            at=now_ms(),
            total=len(table),
            running=sum(1 for one in table.values() if one.state == "R"),
            threads=sum(one.threads for one in people),
            rows=sorted(rows, key=lambda row: (-(row.cpu_percent or 0.0), -(row.memory_bytes or 0))),
        )


def read_table(proc: Path = Path("/proc")) -> dict[int, Stat]:
    """Return every process by pid; one that ends while it is read is left out."""
    table: dict[int, Stat] = {}
    for name in os.listdir(proc):
        if name.isdigit():
            try:
                descriptor = os.open(f"{proc}/{name}/stat", os.O_RDONLY)
            except OSError:
                continue
            try:
                content = os.read(descriptor, 2048)
            except OSError:
                continue
            finally:
                os.close(descriptor)
            table[int(name)] = parse_stat(content)
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


def process_of(one: Stat, table: dict[int, Stat], cpu_percent: float | None, said: tuple[str, str]) -> Process:
    """Return the record of one process, with its user and command line as `said_of` returns them."""
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
        line=line_of(one, table),
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
