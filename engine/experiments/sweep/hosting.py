"""Trials on a cluster: each is a thread of the job that drives the sweep, and waits there for its task of Dask."""

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOBase
from pathlib import Path
from typing import IO, Any

from lemnis.engine.cluster import ClusterGone
from lemnis.engine.errors import Cancelled
from lemnis.engine.experiments.remote import open_site
from lemnis.engine.experiments.remote.site import Site
from lemnis.engine.experiments.sweep.records import Trial
from lemnis.engine.experiments.train import train
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.processes import hold_lock
from lemnis.engine.jobs.worker import run

LEAVE_S = 20.0  # how long trials have to stop when the sweep's process leaves


class Host:
    """The trials that this process trains on a cluster. What it begins here it also sees to its end, or gives up."""

    def __init__(self, context: JobContext, on_event: Callable[[str], None], site: Site | None = None) -> None:
        """Connect.

        Args:
            context: Of the job that drives the sweep.
            on_event: Is told what becomes of workers.
            site: The cluster, if it is connected already.
        """
        self.context, self.store = context, context.store
        self.site = site or open_site(context.workspace)
        self.site.on_event = on_event
        self._trials: dict[int, tuple[JobContext, threading.Thread]] = {}
        self._logs = Logs()

    def tend(self, trials: Sequence[Trial]) -> None:
        """Begin the trials that wait, and stop those that are to stop.

        Raises:
            ClusterGone: The scheduler has gone; its trials are lost and can begin again.
        """
        self.site.cluster.check()
        for job_id, (_, thread) in list(self._trials.items()):
            if not thread.is_alive():
                del self._trials[job_id]
        for trial in trials:
            if trial.job_id is None:
                continue
            if trial.job_id in self._trials:
                if trial.stopping:
                    self._trials[trial.job_id][0].stop.set()
            elif trial.run_state == "queued" and trial.hosted:
                self.begin(trial.job_id)

    def begin(self, job_id: int) -> None:
        """Claim a trial's job and do it in a thread."""
        job = queue.claim(self.store, job_id, self.context.job_id)
        if job is None:
            return
        context = JobContext(self.store, job.id, epoch=job.epoch, cores=1)
        alive = hold_lock(context.directory / "alive.lock")
        if alive is None or not queue.register(self.store, job.id, job.epoch, None):
            return
        thread = threading.Thread(target=self.carry, args=(context, alive), name=f"job {job_id}", daemon=True)
        self._trials[job_id] = context, thread
        thread.start()

    def carry(self, context: JobContext, alive: IO[bytes]) -> None:
        """Do one trial to its end; a thread of its own."""
        try:
            with self._logs.into(context.directory / "log"):
                run(context, lambda context, arguments: self.train(context, arguments))
        finally:
            alive.close()
            self.store.close()

    def train(self, context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
        """Train a trial's run; what only the scheduler's end has ended is lost, and can begin again. Any: JSON."""
        try:
            return train(context, arguments, self.site)
        except ClusterGone as gone:
            context.stop_state = "lost"
            raise Cancelled(gone.problem) from None

    def close(self, why: str) -> None:
        """Give up what is in training, so that it can begin again, and leave the cluster."""
        for context, _ in self._trials.values():
            context.stop_state, context.stop_reason = "lost", why
            context.stop.set()
        for _, thread in self._trials.values():
            thread.join(LEAVE_S)
        self.site.cluster.close()
        self._logs.close()


class Logs(TextIOBase):
    """The standard output, which for some threads is a file of their own."""

    def __init__(self) -> None:
        self._usual, self._own = sys.stdout, threading.local()
        sys.stdout = self

    def into(self, path: Path) -> "Log":
        """Return a block in which this thread's output goes to a file."""
        return Log(self._own, path)

    def write(self, text: str) -> int:
        """Write to this thread's file."""
        return self._file().write(text)

    def flush(self) -> None:
        """Flush this thread's file."""
        with suppress(ValueError):  # closed
            self._file().flush()

    def close(self) -> None:
        """Give the standard output back."""
        if sys.stdout is self:
            sys.stdout = self._usual

    def _file(self) -> Any:  # Any: a text file, or what stood for the standard output before
        return getattr(self._own, "file", None) or self._usual


class Log:
    """A block in which one thread's output goes to a file."""

    def __init__(self, own: threading.local, path: Path) -> None:
        self._own, self._path = own, path

    def __enter__(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own.file = open(self._path, "a", encoding="utf-8", errors="replace")  # until __exit__

    def __exit__(self, *_error: object) -> None:
        file, self._own.file = self._own.file, None
        file.close()
