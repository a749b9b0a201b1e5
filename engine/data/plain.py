"""Arrow values as plain ones: numbers, booleans, text and None, for records, JSON and screens."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Cell: TypeAlias = bool | int | float | str | None


def plain_rows(table: "pa.Table") -> list[list[Cell]]:
    """Return an Arrow table as rows of plain values: what is neither number nor boolean becomes text."""
    columns = [plain_column(table.column(place)) for place in range(table.num_columns)]
    return [list(row) for row in zip(*columns, strict=True)]


def plain_column(column: "pa.ChunkedArray") -> list[Cell]:
    """Return the values of one column as Python's numbers, booleans, text and None."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return column.to_pylist()
    if pa.types.is_timestamp(kind):
        seconds = pa.timestamp("s", tz=kind.tz)
        try:
            column = column.cast(seconds)
        except pa.ArrowInvalid:  # parts of a second would be lost
            seconds = kind
        return [None if text is None else text.removesuffix("Z") for text in column.cast(pa.string()).to_pylist()]
    try:
        return column.cast(pa.string()).to_pylist()
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return [None if value is None else str(value) for value in column.to_pylist()]
