"""The job queue: one table that any process may write, one statement per step, so that no job runs twice."""

from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs.processes import Identity
from lemnis.engine.jobs.records import Admission, Job, JobEvent, Lease, admission_in, job_in
from lemnis.engine.jobs.states import JobState
from lemnis.engine.store import Store, returning

if TYPE_CHECKING:
    from sqlite_utils import Database

CLAIM = """
    update jobs set state = 'preparing', why = 'its process starts', epoch = epoch + 1, attempts = attempts + 1,
        pid = null, started_ticks = null, boot_id = null, progress = null, progress_text = '',
        cancel_asked = 0, stops_for = null, host_id = :host, result = null, started_at = :now, ended_at = null
    where id = :id and state = 'queued' returning *
"""
LEASE = """
    insert into allocations (job_id, epoch, account, cores, memory_bytes, gpu, gpus, cpus, borrowed, why, started_at)
    select id, epoch, :account, cores, memory_bytes, gpu, :gpus, :cpus, :borrowed, :why, started_at from jobs
    where id = :id
"""
REGISTER = """
    update jobs set state = 'running', why = 'running', pid = :pid, started_ticks = :ticks, boot_id = :boot
    where id = :id and epoch = :epoch and state = 'preparing' returning id
"""
YIELD = """
    update jobs set state = 'queued', why = :why, preemptions = preemptions + 1, gang = '', gang_size = 0,
        pid = null, started_ticks = null, boot_id = null, stops_for = null
    where id = :id and epoch = :epoch and state in ('preparing', 'running') and stops_for is not null
      and cancel_asked = 0 returning id
"""
END = """
    update jobs set state = :state, why = :why, result = :result, ended_at = :now,
        progress = case when :state = 'finished' then 1.0 else progress end
    where id = :id and epoch = :epoch and state in ('preparing', 'running') returning id
"""


def submit(store: Store, job: dict[str, Any]) -> int:
    """Queue a job from its columns and return its id. Any: values of the table's own types."""
    with store.write() as db:
        return int(returning(db, insert_sql(job), job)[0]["id"])


def insert_sql(job: dict[str, Any]) -> str:
    """Return the insert of the columns that are given. Any: only the keys are used."""
    return f"insert into jobs ({', '.join(job)}) values ({', '.join(':' + key for key in job)}) returning id"


def get(store: Store, job_id: int) -> Job:
    """Return one job.

    Raises:
        NotFound: There is no such job.
    """
    row = store.row("select * from jobs where id = ?", [job_id])
    if row is None:
        raise NotFound(f"There is no job {job_id}.", "List them with `lemnis jobs list`.")
    return job_in(row)


def listed(store: Store, *, states: tuple[JobState, ...] = (), limit: int = 200) -> list[Job]:
    """Return jobs, the live and waiting ones first, then the newest; all states when none is given."""
    marks = ", ".join("?" * len(states))
    where = f"where state in ({marks})" if states else ""
    rows = store.rows(
        f"""select * from jobs {where} order by case state when 'running' then 0 when 'preparing' then 0
            when 'queued' then 1 else 2 end, case when state = 'queued' then -priority end, id desc limit ?""",
        [*states, limit],
    )
    return [job_in(row) for row in rows]


def claim(store: Store, job_id: int, host_id: int | None = None, lease: Lease | None = None) -> Job | None:
    """Take a queued job for starting and raise its epoch; None when somebody else took or cancelled it.

    `host_id` is the job in whose process it is started, None for a process of its own; `lease` is put on record.
    """
    given = lease or Lease()
    with store.write() as db:
        rows = returning(db, CLAIM, {"id": job_id, "host": host_id, "now": now_ms()})
        if rows:
            values = {
                "id": job_id,
                "account": given.account or rows[0]["project"] or rows[0]["submitted_by"],
                "gpus": msgspec.json.encode(given.gpus).decode(),
                "cpus": msgspec.json.encode(given.cpus).decode(),
                "borrowed": int(given.borrowed),
                "why": given.why,
            }
            db.execute(LEASE, values)
    return get(store, job_id) if rows else None


def register(store: Store, job_id: int, epoch: int, identity: Identity | None) -> bool:
    """Say from inside the worker that it runs; False when this epoch is over and the worker must leave.

    A job that is done in another's process has no identity: a signal would be the other's.
    """
    values = {
        "id": job_id,
        "epoch": epoch,
        "pid": identity.pid if identity else None,
        "ticks": identity.started_ticks if identity else None,
        "boot": identity.boot_id if identity else None,
    }
    with store.write() as db:
        return bool(returning(db, REGISTER, values))


def end(store: Store, job_id: int, epoch: int, state: JobState, why: str, result: dict[str, Any] | None = None) -> bool:
    """End a job of this epoch once; False when it had ended already. Any: the kind's own result."""
    values = {
        "id": job_id,
        "epoch": epoch,
        "state": state,
        "why": why,
        "result": msgspec.json.encode(result).decode() if result is not None else None,
        "now": now_ms(),
    }
    with store.write() as db:
        return bool(returning(db, END, values))


def ask_to_yield(store: Store, job_id: int, epoch: int, for_job: int, right: str) -> bool:
    """Note that a running job is to make room for another, and by what right; False when it has ended or does so."""
    with store.write() as db:
        return bool(
            returning(
                db,
                """update jobs set stops_for = ?, why = ? where id = ? and epoch = ? and state = 'running'
                   and stops_for is null and cancel_asked = 0 returning id""",
                [for_job, f"preempted by job {for_job} ({right})", job_id, epoch],
            )
        )


def yield_place(store: Store, job_id: int, epoch: int, why: str) -> bool:
    """Put a job that has stopped to make room back into the queue; False when it was not asked to, or cancelled."""
    with store.write() as db:
        return bool(returning(db, YIELD, {"id": job_id, "epoch": epoch, "why": why}))


def prioritise(store: Store, job_id: int, priority: int, user: str) -> Job:
    """Give a job another priority, note who did, and return it.

    Raises:
        NotFound: There is no such job.
        BadInput: It has ended.
    """
    before = get(store, job_id)
    if before.ended:
        raise BadInput(f"Job {job_id} is {before.state} already.", "Only waiting and running jobs have a place.")
    with store.write() as db:
        db.execute("update jobs set priority = ? where id = ?", [priority, job_id])
        db.execute(
            "insert into job_events (job_id, at, user, what) values (?, ?, ?, ?)",
            [job_id, now_ms(), user, f"priority {before.priority} → {priority}"],
        )
    return get(store, job_id)


def admissions(store: Store, job_id: int) -> list[Admission]:
    """Return every start of a job, the first one first."""
    rows = store.rows("select * from allocations where job_id = ? order by id", [job_id])
    return [admission_in(row) for row in rows]


def live_leases(store: Store) -> list[Lease]:
    """Return what is given to jobs now."""
    rows = store.rows(
        """select a.* from allocations a join jobs j on j.id = a.job_id and j.epoch = a.epoch
           where j.state in ('preparing', 'running')"""
    )
    return [admission_in(row).lease for row in rows]


def events(store: Store, job_id: int) -> list[JobEvent]:
    """Return what people did to a job's place in line, the first first."""
    rows = store.rows("select at, user, what from job_events where job_id = ? order by id", [job_id])
    return [JobEvent(at=row["at"], user=row["user"], what=row["what"]) for row in rows]


def ask_cancel(store: Store, job_id: int) -> Job:
    """Cancel a waiting job at once, or mark a live one to be stopped; return the job as it is then.

    Raises:
        NotFound: There is no such job.
        BadInput: It has ended.
    """
    with store.write() as db:
        gone = returning(
            db,
            """update jobs set state = 'cancelled', why = 'cancelled before it started', ended_at = ?
               where id = ? and state = 'queued' returning gang""",
            [now_ms(), job_id],
        )
        if gone and gone[0]["gang"]:
            leave_gang(db, gone[0]["gang"])
        db.execute(
            """update jobs set cancel_asked = 1, stops_for = null, why = 'asked to stop'
               where id = ? and state in ('preparing', 'running')""",
            [job_id],
        )
    job = get(store, job_id)
    if job.state in ("finished", "failed", "lost"):
        raise BadInput(f"Job {job_id} is {job.state} already.", "Only waiting and running jobs can be cancelled.")
    return job


def leave_gang(db: "Database", gang: str) -> None:
    """Let those of a gang that wait start without one of its jobs."""
    sql = "update jobs set gang_size = gang_size - 1 where gang = ? and gang_size > 1 and state = 'queued'"
    db.execute(sql, [gang])


def retry(store: Store, job_id: int) -> Job:
    """Queue an ended job again; a training goes on from its checkpoint.

    Raises:
        NotFound: There is no such job.
        BadInput: It is finished, or has not ended.
    """
    with store.write() as db:
        done = returning(
            db,
            """update jobs set state = 'queued', why = 'waiting for a free slot', ended_at = null, stops_for = null
                   where id = ? and state in ('failed', 'cancelled', 'lost') returning id""",
            [job_id],
        )
    job = get(store, job_id)
    if not done:
        raise BadInput(f"Job {job_id} is {job.state}.", "Only failed, cancelled and lost jobs can be tried again.")
    return job
