"""The log of an endpoint's steps: who did what and why, and how long it took. Nothing is overwritten."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.rollout.records import EndpointEvent, EventKind
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from sqlite_utils import Database


def record(
    db: "Database",
    endpoint: str,
    kind: EventKind,
    *,
    who: str,
    why: str,
    worker: int | None = None,
    version: int | None = None,
    took_ms: float | None = None,
) -> None:
    """Append one step inside the caller's transaction."""
    db.execute(
        """insert into endpoint_events (endpoint, at, kind, worker, version, who, why, took_ms)
           values (?, ?, ?, ?, ?, ?, ?, ?)""",
        [endpoint, now_ms(), kind, worker, version, who, why, took_ms],
    )


def events(store: Store, endpoint: str = "", *, limit: int = 500) -> list[EndpointEvent]:
    """Return the steps of an endpoint (of all when none is named), newest first."""
    sql = "select * from endpoint_events where ? in ('', endpoint) order by id desc limit ?"
    return [msgspec.convert(dict(row), EndpointEvent) for row in store.rows(sql, [endpoint, limit])]
