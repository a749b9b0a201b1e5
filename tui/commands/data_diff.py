"""`lemnis data diff`: two versions compared by key, in figures, row by row, or into a file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.engine.data.diff import CHANGES, Change, Diff, DiffPage, DiffRow, Listing
from lemnis.engine.data.diff.records import ColumnDiff
from lemnis.engine.errors import BadInput
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import fell_short, print_facts, print_json, print_table, say, session_of
from lemnis.tui.stages.data.differences import column_words, diff_facts, row_words
from lemnis.tui.widgets.cells import plain

app = typer.Typer(rich_markup_mode=None)


@app.command()
def diff(
    context: typer.Context,
    before: Annotated[
        str, typer.Argument(help="Number, v3 or start of its id; the version before AFTER if left out.")
    ] = "",
    after: Annotated[str, typer.Argument(help="As BEFORE; the latest version if left out.")] = "",
    key: Annotated[
        str | None,
        typer.Option(help="Columns that say which rows are the same, with commas; the declared key if left out."),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Compare whole rows, whatever the key is.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="List the rows that differ instead of the figures.")] = False,
    column: Annotated[str, typer.Option(help="List the rows that differ in this column.")] = "",
    kind: Annotated[str, typer.Option(help="List only rows that are changed, removed or added.")] = "",
    offset: Annotated[int, typer.Option(min=0, help="The first row to list, from 0.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows to list.")] = 50,
    export: Annotated[
        Path | None, typer.Option(help="Write these rows, all of them, to a new .csv, .jsonl or .parquet file.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Compare again, though it was done already.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when the versions differ.")] = False,
) -> None:
    """Compare two versions by key. Rows added, removed and changed; what became of each column; every single row.

    Without a declared key, or with --whole, rows are compared whole: each is the same, removed or added. Rows that
    share a key are paired equal ones first, then in their order. Of a column: rows that changed, mean before and after
    (shift also in standard deviations before), missing values, PSI over the bins of [monitor], new and vanished codes.

    It is no check: the exit code is 0 also when the versions differ, unless --exit-code is given.

    With --json: {"before", "after": VERSION, "key": [], "added", "removed", "changed", "same", "repeated_before",
    "repeated_after", "identical", "columns": [{"name", "role", "schema", "changed", "share", "filled", "emptied",
    "before", "after": {"type", "missing", "mean", "deviation", "low", "high"}, "shift", "shift_deviations",
    "mean_change", "psi", "noise", "verdict", "bins": [{"label", "before", "after"}], "new", "vanished", "new_codes",
    "vanished_codes": [{"value", "rows"}]}]}; VERSION is {"id", "title", "rows"}, schema is "", added, removed or
    retyped, verdict ok, watch, drift or null. Rows: {"before", "after", "key", "total", "offset", "rows": [{"change",
    "key": {}, "before": {}, "after": {}}]}. Export: {"before", "after", "key", "file", "rows"}.
    """
    session = session_of(context)
    room = session.engine.data.diffs
    listing = listing_of(kind, column)
    pair = room.pair(before or None, after or None)
    by = room.key(*pair, [] if whole else [name.strip() for name in key.split(",")] if key is not None else None)
    found = None if again else room.find(*pair, by)
    if found is None:
        follow(session, room.start(*pair, by))
        found = room.find(*pair, by)
    assert found is not None
    head = head_document(found)
    if export is not None:
        written = room.export(found, listing, export)
        if session.json:
            print_json({**head, "file": export, "rows": written})
        else:
            say(f"{written:,} rows are in {export}.")
    elif rows or column or kind:
        page = room.rows(found, listing, offset, limit)
        if session.json:
            print_json({**head, "total": page.total, "offset": page.offset, "rows": page.rows})
        else:
            print_rows(found, page)
    elif session.json:
        print_json(head | summary_document(found))
    else:
        print_summary(found)
    if exit_code and not found.identical:
        fell_short()


def listing_of(kind: str, column: str) -> Listing:
    """Return which rows are asked for.

    Raises:
        BadInput: There is no such kind.
    """
    known: dict[str, Change] = {change: change for change in CHANGES}
    if kind and kind not in known:
        raise BadInput(f"There is no kind {kind!r} of rows.", f"Kinds: {', '.join(CHANGES)}.")
    return Listing(change=known[kind] if kind else "", column=column)


# Any: JSON documents.
def head_document(found: Diff) -> dict[str, Any]:
    """Return which versions are compared, and by what."""
    return {
        "before": {"id": found.before_id, "title": found.before_title, "rows": found.before_rows},
        "after": {"id": found.after_id, "title": found.after_title, "rows": found.after_rows},
        "key": found.key,
    }


def summary_document(found: Diff) -> dict[str, Any]:
    """Return the figures of a comparison as its document."""
    names = ("added", "removed", "changed", "same", "repeated_before", "repeated_after", "identical")
    facts: dict[str, Any] = {name: getattr(found, name) for name in names}
    return facts | {"columns": [column_document(found, column) for column in found.ordered()]}


def column_document(found: Diff, column: ColumnDiff) -> dict[str, Any]:
    """Return one column as its document."""
    names = (
        "name", "role", "schema", "changed", "filled", "emptied", "before", "after", "shift", "shift_deviations",
        "mean_change", "psi", "noise", "bins", "new", "vanished", "new_codes", "vanished_codes",
    )  # fmt: skip
    facts: dict[str, Any] = {name: getattr(column, name) for name in names}
    return facts | {"share": found.share(column), "verdict": found.verdict(column)}


def print_summary(found: Diff) -> None:
    """Print the counts, then each column, what changed most first."""
    print_facts([(label, plain(cell)) for label, cell in diff_facts(found)])
    if found.columns and not found.identical:
        say()
        headers = ["column", "changed", "share", "mean", "shift", "missing", "PSI", "verdict", "codes"]
        print_table(headers, [column_words(found, column) for column in found.ordered()], right=set(headers[1:7]))


def print_rows(found: Diff, page: DiffPage) -> None:
    """Print a page of the rows that differ."""
    if not page.rows:
        say("No such row differs." if not page.total else f"There are {page.total:,} such rows.")
        return
    table = [[row.change, *key_words(row, found), row_words(row)] for row in page.rows]
    print_table(["change", *found.key, "values"], table)
    if page.offset + len(page.rows) < page.total or page.offset:
        last = page.offset + len(page.rows)
        say(f"Rows {page.offset + 1:,} to {last:,} of {page.total:,}; --offset {last} goes on, --export takes all.")


def key_words(row: DiffRow, found: Diff) -> list[str]:
    """Return the key of a row as cells."""
    return [shown.MISSING if row.key[name] is None else str(row.key[name]) for name in found.key]
