"""The child that looks at a file: a question (JSON) comes on stdin, a preview leaves on stdout."""

import os
import resource
import shutil
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine.config import Source
from lemnis.engine.data.delimited import TYPES
from lemnis.engine.data.dialect import SAMPLE_BYTES, proposed_dialect
from lemnis.engine.data.duck import first_row, literal, open_duck, quote
from lemnis.engine.data.files import Piece, copied, last_line_end, piece_of, unpacked
from lemnis.engine.data.preview import Preview, PreviewColumn, Question, Trouble
from lemnis.engine.data.readers import OpenFile, asked, opened, rows_of
from lemnis.engine.data.sources import Origin, format_of, origins_of
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOOK_BYTES = 8 << 20  # of text
FETCH_BYTES = 256 << 20  # of a file elsewhere
ROWS = 50
CELL = 200  # characters
MEMORY_BYTES = 6 << 30  # of address space; libraries reserve more than they touch
ODD_SHARE = 0.1  # a text column with fewer odd cells than this is one of another type with mistakes


def answer(question: Question) -> Preview:
    """Return what the file holds.

    Raises:
        LemnisError: It can't be looked at; what is wrong inside it is part of the preview instead.
    """
    workspace = Workspace(Path(question.root))
    name, source, why = question.name, question.source, list[str]()
    if question.propose:
        source = msgspec.structs.replace(source, format=format_of(source.path))
    origins = origins_of(workspace, name, source)
    scratch = Path(tempfile.mkdtemp(dir=workspace.data, prefix=".looking."))
    duck = open_duck(1, "512MiB", spill=None)
    try:
        origin = here(workspace, source, origins[0], scratch)
        if question.propose and source.format in ("csv", "csv-zip"):
            source, why = proposed(source, origin, scratch)
        if len(origins) > 1:
            why.append(f"{len(origins):,} files; this is the first")
        try:
            file, whole, piece = looked_at(source, origin, scratch, duck)
            rows, seen = first_rows(source, file)
        except BadInput as error:
            refused = f"{error.problem} ({error.place})" if error.place else error.problem
            return Preview(name=name, source=source, why=why, columns=[], rows=[], rows_seen=0, whole=False,
                           warnings=[], refused=safe(refused))  # fmt: skip
        columns = [PreviewColumn(name=column, type=kind) for column, kind in file.shape.items()]
        warnings = name_warnings(list(file.shape))
        if piece is not None:
            warnings += type_warnings(duck, source, file.shape, piece)
            seen = rows_in(duck, source, file.shape, piece)
        if source.format == "csv" and not source.header and question.propose:
            warnings.append("there is no header: the columns are numbered, name them with columns = [...]")
        return Preview(name=name, source=source, why=why, columns=columns, rows=rows, rows_seen=seen,
                       whole=whole and len(origins) == 1, warnings=warnings, refused="")  # fmt: skip
    finally:
        duck.close()
        shutil.rmtree(scratch, ignore_errors=True)


def here(workspace: Workspace, source: Source, origin: Origin, scratch: Path) -> Origin:
    """Return the file with where it can be read; one that is elsewhere is fetched if it is small enough."""
    if origin.path is not None or source.format == "postgresql":
        return origin
    if origin.bytes > FETCH_BYTES:
        raise BadInput(
            f"{origin.name} has {origin.bytes:,} bytes.", f"Up to {FETCH_BYTES:,} are fetched for a look.", origin.name
        )
    from lemnis.engine.data.remote import fetched

    return fetched(workspace, source, origin, scratch, unwatched)


def unwatched(share: float, text: str) -> None:
    """Nobody watches how far a look is."""


def proposed(source: Source, origin: Origin, scratch: Path) -> tuple[Source, list[str]]:
    """Return the declaration with a dialect that fits the file's beginning, and what speaks for it."""
    path = origin.path
    assert path is not None
    if source.format == "csv-zip":
        path, _ = unpacked(source, origin, scratch, unwatched)
    with open(path, "rb") as file:
        dialect = proposed_dialect(file.read(SAMPLE_BYTES))
    facts: dict[str, Any] = {field: getattr(dialect, field) for field in dialect.__struct_fields__ if field != "why"}
    return msgspec.structs.replace(source, **facts), list(dialect.why)


def looked_at(
    source: Source, origin: Origin, scratch: Path, duck: "DuckDBPyConnection"
) -> tuple[OpenFile, bool, Piece | None]:
    """Return the file opened, whether all of it was looked at, and for delimited text what was."""
    if source.format == "postgresql":
        return asked(source, origin), True, None
    piece = piece_of(source, origin, scratch, unwatched)
    whole = True
    if source.format in ("csv", "csv-zip", "jsonl") and piece.path.stat().st_size > LOOK_BYTES:
        end = last_line_end(piece.path, 0, LOOK_BYTES)
        if end:
            part = copied(piece.path, scratch, 0, end)
            piece, whole = (
                Piece(source=piece.source, path=part, shown=piece.shown, original=piece.original, named=part),
                False,
            )
    return opened(source, piece, duck), whole, piece if source.format in ("csv", "csv-zip") else None


def first_rows(source: Source, file: OpenFile) -> tuple[list[list[str | None]], int]:
    """Return the first rows as text, and how many came with them."""
    rows: list[list[str | None]] = []
    seen = 0
    for batch in islice(rows_of(source, [file], file.shape), 8):
        seen += batch.num_rows
        for row in batch.slice(0, max(0, ROWS - len(rows))).to_pylist():
            rows.append([None if value is None else str(value)[:CELL] for value in row.values()])
        if len(rows) >= ROWS:
            break
    return rows, seen


def name_warnings(columns: list[str]) -> list[str]:
    """Return what is odd about the columns' names."""
    found: list[str] = []
    for position, column in enumerate(columns, 1):
        if safe(column) != column:
            shown = safe(column, limit=60)
            found.append(f"the name of column {position} holds control characters; it is shown as {shown}")
        elif column != column.strip():
            found.append(f"the name of column {position} begins or ends with a space: {column[:60]!r}")
    return found


def rows_in(duck: "DuckDBPyConnection", source: Source, shape: dict[str, str], piece: Piece) -> int:
    """Return how many rows were looked at."""
    from lemnis.engine.data.delimited import read_call

    return int(first_row(duck, f"select count(*) from {read_call(piece.path, source, shape, source.header)}")[0])


def type_warnings(duck: "DuckDBPyConnection", source: Source, shape: dict[str, str], piece: Piece) -> list[str]:
    """Return the text columns of which nearly every cell fits another type, each with its first odd line."""
    from lemnis.engine.data.delimited import read_call

    texts = [column for column, kind in shape.items() if kind == "VARCHAR" and column not in source.types]
    kinds = ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP")
    table = read_call(piece.path, source, dict.fromkeys(shape, "VARCHAR"), source.header)
    found: list[str] = []
    for column in texts:
        cell = quote(column)
        counts = ", ".join(f"count(*) filter ({cell} is not null and {TYPES[kind].format(cell)})" for kind in kinds)
        total, *fits = first_row(duck, f"select count({cell}), {counts} from {table}")
        kind, most = max(zip(kinds, fits, strict=True), key=lambda one: one[1])
        odd = total - most
        if not most or odd / total > ODD_SHARE:
            continue
        query = f"""select n, cell from (select row_number() over () as n, {cell} as cell from {table})
                    where cell is not null and not ({TYPES[kind].format("cell")}) order by n limit 1"""
        number, value = first_row(duck, query)
        line = number + (1 if source.header else 0)
        found.append(
            f"{safe(column, limit=60)} is text, though {most:,} of {total:,} values are {kind}: line {line} holds"
            f" {literal(safe(value, limit=40))}"
        )
    return found


def main() -> int:
    """Answer one question."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        document: Preview | Trouble = answer(question)
        code = 0
    except LemnisError as error:
        document, code = Trouble(problem=error.problem, remedy=error.remedy, place=error.place), error.exit_code
    sys.stdout.buffer.write(msgspec.json.encode(document))
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    os._exit(main())  # DuckDB's and pyarrow's threads need no goodbye
