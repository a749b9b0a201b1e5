"""Inspections: everything of an endpoint that takes a look at rows or files, in a process beside the watch.

`python -m lemnis.engine.monitor.inspection WORKSPACE ENDPOINT`. What is found is kept; readers read SQLite alone.
"""

import sys

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import load_config
from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.children import CHILDREN, run_as_child
from lemnis.engine.monitor.reference import reference_of
from lemnis.engine.monitor.schema.kept import keep_findings
from lemnis.engine.monitor.schema.live import findings_of_requests
from lemnis.engine.monitor.schema.sources import findings_of_sources
from lemnis.engine.monitor.skew.measure import measure_skew
from lemnis.engine.store import Row, Store

MODULE = "lemnis.engine.monitor.inspection"
EVERY_MS = 60_000  # at most so often, while rows come, …
SPARE = 30  # … and at most one part in so many of a core


class Subject(msgspec.Struct, frozen=True):
    """Which version of an endpoint is inspected, and what there is to look at."""

    endpoint: str
    model: str
    version: int
    seen: str

    @property
    def key(self) -> list[object]:
        return [self.endpoint, self.model, self.version]


def subjects(store: Store) -> list[Subject]:
    """Return what every endpoint serves now, or answered with last, and what came to it so far."""
    sql = """select e.name, e.model, coalesce(e.serving_version, (select version from monitor_cursors c
               where c.endpoint = e.name and c.model = e.model order by arrived_at desc limit 1)) as version
             from endpoints e"""
    snapshots = store.value("select coalesce(max(id), 0) || '/' || count(*) from snapshots")
    return [
        Subject(row["name"], row["model"], row["version"], f"{seen_of(store, row)} {snapshots}")
        for row in store.rows(sql)
        if row["version"] is not None
    ]


def seen_of(store: Store, endpoint: Row) -> str:
    """Return what came to an endpoint so far: rows that were counted, and faults."""
    place = [endpoint["name"], endpoint["version"]]
    rows = store.value("select prediction_id from monitor_cursors where endpoint = ? and version = ?", place)
    sql = "select coalesce(sum(requests), 0) from schema_faults where endpoint = ? and version = ?"
    return f"v{endpoint['version']} {rows or 0} {store.value(sql, place, name='predictions')}"


def inspect_due(store: Store, now: int) -> None:
    """Start an inspection of each endpoint that something came to since its last one; returns at once."""
    sql = "select endpoint, at, seen, coalesce(json_extract(skew, '$.took_ms'), 0) as took from monitor_inspections"
    inspected = {row["endpoint"]: row for row in store.rows(sql)}
    for one in subjects(store):
        last = inspected.get(one.endpoint)
        if last is not None and (last["seen"] == one.seen or now - last["at"] < max(EVERY_MS, SPARE * last["took"])):
            continue
        problem = CHILDREN.ended(MODULE, str(store.workspace.root), one.endpoint)
        if problem:
            note(store, one, now, problem)


def inspect(store: Store, endpoint: str) -> None:
    """Look at an endpoint's rows, refused requests and sources, and keep what is found.

    Raises:
        NotFound: There is no such endpoint, or it never served.
        ConfigError: lemnis.toml is not accepted.
    """
    subject = next((one for one in subjects(store) if one.endpoint == endpoint), None)
    if subject is None:
        raise NotFound(f"No endpoint {endpoint!r} serves a model.", "See `lemnis endpoints list`.")
    config, now = load_config(store.workspace.config), clock.now_ms()
    reference = reference_of(store, subject.model, subject.version, bins=config.monitor.bins)
    found = [
        *findings_of_requests(store, config, subject.key, reference),
        *findings_of_sources(store, config, subject.key, reference.importance),
    ]
    keep_findings(store, endpoint, found, now)
    measured = measure_skew(store, config, subject.key, reference, now)
    measured = msgspec.structs.replace(measured, took_ms=clock.now_ms() - now)
    note(store, subject, now, skew=msgspec.json.encode(measured).decode())


def note(store: Store, subject: Subject, now: int, problem: str = "", skew: str | None = None) -> None:
    """Remember when an endpoint was inspected, and what stood in the way; without a skew the last one stays."""
    with store.write() as db:
        db.execute(
            """insert into monitor_inspections (endpoint, model, version, at, seen, problem, skew)
               values (?, ?, ?, ?, ?, ?, ?)
               on conflict do update set model = excluded.model, version = excluded.version, at = excluded.at,
                 seen = excluded.seen, problem = excluded.problem, skew = coalesce(excluded.skew, skew)""",
            [*subject.key, now, subject.seen, problem, skew],
        )


def work(store: Store, told: list[str]) -> None:
    """Inspect one endpoint."""
    (endpoint,) = told
    inspect(store, endpoint)


if __name__ == "__main__":
    sys.exit(run_as_child(work))
