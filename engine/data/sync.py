"""Syncing: bringing one source's snapshot up to date, reading the file only when it has changed."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Source
from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.data.readers import ROWS_AT, OnStep, read_source
from lemnis.engine.data.snapshots import Field, Snapshot, current_snapshots
from lemnis.engine.data.sources import Origin, check_unchanged, origin_of
from lemnis.engine.data.verified import is_whole
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


def sync_source(
    store: Store,
    name: str,
    source: Source,
    *,
    cores: int = 1,
    job_id: int | None = None,
    on_step: OnStep = lambda share, text: None,
) -> tuple[Snapshot, bool]:
    """Bring one source up to date; return its snapshot and whether it is new.

    An unchanged file (same size and time of change, else same hash) that is read the same way is not read again.

    Args:
        store: Where snapshots are kept.
        name: The source's name.
        source: Its declaration.
        cores: Threads for reading.
        job_id: The job that does it.
        on_step: Called with the share of the work that is done, 0 to 1, and what is done now; may raise to stop.

    Raises:
        BadInput, NotFound: The file is refused.
        Unavailable: The file changed while it was read.
    """
    workspace = store.workspace
    origin = origin_of(workspace, name, source)
    reading = msgspec.json.encode(source).decode()
    current = current_snapshots(store).get(name)
    known = current if current and current.reading == reading and is_whole(current.path) else None
    if known and (known.origin_bytes, known.origin_modified_ns) == (origin.bytes, origin.modified_ns):
        return _checked(store, known, origin), False
    origin_sha256 = "" if source.format == "sqlite" else sha256_of(origin.path)
    if known and origin_sha256 and known.origin_sha256 == origin_sha256:
        return _checked(store, known, origin), False
    scratch = Path(tempfile.mkdtemp(dir=workspace.data, prefix=".reading."))
    duck = open_duck(cores, spill=scratch)

    def on_rows(rows: int) -> None:
        part = min(1.0, rows / current.rows) if current and current.rows else 0.0
        on_step(ROWS_AT + (1 - ROWS_AT) * part, f"{rows:,} rows read")

    try:
        rows = read_source(source, origin, duck, scratch, on_step)
        stored = store_parquet(workspace, counted(rows, workspace, source, origin, on_rows))
    finally:
        duck.close()
        shutil.rmtree(scratch, ignore_errors=True)
    now = clock.now_ms()
    fields = [Field(name=field.name, type=str(field.type)) for field in rows.schema]
    with store.write() as db:
        db.table("snapshots").upsert(
            {
                "source": name,
                "sha256": stored.sha256,
                "rows": stored.rows,
                "bytes": stored.bytes,
                "columns": msgspec.json.encode(fields).decode(),
                "origin": str(origin.path),
                "origin_bytes": origin.bytes,
                "origin_modified_ns": origin.modified_ns,
                "origin_sha256": origin_sha256,
                "reading": reading,
                "created_at": now,
                "checked_at": now,
                "job_id": job_id,
            },
            pk=("source", "sha256"),
        )
    snapshot = current_snapshots(store)[name]
    return snapshot, current is None or snapshot.sha256 != current.sha256


def counted(
    rows: "pa.RecordBatchReader",
    workspace: Workspace,
    source: Source,
    origin: Origin,
    on_rows: Callable[[int], None],
) -> "pa.RecordBatchReader":
    """Pass the rows on; tell how many there were, and at the end refuse them if the file has changed meanwhile."""
    import pyarrow as pa

    def batches() -> Iterator["pa.RecordBatch"]:
        count = 0
        for batch in rows:
            count += batch.num_rows
            on_rows(count)
            yield batch
        if source.format != "sqlite":  # it was read in one transaction: later writes are not in the rows
            check_unchanged(workspace, source, origin)

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _checked(store: Store, snapshot: Snapshot, origin: Origin) -> Snapshot:
    with store.write() as db:
        db.execute(
            "update snapshots set checked_at = ?, origin_bytes = ?, origin_modified_ns = ? where id = ?",
            [clock.now_ms(), origin.bytes, origin.modified_ns, snapshot.id],
        )
    return current_snapshots(store)[snapshot.source]
