"""`lemnis explore rows` and `values`: rows under filters, as a page or a file, and the distinct values of a column."""

import csv
import sys
from collections.abc import Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.explore import Counted, Values, View, export_rows
from lemnis.engine.text import safe
from lemnis.tui import format as shown
from lemnis.tui.commands.group import print_json, print_table, say, session_of

Wheres = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help='A condition, such as "carrier = UA and delay > 60", "gust is missing" or any SQL one; '
        "several must all hold.",
    ),
]
Ref = Annotated[
    str | None, typer.Argument(help="A version: its number, v3 or the start of its id; the latest if none.")
]


class By(StrEnum):
    """What values are sorted by."""

    ROWS = "rows"
    VALUE = "value"


def rows(
    context: typer.Context,
    version: Ref = None,
    offset: Annotated[int, typer.Option(min=0, help="The first row, from 0.")] = 0,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="How many rows.")] = 20,
    sort: Annotated[str | None, typer.Option(help="A column to sort by; missing values come last.")] = None,
    descending: Annotated[bool, typer.Option("--descending", help="Largest first.")] = False,
    where: Wheres = None,
    columns: Annotated[str | None, typer.Option(help="Only these columns, separated by commas.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write all of them to this new .csv, .jsonl or .parquet.")] = None,
) -> None:
    """Print a page of rows, or write all of them to a file.

    Simple conditions are read as filters; any other is taken as SQL, which runs in a process of its own with bounded
    time, memory and reach.

    With --json: {"version", "total", "offset", "columns": [name], "rows": [[value]]}, or {"version", "path", "rows"}
    when they are exported; what is neither number, truth value nor null is text.
    """
    session = session_of(context)
    room, found = session.engine.explore, session.engine.data.version(version)
    names = [name.strip() for name in columns.split(",")] if columns else [column.name for column in found.columns]
    names = [found.column(name).name for name in names]
    asked = room.asked(found, where or [], sort or "", descending=descending)
    with closing(room.reader(found.id)) as reader:
        view = View(reader, asked)
        if export is not None:
            written = export_rows(view, export, names)
            if session.json:
                print_json({"version": found.id, "path": str(export), "rows": written})
            else:
                say(f"{shown.number(written)} rows are in {export}.")
            return
        view.find()
        page = view.page(offset, limit, names)
    if session.json:
        print_json({"version": found.id, **{name: getattr(page, name) for name in page.__struct_fields__}})
        return
    numeric = {column.name for column in found.columns if column.kind == "numeric"}
    cells = [[shown.MISSING if value is None else str(value) for value in row] for row in page.rows]
    print_table(page.columns, cells, right=numeric)
    say(f"rows {shown.number(page.offset)} to {shown.number(page.offset + len(cells))} of {shown.number(page.total)}")


def values(
    context: typer.Context,
    column: Annotated[str, typer.Argument(help="The column.")],
    version: Ref = None,
    where: Wheres = None,
    bins: Annotated[bool, typer.Option("--bins", help="Count numbers and times in bins.")] = False,
    search: Annotated[str, typer.Option(help="Only values that contain this; ^ before it: that start with it.")] = "",
    by: Annotated[By, typer.Option(help="Most rows first, or smallest value first.")] = By.ROWS,
    offset: Annotated[int, typer.Option(min=0, help="The first value, from 0.")] = 0,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="How many values.")] = 20,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """Print the distinct values of a column with their rows, under the conditions.

    With --json: {"version", "column", "rows", "missing", "distinct", "total", "offset", "values": [{"value", "rows",
    "share", "cumulative"}]}; total counts the values that fit the search, shares are of all rows that fit.
    """
    session = session_of(context)
    found = session.engine.data.version(version)
    counted, part = counted_values(session.engine, found, column, where or [], bins, (offset, limit, by.value, search))
    of = max(1, counted.rows)
    lines = [
        {"value": one.value, "rows": one.rows, "share": one.rows / of, "cumulative": one.upto / of}
        for one in part.counts
    ]
    if session.json:
        about = {name: getattr(counted, name) for name in ("column", "rows", "missing", "distinct")}
        print_json({"version": found.id, **about, "total": part.total, "offset": part.offset, "values": lines})
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, ["value", "rows", "share", "cumulative"])
        writer.writeheader()
        if sys.stdout.isatty():  # a file takes values as they are; a terminal would obey them
            lines = [{**line, "value": line["value"] and safe(line["value"])} for line in lines]
        writer.writerows(lines)
    else:
        cells = [
            [
                "missing" if one.value is None else str(one.value),
                shown.number(one.rows),
                shown.share(one.rows / of),
                shown.share(one.upto / of),
            ]
            for one in part.counts
        ]
        print_table([counted.column, "rows", "share", "up to here"], cells, right={"rows", "share", "up to here"})
        say(values_line(counted, part))


def counted_values(
    engine: Engine, version: Version, column: str, where: Sequence[str], bins: bool, part: tuple[int, int, str, str]
) -> tuple[Values, Counted]:
    """Return the counted values of a column and a part of them: offset, limit, order and search."""
    offset, limit, by, search = part
    with closing(engine.explore.reader(version.id)) as reader:
        view = View(reader, engine.explore.asked(version, where))
        with closing(Values(view, column, binned=bins)) as counted:
            counted.count()
            return counted, counted.page(offset, limit, by="value" if by == "value" else "rows", search=search)


def values_line(counted: Values, part: Counted) -> str:
    """Return in words what was counted."""
    missing = f", {shown.number(counted.missing)} missing" if counted.missing else ""
    noun = "bins" if counted.binned else "distinct values"
    return (
        f"{len(part.counts)} of {shown.number(part.total)}; "
        f"{shown.number(counted.distinct)} {noun} in {shown.number(counted.rows)} rows{missing}"
    )
