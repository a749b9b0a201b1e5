"""What drives a sweep: one job at a time, queued when it begins or goes on, and again after it was lost."""

from typing import TYPE_CHECKING

from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import JobsRoom, Terms
from lemnis.engine.jobs.states import ENDED
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database

KIND = "experiments.sweep"
MEMORY_BYTES = 256 << 20
ITSELF = "lemnis"  # who does what no person did
MOST_LOSSES, WITHIN_MS = 10, 60_000  # a driver that is lost more often stays so: it would only be lost again


def tell(db: "Database", sweep_id: int, user: str, what: str) -> None:
    """Record something that was done to a sweep."""
    db.execute(
        "insert into sweep_events (sweep_id, at, user, what) values (?, ?, ?, ?)", [sweep_id, now_ms(), user, what]
    )


def queue_driver(store: Store, sweep_id: int) -> int:
    """Queue the job that drives a sweep unless one waits or lives; return its id. Holds no core: it only waits."""
    with store.write() as db:
        db.execute("update sweeps set job_id = job_id where id = ?", [sweep_id])  # nobody else does so meanwhile
        name, user, job_id, state, project = db.execute(
            """select s.name, s.user, j.id, j.state, coalesce(j.project, '') from sweeps s
               left join jobs j on j.id = s.job_id where s.id = ?""",
            [sweep_id],
        ).fetchone()
        if job_id is not None and state not in ENDED:
            return int(job_id)
        made = JobsRoom(store).submit(
            KIND,
            f"Sweep {name}",
            {"sweep_id": sweep_id},
            cores=0,
            memory_bytes=MEMORY_BYTES,
            priority=60,
            terms=Terms(user=user, project=project),
        )
        db.execute("update sweeps set job_id = ? where id = ?", [made, sweep_id])
    return made


def queue_due(store: Store) -> list[int]:
    """Queue a driver for each running sweep whose driver has ended, and return the jobs' ids.

    A driver that was lost is followed by another, unless it was lost too often. One that was cancelled pauses its
    sweep, one that failed ends it, with the job's reason.
    """
    rows = store.rows(
        """select s.id, j.state, j.why from sweeps s join jobs j on j.id = s.job_id
           where s.state = 'running' and j.state in ('finished', 'failed', 'cancelled', 'lost')"""
    )
    made: list[int] = []
    for row in rows:
        with store.write() as db:
            if row["state"] in ("failed", "cancelled"):
                state = "failed" if row["state"] == "failed" else "paused"
                end(
                    db,
                    row["id"],
                    state,
                    f"what drives it {'was ' if state == 'paused' else ''}{row['state']}: {row['why']}",
                )
                continue
            if row["state"] == "lost":
                told = "what drives it was lost; another goes on"
                losses = db.execute(
                    "select count(*) from sweep_events where sweep_id = ? and what = ? and at > ?",
                    [row["id"], told, now_ms() - WITHIN_MS],
                ).fetchone()[0]
                if losses >= MOST_LOSSES:
                    end(db, row["id"], "paused", f"what drives it was lost {losses} times in a minute: {row['why']}")
                    continue
                tell(db, row["id"], ITSELF, told)
            made.append(queue_driver(store, row["id"]))
    return made


def end(db: "Database", sweep_id: int, state: str, why: str) -> None:
    """Let a running sweep be paused, finished or failed, and record it; one that is not running stays as it is."""
    moved = db.execute(
        "update sweeps set state = ?, why = ?, ended_at = ? where id = ? and state = 'running'",
        [state, why, now_ms() if state != "paused" else None, sweep_id],
    )
    if moved.rowcount:
        tell(db, sweep_id, ITSELF, f"{state}: {why}")
