"""Content-addressed Parquet: a file is named by its hash, read-only, and never changed in place."""

import fcntl
import os
import shutil
import struct
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from lemnis.engine.data.footer import START, groups_end, joined_footer
from lemnis.engine.data.verified import note_whole
from lemnis.engine.errors import Unavailable
from lemnis.engine.files import sha256_of, sync_folder
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

DAY_S = 86_400
ROW_GROUP = 65_536  # rows; small enough to skip what a query does not need, large enough to compress
GROUP_BYTES = 512 << 20  # of a row group in memory
TAIL = 8  # bytes after a footer: its length, PAR1
COPY_BYTES = 1 << 20


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
    with temporary_file(workspace) as temporary:
        rows = write_groups(temporary, table, metadata or {})
        return keep_file(workspace, temporary, sha256_of(temporary), rows)


def extend_parquet(workspace: Workspace, held: Path, rows: "pa.RecordBatchReader") -> StoredTable:
    """Write the rows of a stored file followed by others; the file is the one that writing all rows would give.

    Full row groups are copied as bytes; only the last one, if it is short, is read and written again. The columns of
    `rows` must be those of `held`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(held) as file:
        groups = file.metadata.num_row_groups
        short = groups > 0 and file.metadata.row_group(groups - 1).num_rows < ROW_GROUP
        kept = groups - 1 if short else groups
        last: list[pa.RecordBatch] = file.read_row_group(kept).cast(rows.schema).to_batches() if short else []
        kept_rows: int = sum(file.metadata.row_group(group).num_rows for group in range(kept))
    following = pa.RecordBatchReader.from_batches(rows.schema, chain(last, rows))
    with temporary_file(workspace) as added, temporary_file(workspace) as whole:
        count = write_groups(added, following, {})
        first, second = footer_of(held), footer_of(added)
        end = groups_end(first, kept)
        with open(held, "rb") as before, open(added, "rb") as after, open(whole, "wb") as out:
            copy_bytes(before, out, end)
            after.seek(START)
            copy_bytes(after, out, added.stat().st_size - len(second) - TAIL - START)
            footer = joined_footer(first, second, kept, end)
            out.write(footer + struct.pack("<I", len(footer)) + b"PAR1")
        return keep_file(workspace, whole, sha256_of(whole), kept_rows + count)


def write_groups(path: Path, table: "pa.Table | pa.RecordBatchReader", metadata: dict[bytes, bytes]) -> int:
    """Write rows to a Parquet file and return how many there were. NaN is written as missing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = 0
    fields = [field.with_nullable(True) if pa.types.is_floating(field.type) else field for field in table.schema]
    schema = pa.schema(fields, metadata)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in row_groups(table):
            writer.write_table(without_nan(group).cast(schema), row_group_size=ROW_GROUP)
            rows += group.num_rows
    return rows


def without_nan(table: "pa.Table") -> "pa.Table":
    """Return a table whose NaN are missing values, as they are everywhere in Lemnis.

    DuckDB 2.0 concludes from a column's smallest and largest value that it holds no NaN, as Parquet leaves those out
    of both: `isnan` is then false for every row, and a check would pass that must not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if not pa.types.is_floating(field.type):
            continue
        column = table.column(place)
        unknown = pc.is_nan(column)
        if pc.any(unknown).as_py():
            known = pc.if_else(unknown, pa.scalar(None, field.type), column)
            table = table.set_column(place, field.with_nullable(True), known)
    return table


@contextmanager
def temporary_file(workspace: Workspace) -> Generator[Path]:
    """Yield a file beside the stored ones that is gone after the block, unless it was renamed."""
    workspace.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=workspace.data, prefix=".writing.", suffix=".tmp")
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


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


@contextmanager
def kept_still(workspace: Workspace, path: Path) -> Generator[None, None, None]:
    """Hold the data's lock while the row is written that names a file; no collection comes between.

    Raises:
        Unavailable: The file was collected before, because the way from it to its row took too long.
    """
    with data_lock(workspace):
        if not path.exists():
            raise Unavailable(
                "A file was collected as nobody's before it was on record.", "Do the same again.", str(path)
            )
        yield


def footer_of(path: Path) -> bytes:
    """Return the footer of a Parquet file."""
    with open(path, "rb") as file:
        size = file.seek(-TAIL, os.SEEK_END)
        (length,) = struct.unpack("<I", file.read(4))
        file.seek(size - length)
        return file.read(length)


def copy_bytes(source: BinaryIO, target: BinaryIO, count: int) -> None:
    """Copy bytes from where one file stands to where the other does."""
    while count:
        block = source.read(min(count, COPY_BYTES))
        if not block:
            raise EOFError("the file is shorter than its footer says")
        target.write(block)
        count -= len(block)


def sweep(workspace: Workspace, now_s: float) -> None:
    """Remove what writers that were killed have left behind, once it is a day old."""
    for path in workspace.data.glob(".*"):
        try:
            if path.stat().st_mtime < now_s - DAY_S:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue  # another sweep was faster


def row_groups(table: "pa.Table | pa.RecordBatchReader") -> Iterator["pa.Table"]:
    """Yield the rows as tables of ROW_GROUP rows, the last one shorter, whatever batches they come in.

    Rows so large that a table would pass GROUP_BYTES make shorter tables.
    """
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = size = 0
    batches: Iterable[pa.RecordBatch] = table.to_batches() if isinstance(table, pa.Table) else table
    for batch in batches:
        waiting.append(batch)
        count, size = count + batch.num_rows, size + batch.nbytes
        while count >= ROW_GROUP:
            gathered = pa.Table.from_batches(waiting, table.schema)
            yield gathered.slice(0, ROW_GROUP)
            waiting = gathered.slice(ROW_GROUP).to_batches()
            count -= ROW_GROUP
            size = sum(batch.nbytes for batch in waiting)
        if size > GROUP_BYTES and count:
            yield pa.Table.from_batches(waiting, table.schema)
            waiting, count, size = [], 0, 0
    if count:
        yield pa.Table.from_batches(waiting, table.schema)
