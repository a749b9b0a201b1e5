"""What the jobs room tells: jobs, services and the supervisor, as frozen records."""

from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.jobs.processes import Identity
from lemnis.engine.jobs.states import ENDED, JobState, ServiceState
from lemnis.engine.store import Row


class Allocation(Struct, frozen=True, kw_only=True):
    """What a job holds while it is live and asks for while it waits."""

    cores: float
    memory_bytes: int
    gpu: float


class Job(Struct, frozen=True, kw_only=True):
    """One piece of work that ends."""

    id: int
    kind: str
    title: str
    arguments: dict[str, Any]  # Any: each kind's own arguments, as JSON
    state: JobState
    why: str
    run_id: int | None
    executor: str  # where its work is done: local, dask
    host_id: int | None  # the job in whose process this one is done
    epoch: int
    pid: int | None
    identity: Identity | None
    progress: float | None  # 0..1
    progress_text: str
    progress_n: int
    allocation: Allocation
    priority: int
    cancel_asked: bool
    attempts: int
    peak_bytes: int | None
    result: dict[str, Any] | None  # Any: each kind's own result, as JSON
    submitted_by: str
    created_at: int
    started_at: int | None
    ended_at: int | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Service(Struct, frozen=True, kw_only=True):
    """One process that must stay up."""

    name: str
    module: str
    arguments: list[str]
    wanted: str
    state: ServiceState
    why: str
    identity: Identity | None
    url: str
    restarts: int
    started_at: int | None
    updated_at: int


class SupervisorStatus(Struct, frozen=True, kw_only=True):
    """Whether the supervisor of this workspace runs, and as which process."""

    state: str  # up, down
    pid: int | None


def identity_in(row: Row) -> Identity | None:
    """Return the process a row names, or None when it names none."""
    if row["pid"] is None or row["started_ticks"] is None:
        return None
    return Identity(row["pid"], row["started_ticks"], row["boot_id"] or "")


def job_in(row: Row) -> Job:
    """Return the job of one row of `jobs`."""
    return Job(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        arguments=msgspec.json.decode(row["arguments"]),
        state=row["state"],
        why=row["why"],
        run_id=row["run_id"],
        executor=row["executor"],
        host_id=row["host_id"],
        epoch=row["epoch"],
        pid=row["pid"],
        identity=identity_in(row),
        progress=row["progress"],
        progress_text=row["progress_text"],
        progress_n=row["progress_n"],
        allocation=Allocation(cores=row["cores"], memory_bytes=row["memory_bytes"], gpu=row["gpu"]),
        priority=row["priority"],
        cancel_asked=bool(row["cancel_asked"]),
        attempts=row["attempts"],
        peak_bytes=row["peak_bytes"],
        result=msgspec.json.decode(row["result"]) if row["result"] else None,
        submitted_by=row["submitted_by"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def service_in(row: Row) -> Service:
    """Return the service of one row of `services`."""
    return Service(
        name=row["name"],
        module=row["module"],
        arguments=msgspec.json.decode(row["arguments"], type=list[str]),
        wanted=row["wanted"],
        state=row["state"],
        why=row["why"],
        identity=identity_in(row),
        url=row["url"],
        restarts=row["restarts"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
    )
