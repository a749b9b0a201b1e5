"""The job queue: one table that any process may write, one statement per step, so that no job runs twice."""

from typing import Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs.processes import Identity
from lemnis.engine.jobs.records import Job, job_in
from lemnis.engine.jobs.states import JobState
from lemnis.engine.store import Store, returning

CLAIM = """
    update jobs set state = 'preparing', why = 'its process starts', epoch = epoch + 1, attempts = attempts + 1,
        pid = null, started_ticks = null, boot_id = null, progress = null, progress_text = '',
        cancel_asked = 0, host_id = :host, result = null, started_at = :now, ended_at = null
    where id = :id and state = 'queued' returning *
"""
REGISTER = """
    update jobs set state = 'running', why = 'running', pid = :pid, started_ticks = :ticks, boot_id = :boot
    where id = :id and epoch = :epoch and state = 'preparing' returning id
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


def waiting(store: Store) -> list[Job]:
    """Return the jobs that wait for a process of their own, in their order.

    One that is done in another's process waits for that one, unless it has ended.
    """
    rows = store.rows(
        """select j.* from jobs j where j.state = 'queued' and not exists (select 1 from jobs h
             where h.id = j.host_id and h.state in ('queued', 'preparing', 'running'))
           order by j.priority desc, j.id desc limit 200"""
    )
    return [job_in(row) for row in rows]


def claim(store: Store, job_id: int, host_id: int | None = None) -> Job | None:
    """Take a queued job for starting and raise its epoch; None when somebody else took or cancelled it.

    `host_id` is the job in whose process it is started, None for a process of its own.
    """
    with store.write() as db:
        rows = returning(db, CLAIM, {"id": job_id, "host": host_id, "now": now_ms()})
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


def ask_cancel(store: Store, job_id: int) -> Job:
    """Cancel a waiting job at once, or mark a live one to be stopped; return the job as it is then.

    Raises:
        NotFound: There is no such job.
        BadInput: It has ended.
    """
    with store.write() as db:
        db.execute(
            """update jobs set state = 'cancelled', why = 'cancelled before it started', ended_at = ?
               where id = ? and state = 'queued'""",
            [now_ms(), job_id],
        )
        db.execute(
            """update jobs set cancel_asked = 1, why = 'asked to stop'
               where id = ? and state in ('preparing', 'running')""",
            [job_id],
        )
    job = get(store, job_id)
    if job.state in ("finished", "failed", "lost"):
        raise BadInput(f"Job {job_id} is {job.state} already.", "Only waiting and running jobs can be cancelled.")
    return job


def retry(store: Store, job_id: int) -> Job:
    """Queue an ended job again; a training goes on from its checkpoint.

    Raises:
        NotFound: There is no such job.
        BadInput: It is finished, or has not ended.
    """
    with store.write() as db:
        done = returning(
            db,
            """update jobs set state = 'queued', why = 'waiting for a free slot', ended_at = null
                   where id = ? and state in ('failed', 'cancelled', 'lost') returning id""",
            [job_id],
        )
    job = get(store, job_id)
    if not done:
        raise BadInput(f"Job {job_id} is {job.state}.", "Only failed, cancelled and lost jobs can be tried again.")
    return job
