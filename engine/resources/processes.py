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
STILL_EVERY = 3  # readings between two looks at a process that stands still
MOST_OPEN = 400  # files; a process may have 1,024 by default
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
        self._ticks: dict[tuple[int, int], tuple[int, float]] = {}  # CPU time of each, and when it was read
        self._at_s = 0.0
        self._table = OpenTable()
        self._said: dict[tuple[int, int, str], tuple[str, str]] = {}  # user and command line

    def read(self, keep: set[int], *, top: int | None = 15) -> ProcessTable:
        """Return the `top` busiest and the `top` largest processes, and `keep` with all their descendants.

        The ancestors of each come with it, so that a tree of them has no holes; without `top` all processes come.
        """
        at_s, table = monotonic_s(), self._table.read()
        busy: dict[int, float] = {}
        before, self._ticks = self._ticks, {}
        for one in table.values():
            key = (one.pid, one.started_ticks)
            # A process that was not there before spent all its ticks since then.
            ticks, read_s = before.get(key, (0, self._at_s))
            if one.pid in self._table.fresh and at_s > read_s:
                busy[one.pid] = 100 * max(0, one.ticks - ticks) / TICKS_PER_S / (at_s - read_s)
                ticks, read_s = one.ticks, at_s
            else:
                busy[one.pid] = 0.0
            self._ticks[key] = (ticks, read_s)
        if not before:
            busy = {}
        self._at_s = at_s
        people = [one for one in table.values() if KERNEL_THREADS not in (one.pid, one.parent)]
        if top is None:
            chosen = people
        else:
            by_cpu = sorted(people, key=lambda one: -busy.get(one.pid, 0.0))[:top]
            by_memory = sorted(people, key=lambda one: -one.memory_bytes)[:top]
            ours = [table[pid] for pid in descendants(keep, table)]
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
            # By whole percents: what idles stays in its place.
            rows=sorted(rows, key=lambda row: (-round(row.cpu_percent or 0.0), -(row.memory_bytes or 0))),
        )


class OpenTable:
    """Every process again and again: files stay open, and what did not change is not parsed again.

    A process that stood still from one reading to the next is looked at every third time: nearly all of them do, and
    each look costs the kernel ten microseconds.

    Attributes:
        fresh: The pids that were looked at by the last `read`.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}
        self._turn = 0
        self.fresh: set[int] = set()

    def read(self) -> dict[int, Stat]:
        """Return every process by pid; one that ends while it is read is left out."""
        before, self._kept, self.fresh = self._kept, {}, set()
        self._turn += 1
        table: dict[int, Stat] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            pid = int(name)
            known = before.pop(pid, None)
            if known is not None and known.still and pid % STILL_EVERY != self._turn % STILL_EVERY:
                self._kept[pid], table[pid] = known, known.stat
                continue
            found = look(pid, known)
            if found is None:
                continue
            self.fresh.add(pid)
            table[pid] = found.stat
            if len(self._kept) < MOST_OPEN:
                self._kept[pid] = found
            else:
                os.close(found.descriptor)
        for gone in before.values():
            os.close(gone.descriptor)
        return table

    def __del__(self) -> None:
        for one in self._kept.values():
            os.close(one.descriptor)


class Kept(NamedTuple):
    """A file that stays open, what it said last, what that means, and whether it says the same again and again."""

    descriptor: int
    content: bytes
    stat: Stat
    still: bool


def look(pid: int, known: Kept | None) -> Kept | None:
    """Return what a process says now; None when it has ended, and its file is closed."""
    try:
        # A file of a process that has ended says so, also when its number was given to another.
        descriptor = known.descriptor if known is not None else os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        content = os.pread(descriptor, 2048, 0)
    except OSError:
        os.close(descriptor)
        return None
    if known is not None and known.content == content:
        return Kept(descriptor, content, known.stat, True)
    return Kept(descriptor, content, parse_stat(content), False)


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
