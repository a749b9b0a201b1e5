"""What refers to what: every kept file of the data, and whoever would miss it.

Rooms that come later keep their rows in tables of their own; they are read here through SQL alone. A table that names a
dataset version (by a foreign key, or by a column ``…version_id``) holds that version's file, unless it is listed in
MEASURED: what was only computed from a version can be computed again, or stays on record without it. So a new table is
safe before anybody thinks of it here.
"""

from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from lemnis.engine.store import Row, Store

Kind: TypeAlias = Literal["version", "snapshot", "model"]

# Tables whose rows speak of a version without needing its file.
MEASURED = frozenset(
    {"links", "profiles", "feature_scores", "feature_folds", "feature_matrices", "check_runs", "diffs"}
)
# How the row of a table is called; others are counted under the table's name.
CALLED = {
    "runs": "'run ' || id || case when deleted_at is null then '' else ' (deleted)' end",
    "evaluations": "'the evaluation of run ' || run_id",
    "feature_rankings": "'its feature ranking'",
    "sweeps": "'sweep ' || name",
}
LIVE = "('queued', 'preparing', 'running')"
READERS = "('data.link', 'data.sync')"  # jobs that use any snapshot without naming it


class Holding(Struct, frozen=True, kw_only=True):
    """One kept file.

    Attributes:
        sha256: Of its content; also its name.
        title: What it is, such as ``flights v3``.
        group: The dataset or source it is one of.
        at: When it was last made or checked, epoch ms; the newest of a group has the largest.
        held_by: Whoever would miss it, in words; empty when nobody would.
    """

    kind: Kind
    sha256: str
    path: Path
    title: str
    group: str
    bytes: int
    at: int
    held_by: list[str]


def holdings(store: Store) -> list[Holding]:
    """Return every kept file that a row names: versions, snapshots and registered models, newest first of each."""
    return [*version_holdings(store), *snapshot_holdings(store), *model_holdings(store)]


def holding_of(store: Store, sha256: str) -> Holding | None:
    """Return the kept file of this hash, or None."""
    return next((found for found in holdings(store) if found.sha256 == sha256), None)


def version_holdings(store: Store) -> list[Holding]:
    """Return the versions whose files are kept."""
    rows = store.rows("select * from versions where removed_at is null order by linked_at desc, number desc")
    held = version_holders(store)
    live = live_arguments(store)
    found: list[Holding] = []
    for row in rows:
        names = [f"v{row['number']}", f"{row['name']} v{row['number']}"]
        jobs = [f"job {job}" for job, texts in live if any(names_version(text, row["id"], names) for text in texts)]
        found.append(
            Holding(
                kind="version",
                sha256=row["id"],
                path=store.workspace.data / f"{row['id']}.parquet",
                title=f"{row['name']} v{row['number']}",
                group=row["name"],
                bytes=row["bytes"],
                at=row["linked_at"],
                held_by=[*held.get(row["id"], []), *jobs],
            )
        )
    return found


def version_holders(store: Store) -> dict[str, list[str]]:
    """Return by version id what refers to it."""
    held: dict[str, list[str]] = {}
    for table, column in referring_columns(store):
        if table in MEASURED:
            continue
        called = CALLED.get(table, f"'{table.replace('_', ' ')}'")
        sql = f'select distinct "{column}" as id, {called} as called from "{table}" where "{column}" is not null'
        for row in store.rows(sql):
            held.setdefault(str(row["id"]), []).append(row["called"])
    for row in store.rows(MODELS_OF_VERSIONS):
        held.setdefault(row["id"], []).append(row["called"])
    return held


MODELS_OF_VERSIONS = """
    select r.version_id as id, 'model ' || m.model || ' v' || m.version as called
    from model_versions m join runs r on r.id = m.run_id where r.version_id is not null
    union select r.version_id, 'endpoint ' || e.name from endpoints e
      join model_versions m on m.model = e.model and (m.version = e.serving_version or m.version in
        (select version from aliases a where a.model = e.model and a.alias = e.alias))
      join runs r on r.id = m.run_id where r.version_id is not null
    union select r.version_id, 'the monitor''s reference of ' || f.model || ' v' || f.version
      from monitor_references f join model_versions m on m.model = f.model and m.version = f.version
      join runs r on r.id = m.run_id where r.version_id is not null
"""


def referring_columns(store: Store) -> list[tuple[str, str]]:
    """Return every table and column that names a dataset version."""
    rows = store.rows(
        """select m.name as place, f."from" as field from sqlite_master m, pragma_foreign_key_list(m.name) f
             where m.type = 'table' and f."table" = 'versions'
           union select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c
             where m.type = 'table' and c.name like '%version_id'"""
    )
    return [(row["place"], row["field"]) for row in rows]


def snapshot_holdings(store: Store) -> list[Holding]:
    """Return the snapshots, one for each file: sources that held the same share it."""
    held: dict[str, list[str]] = {}
    for row in store.rows(
        """select s.value as sha256, v.name || ' v' || v.number as called
           from versions v, json_each(v.snapshots) s where v.removed_at is null"""
    ):
        held.setdefault(row["sha256"], []).append(row["called"])
    for row in store.rows(
        """select sha256, source from (select *, row_number() over
             (partition by source order by checked_at desc, id desc) as place from snapshots) where place = 1"""
    ):
        held.setdefault(row["sha256"], []).append(f"{row['source']} as it is now")
    readers = [f"job {row['id']}" for row in store.rows(READING)]
    live = live_arguments(store)
    files: dict[str, list[Row]] = {}
    for row in store.rows("select * from snapshots order by checked_at desc, id desc"):
        files.setdefault(row["sha256"], []).append(row)
    return [
        Holding(
            kind="snapshot",
            sha256=sha256,
            path=store.workspace.data / f"{sha256}.parquet",
            title=f"snapshot {sha256[:8]} of {', '.join(row['source'] for row in rows)}",
            group=rows[0]["source"],
            bytes=rows[0]["bytes"],
            at=rows[0]["checked_at"],
            held_by=[
                *held.get(sha256, []),
                *readers,
                *(f"job {job}" for job, texts in live if any(names_version(text, sha256, []) for text in texts)),
            ],
        )
        for sha256, rows in files.items()
    ]


READING = f"select id from jobs where kind in {READERS} and state in {LIVE} order by id"


def model_holdings(store: Store) -> list[Holding]:
    """Return the files of registered models; each is held by its registration."""
    rows = store.rows("select * from model_versions order by created_at desc")
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(row["sha256"], []).append(row)
    return [
        Holding(
            kind="model",
            sha256=sha256,
            path=store.workspace.hidden / "models" / f"{sha256}.txt",
            title=", ".join(f"model {row['model']} v{row['version']}" for row in found),
            group=found[0]["model"],
            bytes=found[0]["bytes"],
            at=found[0]["created_at"],
            held_by=["the registry"],
        )
        for sha256, found in files.items()
    ]


def live_arguments(store: Store) -> list[tuple[int, list[str]]]:
    """Return the jobs that wait or run, each with every text and number in its arguments."""
    rows = store.rows(f"select id, arguments from jobs where state in {LIVE} order by id")
    return [(row["id"], list(texts_in(msgspec.json.decode(row["arguments"])))) for row in rows]


def texts_in(value: Any) -> list[str]:
    """Return the texts inside a JSON value. Any: whatever a kind of job has for arguments."""
    if isinstance(value, str):
        return [value]
    items: list[Any] = []
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).values())
    elif isinstance(value, list):
        items = cast("list[Any]", value)
    return [text for item in items for text in texts_in(item)]


def names_version(text: str, sha256: str, names: list[str]) -> bool:
    """Say whether a job's argument may mean this file: a title, or at least eight digits of its hash."""
    return text in names or (len(text) >= 8 and sha256.startswith(text))
