"""One reader per format: each turns a source's file into a stream of Arrow batches."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lemnis.engine.config import Source
from lemnis.engine.data.delimited import MOST_COLUMNS, delimited_query, refused_text
from lemnis.engine.data.duck import literal, quote, stream
from lemnis.engine.data.parquet import ROW_GROUP
from lemnis.engine.data.sources import Origin
from lemnis.engine.data.sqlite import sqlite_batches
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

MOST_BYTES = 64 << 30  # of a file once it is unpacked
COPY_BYTES = 1 << 20
TYPES_AT, ROWS_AT = 0.2, 0.6  # shares of the work: unpacking, looking for types, reading rows
OnStep: TypeAlias = Callable[[float, str], None]
NESTED = ("STRUCT", "MAP", "UNION", "JSON", "VARIANT")


def read_source(
    source: Source, origin: Origin, duck: "DuckDBPyConnection", scratch: Path, on_step: OnStep
) -> "pa.RecordBatchReader":
    """Return the rows of a source.

    Args:
        source: How to read it.
        origin: The file, already looked at.
        duck: Reads every format but SQLite, which our own SQLite library reads.
        scratch: An empty folder for what must be unpacked; the caller removes it after the last batch.
        on_step: Called with the share of the work that is done and what comes next; may raise to stop.

    Raises:
        BadInput: The file is not what its declaration says; `place` has the line where there is one. It may also be
            raised while the batches are read.
    """
    import duckdb
    import pyarrow as pa

    if source.format == "sqlite":
        return sqlite_batches(origin.source, origin.path, source.table)
    path = unpacked(source, origin, scratch, on_step) if source.format == "csv-zip" else origin.path
    on_step(TYPES_AT, "looking for the types")

    def refused(error: Exception) -> BadInput:
        line = broken_json_line(path) if source.format == "jsonl" else 0
        return refused_text(origin.source, path, str(error), line)

    try:
        query = query_of(duck, source, origin.source, path)
        reader = stream(duck, query, ROW_GROUP)
    except duckdb.Error as error:
        raise refused(error) from None

    def batches() -> Iterator["pa.RecordBatch"]:
        try:
            yield from reader
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise refused(error) from None

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def query_of(duck: "DuckDBPyConnection", source: Source, name: str, path: Path) -> str:
    """Return the SQL that reads a file; nested values become JSON text."""
    if source.format in ("csv", "csv-zip"):
        return delimited_query(duck, name, path, source)
    if path.stat().st_size == 0:
        raise BadInput(f"{name}: {path.name} is empty.", "Check what writes it.", str(path))
    if source.format == "parquet":
        check_parquet(name, path)
        call = f"read_parquet({literal(str(path))})"
    else:
        call = (
            f"read_json({literal(str(path))}, format = 'newline_delimited', sample_size = -1, compression = 'none',"
            " ignore_errors = false, maximum_depth = 2)"
        )
    described = duck.execute(f"describe select * from {call}").fetchall()
    if len(described) > MOST_COLUMNS:
        raise BadInput(f"{name} has {len(described):,} columns.", f"At most {MOST_COLUMNS:,} are read.", str(path))
    columns = [
        f"to_json({quote(column)})::varchar as {quote(column)}"
        if kind.startswith(NESTED) or kind.endswith("]")
        else quote(column)
        for column, kind, *_ in described
    ]
    return f"select {', '.join(columns)} from {call}"


def broken_json_line(path: Path) -> int:
    """Return the first line that is no JSON; 0 if there is none. DuckDB counts lines across its threads' parts."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if line.strip():
                    msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return number
    return 0


def check_parquet(name: str, path: Path) -> None:
    """Refuse a Parquet file by its footer: damaged, too wide, or too large once unpacked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        why = safe(str(error).splitlines()[0], limit=200)
        raise BadInput(f"{name}: {path.name} is no Parquet file: {why}.", "Write it again.", str(path)) from None
    size: int = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    if metadata.num_columns > MOST_COLUMNS or size > MOST_BYTES:
        raise BadInput(
            f"{name}: {metadata.num_columns:,} columns, {size:,} bytes unpacked.",
            f"At most {MOST_COLUMNS:,} columns and {MOST_BYTES:,} bytes are read.",
            str(path),
        )


def unpacked(source: Source, origin: Origin, scratch: Path, on_step: OnStep) -> Path:
    """Stream one member of a ZIP archive into `scratch` and return the file.

    Raises:
        BadInput: It is no ZIP archive, damaged, encrypted, too large, or it is not clear which member is meant.
    """
    name, place = origin.source, str(origin.path)
    target = scratch / "member.csv"
    try:
        with zipfile.ZipFile(origin.path) as archive:
            info = _member(archive, source, origin)
            if info.file_size > MOST_BYTES:
                raise BadInput(f"{name}: {info.filename} unpacks to {info.file_size:,} bytes.", "Split it.", place)
            written = 0
            with archive.open(info) as packed, open(target, "xb") as file:
                while block := packed.read(COPY_BYTES):
                    written += len(block)
                    if written > info.file_size:  # the directory of the archive lied about its size
                        raise zipfile.BadZipFile("a member is longer than it says")
                    file.write(block)
                    on_step(TYPES_AT * written / info.file_size, f"unpacking {info.filename}")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        why = safe(error, limit=200)
        raise BadInput(f"{name}: {origin.path.name} can't be unpacked: {why}.", "Pack it again.", place) from None
    return target


def _member(archive: zipfile.ZipFile, source: Source, origin: Origin) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir()]
    wanted = [info for info in files if info.filename == source.member]
    if not source.member:
        wanted = [info for info in files if info.filename.endswith((".csv", ".tsv", ".txt"))]
    if len(wanted) != 1:
        held = ", ".join(info.filename for info in files[:10])
        raise BadInput(
            f"{origin.source}: {len(wanted) or 'no'} members of {origin.path.name} fit {source.member or '*.csv'!r}.",
            f"Set sources.{origin.source}.member to one of: {held}.",
            str(origin.path),
        )
    return wanted[0]
