"""Shapes: the columns of a file and their DuckDB types, and how those of several files become one table. Pure."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias

from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

# Column to type; an empty type is one of a column that has no value yet, and gives way to any other.
Shape: TypeAlias = dict[str, str]

WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
WORDS = {
    "string": "VARCHAR",
    "double": "DOUBLE",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
    "null": "",
}


def shape_of_types(types: Mapping[str, str]) -> Shape:
    """Return the shape of Arrow columns, given their types as text; what has no counterpart is text."""
    return {column: WORDS.get(kind, "VARCHAR") for column, kind in types.items()}


def joined(name: str, shapes: Sequence[tuple[str, Shape]], *, optional: bool) -> Shape:
    """Return the shape that holds the rows of all files, in the order of the first one's columns.

    Args:
        name: The source's name, for messages.
        shapes: Each file's name and shape.
        optional: Whether a file may lack columns that others have.

    Raises:
        BadInput: A file has other columns than the first one; both are named.
    """
    first, whole = shapes[0][0], dict(shapes[0][1])
    for file, shape in shapes[1:]:
        missing, more = [c for c in whole if c not in shape], [c for c in shape if c not in whole]
        if (missing or more) and not optional:
            lacks = f"lacks {safe(', '.join(missing[:5]), limit=120)}" if missing else ""
            has = f"has {safe(', '.join(more[:5]), limit=120)} besides" if more else ""
            raise BadInput(
                f"{name}: {PurePath(file).name} {' and '.join(filter(None, (lacks, has)))}, unlike"
                f" {PurePath(first).name}.",
                "Files of one pattern have the same columns; give the others a source of their own.",
                file,
            )
        for column, kind in shape.items():
            whole[column] = widest(whole.get(column, ""), kind)
    return whole


def widest(one: str, other: str) -> str:
    """Return the type that holds the values of both; text if none else does."""
    if one == other or not other:
        return one
    if not one:
        return other
    if one in WHOLE and other in WHOLE:
        return max(one, other, key=WHOLE.index)
    if {one, other} <= {*WHOLE, "FLOAT", "DOUBLE"}:
        return "DOUBLE"
    return "VARCHAR"


def changes(held: Shape, now: Shape) -> str:
    """Return in words which columns are of another type than they were; empty when none is."""
    kinds = [
        f"{safe(column, limit=60)} is {now[column]}, was {held[column]}"
        for column in held
        if held[column] and now.get(column, held[column]) != held[column]
    ]
    return "; ".join(kinds[:3]) + (f" and {len(kinds) - 3} more" if len(kinds) > 3 else "")
