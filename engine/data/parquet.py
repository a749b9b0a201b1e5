"""Content-addressed Parquet: a file is named by its hash, read-only, and never changed in place."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.data.verified import note_whole
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
        return keep_file(workspace, temporary, sha256_of(temporary), rows)
    finally:
        temporary.unlink(missing_ok=True)


def keep_file(workspace: Workspace, temporary: Path, sha256: str, rows: int) -> StoredTable:
    """Give a complete file below `.lemnis` its place and its name, read-only and on disk; its hash was just computed.

    Its time of change is set to now, under the lock that the collecting of garbage holds alone: a file without a row is
    left alone while it is young, so nothing is removed between this and the row that will name it.
    """
    with open(temporary, "rb") as file:
        os.fchmod(file.fileno(), 0o444)
        os.fsync(file.fileno())
    path = workspace.data / f"{sha256}.parquet"
    with data_lock(workspace):
        os.utime(temporary)
        os.replace(temporary, path)
    sync_folder(workspace.data)
    note_whole(path)
    return StoredTable(path=path, sha256=sha256, rows=rows, bytes=path.stat().st_size)


@contextmanager
def data_lock(workspace: Workspace, *, alone: bool = False) -> Generator[None, None, None]:
    """Hold the lock of the data's files: together with others who add one, or alone to remove some.

    The kernel frees it when the process dies.
    """
    with open(workspace.hidden / "data.lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


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
