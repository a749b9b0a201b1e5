"""Lineage: what a thing comes from and what came of it: alert, window, version, run, dataset version, source."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from msgspec import Struct

from lemnis.engine.clock import iso_utc
from lemnis.engine.errors import NotFound
from lemnis.engine.store import Row, Store

DEEPEST = 10
MOST = 8  # things that are listed of one kind below one thing; of more it is said how many


class Node(Struct, frozen=True):
    """One thing: its kind, one of `KINDS`, and its key there."""

    kind: str
    key: str

    @property
    def name(self) -> str:
        """What the console's address of it is made of: ``run/3``, ``model/late@2``."""
        return f"{self.kind}/{self.key}"


class Step(Struct, frozen=True, kw_only=True):
    """One thing on the way.

    Attributes:
        depth: How far it is from the thing that was asked for; its neighbours are at 1.
        node: The thing; None for the line that says how many more there are.
        title: What it is, in a few words.
        state: One word of how it is; empty where it has none.
        at: When it came to be, epoch ms; None where that is not on record.
    """

    depth: int
    node: Node | None
    title: str
    state: str = ""
    at: int | None = None


class Lineage(Struct, frozen=True, kw_only=True):
    """A thing, what it comes from and what came of it; both in the order of a tree, the nearest first."""

    subject: Step
    origins: list[Step]
    results: list[Step]


Told: TypeAlias = tuple[str, str, int | None]  # title, state, time
Edges: TypeAlias = Callable[[Store, str], list[Node]]


def trace(store: Store, kind: str, key: str) -> Lineage:
    """Return where a thing comes from and what came of it.

    Args:
        store: Where it is.
        kind: One of `KINDS`.
        key: Its number, its name, MODEL@VERSION or MODEL@ALIAS, or of a dataset version ``v2`` or its id.

    Raises:
        NotFound: There is no such thing, or such things have no lineage.
    """
    if kind not in KINDS:
        raise NotFound(f"A {kind} has no lineage.", f"Ask for {', '.join(KINDS)}, such as `run/3`.")
    node = Node(kind, settled(store, kind, key))
    told = tell(store, node)
    if told is None:
        raise NotFound(f"There is no {kind} {key}.", "See what there is in its tab.")
    return Lineage(
        subject=step_of(0, node, told),
        origins=list(walk(store, node, ORIGINS, {node}, 1)),
        results=list(walk(store, node, RESULTS, {node}, 1)),
    )


def settled(store: Store, kind: str, key: str) -> str:
    """Return the key of a thing that may be named in another way too."""
    if kind == "model" and not key.rpartition("@")[2].isdecimal():
        model, _, alias = key.rpartition("@")
        number = store.value("select version from aliases where model = ? and alias = ?", [model, alias])
        return f"{model}@{number}" if number is not None else key
    if kind == "data":
        number = key.removeprefix("v")
        found = store.rows(
            """select id from versions where removed_at is null and (cast(number as text) = ? or id like ? || '%')
               order by linked_at desc""",
            [number, key if len(key) > 3 and key.isalnum() else "-"],
        )
        return found[0]["id"] if found else key
    return key


def walk(store: Store, node: Node, edges: "dict[str, Edges]", seen: set[Node], depth: int) -> Iterator[Step]:
    """Yield the things that edges lead to from one, each below the first that led there."""
    if depth > DEEPEST or node.kind not in edges:
        return
    counts: dict[str, int] = {}
    for there in edges[node.kind](store, node.key):
        if there in seen:
            continue
        counts[there.kind] = counts.get(there.kind, 0) + 1
        told = tell(store, there) if counts[there.kind] <= MOST else None
        if told is None:
            continue
        seen.add(there)
        yield step_of(depth, there, told)
        yield from walk(store, there, edges, seen, depth + 1)
    for kind, count in counts.items():
        if count > MOST:
            yield Step(depth=depth, node=None, title=f"{count - MOST} more of the kind {kind}")


def step_of(depth: int, node: Node, told: Told) -> Step:
    """Return a thing as a step."""
    title, state, at = told
    return Step(depth=depth, node=node, title=title, state=state, at=at)


def tell(store: Store, node: Node) -> Told | None:
    """Return what is said of a thing; None where it is not on record."""
    sql, say = KINDS[node.kind]
    row = store.row(sql, node.key.rpartition("@")[::2] if node.kind == "model" else [node.key])
    return say(row) if row is not None else None


def said_window(row: Row) -> Told:
    """Return what is said of a window."""
    span = f"{iso_utc(row['starts'])[:10]} to {iso_utc(row['ends'])[:10]}"
    return f"{row['endpoint']} {span}, {row['rows']:,} rows", row["verdict"], row["computed_at"]


KINDS: dict[str, tuple[str, Callable[[Row], Told]]] = {
    "alert": (
        "select rule, endpoint, message, state, since from alerts where id = ?",
        lambda row: (
            f"{row['rule']} of {row['endpoint'] or 'the watch'}: {row['message']}",
            row["state"],
            row["since"],
        ),
    ),
    "window": (
        "select endpoint, starts, ends, rows, verdict, computed_at from monitor_windows where id = ?",
        said_window,
    ),
    "endpoint": (
        "select name, model, alias, serving_version, ready, created_at from endpoints where name = ?",
        lambda row: (
            f"{row['name']} serves {row['model']}@{row['serving_version'] or row['alias']}",
            "ready" if row["ready"] else "not ready",
            row["created_at"],
        ),
    ),
    "model": (
        """select v.model, v.version, v.why, v.created_at, group_concat(a.alias, ', ') as aliases
           from model_versions v left join aliases a on a.model = v.model and a.version = v.version
           where v.model = ? and v.version = ? group by v.model, v.version""",
        lambda row: (f"{row['model']} version {row['version']}: {row['why']}", row["aliases"] or "", row["created_at"]),
    ),
    "run": (
        "select name, preset, algorithm, state, coalesce(started_at, created_at) as at from runs where id = ?",
        lambda row: (
            " ".join(filter(None, (row["name"], row["algorithm"]))),
            row["state"],
            row["at"],
        ),
    ),
    "data": (
        "select name, number, rows, created_at from versions where id = ?",
        lambda row: (f"{row['name']} v{row['number']}, {row['rows']:,} rows", "", row["created_at"]),
    ),
    "check": (
        "select id, passed, warned, failed, not_evaluated, ended_at from check_runs where id = ?",
        lambda row: (
            f"checks, run {row['id']}: {row['passed']} passed, {row['failed']} failed",
            "failed" if row["failed"] else "warned" if row["warned"] else "passed",
            row["ended_at"],
        ),
    ),
    "snapshot": (
        "select id, source, rows, created_at from snapshots where id = ?",
        lambda row: (f"snapshot {row['id']} of {row['source']}, {row['rows']:,} rows", "", row["created_at"]),
    ),
    "source": (
        "select source, max(created_at) as at, count(*) as kept from snapshots where source = ? group by source",
        lambda row: (f"source {row['source']}, {row['kept']} snapshots", "", row["at"]),
    ),
    "job": (
        "select kind, title, state, created_at from jobs where id = ?",
        lambda row: (row["title"], row["state"], row["created_at"]),
    ),
}


def along(kind: str, sql: str) -> Edges:
    """Return the edges that a query leads along: its rows are the keys of things of a kind."""

    def edges(store: Store, key: str) -> list[Node]:
        parts = key.rpartition("@")
        return [
            Node(kind, str(row[0])) for row in store.rows(sql, {"key": key, "model": parts[0], "version": parts[2]})
        ]

    return edges


def all_along(*several: Edges) -> Edges:
    """Return the edges of several queries, in their order."""
    return lambda store, key: [node for edges in several for node in edges(store, key)]


ORIGINS: dict[str, Edges] = {
    "alert": all_along(
        along("window", "select window_id from alerts where id = :key and window_id is not null"),
        along("endpoint", "select endpoint from alerts where id = :key and endpoint != ''"),
    ),
    "window": along("model", "select model || '@' || version from monitor_windows where id = :key"),
    "endpoint": along(
        "model",
        "select model || '@' || serving_version from endpoints where name = :key and serving_version is not null",
    ),
    "model": along("run", "select run_id from model_versions where model = :model and version = :version"),
    "run": all_along(
        along("data", "select version_id from runs where id = :key and version_id is not null"),
        along("run", "select reproduces from runs where id = :key and reproduces is not null"),
        along(
            "alert",
            """select a.id from retrainings r join alerts a
                 on r.cause = 'incident ' || a.incident_id || ' of ' || r.endpoint
               where r.run_id = :key order by a.id""",
        ),
        along("job", "select job_id from runs where id = :key and job_id is not null"),
    ),
    "data": all_along(
        along(
            "snapshot",
            """select s.id from versions v, json_each(v.snapshots) part
               join snapshots s on s.source = part.key and s.sha256 = part.value where v.id = :key order by s.id""",
        ),
        along("job", "select job_id from versions where id = :key and job_id is not null"),
    ),
    "check": along("data", "select version_id from check_runs where id = :key"),
    "snapshot": along("source", "select source from snapshots where id = :key"),
}
RESULTS: dict[str, Edges] = {
    "source": along("snapshot", "select id from snapshots where source = :key order by id desc"),
    "snapshot": along(
        "data",
        """select v.id from snapshots s, versions v, json_each(v.snapshots) part
           where s.id = :key and part.key = s.source and part.value = s.sha256 and v.removed_at is null
           order by v.linked_at desc""",
    ),
    "data": all_along(
        along("check", "select id from check_runs where version_id = :key order by id desc limit 1"),
        along("run", "select id from runs where version_id = :key and deleted_at is null order by id desc"),
    ),
    "run": all_along(
        along("model", "select model || '@' || version from model_versions where run_id = :key order by version"),
        along("run", "select id from runs where reproduces = :key and deleted_at is null order by id"),
    ),
    "model": all_along(
        along(
            "endpoint", "select name from endpoints where model = :model and serving_version = :version order by name"
        ),
        along(
            "window",
            "select id from monitor_windows where model = :model and version = :version order by starts desc",
        ),
    ),
    "endpoint": all_along(
        along(
            "window",
            """select w.id from monitor_windows w join endpoints e on e.name = w.endpoint
               and e.serving_version = w.version where w.endpoint = :key order by w.starts desc""",
        ),
        along("alert", "select id from alerts where endpoint = :key and window_id is null order by id desc"),
    ),
    "window": along("alert", "select id from alerts where window_id = :key order by id"),
    "alert": along(
        "run",
        """select r.run_id from alerts a join retrainings r
                 on r.cause = 'incident ' || a.incident_id || ' of ' || r.endpoint
           where a.id = :key and r.run_id is not null order by r.id""",
    ),
    "job": all_along(
        along("run", "select id from runs where job_id = :key"),
        along("data", "select id from versions where job_id = :key"),
    ),
}
