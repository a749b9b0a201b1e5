"""Content-addressed Parquet: a file is named by its hash, read-only, and never changed in place."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.files import sha256_of, sync_folder
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

DAY_S = 86_400
ROW_GROUP = 65_536  # rows; small enough to skip what a query does not need, large enough to compress


class StoredTable(Struct, frozen=True, kw_only=True):
    """A Parquet file below `.lemnis/data`, named by the SHA-256 of its bytes."""

    path: Path
    sha256: str
    rows: int
    bytes: int


def store_parquet(
    workspace: Workspace, table: "pa.Table | pa.RecordBatchReader", metadata: dict[bytes, bytes] | None = None
) -> StoredTable:
    """Write rows to a read-only Parquet file named by its content; the same rows give the same file.

    The file appears under its name only when it is complete and on disk. `metadata` is written into the file and so
    takes part in its hash.
    """
    import pyarrow.parquet as pq

    workspace.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=workspace.data, prefix=".writing.", suffix=".tmp")
    os.close(descriptor)
    temporary, rows = Path(name), 0
    try:
        schema = table.schema.with_metadata(metadata or {})
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for group in row_groups(table):
                writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=ROW_GROUP)
                rows += group.num_rows
        with open(temporary, "rb") as file:
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
        sha256, size = sha256_of(temporary), temporary.stat().st_size
        path = workspace.data / f"{sha256}.parquet"
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(workspace.data)
    return StoredTable(path=path, sha256=sha256, rows=rows, bytes=size)


def sweep(workspace: Workspace, now_s: float) -> None:
    """Remove what writers that were killed have left behind, once it is a day old."""
    for path in workspace.data.glob(".*"):
        try:
            if path.stat().st_mtime < now_s - DAY_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue  # another sweep was faster


def row_groups(table: "pa.Table | pa.RecordBatchReader") -> Iterator["pa.Table"]:
    """Yield the rows as tables of exactly ROW_GROUP rows, the last one shorter, whatever batches they come in."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    batches: Iterable[pa.RecordBatch] = table.to_batches() if isinstance(table, pa.Table) else table
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= ROW_GROUP:
            gathered = pa.Table.from_batches(waiting, table.schema)
            yield gathered.slice(0, ROW_GROUP)
            waiting = gathered.slice(ROW_GROUP).to_batches()
            count -= ROW_GROUP
    if count:
        yield pa.Table.from_batches(waiting, table.schema)
