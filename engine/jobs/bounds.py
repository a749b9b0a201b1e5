"""What keeps a job to its allocation: processors it is bound to, and a watch on its memory and its GPU memory."""

import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from lemnis.engine.jobs import queue
from lemnis.engine.jobs.processes import is_alive, send_signal
from lemnis.engine.jobs.records import Job
from lemnis.engine.resources.capacity import gpu_report
from lemnis.engine.resources.gpu_shares import mps_runs
from lemnis.engine.resources.records import GpuReport
from lemnis.engine.store import Store
from lemnis.engine.text import safe

GIB = 2**30
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ENDED_FIRST = "500"  # of 1000: where memory runs out for the whole machine, the kernel ends a job and no server


class Excess(Struct, frozen=True):
    """Memory that a job took beyond what it was given, in bytes; `what` is its name for people."""

    used: int
    given: int
    what: str = ""


class MemoryWatch:
    """Ends jobs that take more than the memory that was declared for them; looks a few times a second.

    It is a watchdog: between two looks a job can take more than its bound. It needs no right that a user has not.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._watched: list[Job] = []

    def follow(self, live: Iterable[Job]) -> None:
        """Watch those of the live jobs whose memory or part of a GPU is bounded."""
        self._watched = [job for job in live if job.identity is not None and (bounded(job) or parts_gpu(job))]

    def look(self) -> None:
        """End each job that has taken more than its bound, with a reason that says what to change."""
        if not self._watched:
            return
        report = gpu_report(self.store) if any(map(parts_gpu, self._watched)) else GpuReport(at=0)
        for job in list(self._watched):
            excess = memory_excess(job) or gpu_excess(job, report)
            if excess is not None and job.identity is not None:
                self._watched.remove(job)
                if self._end(job, excess):
                    send_signal(job.identity, signal.SIGKILL, group=True)

    def _end(self, job: Job, excess: Excess) -> bool:
        """Record that a job ran out of memory; False when it has ended already."""
        now = queue.get(self.store, job.id)  # what it does now; the one that is watched may be a second old
        peak = 0 if excess.what else excess.used
        with self.store.write() as db:
            if not queue.end(self.store, job.id, job.epoch, "failed", reason(now, excess)):
                return False
            db.execute("update jobs set peak_bytes = max(coalesce(peak_bytes, 0), ?) where id = ?", [peak, job.id])
        return True


def bounded(job: Job) -> bool:
    """Say whether a job's memory is a bound."""
    return job.terms.limited and job.allocation.memory_bytes > 0


def parts_gpu(job: Job) -> bool:
    """Say whether a job has a part of a GPU that nothing but a watch keeps it to."""
    return 0 < job.allocation.gpu < 1 and not mps_runs()


def memory_excess(job: Job) -> Excess | None:
    """Return by how much a job and all it started exceed its memory; None if they don't, or are gone."""
    if not bounded(job) or job.identity is None or not is_alive(job.identity):
        return None
    given, pids = job.allocation.memory_bytes, family(job.identity.pid)
    if sum(map(resident_bytes, pids)) <= given:
        return None
    used = sum(map(proportional_bytes, pids))  # what processes share counts once; dearer to ask for
    return Excess(used, given) if used > given else None


def gpu_excess(job: Job, report: GpuReport) -> Excess | None:
    """Return by how much a job exceeds its part of a GPU's memory, as the driver's process saw it last."""
    if not parts_gpu(job) or job.identity is None:
        return None
    pids = set(family(job.identity.pid))
    for gpu in report.devices:
        used = sum(one.memory_bytes or 0 for one in gpu.processes if one.pid in pids)
        given = int((gpu.memory_total_bytes or 0) * job.allocation.gpu)
        if given and used > given:
            return Excess(used, given, f" on GPU {gpu.index}")
    return None


def reason(job: Job, excess: Excess) -> str:
    """Return why a job was ended: how much it took, what it was doing, and what to write to give it more."""
    doing = f" at {safe(job.progress_text, limit=80)!r}" if job.progress_text else ""
    took = f"ran out of its {size(excess.given)}{excess.what}: {size(excess.used)} in use{doing}"
    if excess.what:
        return f"{took}; ask for a larger part of a GPU, or fewer rows"
    more = -(-max(2 * excess.given, excess.used * 3 // 2) // (GIB // 2)) / 2
    return f'{took}; try memory = "{more:g}GiB"'


def size(count: int) -> str:
    """Return bytes for people."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"


def family(pid: int) -> list[int]:
    """Return a process and all that it started and that still runs."""
    found, todo = list[int](), [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        with suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                todo += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return found


def resident_bytes(pid: int) -> int:
    """Return what a process has in memory, shared pages included; 0 when it is gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    return 0


def proportional_bytes(pid: int) -> int:
    """Return what a process has in memory, each shared page divided among those who share it; 0 when it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return resident_bytes(pid)


def chosen_cpus(count: int, usable: Sequence[int], held: Iterable[int], busy: Mapping[int, float]) -> tuple[int, ...]:
    """Return the processors to bind a job to: those that no lease holds, the least busy first; none to leave it free.

    Args:
        count: How many cores it has; a part of one can't be bound.
        usable: What this process may use.
        held: What leases hold.
        busy: Percent by processor, as far as it is known.
    """
    free = sorted(set(usable) - set(held), key=lambda cpu: (busy.get(cpu, 0.0), cpu))
    if not 0 < count < len(usable) or count > len(free):
        return ()
    return tuple(sorted(free[:count]))


def bind(cpus: Sequence[int]) -> None:
    """Bind this process, and all it will start, to processors; where the system refuses, it stays free."""
    if cpus:
        with suppress(OSError):
            os.sched_setaffinity(0, cpus)


def stand_back() -> None:
    """Let the kernel end this process before the console, the servers and the supervisor when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(ENDED_FIRST)
