"""Snapshots: what a source held at one moment, as a read-only Parquet file named by its content."""

from pathlib import Path

import msgspec
from msgspec import Struct

from lemnis.engine.data.shapes import Shape
from lemnis.engine.errors import NotFound
from lemnis.engine.store import Row, Store
from lemnis.engine.workspace import Workspace


class Field(Struct, frozen=True, kw_only=True):
    """One column of a snapshot; `type` is its Arrow type."""

    name: str
    type: str


class Snapshot(Struct, frozen=True, kw_only=True):
    """What a source held.

    Attributes:
        sha256: Of the Parquet file.
        origin: The file it was read from, with its size and its time of change; of several: the first, all, the last.
        shape: The DuckDB type of each column, empty for one without a value; nothing when it was not noted.
        checked_at: The last time the source was found to hold just this, epoch ms.
    """

    id: int
    source: str
    sha256: str
    rows: int
    bytes: int
    columns: list[Field]
    path: Path
    origin: str
    origin_bytes: int
    origin_modified_ns: int
    origin_sha256: str
    reading: str
    created_at: int
    checked_at: int
    job_id: int | None
    shape: Shape = {}

    @property
    def file(self) -> Path:
        """Return the Parquet file, found to hold what its hash says; every reader opens this.

        Raises:
            Unavailable: The file is gone.
            Damaged: It holds something else.
        """
        from lemnis.engine.data.verified import verified_file

        return verified_file(self.path)


def list_snapshots(store: Store, source: str = "", limit: int = 500) -> list[Snapshot]:
    """Return snapshots, the last checked first; of one source when it is named."""
    sql = "select * from snapshots where ? in ('', source) order by checked_at desc, id desc limit ?"
    return [_snapshot(row, store.workspace) for row in store.rows(sql, [source, limit])]


def current_snapshots(store: Store) -> dict[str, Snapshot]:
    """Return by source what it held when it was last looked at."""
    sql = """select * from (select *, row_number() over (partition by source order by checked_at desc, id desc) as place
             from snapshots) where place = 1"""
    return {row["source"]: _snapshot(row, store.workspace) for row in store.rows(sql)}


def snapshot_paths(store: Store, sources: list[str]) -> dict[str, Snapshot]:
    """Return the current snapshots of these sources.

    Raises:
        NotFound: A source was never synced.
        Unavailable, Damaged: Its snapshot's file is gone or holds something else.
    """
    from lemnis.engine.data.verified import verified_file

    current = current_snapshots(store)
    for source in sources:
        if source not in current:
            raise NotFound(f"The source {source!r} has no snapshot yet.", "Run `lemnis data sync`.", source)
        verified_file(current[source].path)
    return {source: current[source] for source in sources}


def _snapshot(row: Row, workspace: Workspace) -> Snapshot:
    return Snapshot(
        id=row["id"],
        source=row["source"],
        sha256=row["sha256"],
        rows=row["rows"],
        bytes=row["bytes"],
        columns=msgspec.json.decode(row["columns"], type=list[Field]),
        path=workspace.data / f"{row['sha256']}.parquet",
        origin=row["origin"],
        origin_bytes=row["origin_bytes"],
        origin_modified_ns=row["origin_modified_ns"],
        origin_sha256=row["origin_sha256"],
        reading=row["reading"],
        shape=dict(msgspec.json.decode(row["shape"] or "[]", type=list[tuple[str, str]])),
        created_at=row["created_at"],
        checked_at=row["checked_at"],
        job_id=row["job_id"],
    )
