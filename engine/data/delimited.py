"""Delimited text: read as it is declared, typed by looking at every cell, refused with the line that is wrong."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from lemnis.engine.config import Source
from lemnis.engine.data.duck import first_row, literal, quote
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_COLUMNS = 2_000
MOST_HEADER = 1_000_000  # characters
SAMPLE = 20_000  # rows that rule out most types before the whole file is asked
LIKELY = ",;|\t"
NUMBER = r"[+-]?(0|[1-9][0-9]*)"
CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"

# A column gets the first type that every one of its cells fits; 007 stays text, so that no zero is lost.
TYPES: Mapping[str, str] = {
    "BOOLEAN": "lower({0}) in ('true', 'false')",
    "BIGINT": rf"regexp_full_match({{0}}, '{NUMBER}') and try_cast({{0}} as bigint) is not null",
    "DOUBLE": rf"regexp_full_match({{0}}, '{NUMBER}?(\.[0-9]*)?([eE][+-]?[0-9]+)?')"
    " and try_cast({0} as double) is not null",
    "DATE": "regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') and try_cast({0} as date) is not null",
    "TIMESTAMP": f"regexp_full_match({{0}}, '{CLOCK.replace('{', '{{').replace('}', '}}')}')"
    " and try_cast({0} as timestamp) is not null",
    "TIMESTAMPTZ": f"regexp_full_match({{0}}, '{(CLOCK + ZONE).replace('{', '{{').replace('}', '}}')}')"
    " and try_cast({0} as timestamptz) is not null",
}
TYPE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ ]*(\(\d+(, ?\d+)?\))?")


def column_names(name: str, path: Path, source: Source, shown: str) -> list[str]:
    """Return the columns of a file of delimited text, from its header or from its declaration.

    Raises:
        BadInput: The header is not accepted, or the declared types name a column that is none.
    """
    columns = read_header(name, path, source, shown)
    place = f"sources.{name}.types"
    for column, kind in source.types.items():
        if column not in columns:
            known = safe(", ".join(columns), limit=300)
            raise BadInput(f"{name} has no column {column!r}.", f"Columns: {known}.", place)
        if not TYPE_NAME.fullmatch(kind):
            raise BadInput(f"{kind!r} is no type.", "Write for example VARCHAR or BIGINT.", place)
    return columns


def delimited_shape(
    duck: "DuckDBPyConnection", path: Path, source: Source, columns: Sequence[str], header: bool
) -> dict[str, str]:
    """Return a type for each column, looked for in every cell; empty for a column without a cell."""
    text = read_call(path, source, dict.fromkeys(columns, "VARCHAR"), header)
    asked = {column: list(TYPES) for column in columns if column not in source.types}
    found: dict[str, str] = dict.fromkeys(columns, "") | source.types
    for table in (f"(select * from {text} limit {SAMPLE})", text):
        for column, kinds in fitting_types(duck, table, asked, source.decimal).items():
            if kinds is not None:
                asked[column], found[column] = kinds, (kinds or ["VARCHAR"])[0]
    return found


def read_call(path: Path, source: Source, types: Mapping[str, str], header: bool = True) -> str:
    """Return the call of DuckDB's reader with nothing left for it to guess."""
    columns = ", ".join(f"{literal(column)}: {literal(kind or 'VARCHAR')}" for column, kind in types.items())
    nulls = ", ".join(map(literal, source.null or [""]))
    return (
        f"read_csv({literal(str(path))}, delim = {literal(source.delimiter)}, auto_detect = false,"
        f" header = {str(header).lower()}, skip = 0, quote = {literal(source.quote)},"
        f" escape = {literal(source.escape if source.quote else '')}, comment = '', strict_mode = true,"
        f" null_padding = false, ignore_errors = false, encoding = 'utf-8', compression = 'none',"
        f" decimal_separator = {literal(source.decimal)}, nullstr = [{nulls}], columns = {{{columns}}})"
    )


def fitting_types(
    duck: "DuckDBPyConnection", table: str, asked: Mapping[str, list[str]], decimal: str = "."
) -> dict[str, list[str] | None]:
    """Return which of the types asked about fit every cell of their column; None for a column without a cell."""
    questions = [(column, kind) for column, kinds in asked.items() for kind in kinds]
    fits: dict[str, list[str] | None] = {column: [] for column in asked}
    if not questions:
        return fits
    tests: list[str] = []
    for column, kind in questions:
        cell = quote(column)
        shown = f"replace(replace({cell}, '.', 'x'), '{decimal}', '.')" if decimal != "." and kind == "DOUBLE" else cell
        tests.append(f"bool_and({TYPES[kind].format(shown)}) filter ({cell} is not null)")
    answers = first_row(duck, f"select {', '.join(tests)} from {table}")
    for (column, kind), fitting in zip(questions, answers, strict=True):
        known = fits[column]
        if fitting is None:
            fits[column] = None
        elif fitting and known is not None:
            known.append(kind)
    return fits


def read_header(name: str, path: Path, source: Source, shown: str) -> list[str]:
    """Return the column names of the first line, or those that are declared for a file without a header.

    Raises:
        BadInput: The file is empty or no UTF-8 text, a name is missing or stands twice, there are too many columns,
            or the delimiter can't be the right one.
    """
    place, file_name = f"{shown}:1", PurePath(shown).name
    delimiter = source.delimiter
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            start = file.read(MOST_HEADER)
        quoting = csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE
        lines = csv.reader(
            io.StringIO(start, newline=""),
            delimiter=delimiter,
            quotechar=source.quote or None,
            escapechar=source.escape if source.escape != source.quote else None,
            quoting=quoting,
            strict=True,
        )
        columns = next(lines, list[str]())
    except csv.Error as error:
        raise BadInput(f"{name}: the header can't be read: {error}.", "Close the quote.", place) from None
    if not start:
        raise BadInput(f"{name}: {file_name} is empty.", "A source has at least a header.", place)
    if any("\udc80" <= character <= "\udcff" or character == "\0" for character in "".join(columns)):
        remedy = f"Set sources.{name}.encoding, for example to cp949 or latin-1."
        raise BadInput(f"{name}: {file_name} is not UTF-8 text.", remedy, place)
    if len(columns) > MOST_COLUMNS:
        raise BadInput(f"{name} has {len(columns):,} columns.", f"At most {MOST_COLUMNS:,} are read.", place)
    if not source.header:
        return _declared_columns(name, source, len(columns))
    other = [mark for mark in LIKELY if mark != delimiter and mark in "".join(columns)]
    if len(columns) == 1 and other:
        raise BadInput(
            f"{name}: with the delimiter {delimiter!r} the header is one column, {safe(columns[0], limit=80)!r}.",
            f"Set sources.{name}.delimiter to {other[0]!r}, if that is what parts the columns.",
            place,
        )
    return unlike_names(name, columns, place)


def unlike_names(name: str, columns: list[str], place: str) -> list[str]:
    """Return the names of columns, which must be there and unlike each other as SQL reads them.

    Raises:
        BadInput: One is empty, or stands twice.
    """
    seen: set[str] = set()
    for position, column in enumerate(columns, 1):
        if not column.strip():
            raise BadInput(f"{name}: column {position} has no name.", "Name it in the header.", place)
        if column.lower() in seen:
            raise BadInput(f"{name}: the column {safe(column)!r} stands twice.", "Rename one.", place)
        seen.add(column.lower())
    return columns


def _declared_columns(name: str, source: Source, found: int) -> list[str]:
    columns = source.columns or [f"column{position}" for position in range(1, found + 1)]
    if len(columns) != found:
        raise BadInput(
            f"{name}: {len(columns)} columns are declared, but the first row has {found} cells.",
            "Name each of them.",
            f"sources.{name}.columns",
        )
    return unlike_names(name, columns, f"sources.{name}.columns")


def refused_text(name: str, path: str, message: str, line: int = 0) -> BadInput:
    """Turn what DuckDB says about delimited text or JSON lines into a sentence with the line.

    Args:
        name: The source.
        path: The file, as people know it.
        message: What DuckDB says.
        line: How many lines stand before what DuckDB was given.
    """
    said = re.search(r"CSV Error on Line: (\d+)", message)
    number = line + int(said.group(1)) if said else 0
    place = f"{path}:{number}" if number else path
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    value = re.search(r'converting column "(.*?)"\. Could not convert string "(.*?)" to \'(\w+)\'', message, re.DOTALL)
    if counts:
        problem = f"this row has {counts.group(2)} cells where the header has {counts.group(1)}"
        remedy = f"Mend the row; if every row is wrong, check sources.{name}.delimiter."
    elif value:
        column, text, kind = (safe(group, limit=80) for group in value.groups())
        problem, remedy = (
            f"column {column} is {kind}, but here it holds {text!r}",
            f"Set sources.{name}.types.{column}.",
        )
    elif "unterminated quote" in message:
        problem, remedy = "a quote that opens on this row is never closed", "Close the quote."
    elif "not utf-8" in message.lower() or "unicode" in message:
        problem, remedy = "this row is not UTF-8 text", f"Set sources.{name}.encoding."
    elif "Maximum line size" in message or "maximum_object_size" in message:
        problem, remedy = "this row is longer than the reader allows", "Keep documents out of tables."
    else:
        first = re.sub(r"^\w+( \w+)* Error: ", "", message.splitlines()[0])
        problem, remedy = safe(first, limit=200).rstrip("."), "Check the file against its declaration."
    return BadInput(f"{name}: {problem}.", remedy, place)
