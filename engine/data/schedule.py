"""Syncs that are due by the acquisition plan, and the queueing of them. The supervisor asks every few seconds."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.config import CADENCES, Config, load_config
from lemnis.engine.data.snapshots import Snapshot, current_snapshots
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

MINUTE_MS = 60_000
SHORTEST_MS, LONGEST_MS = MINUTE_MS, 60 * MINUTE_MS  # between two looks at a source that is late
LOOKS = 24  # a source that is late is looked at this often in one period
LONGEST_WAIT_MS = 6 * 60 * MINUTE_MS  # after failures
MEMORY_BYTES = 1 << 30


class Schedule(Struct, frozen=True, kw_only=True):
    """When a scheduled source is looked at next.

    Attributes:
        next_at: Epoch ms; not after now when it is due.
        failures: How many scheduled syncs failed one after the other.
        why: In words, why it is then.
    """

    source: str
    next_at: int
    failures: int
    why: str


def next_look(period_ms: int, arrived_at: int | None, looked_at: int | None, failures: int) -> tuple[int, str]:
    """Return when a source is looked at next, and why then.

    Content that came is followed by the next one a period later; until that comes the source is looked at again and
    again. After failures the wait doubles each time, from a minute up to six hours or the period.

    Args:
        period_ms: By the cadence.
        arrived_at: When its content was first seen; None when nothing came yet.
        looked_at: When it was last looked at; None when never.
        failures: How many looks failed one after the other.
    """
    if failures and looked_at is not None:
        wait = min(MINUTE_MS * 2 ** min(failures - 1, 20), LONGEST_WAIT_MS, period_ms)
        return looked_at + wait, f"{failures} failed in a row; the wait doubles each time"
    if arrived_at is None or looked_at is None:
        return 0, "nothing came yet"
    due = arrived_at + period_ms
    if looked_at < due:
        return due, "when the next content is due"
    return looked_at + max(SHORTEST_MS, min(LONGEST_MS, period_ms // LOOKS)), "late: it is looked at again and again"


def schedules(store: Store, config: Config, snapshots: Mapping[str, Snapshot]) -> dict[str, Schedule]:
    """Return the schedule of each source that has one."""
    periods = {line.source: CADENCES[line.cadence.strip().lower()] for line in config.problem.acquisition
               if line.cadence.strip().lower() in CADENCES}  # fmt: skip
    names = [name for name, source in config.sources.items() if source.sync == "scheduled" and name in periods]
    if not names:
        return {}
    syncs = {row["source"]: row for row in store.rows("select source, state, at from source_syncs")}
    queued = {row["source"]: dict(row) for row in store.rows(QUEUED)}
    found: dict[str, Schedule] = {}
    for name in names:
        sync, last = syncs.get(name), queued.get(name)
        looked = max([row[key] for row, key in ((sync, "at"), (last, "queued_at")) if row], default=None)
        failures = failures_of(last)
        if sync and sync["state"] == "ready" and (not last or sync["at"] > last["queued_at"]) and not failed(last):
            failures = 0
        arrived = snapshots[name].created_at if name in snapshots else None
        at, why = next_look(periods[name], arrived, looked, failures)
        found[name] = Schedule(source=name, next_at=at, failures=failures, why=why)
    return found


QUEUED = """select s.source, s.job_id, s.queued_at, s.failures, j.state from scheduled_syncs s
            left join jobs j on j.id = s.job_id"""


def failed(row: Mapping[str, object] | None) -> bool:
    """Say whether the sync that was queued last did not do its work."""
    return row is not None and row["state"] in ("failed", "lost", "cancelled", None)


def failures_of(row: Mapping[str, object] | None) -> int:
    """Return how many scheduled syncs failed one after the other, the last one included."""
    return 0 if row is None else int(str(row["failures"])) + 1 if failed(row) else 0


def queue_due(store: Store) -> list[int]:
    """Queue a sync of each source that is due and that no job reads or is about to read; return the jobs' ids.

    Raises:
        ConfigError: lemnis.toml can't be read.
    """
    config = load_config(store.workspace.config)
    if all(source.sync == "manual" for source in config.sources.values()):
        return []
    now = now_ms()
    due = [one for one in schedules(store, config, current_snapshots(store)).values() if one.next_at <= now]
    busy = busy_sources(store, list(config.sources)) if due else set[str]()
    return [queue_one(store, one, now) for one in due if one.source not in busy]


def busy_sources(store: Store, every: Sequence[str]) -> set[str]:
    """Return the sources that a job reads or waits to read."""
    live = JobsRoom(store).jobs(states=("queued", "preparing", "running"))
    return {name for job in live if job.kind == "data.sync" for name in job.arguments.get("sources") or every}


def queue_one(store: Store, schedule: Schedule, now: int) -> int:
    """Queue the sync of one source and remember that the plan asked for it."""
    title = f"sync {schedule.source} (scheduled)"
    job_id = JobsRoom(store).submit("data.sync", title, {"sources": [schedule.source]}, memory_bytes=MEMORY_BYTES)
    row = {"source": schedule.source, "job_id": job_id, "queued_at": now, "failures": schedule.failures}
    with store.write() as db:
        db.table("scheduled_syncs").upsert(row, pk="source")
    return job_id
