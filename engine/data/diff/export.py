"""Writing the rows that differ to a file: what became of each, its key, and every value before and after."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from lemnis.engine.data.diff.kept import AFTER, BEFORE
from lemnis.engine.data.diff.records import Change, Listing
from lemnis.engine.data.diff.rows import Sources, listed, parts, places_of, schema_of, take
from lemnis.engine.data.export import new_file, write_rows
from lemnis.engine.data.plain import plain_column

AT_ONCE = 65_536  # rows
GONE: dict[Change, str] = {"removed": AFTER, "added": BEFORE}  # the side that has no such row


class Column(NamedTuple):
    """A column of the file: its title, and which column of which side it holds; no side: a column of the key."""

    title: str
    name: str
    side: str
    type: Any  # a pyarrow type


def export_rows(sources: Sources, listing: Listing, path: Path) -> int:
    """Write all rows that are asked for to a new CSV, JSON lines or Parquet file; return how many.

    Raises:
        NotFound: There is no such column, or the rows are not kept any more.
        BadInput: The file exists, has another ending, or can't be written.
    """
    places = listed(sources, listing)
    columns = columns_of(sources, listing)
    schema = pa.schema([("change", pa.string()), *((column.title, column.type) for column in columns)])

    def batches() -> Generator[Any]:  # Any: pyarrow's record batches
        for start in range(0, len(places), AT_ONCE):
            for change, part in parts(sources.diff, places[start : start + AT_ONCE]):
                table = table_of(sources, change, part, columns)
                yield from pa.table([pa.repeat(change, len(part)), *table], schema=schema).to_batches()

    with new_file(path) as temporary:
        write_rows(pa.RecordBatchReader.from_batches(schema, batches()), temporary, path.suffix)
    return len(places)


def columns_of(sources: Sources, listing: Listing) -> list[Column]:
    """Return the columns of the file: the key, then each other column before and after."""
    diff = sources.diff
    schemas = {BEFORE: schema_of(sources.before.file), AFTER: schema_of(sources.after.file)}
    found: list[Column] = []
    for name in diff.key:
        kinds = [flat(schema.field(name).type) for schema in schemas.values()]
        found.append(Column(name, name, "", kinds[0] if kinds[0] == kinds[1] else pa.string()))
    for column in diff.columns:
        if column.name in diff.key or listing.column not in ("", column.name):
            continue
        for side, held in ((BEFORE, column.before), (AFTER, column.after)):
            if held is not None:
                kind = flat(schemas[side].field(column.name).type)
                found.append(Column(f"{column.name} {side}", column.name, side, kind))
    taken = {"change"}
    for place, column in enumerate(found):
        title = column.title
        while title in taken:
            title += "_"
        taken.add(title)
        found[place] = column._replace(title=title)
    return found


def flat(kind: Any) -> Any:
    """Return the type a column is written with: text for what a CSV file has no cell for. Any: pyarrow types."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_null(kind) or pa.types.is_binary(kind) or pa.types.is_duration(kind):
        return pa.string()
    return kind


def table_of(sources: Sources, change: Change, part: Any, columns: list[Column]) -> list[Any]:
    """Return the columns of some rows of one kind. Any: places, and Arrow arrays."""
    versions = {BEFORE: sources.before, AFTER: sources.after}
    here = [side for side in (AFTER, BEFORE) if GONE.get(change) != side]
    tables = {
        side: take(
            versions[side].file,
            places_of(sources.file, part, side),
            [column.name for column in columns if (column.side or here[0]) == side],
        )
        for side in here
    }
    nothing = len(part)
    return [
        as_type(tables[side].column(column.name), column.type) if side in tables else pa.nulls(nothing, column.type)
        for column in columns
        for side in [column.side or here[0]]
    ]


def as_type(column: Any, kind: Any) -> Any:
    """Return a column as the type it is written with. Any: pyarrow's."""
    if column.type == kind:
        return column
    if kind != pa.string() or pa.types.is_dictionary(column.type):
        return column.cast(kind)
    texts = [None if value is None else str(value) for value in plain_column(column)]
    return pa.chunked_array([pa.array(texts, pa.string())])
