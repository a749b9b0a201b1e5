"""Jobs: work that is queued, admitted, done in processes of its own, and seen to its end."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.jobs import queue
from lemnis.engine.jobs.processes import (
    Identity,
    identity_of,
    last_line,
    lock_is_held,
    send_signal,
    start_process,
    tail,
)
from lemnis.engine.jobs.records import Admission, Allocation, Job, JobEvent, Service, SupervisorStatus, Terms
from lemnis.engine.jobs.states import JobState
from lemnis.engine.store import Store

__all__ = [
    "Admission",
    "Allocation",
    "Job",
    "JobEvent",
    "JobFailed",
    "JobsRoom",
    "Service",
    "SupervisorStatus",
    "Terms",
]

SUPERVISOR_LOCK = "supervisor.lock"
START_S = 10.0
POLL_S = 0.1
PROJECT = "LEMNIS_PROJECT"  # of the environment: whose share the jobs count against that are queued from it
ITS_OWN = Terms()


class JobFailed(LemnisError):
    """A job that somebody waited for did not finish; the problem is the job's reason."""

    code = "job_failed"


class JobsRoom:
    """The queue, the services and the supervisor of one workspace."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def submit(
        self,
        kind: str,
        title: str,
        arguments: dict[str, Any],
        *,
        cores: float = 1,
        memory_bytes: int = 0,
        gpu: float = 0.0,
        priority: int = 50,
        run_id: int | None = None,
        executor: str = "local",
        host_id: int | None = None,
        terms: Terms = ITS_OWN,
    ) -> int:
        """Queue a job and return its id; the supervisor starts it when it fits.

        Args:
            kind: A key of `kinds.KINDS`.
            title: What it is, for people.
            arguments: The kind's own, as JSON values (hence Any).
            cores: What it holds while it is live; also its thread count.
            memory_bytes: What it is expected to need, 0 for little.
            gpu: Share of a GPU, 0 to 1, or whole GPUs.
            priority: Higher goes first; 50 is usual.
            run_id: The run it trains, whose state then follows the job's.
            executor: Where its work is done: local, or dask for the cluster.
            host_id: The job in whose process it is done; None for a process of its own.
            terms: How it stands to the others; without a project the environment's LEMNIS_PROJECT counts.
        """
        return queue.submit(
            self.store,
            {
                "kind": kind,
                "title": title,
                "arguments": msgspec.json.encode(arguments).decode(),
                "cores": cores,
                "memory_bytes": memory_bytes,
                "gpu": gpu,
                "priority": priority,
                "run_id": run_id,
                "executor": executor,
                "host_id": host_id,
                "submitted_by": terms.user or user_name(),
                "project": terms.project or os.environ.get(PROJECT, ""),
                "preemptible": int(terms.preemptible),
                "limited": int(terms.limited),
                "gang": terms.gang,
                "gang_size": terms.gang_size,
                "created_at": now_ms(),
            },
        )

    def job(self, job_id: int) -> Job:
        """Return one job, or raise NotFound."""
        return queue.get(self.store, job_id)

    def jobs(self, *, states: tuple[JobState, ...] = (), limit: int = 200) -> list[Job]:
        """Return jobs: running, then waiting in their order, then the newest ended."""
        return queue.listed(self.store, states=states, limit=limit)

    def cancel(self, job_id: int) -> Job:
        """Ask a job to stop; see `queue.ask_cancel`."""
        job = queue.ask_cancel(self.store, job_id)
        if job.identity is not None:
            send_signal(job.identity, signal.SIGTERM)
        return job

    def prioritise(self, job_id: int, priority: int) -> Job:
        """Give a job another place in line; see `queue.prioritise`."""
        return queue.prioritise(self.store, job_id, priority, user_name())

    def admissions(self, job_id: int) -> list[Admission]:
        """Return every start of a job: what it was given, why it was admitted, and how it ended."""
        self.job(job_id)
        return queue.admissions(self.store, job_id)

    def events(self, job_id: int) -> list[JobEvent]:
        """Return what people did to a job's place in line."""
        return queue.events(self.store, job_id)

    def retry(self, job_id: int) -> Job:
        """Queue an ended job again; see `queue.retry`."""
        return queue.retry(self.store, job_id)

    def log(self, job_id: int, limit_bytes: int = 65_536) -> str:
        """Return the end of a job's log."""
        self.job(job_id)
        return tail(self.store.workspace.job_dir(job_id) / "log", limit_bytes)

    def wait(self, job_id: int, on_progress: Callable[[Job], None] | None = None) -> Job:
        """Block until a job has ended and return it.

        Args:
            job_id: The job.
            on_progress: Called whenever the job has moved.

        Raises:
            JobFailed: It ended other than finished.
        """
        self.ensure_supervisor()
        seen = (-1, "")
        while True:
            job = self.job(job_id)
            if on_progress is not None and (job.progress_n, job.why) != seen:
                seen = (job.progress_n, job.why)
                on_progress(job)
            if job.state == "finished":
                return job
            if job.ended:
                raise JobFailed(
                    f"{job.title} is {job.state}: {job.why}", f"Read `lemnis jobs logs {job_id}`.", f"job {job_id}"
                )
            time.sleep(POLL_S)

    def services(self) -> list[Service]:
        """Return every declared service."""
        from lemnis.engine.jobs import services

        return services.listed(self.store)

    def declare_service(self, name: str, module: str, arguments: list[str]) -> None:
        """Ask the supervisor to keep `python -m module arguments…` up; again, to revive a failed one."""
        from lemnis.engine.jobs import services

        services.declare(self.store, name, module, arguments)

    def withdraw_service(self, name: str) -> None:
        """Ask the supervisor to stop a service."""
        from lemnis.engine.jobs import services

        services.withdraw(self.store, name)

    def service_log(self, name: str, limit_bytes: int = 65_536) -> str:
        """Return the end of a service's log."""
        return tail(self.store.workspace.service_dir(name) / "log", limit_bytes)

    def status(self) -> SupervisorStatus:
        """Say whether the supervisor runs; asks the kernel, not a row."""
        identity = self._supervisor()
        return SupervisorStatus(state="up" if identity else "down", pid=identity.pid if identity else None)

    def ensure_supervisor(self) -> SupervisorStatus:
        """Start the supervisor, detached from this terminal, unless it runs; return once it does.

        Raises:
            Unavailable: It did not come up.
        """
        if self._supervisor() is None:
            workspace = self.store.workspace
            log = workspace.hidden / "supervisor.log"
            child = start_process(
                "lemnis.engine.jobs.supervisor", ["--workspace", str(workspace.root)], cwd=workspace.root, log=log
            )
            deadline = monotonic_s() + START_S
            while self._supervisor() is None:
                if monotonic_s() > deadline or (child.poll() or 0) != 0:
                    raise Unavailable(
                        f"The supervisor did not start: {last_line(log) or 'no last words'}.",
                        "Run `lemnis doctor`.",
                        str(log),
                    )
                time.sleep(0.02)
            child.returncode = 0  # it outlives this process on purpose; no warning when the object goes
        return self.status()

    def stop_supervisor(self, timeout_s: float = 20.0) -> bool:
        """Stop the supervisor and the services; running jobs go on. Return whether one was running."""
        identity = self._supervisor()
        if identity is None:
            return False
        send_signal(identity, signal.SIGTERM)
        deadline = monotonic_s() + timeout_s
        while self._supervisor() is not None:
            if monotonic_s() > deadline:
                send_signal(identity, signal.SIGKILL)
            time.sleep(0.05)
        return True

    def _supervisor(self) -> Identity | None:
        path = self.store.workspace.hidden / SUPERVISOR_LOCK
        if not lock_is_held(path):
            return None
        with suppress(OSError, ValueError):
            return identity_of(int(path.read_text()))
        return None


def user_name() -> str:
    """Return who is at work, as the system knows them."""
    import getpass  # with what asks for passwords

    with suppress(OSError, KeyError):
        return getpass.getuser()
    return ""
