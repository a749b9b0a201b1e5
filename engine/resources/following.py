"""The process table again and again: what stands still costs next to nothing, for a thousand processes too."""

import os
from heapq import nlargest

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.resources.kernel import OpenFile
from lemnis.engine.resources.processes import (
    TICKS_PER_S,
    Stat,
    content_of,
    descendants,
    line_of,
    parse_stat,
    process_of,
    said_of,
)
from lemnis.engine.resources.records import Process, ProcessTable

STILL_EVERY, KERNEL_EVERY = 3, 30  # readings between two looks at what stands still
LIST_EVERY = 10  # readings after which /proc is listed in any case
MOST_OPEN = 400  # files; a process may have 1,024 by default


class Known:
    """A process that is followed.

    Attributes:
        descriptor: Its open file; None where too many are open.
        content: What that said last.
        stat: What that means.
        at_s: When it said so; its share is over the time since it was looked at before.
        busy: Its share of one core, in percent.
        still: It said the same as the time before.
        said: Its user and command line, once they were asked for.
        row: Its record, as it was made last.
    """

    __slots__ = ("at_s", "busy", "content", "descriptor", "row", "said", "stat", "still")

    def __init__(self, descriptor: int | None, content: bytes, at_s: float) -> None:
        self.descriptor, self.content, self.at_s = descriptor, content, at_s
        self.stat = parse_stat(content)
        self.busy, self.still = 0.0, False
        self.said: tuple[str, str] | None = None
        self.row: Process | None = None

    def say(self, content: bytes, at_s: float) -> None:
        """Take what it says now."""
        self.still = content == self.content
        if self.still:
            self.busy = 0.0
        else:
            before, self.content, self.stat = self.stat, content, parse_stat(content)
            if at_s > self.at_s:
                self.busy = 100 * max(0, self.stat.ticks - before.ticks) / TICKS_PER_S / (at_s - self.at_s)
            self.row = None
            if self.stat.name != before.name:  # a name tells a program from what it replaced
                self.said = None
        self.at_s = at_s


class ProcessReader:
    """Reads one ProcessTable after another; CPU shares are over the time between two readings.

    Nearly all processes stand still, and each look costs the kernel ten microseconds: one that stood still from one
    look to the next is looked at every third reading, a thread of the kernel every thirtieth, and the names in /proc
    are listed only when something was started or has ended.
    """

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}
        self._loads = OpenFile("/proc/loadavg")
        self._lives: list[bytes] = []
        self._turn = 0
        self._at_s: float | None = None

    def __del__(self) -> None:
        for one in self._known.values():
            close(one)

    def read(self, keep: set[int], *, top: int | None = 15) -> ProcessTable:
        """Return the `top` busiest processes, the largest up to twice as many in all, and `keep` with all they started.

        The ancestors of each come with it, so that a tree of them has no holes; without `top` all processes come.
        """
        at_s, first = monotonic_s(), self._at_s is None
        self._turn += 1
        for pid, known in list(self._known.items()):
            if not known.still or pid % every(known.stat) == self._turn % every(known.stat):
                self._look(pid, known, at_s)
        if self._moved():
            self._list(at_s)
        self._at_s = at_s
        table = {pid: known.stat for pid, known in self._known.items()}
        people = [known for known in self._known.values() if not known.stat.kernel]
        chosen = people if top is None else self._chosen(people, keep, top, table)
        rows = [self._row(known, table, first=first) for known in chosen]
        return ProcessTable(
            at=now_ms(),
            total=len(table),
            running=sum(known.stat.state == "R" for known in people),
            threads=sum(known.stat.threads for known in people),
            # By whole percents: what idles stays in its place.
            rows=sorted(rows, key=lambda row: (-round(row.cpu_percent or 0.0), -(row.memory_bytes or 0))),
        )

    def _chosen(self, people: list[Known], keep: set[int], top: int, table: dict[int, Stat]) -> list[Known]:
        busiest = nlargest(top, (known for known in people if known.busy), key=lambda known: known.busy)
        largest = nlargest(2 * top - len(busiest), people, key=lambda known: known.stat.memory_bytes)
        wanted = descendants(keep, table) | {known.stat.pid for known in (*busiest, *largest)}
        wanted |= {pid for one in tuple(wanted) for pid, _ in line_of(table[one], table)}
        return [known for known in people if known.stat.pid in wanted]

    def _row(self, known: Known, table: dict[int, Stat], *, first: bool) -> Process:
        line, busy = line_of(known.stat, table), None if first else known.busy
        if known.row is None or known.row.cpu_percent != busy or known.row.line != line:
            known.said = known.said or said_of(known.stat)
            known.row = process_of(known.stat, line, busy, known.said)
        return known.row

    def _moved(self) -> bool:
        """Say whether a process was started or has ended; every tenth time it is taken for granted."""
        before, self._lives = self._lives, self._loads.read().split()[3:]  # "2/345 6789": threads, newest pid
        known = len(self._lives) == 2 and self._lives[1] != b"0"
        alike = known and before[1:] == self._lives[1:] and threads_in(before) == threads_in(self._lives)
        return not alike or self._turn % LIST_EVERY == 1

    def _list(self, at_s: float) -> None:
        """Begin to follow whom /proc names, and leave off where it names one no more."""
        before, self._known = self._known, {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                pid = int(name)
                known = before.pop(pid, None) or self._begin(pid, at_s)
                if known is not None:
                    self._known[pid] = known
        for gone in before.values():
            close(gone)

    def _begin(self, pid: int, at_s: float) -> Known | None:
        """Return a process that was not there before: it spent all its time since then."""
        try:
            descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        except OSError:
            return None
        try:
            known = Known(descriptor, os.pread(descriptor, 2048, 0), at_s)
        except OSError:
            os.close(descriptor)
            return None
        if self._at_s is not None and at_s > self._at_s:
            known.busy = 100 * known.stat.ticks / TICKS_PER_S / (at_s - self._at_s)
        if len(self._known) >= MOST_OPEN:
            close(known)
        return known

    def _look(self, pid: int, known: Known, at_s: float) -> None:
        """Take what a process says now; it is left out when it has ended."""
        try:
            if known.descriptor is not None:  # the file of a process that has ended says so, whoever has its pid now
                known.say(os.pread(known.descriptor, 2048, 0), at_s)
                return
            content = content_of(pid)
        except OSError:
            close(self._known.pop(pid))
            return
        if parse_stat(content).started_ticks == known.stat.started_ticks:
            known.say(content, at_s)
        else:
            self._known[pid] = Known(None, content, at_s)


def every(stat: Stat) -> int:
    """Return after how many readings one that stands still is looked at."""
    return KERNEL_EVERY if stat.kernel else STILL_EVERY


def threads_in(lives: list[bytes]) -> bytes:
    """Return how many threads the machine has, of what /proc/loadavg says."""
    return lives[0].partition(b"/")[2] if lives else b""


def close(known: Known) -> None:
    """Close the file of a process."""
    if known.descriptor is not None:
        os.close(known.descriptor)
        known.descriptor = None
