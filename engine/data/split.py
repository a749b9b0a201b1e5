"""Columns with their roles, and the split by time: what a dataset version says about its rows."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

Role: TypeAlias = Literal["label", "time", "key", "feature"]
Kind: TypeAlias = Literal["numeric", "categorical", "time", "boolean"]

NUMBERS = ("int", "uint", "float", "double", "halffloat", "decimal")
LABELS = 50


class Column(Struct, frozen=True, kw_only=True):
    """One column of a version.

    Attributes:
        type: The Arrow type, such as ``int64``, ``string`` or ``timestamp[us, tz=UTC]``.
        source: The source it came from; ``derived`` for an expression, empty when unknown.
    """

    name: str
    type: str
    role: Role = "feature"
    source: str = ""

    @property
    def kind(self) -> Kind:
        return kind_of(self.type)


class Part(Struct, frozen=True, kw_only=True):
    """One part of the split: rows with `start` <= time < `end` (epoch ms); `labelled` of them have a label."""

    start: int
    end: int
    rows: int
    labelled: int


def kind_of(arrow_type: str) -> Kind:
    """Return what a column of this Arrow type holds; what is neither number, time nor boolean is categorical."""
    if arrow_type == "bool":
        return "boolean"
    if arrow_type.startswith(("timestamp", "date")):
        return "time"
    return "numeric" if arrow_type.startswith(NUMBERS) else "categorical"


def spans_of(split: dict[str, tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return start and end of each part in epoch ms, in order of time."""
    spans: dict[str, tuple[int, int]] = {}
    for part, (start, end) in split.items():
        try:
            spans[part] = (clock.parse_ms(start), clock.parse_ms(end))
        except ValueError:
            raise BadInput(
                f"The split's part {part} has no dates: {start!r} to {end!r}.", "Write for example 2013-06-01."
            ) from None
        if spans[part][0] >= spans[part][1]:
            raise BadInput(f"The split's part {part} ends before it starts: {start} to {end}.", "Swap the two dates.")
    ordered = sorted(spans.items(), key=lambda item: item[1])
    for (first, (_, end)), (second, (start, _)) in pairwise(ordered):
        if start < end:
            raise BadInput(f"The split's parts {first} and {second} overlap.", "A row may be in one part only.")
    return dict(ordered)


def columns_of(
    schema: "pa.Schema", roles: dict[str, str], sources: dict[str, str], spans: dict[str, tuple[int, int]]
) -> list[Column]:
    """Return the columns with their roles, or refuse what doesn't fit them."""
    names: list[str] = list(schema.names)
    known = ", ".join(names)
    if len(set(names)) != len(names):
        twice = sorted({column for column in names if names.count(column) > 1})
        raise BadInput(f"The dataset has two columns {twice[0]!r}.", "Give the link a prefix, or choose its columns.")
    for column, role in roles.items():
        if column not in names:
            raise BadInput(f"The {role} column {column!r} is not in the dataset.", f"Columns: {known}.")
    fields = [
        {"name": column, "type": str(kind), "role": roles.get(column, "feature"), "source": sources.get(column, "")}
        for column, kind in zip(names, schema.types, strict=True)
    ]
    columns = msgspec.convert(fields, list[Column])
    times = [column for column in columns if column.role == "time"]
    if spans and not times:
        raise BadInput("The split needs a time column.", "Set dataset.time to a column of times.")
    if times and times[0].kind != "time":
        raise BadInput(f"The time column {times[0].name!r} holds {times[0].type}, no times.", "Derive a timestamp.")
    return columns


def measure(
    path: Path, columns: list[Column], spans: dict[str, tuple[int, int]]
) -> tuple[dict[str, Part], dict[str, int], int]:
    """Return the parts with their rows, the rows per label, and the rows whose key another row has already."""
    import pyarrow.parquet as pq

    time = next((column for column in columns if column.role == "time"), None)
    label = next((column for column in columns if column.role == "label"), None)
    keys = [column.name for column in columns if column.role == "key"]
    table = pq.read_table(path, columns=[*keys, *(column.name for column in (time, label) if column)])
    parts: dict[str, Part] = {}
    for part, (start, end) in spans.items():
        if time is None:
            break
        rows = table.filter(time_within(time, start, end))
        labelled: int = rows.num_rows - rows.column(label.name).null_count if label else 0
        parts[part] = Part(start=start, end=end, rows=rows.num_rows, labelled=labelled)
    counts: dict[str, int] = {}
    if label:
        tally = table.column(label.name).drop_null().value_counts()
        if len(tally) <= LABELS:
            pairs: list[dict[str, Any]] = tally.to_pylist()
            pairs.sort(key=lambda pair: -pair["counts"])
            counts = {msgspec.json.encode(pair["values"]).decode().strip('"'): pair["counts"] for pair in pairs}
    repeated: int = table.num_rows - table.group_by(keys).aggregate([]).num_rows if keys else 0
    return parts, counts, repeated


def time_within(time: Column, start: int, end: int) -> "pc.Expression":
    """Return the Arrow condition `start` <= time < `end` (epoch ms) for a time column of any Arrow type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    aware = "tz=" in time.type
    moments = [datetime.fromtimestamp(ms / 1000, UTC) for ms in (start, end)]
    kind = pa.timestamp("ms", tz="UTC" if aware else None)
    low = pa.scalar(moments[0] if aware else moments[0].replace(tzinfo=None), kind)
    high = pa.scalar(moments[1] if aware else moments[1].replace(tzinfo=None), kind)
    column = pc.field(time.name)
    if time.type.startswith("date"):
        column = column.cast(kind)
    return (column >= low) & (column < high)
