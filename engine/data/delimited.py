"""Delimited text: read as it is declared, typed by looking at every cell, refused with the line that is wrong."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
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


def delimited_query(duck: "DuckDBPyConnection", name: str, path: Path, source: Source) -> str:
    """Return the SQL that reads a file of delimited text, with a type for each column.

    Args:
        duck: Where the types are looked for.
        name: The source's name, for messages.
        path: A regular file.
        source: The delimiter, the texts that mean null, and the types people have set.

    Raises:
        BadInput: The header or a type that was set is not accepted.
    """
    place = f"sources.{name}"
    columns = read_header(name, path, source.delimiter)
    for column, kind in source.types.items():
        if column not in columns:
            raise BadInput(
                f"{name} has no column {column!r}.",
                f"Columns: {safe(', '.join(columns), limit=300)}.",
                f"{place}.types",
            )
        if not TYPE_NAME.fullmatch(kind):
            raise BadInput(f"{kind!r} is no type.", "Write for example VARCHAR or BIGINT.", f"{place}.types")
    text = read_call(path, source, dict.fromkeys(columns, "VARCHAR"))
    asked = {column: list(TYPES) for column in columns if column not in source.types}
    for table in (f"(select * from {text} limit {SAMPLE})", text):
        asked = fitting_types(duck, table, asked)
    types = {column: source.types.get(column) or (asked[column] or ["VARCHAR"])[0] for column in columns}
    return f"select * from {read_call(path, source, types)}"


def read_call(path: Path, source: Source, types: Mapping[str, str]) -> str:
    """Return the call of DuckDB's reader with nothing left for it to guess."""
    columns = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in types.items())
    nulls = ", ".join(map(literal, source.null or [""]))
    return (
        f"read_csv({literal(str(path))}, delim = {literal(source.delimiter)}, auto_detect = false, header = true,"
        " skip = 0, quote = '\"', escape = '\"', comment = '', strict_mode = true, null_padding = false,"
        " ignore_errors = false, encoding = 'utf-8', compression = 'none',"
        f" nullstr = [{nulls}], columns = {{{columns}}})"
    )


def fitting_types(duck: "DuckDBPyConnection", table: str, asked: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return which of the types asked about fit every cell of their column; a column without a cell fits none."""
    questions = [(column, kind) for column, kinds in asked.items() for kind in kinds]
    fits: dict[str, list[str]] = {column: [] for column in asked}
    if not questions:
        return fits
    cells = [(quote(column), TYPES[kind]) for column, kind in questions]
    tests = ", ".join(f"bool_and({test.format(cell)}) filter ({cell} is not null)" for cell, test in cells)
    answers = first_row(duck, f"select {tests} from {table}")
    for (column, kind), fitting in zip(questions, answers, strict=True):
        if fitting:
            fits[column].append(kind)
    return fits


def read_header(name: str, path: Path, delimiter: str) -> list[str]:
    """Return the column names of the first line.

    Raises:
        BadInput: The file is empty or no UTF-8 text, a name is missing or stands twice, there are too many columns,
            or the delimiter can't be the right one.
    """
    place = f"{path}:1"
    if len(delimiter) != 1:
        raise BadInput(
            f"{name}: a delimiter is one character, not {delimiter!r}.", "Set it.", f"sources.{name}.delimiter"
        )
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            start = file.read(MOST_HEADER)
        lines = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True)
        columns = next(lines, list[str]())
    except csv.Error as error:
        raise BadInput(f"{name}: the header can't be read: {error}.", "Close the quote.", place) from None
    if not start:
        raise BadInput(f"{name}: {path.name} is empty.", "A source has at least a header.", place)
    if any("\udc80" <= character <= "\udcff" for character in "".join(columns)):
        raise BadInput(f"{name}: {path.name} is not UTF-8 text.", "Convert it with iconv.", place)
    if len(columns) > MOST_COLUMNS:
        raise BadInput(f"{name} has {len(columns):,} columns.", f"At most {MOST_COLUMNS:,} are read.", place)
    other = [mark for mark in LIKELY if mark != delimiter and mark in "".join(columns)]
    if len(columns) == 1 and other:
        raise BadInput(
            f"{name}: with the delimiter {delimiter!r} the header is one column, {safe(columns[0], limit=80)!r}.",
            f"Set sources.{name}.delimiter to {other[0]!r}, if that is what parts the columns.",
            place,
        )
    for position, column in enumerate(columns, 1):
        if not column.strip():
            raise BadInput(f"{name}: column {position} has no name.", "Name it in the header.", place)
        if column in columns[: position - 1]:
            raise BadInput(f"{name}: the column {safe(column)!r} stands twice.", "Rename one.", place)
    return columns


def refused_text(name: str, path: Path, message: str, line: int = 0) -> BadInput:
    """Turn what DuckDB says about delimited text or JSON lines into a sentence with the line; `line` if it is known."""
    said = re.search(r"CSV Error on Line: (\d+)", message)
    number = line or (int(said.group(1)) if said else 0)
    place = f"{path}:{number}" if number else str(path)
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    value = re.search(r'converting column "(.*?)"\. Could not convert string "(.*?)" to \'(\w+)\'', message, re.DOTALL)
    json = re.search(r"Malformed JSON.*?in line \d+: ([^.\n]*)", message)
    if counts:
        problem = f"this row has {counts.group(2)} cells where the header has {counts.group(1)}"
        remedy = f"Mend the row; if every row is wrong, check sources.{name}.delimiter."
    elif value:
        column, text, kind = (safe(group, limit=80) for group in value.groups())
        problem, remedy = (
            f"column {column} is {kind}, but here it holds {text!r}",
            f"Set sources.{name}.types.{column}.",
        )
    elif json:
        problem, remedy = f"this line is no JSON: {safe(json.group(1), limit=120)}", "Mend the line."
    elif "unterminated quote" in message:
        problem, remedy = "a quote that opens on this row is never closed", "Close the quote."
    elif "not utf-8" in message.lower() or "unicode" in message:
        problem, remedy = "this row is not UTF-8 text", "Convert the file with iconv."
    elif "Maximum line size" in message or "maximum_object_size" in message:
        problem, remedy = "this row is longer than the reader allows", "Keep documents out of tables."
    else:
        first = re.sub(r"^\w+( \w+)* Error: ", "", message.splitlines()[0])
        problem, remedy = safe(first, limit=200).rstrip("."), "Check the file against its declaration."
    return BadInput(f"{name}: {problem}.", remedy, place)
