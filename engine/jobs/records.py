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


class Terms(Struct, frozen=True, kw_only=True):
    """How a job stands to the others.

    Attributes:
        user: Who wants it; empty for the one at work.
        project: Whose share it counts against; empty for its user's.
        preemptible: It bears a stop at any moment and goes on later from what it kept.
        limited: Its memory is a bound: it is ended when it takes more.
        gang, gang_size: So many jobs of one gang start all together or not at all.
    """

    user: str = ""
    project: str = ""
    preemptible: bool = False
    limited: bool = False
    gang: str = ""
    gang_size: int = 0


class Lease(Struct, frozen=True, kw_only=True):
    """What one start of a job was given, beside its cores and memory.

    Attributes:
        account: Whose share it counts against.
        gpus: On which GPUs its share is.
        cpus: The processors it is bound to; none for all.
        borrowed: It is not within what the account is guaranteed.
        why: Why it was admitted.
    """

    account: str = ""
    gpus: tuple[str, ...] = ()
    cpus: tuple[int, ...] = ()
    borrowed: bool = False
    why: str = ""


class Admission(Struct, frozen=True, kw_only=True):
    """One start of a job, as it is on record; times in epoch ms, `ended_at` is None while it runs."""

    epoch: int
    lease: Lease
    started_at: int
    ended_at: int | None
    ended: str


class JobEvent(Struct, frozen=True, kw_only=True):
    """Something a person did to a job's place in line."""

    at: int
    user: str
    what: str


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
    terms: Terms
    stops_for: int | None  # the job it was asked to make room for
    preemptions: int  # how often it has made room
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
        terms=Terms(
            user=row["submitted_by"],
            project=row["project"],
            preemptible=bool(row["preemptible"]),
            limited=bool(row["limited"]),
            gang=row["gang"],
            gang_size=row["gang_size"],
        ),
        stops_for=row["stops_for"],
        preemptions=row["preemptions"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def admission_in(row: Row) -> Admission:
    """Return one start of a job from its row of `allocations`."""
    return Admission(
        epoch=row["epoch"],
        lease=Lease(
            account=row["account"],
            gpus=msgspec.json.decode(row["gpus"], type=tuple[str, ...]),
            cpus=msgspec.json.decode(row["cpus"], type=tuple[int, ...]),
            borrowed=bool(row["borrowed"]),
            why=row["why"],
        ),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        ended=row["ended"],
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
