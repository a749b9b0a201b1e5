"""JobContext: what a job's function is given: where it works, how it tells its progress, when it must stop."""

import resource
import threading
from pathlib import Path

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import Cancelled
from lemnis.engine.jobs.states import JobState
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

WRITE_EVERY_S = 0.4


class JobContext:
    """One job while it runs."""

    def __init__(self, store: Store, job_id: int, *, epoch: int, cores: int) -> None:
        self.store, self.job_id, self.epoch, self.cores = store, job_id, epoch, cores
        self.stop = threading.Event()
        self.stop_reason = "cancelled"
        self.kept = ""  # what it goes on from when it is stopped to make room: "round 140"
        self.stop_state: JobState = "cancelled"  # what a job becomes that stops without having been asked by a person
        self._written_at = -WRITE_EVERY_S

    @classmethod
    def for_test(cls, store: Store, *, kind: str = "test", cores: int = 1) -> "JobContext":
        """Return the context of a job that is recorded as running in this very process."""
        with store.write() as db:
            row = {
                "kind": kind,
                "title": kind,
                "arguments": "{}",
                "state": "running",
                "epoch": 1,
                "created_at": now_ms(),
            }
            job_id = db.table("jobs").insert(row).last_pk
        context = cls(store, int(str(job_id)), epoch=1, cores=cores)
        context.directory.mkdir(parents=True, exist_ok=True)
        return context

    @property
    def workspace(self) -> Workspace:
        return self.store.workspace

    @property
    def directory(self) -> Path:
        """The job's own folder, for its log and its files."""
        return self.workspace.job_dir(self.job_id)

    def cancelled(self) -> bool:
        """Say whether the job was asked to stop."""
        return self.stop.is_set()

    def progress(self, share: float | None, text: str, *, peak_bytes: int = 0) -> None:
        """Tell how far the job is; written a few times a second at most, so call it as often as you like.

        Args:
            share: 0 to 1, or None when the end is not known.
            text: What it does now, for people.
            peak_bytes: Memory that processes of the job have used besides this one.

        Raises:
            Cancelled: The job was asked to stop; let it pass.
        """
        if self.stop.is_set():
            raise Cancelled(self.stop_reason)
        if monotonic_s() - self._written_at < WRITE_EVERY_S:
            return
        self._written_at = monotonic_s()
        peak = max(peak_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        with self.store.write() as db:
            db.execute(
                """update jobs set progress = ?, progress_text = ?, progress_n = progress_n + 1, peak_bytes = ?
                   where id = ? and epoch = ? and state = 'running'""",
                [share, text, peak, self.job_id, self.epoch],
            )
