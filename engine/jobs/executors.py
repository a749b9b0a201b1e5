"""Where a job's worker runs: a process of this machine, or a thread of the job that hosts it."""

import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from msgspec import Struct

from lemnis.engine.clock import monotonic_s
from lemnis.engine.jobs.processes import is_alive, last_line, lock_is_held, send_signal, start_process
from lemnis.engine.jobs.records import Job
from lemnis.engine.workspace import Workspace

START_S = 30.0  # how long a worker may take to claim its job
HOSTED_S = 3.0  # how long one that is hosted may be without its lock
NOTHING: Mapping[str, str] = {}
CANCEL_S = 30.0  # how long an asked worker may take to stop


class Death(Struct, frozen=True):
    """How a worker ended that could not record it: `failed` when it was its own fault, `lost` when it was not."""

    state: Literal["failed", "lost"]
    why: str


class Executor(Protocol):
    """Starts workers and tells what became of them."""

    def start(self, job: Job, environment: Mapping[str, str] = NOTHING) -> None:
        """Start a worker for a claimed job, with more variables; return at once."""
        ...

    def death(self, job: Job) -> Death | None:
        """Return how the job's worker died, or None while it lives."""
        ...

    def stop(self, job: Job) -> None:
        """Ask the worker to stop; kill its group when it does not within CANCEL_S."""
        ...

    def make_room(self, job: Job) -> None:
        """Ask the worker once to stop at its next checkpoint; it takes the time that it needs."""
        ...

    def leaving(self, job: Job) -> bool:
        """Say whether the process of the job's last start is still there, though the job waits again."""
        ...

    def forget(self, live: list[Job]) -> None:
        """Let go of every worker but those of the live jobs; what has ended is reaped."""
        ...


class LocalExecutor:
    """Workers are processes of this machine, each in a session of its own; `clock` is what they are waited for by."""

    def __init__(self, workspace: Workspace, clock: Callable[[], float] = monotonic_s) -> None:
        self.workspace, self._clock = workspace, clock
        self._children: dict[tuple[int, int], subprocess.Popen[bytes]] = {}
        self._first_seen: dict[tuple[int, int], float] = {}
        self._asked: dict[tuple[int, int], float] = {}
        self._yielding: set[tuple[int, int]] = set()

    def start(self, job: Job, environment: Mapping[str, str] = NOTHING) -> None:
        folder = self.workspace.job_dir(job.id)
        arguments = ["--workspace", str(self.workspace.root), "--job", str(job.id), "--epoch", str(job.epoch)]
        self._children[job.id, job.epoch] = start_process(
            "lemnis.engine.jobs.worker",
            arguments,
            cwd=self.workspace.root,
            log=folder / "log",
            threads=max(1, int(job.allocation.cores)),
            environment=dict(environment),
        )

    def death(self, job: Job) -> Death | None:
        key = (job.id, job.epoch)
        child = self._children.get(key)
        code = child.poll() if child else None
        folder = self.workspace.job_dir(job.id)
        if code is not None:
            del self._children[key]
            return ended(code, last_line(folder / "log"))
        if lock_is_held(folder / "alive.lock"):
            return None
        starting = child is not None or job.identity is None or is_alive(job.identity)
        if starting and self._waited(key) < START_S:
            return None
        pid = f" {job.identity.pid}" if job.identity else ""
        return Death("lost", f"its process{pid} is gone without a word: killed, crashed, or out of memory")

    def stop(self, job: Job) -> None:
        key, now = (job.id, job.epoch), self._clock()
        if job.identity is None:
            return
        if key not in self._asked:
            self._asked[key] = now
            send_signal(job.identity, signal.SIGTERM)
        elif now - self._asked[key] > CANCEL_S:
            send_signal(job.identity, signal.SIGKILL, group=True)

    def make_room(self, job: Job) -> None:
        key = (job.id, job.epoch)
        if job.identity is not None and key not in self._yielding:
            self._yielding.add(key)
            send_signal(job.identity, signal.SIGTERM)

    def leaving(self, job: Job) -> bool:
        return lock_is_held(self.workspace.job_dir(job.id) / "alive.lock")

    def forget(self, live: list[Job]) -> None:
        kept = {(job.id, job.epoch) for job in live}
        for key, child in list(self._children.items()):
            if key not in kept and child.poll() is not None:
                del self._children[key]
                self._first_seen.pop(key, None)
                self._asked.pop(key, None)
        self._yielding &= kept

    def _waited(self, key: tuple[int, int]) -> float:
        return self._clock() - self._first_seen.setdefault(key, self._clock())


class HostedExecutor:
    """Workers are threads of another job's process: of a sweep's, whose trials are trained on a cluster.

    That job claims them, starts them, and sees for itself which are to stop.
    """

    def __init__(self, workspace: Workspace, clock: Callable[[], float] = monotonic_s) -> None:
        self.workspace, self._clock = workspace, clock
        self._missed: dict[tuple[int, int], float] = {}

    def start(self, job: Job, environment: Mapping[str, str] = NOTHING) -> None:
        """Nothing: one that is claimed here gets a process of its own."""

    def death(self, job: Job) -> Death | None:
        key = (job.id, job.epoch)
        if lock_is_held(self.workspace.job_dir(job.id) / "alive.lock"):
            self._missed.pop(key, None)
            return None
        # It takes the lock a moment after it has claimed its row.
        if self._clock() - self._missed.setdefault(key, self._clock()) < HOSTED_S:
            return None
        del self._missed[key]
        return Death("lost", f"the process that did it, of job {job.host_id}, is gone")

    def stop(self, job: Job) -> None:
        """Nothing: its row says so already."""

    def make_room(self, job: Job) -> None:
        """Nothing: one that is hosted is not preempted."""

    def leaving(self, job: Job) -> bool:
        """Say that nothing is left of it: a thread lets go of the lock before its job can wait again."""
        return False

    def forget(self, live: list[Job]) -> None:
        """Nothing: it holds no process."""


def ended(code: int, said: str) -> Death:
    """Return in words how a worker process ended that left no record of its own."""
    said = f"; its last words: {said}" if said else ""
    if code == -signal.SIGKILL:
        return Death("lost", "its process was killed (SIGKILL): by hand, or by the system for want of memory")
    if code < 0:
        return Death("failed", f"its process crashed with {signal.Signals(-code).name}{said}")
    return Death("failed", f"its process ended with status {code} and recorded nothing{said}")
