"""One reader per format: each says what columns a file has, and then gives its rows as a stream of Arrow batches."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.config import Source
from lemnis.engine.data.adapted import renamed_shape, scaled, under_names
from lemnis.engine.data.delimited import (
    MOST_COLUMNS,
    column_names,
    delimited_shape,
    read_call,
    refused_text,
    unlike_names,
)
from lemnis.engine.data.duck import first_row, literal, quote, stream
from lemnis.engine.data.excel import sheet_rows
from lemnis.engine.data.files import OnStep, Piece, piece_of
from lemnis.engine.data.footprint import check_parquet, parquet_batch_rows
from lemnis.engine.data.parquet import ROW_GROUP
from lemnis.engine.data.shapes import Shape, joined, shape_of_types
from lemnis.engine.data.sources import Origin
from lemnis.engine.data.sqlite import sqlite_batches
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

TYPES_AT, ROWS_AT = 0.2, 0.6  # shares of the work: unpacking, looking for types, reading rows
NESTED = ("STRUCT", "MAP", "UNION", "JSON", "VARIANT")


class OpenFile(Struct, frozen=True, kw_only=True):
    """A file whose columns are known; `read` gives its rows in the types it is told, once."""

    shown: str
    shape: Shape
    read: "Callable[[Shape], pa.RecordBatchReader]"


def read_source(
    source: Source, origins: Sequence[Origin], duck: "DuckDBPyConnection", scratch: Path, on_step: OnStep
) -> "pa.RecordBatchReader":
    """Return the rows of a source's files, one after the other; see `opened` and `rows_of`."""
    files = [opened(source, piece_of(source, origin, scratch, on_step, None), duck) for origin in origins]
    shape = joined(origins[0].source, [(file.shown, file.shape) for file in files], optional=source.format == "jsonl")
    return rows_of(source, files, shape)


def opened(source: Source, piece: Piece, duck: "DuckDBPyConnection") -> OpenFile:
    """Look at every value of a file for the types of its columns, which get the names that the source declares.

    Args, Raises: As `looked_at`; BadInput also where two columns would have one name.
    """
    return renamed(source, looked_at(source, piece, duck))


def renamed(source: Source, file: OpenFile) -> OpenFile:
    """Return a file whose columns are called as its source declares."""
    if not any(name in source.rename for name in file.shape):
        return file
    original = {source.rename.get(name, name): name for name in file.shape}

    def read(types: Shape) -> "pa.RecordBatchReader":
        return under_names(file.read({original.get(name, name): kind for name, kind in types.items()}), list(types))

    return OpenFile(shown=file.shown, shape=renamed_shape(source, file.shape, file.shown), read=read)


def looked_at(source: Source, piece: Piece, duck: "DuckDBPyConnection") -> OpenFile:
    """Look at every value of a file for the types of its columns.

    Args:
        source: How to read it.
        piece: What to read.
        duck: Reads every format but workbooks and SQLite, which our own SQLite library reads.

    Raises:
        BadInput: The file is not what its declaration says; `place` has the line where there is one.
    """
    if source.format == "sqlite":
        return _held(piece.shown, sqlite_batches(piece.source, piece.path, source.table))
    if source.format == "excel":
        return _held(piece.shown, sheet_rows(piece.source, piece.path, piece.shown, source))
    with refused_rows(piece):
        if source.format in ("csv", "csv-zip"):
            columns = column_names(piece.source, piece.named, source, piece.shown)
            header = source.header and not piece.start
            shape = delimited_shape(duck, piece.path, source, columns, header)
            return OpenFile(
                shown=piece.shown,
                shape=shape,
                read=lambda types: _streamed(
                    duck, piece, f"select * from {read_call(piece.path, source, types, header)}"
                ),
            )
        if piece.path.stat().st_size == 0 and not piece.start:
            name = PurePath(piece.shown).name
            raise BadInput(f"{piece.source}: {name} is empty.", "Check what writes it.", piece.shown)
        if source.format == "parquet":
            return _parquet(duck, piece)
        return _json(duck, piece)


def _parquet(duck: "DuckDBPyConnection", piece: Piece) -> OpenFile:
    check_parquet(piece.source, piece.path, piece.shown)
    call = f"read_parquet({literal(str(piece.path))})"
    kinds = described(duck, call)
    checked_columns(piece, list(kinds))
    batch_rows = parquet_batch_rows(duck, piece, kinds)

    def read(types: Shape) -> "pa.RecordBatchReader":
        columns = ", ".join(f"{_flat(column, kinds[column], types[column])} as {quote(column)}" for column in types)
        return _streamed(duck, piece, f"select {columns} from {call}", batch_rows)

    shape = {column: "VARCHAR" if nested(kind) else kind for column, kind in kinds.items()}
    return OpenFile(shown=piece.shown, shape=shape, read=read)


def _json(duck: "DuckDBPyConnection", piece: Piece) -> OpenFile:
    check_json(piece)
    options = "format = 'newline_delimited', compression = 'none', ignore_errors = false, records = 'true'"
    found = described(duck, f"read_json({literal(str(piece.path))}, {options}, sample_size = -1, maximum_depth = 2)")
    shape = {column: "VARCHAR" if nested(kind) else kind for column, kind in found.items()}
    checked_columns(piece, list(shape))
    lower = {column.lower() for column in shape}
    for column in shape:  # DuckDB calls the second of two keys that differ by case a_1, and then can't find it
        base, _, number = column.lower().rpartition("_")
        if number.isdigit() and base in lower and not key_stands(piece.path, column):
            raise BadInput(
                f"{piece.source}: the key {base!r} is written in two ways.", "Write it in one case.", piece.shown
            )

    def read(types: Shape) -> "pa.RecordBatchReader":
        columns = ", ".join(f"{literal(column)}: {literal(kind or 'VARCHAR')}" for column, kind in types.items())
        query = f"select * from read_json({literal(str(piece.path))}, {options}, columns = {{{columns}}})"
        return _streamed(duck, piece, query)

    doubles = [column for column, kind in shape.items() if kind == "DOUBLE"]
    if doubles:
        tests = ", ".join(f"bool_or(isinf({quote(column)}))" for column in doubles)
        kinds = ", ".join(f"{literal(column)}: 'DOUBLE'" for column in doubles)
        answers = first_row(
            duck, f"select {tests} from read_json({literal(str(piece.path))}, {options}, columns = {{{kinds}}})"
        )
        for column, infinite in zip(doubles, answers, strict=True):
            if infinite:
                problem = f"{piece.source}: a number in {column!r} is larger than any that can be kept."
                raise BadInput(problem, "Write it as text.", piece.shown)
    return OpenFile(shown=piece.shown, shape=shape, read=read)


def asked(source: Source, origin: Origin) -> OpenFile:
    """Ask a database for its rows; see `server_rows`."""
    from lemnis.engine.data.postgres import server_rows

    return renamed(source, _held(origin.name, server_rows(origin.source, source)))


def _held(shown: str, rows: "pa.RecordBatchReader") -> OpenFile:
    """A file whose reader has looked at its values itself."""
    types = {field.name: str(field.type) for field in rows.schema}
    return OpenFile(shown=shown, shape=shape_of_types(types), read=partial(_as_it_is, rows))


def _as_it_is(rows: "pa.RecordBatchReader", types: Shape) -> "pa.RecordBatchReader":
    del types  # such a file is never one of several
    return rows


def _streamed(
    duck: "DuckDBPyConnection", piece: Piece, query: str, batch_rows: int = ROW_GROUP
) -> "pa.RecordBatchReader":
    import pyarrow as pa

    with refused_rows(piece):
        reader = stream(duck, query, batch_rows)

    def batches() -> Iterator["pa.RecordBatch"]:
        with refused_rows(piece):
            yield from reader

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def rows_of(
    source: Source, files: Sequence[OpenFile], shape: Shape, counts: list[int] | None = None
) -> "pa.RecordBatchReader":
    """Return the rows of files that were opened, one after the other, in the types of `shape`.

    Args:
        source: Its `filename` is the column that says which file a row came from.
        files: Each is read when the one before has ended.
        shape: What they have in common.
        counts: Is given the number of rows of each file as it ends.
    """
    import pyarrow as pa

    first = files[0].read(shape)
    schema = first.schema
    if source.filename:
        unlike_names(source.filename, [*schema.names, source.filename], f"filename = {source.filename!r}")
        schema = schema.append(pa.field(source.filename, pa.string()))

    def batches() -> Iterator["pa.RecordBatch"]:
        for number, file in enumerate(files):
            count = 0
            for batch in first if number == 0 else file.read(shape):
                count += batch.num_rows
                columns = batch.columns
                if source.filename:
                    columns = [*columns, pa.array([PurePath(file.shown).name] * batch.num_rows, pa.string())]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
            if counts is not None:
                counts.append(count)

    return scaled(source, pa.RecordBatchReader.from_batches(schema, batches()), files[0].shown)


@contextmanager
def refused_rows(piece: Piece) -> Generator[None]:
    """A block in which what DuckDB or Arrow refuses becomes BadInput with the line."""
    import duckdb
    import pyarrow as pa

    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        before = piece.lines_before() if piece.start else 0
        raise refused_text(piece.source, piece.shown, str(error), before) from None


def described(duck: "DuckDBPyConnection", call: str) -> dict[str, str]:
    """Return the columns that a reader of DuckDB finds, with their types."""
    return {str(column): str(kind) for column, kind, *_ in duck.execute(f"describe select * from {call}").fetchall()}


def checked_columns(piece: Piece, columns: list[str]) -> None:
    """Refuse a table that is too wide."""
    if len(columns) > MOST_COLUMNS:
        problem = f"{piece.source} has {len(columns):,} columns."
        raise BadInput(problem, f"At most {MOST_COLUMNS:,} are read.", piece.shown)


def nested(kind: str) -> bool:
    """Say whether values of this type are more than one value; they are kept as JSON text."""
    return kind.startswith(NESTED) or kind.endswith("]")


def _flat(column: str, kind: str, wanted: str) -> str:
    if nested(kind):
        return f"to_json({quote(column)})::varchar"
    return quote(column) if kind == wanted else f"{quote(column)}::{wanted or kind}"


def check_json(piece: Piece) -> None:
    """Refuse a line that is no JSON object; DuckDB lets NaN and Infinity pass, and counts lines across its threads.

    Raises:
        BadInput: `place` has the line.
    """
    decode = msgspec.json.Decoder(msgspec.Raw).decode
    with open(piece.path, "rb") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if not text:
                continue
            why = ""
            try:
                decode(text)
                text.decode()
            except UnicodeDecodeError:
                why = "this line is not UTF-8 text"
            except msgspec.DecodeError as error:
                why = f"this line is no JSON: {error}"
            except RecursionError:
                why = "this line nests too deeply"
            if not why and not text.startswith(b"{"):
                why = "this line is no object"
            if why:
                place = f"{piece.shown}:{number + (piece.lines_before() if piece.start else 0)}"
                raise BadInput(f"{piece.source}: {why.rstrip('.')}.", "Mend the line.", place)


def key_stands(path: Path, key: str) -> bool:
    """Say whether a key is written in a file of JSON lines as it is called here."""
    wanted = msgspec.json.encode(key)
    with open(path, "rb") as file:
        return any(wanted in line for line in file)
