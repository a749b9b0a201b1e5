"""How long jobs still run: from how far they are, else from earlier ones of the same kind."""

from lemnis.engine.resources.situation import Situation
from lemnis.engine.store import Row, Store

LOOK_BACK = 200  # finished jobs of a kind
NEAREST = 20  # of them, those of the same title first, else the newest
LEAST_PROGRESS = 0.02  # what is less says nothing about the end
LEAST_MS = 1_000
JOBS = """
    select j.id, j.kind, j.title, j.state, j.progress, j.started_at,
      coalesce((select sum(coalesce(a.ended_at, :now) - a.started_at) from allocations a
                where a.job_id = j.id), 0) as had
    from jobs j where j.id in (select value from json_each(:ids))"""
PAST = """
    select title, ended_at - started_at as took from jobs
    where kind = ? and state = 'finished' and started_at is not null and ended_at is not null
    order by id desc limit ?"""


def lengths(store: Store, situation: Situation) -> dict[int, int]:
    """Return how many milliseconds each job of a situation will still run; those nobody can tell of are left out.

    A job that says how far it is goes on at the pace it had in all its starts together. Otherwise it is expected to
    take the median of the newest finished jobs of its kind, of the same title where there are some; a command is
    compared with the same command only.
    """
    ids = [claim.job_id for claim in (*situation.running, *situation.queued)]
    now = situation.policy.now
    rows = store.rows(JOBS, {"ids": f"[{', '.join(map(str, ids))}]", "now": now})
    past: dict[str, list[Row]] = {}
    found: dict[int, int] = {}
    for row in rows:
        if row["kind"] not in past:
            past[row["kind"]] = store.rows(PAST, [row["kind"], LOOK_BACK])
        left = left_of(row, usual(row, past[row["kind"]]))
        if left is not None:
            found[row["id"]] = max(LEAST_MS, round(left))
    return found


def left_of(job: Row, usual_ms: float | None) -> float | None:
    """Return how long one job still runs, in ms; None if that can't be told."""
    part = job["progress"]
    if part is not None and part >= LEAST_PROGRESS and job["had"] > 0:
        return job["had"] * (1 - part) / part
    return None if usual_ms is None else usual_ms - job["had"]


def usual(job: Row, past: list[Row]) -> float | None:
    """Return how long jobs like this one took, in ms."""
    from statistics import median  # with fractions: what shows no queue starts without

    alike = [row["took"] for row in past if row["title"] == job["title"]][:NEAREST]
    if not alike and job["kind"] != "tracking.script":
        alike = [row["took"] for row in past][:NEAREST]
    return median(alike) if alike else None
