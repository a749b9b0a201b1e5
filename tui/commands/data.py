"""`lemnis data`: sources and their snapshots, links and the versions they make."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.engine.config import Source, SourceFormat
from lemnis.engine.data import LinkReport, Side, SourceState, Version, format_of
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands import data_diff, data_keeping, data_link, share
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.stages.data.details import preview_facts
from lemnis.tui.widgets.cells import plain

app = group("Sources, snapshots, links and versions.")
app.add_typer(data_keeping.app)
app.add_typer(data_diff.app)
app.add_typer(share.moving)
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")]


@app.command()
def preview(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="A source, a file, a pattern of files or an address.")],
) -> None:
    """Look at a source before anything is kept. How it is written, its columns, first rows and what is odd.

    With --json: {"name", "source", "why": [], "columns": [{"name", "type"}], "rows": [[]], "rows_seen", "whole",
    "warnings": [], "refused"}; exit code 1 when it can't be read as it is.
    """
    session = session_of(context)
    found = session.engine.data.preview(what)
    if session.json:
        print_json({field: getattr(found, field) for field in found.__struct_fields__})
    else:
        print_facts([(label, plain(cell)) for label, cell in preview_facts(found)])
        if found.rows:
            say()
            rows = [[shown.MISSING if cell is None else cell[:40] for cell in row] for row in found.rows[:10]]
            print_table([f"{column.name} {column.type.lower()}" for column in found.columns], rows)
    if found.refused:
        raise typer.Exit(1)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the source is called.")],
    path: Annotated[str, typer.Argument(help="A file, a pattern of files, or an address.")],
    format: Annotated[SourceFormat | None, typer.Option(help="By the file's suffix, if left out.")] = None,
    delimiter: Annotated[str, typer.Option(help="Proposed from the file, if left out; so are the next three.")] = "",
    quote: Annotated[str | None, typer.Option(help="What encloses a cell.")] = None,
    encoding: Annotated[str, typer.Option(help="The text's encoding: utf-8, cp949, latin-1 …")] = "",
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Does the first line name columns?")
    ] = None,
    null: Annotated[list[str] | None, typer.Option(help="A text that means null; may be given again.")] = None,
    table: Annotated[str, typer.Option(help="The table of a SQLite or PostgreSQL database.")] = "",
    query: Annotated[str, typer.Option(help="What is asked of a PostgreSQL database.")] = "",
    sheet: Annotated[str, typer.Option(help="The sheet of a workbook.")] = "",
    member: Annotated[str, typer.Option(help="The member of a ZIP archive.")] = "",
    append: Annotated[bool, typer.Option("--append", help="Its writer only adds lines.")] = False,
    scheduled: Annotated[bool, typer.Option("--scheduled", help="Read it by the acquisition plan.")] = False,
    why: Annotated[str, typer.Option(help="The reason, kept in the history.")] = "",
) -> None:
    """Declare a source. The dialect of a text file is proposed from its beginning and written into lemnis.toml.

    With --json: {"source": {"path", "format", "delimiter", "null", "table", "member", "types", …}, "name",
    "because": []}.
    """
    session = session_of(context)
    source = Source(
        path=path, format=format or format_of(path), null=null or [""], table=table, query=query, sheet=sheet,
        member=member, append=append, sync="scheduled" if scheduled else "manual",
    )  # fmt: skip
    given: dict[str, Any] = {  # Any: values of several types
        key: value
        for key, value in {"delimiter": delimiter, "quote": quote, "encoding": encoding, "header": header}.items()
        if value not in ("", None)
    }
    source, because = session.engine.data.with_dialect(name, source, given)
    added = session.engine.data.add_source(name, source, who=user_name(), why=why)
    if session.json:
        print_json({"name": name, "source": added, "because": because})
    else:
        say(f"{name} is declared as {added.format}. Read it with `lemnis data sync {name}`.")
        for reason in because:
            say(f"  {reason}")


@app.command()
def sync(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    wait: Wait = True,
) -> None:
    """Bring sources up to date. A file that has changed becomes a new snapshot, an unchanged one is only checked.

    With --json: {"job", "sources": [{"source", "rows", "sha256", "new"}]}; without waiting, sources is null.
    """
    session = session_of(context)
    job_id = session.engine.data.start_sync(sources or None)
    if not wait:
        queued(context, job_id, {"sources": None})
        return
    result = follow(session, job_id).result or {}
    if session.json:
        print_json({"job": job_id, **result})
        return
    rows = [(s["source"], shown.number(s["rows"]), s["sha256"][:8], "new" if s["new"] else "unchanged")
            for s in result["sources"]]  # fmt: skip
    print_table(["source", "rows", "snapshot", "state"], rows, right={"rows"})


@app.command()
def link(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A declared link to look at: its source, or its number.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only say what a link would do.")] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Only say which keys fit --right.")] = False,
    declare: Annotated[bool, typer.Option("--declare", help="Look, then write the link into lemnis.toml.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the link out of lemnis.toml.")] = False,
    left: Annotated[str, typer.Option(help="The base, if it is not that of [dataset].")] = "",
    right: Annotated[str, typer.Option(help="The source that is joined.")] = "",
    on: Annotated[list[str] | None, typer.Option(help="Keys, LEFT=RIGHT; may be given again.")] = None,
    columns: Annotated[list[str] | None, typer.Option(help="A column it brings; all, if none is named.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Put before the names it brings.")] = None,
    asof: Annotated[str | None, typer.Option(help="Take the latest row in time by this column.")] = None,
    tolerance: Annotated[str | None, typer.Option(help="The oldest that row may be, such as 2h.")] = None,
    strict: Annotated[bool | None, typer.Option("--strict/--no-strict", help="Only rows before the decision.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write all keys of --side to this new .csv.")] = None,
    side: Annotated[Side, typer.Option(help="Orphans of the left or the right, or duplicates.")] = "left",
    why: Annotated[str, typer.Option(help="The reason, kept in the history.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to --remove what something uses.")] = False,
    wait: Wait = True,
) -> None:
    """Make a dataset version, or look at a link before it is declared. Versions are made of the current snapshots.

    With --json: {"job", "version", "name", "number", "rows", "repeated_keys", "links": [{"source", "match_rate",
    "orphan_rows"}], "multiplied_by": [], "quarantined": [{"column", "values", "why", "rows"}]}; without waiting,
    version is null. Of a look: {"position", "base", "link": {}, "report": {}, "fan_out": {"0", "1", "2", "3–9", "10+"},
    "left_keys", "right_keys", "right_rows", "right_null_rows", "unused_rows", "duplicate_rows", "orphans": [{"key": [],
    "rows", "asked"}], "unused": [], "duplicates": [], "types": [], "brings": {}, "decided", "times", "rest",
    "warnings": [], "seconds", "exported", "declared"}. Of --propose: {"source", "proposals": [{"on": {}, "asof",
    "match_rate", "unique", "rows_in", "rows_out", "why"}]}. Of --remove: {"removed": {"position", "source",
    "uses"}}.
    """
    facts = {"prefix": prefix, "asof": asof, "tolerance": tolerance, "strict": strict}
    wish = data_link.Wish(
        name=name, base=left, right=right, on=on or (), columns=columns or (), export=export, side=side, why=why,
        facts={key: value for key, value in facts.items() if value is not None},
    )  # fmt: skip
    if remove:
        data_link.remove(context, wish, yes=yes)
    elif propose:
        data_link.propose(context, wish)
    elif preview or declare or export:
        data_link.look(context, wish, declare=declare)
    else:
        make(context, wish, wait=wait)


def make(context: typer.Context, wish: data_link.Wish, *, wait: bool) -> None:
    """Queue the job that makes a version; print what came of it."""
    if wish.given:
        raise BadInput("A version is made of every link that is declared.", "Add --preview or --declare to this link.")
    session = session_of(context)
    job_id = session.engine.data.start_link()
    if not wait:
        queued(context, job_id, {"version": None})
        return
    result = follow(session, job_id).result or {}
    if session.json:
        print_json({"job": job_id, **result})
        return
    version = session.engine.data.version(result["version"])
    print_version(version, session.engine.data.links(version.id))
    for source in result["multiplied_by"]:
        say(f"▲ the link to {source} gave more rows than it was given: its key stands more than once")
    for rule in result["quarantined"]:
        values = ", ".join(rule["values"])
        said = f"{rule['column']} is {values} ({rule['why'] or 'no reason'})"
        say(f"▲ {shown.number(rule['rows'])} rows are left out by [[dataset.quarantine]]: {said}")


@app.command()
def sources(context: typer.Context) -> None:
    """List the sources. Each with what is known of it.

    With --json: {"sources": [{"name", "path", "format", "state", "why", "rows", "snapshot", "synced_at",
    "snapshots", "cadence", "due_at", "late", "next_sync_at", "failures"}]}; state
    is new, ready, changed, missing or failed.
    """
    session = session_of(context)
    found = session.engine.data.sources()
    if session.json:
        documents = [
            {"name": s.name, "path": s.path, "format": s.format, "state": s.state, "why": s.why,
             "rows": s.snapshot.rows if s.snapshot else None, "snapshot": s.snapshot.sha256 if s.snapshot else None,
             "synced_at": s.synced_at, "snapshots": s.snapshots,
             "cadence": s.arrival.cadence if s.arrival else None, "due_at": s.arrival.due_at if s.arrival else None,
             "late": s.late, "next_sync_at": s.schedule.next_at if s.schedule else None,
             "failures": s.schedule.failures if s.schedule else 0}
            for s in found
        ]  # fmt: skip
        print_json({"sources": documents})
        return
    rows = [
        (s.name, s.format, shown.number(s.snapshot.rows if s.snapshot else None), shown.verdict(s.state).text,
         shown.when(s.synced_at), due_text(s), s.why, s.path)
        for s in found
    ]  # fmt: skip
    print_table(["source", "format", "rows", "state", "synced", "next due", "why", "path"], rows, right={"rows"})


def due_text(source: SourceState) -> str:
    """Return when new content is due by the plan, or by how much it is late."""
    if source.arrival is None or source.arrival.due_at is None:
        return shown.MISSING
    return f"▲ {source.arrival.why}" if source.late else shown.when(source.arrival.due_at)


@app.command()
def snapshots(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="All sources, if none is named.")] = "",
    limit: Annotated[int, typer.Option(help="How many, the last checked first.", min=1)] = 50,
) -> None:
    """List the snapshots that are kept.

    With --json: {"snapshots": [{"source", "sha256", "rows", "bytes", "columns": [{"name", "type"}], "path",
    "origin", "created_at", "checked_at"}]}.
    """
    session = session_of(context)
    found = session.engine.data.snapshots(source, limit)
    if session.json:
        keys = ("source", "sha256", "rows", "bytes", "columns", "path", "origin", "created_at", "checked_at")
        print_json({"snapshots": [{key: getattr(snapshot, key) for key in keys} for snapshot in found]})
        return
    rows = [
        (s.source, s.sha256[:8], shown.number(s.rows), shown.bytes_(s.bytes), str(len(s.columns)),
         shown.when(s.created_at), shown.when(s.checked_at))
        for s in found
    ]  # fmt: skip
    headers = ["source", "snapshot", "rows", "size", "columns", "made", "checked"]
    print_table(headers, rows, right={"rows", "size", "columns"})


@app.command()
def versions(context: typer.Context) -> None:
    """List the versions. The last linked comes first.

    With --json: {"versions": [VERSION]}, each as `lemnis data show` has it, without its links.
    """
    session = session_of(context)
    found = session.engine.data.versions()
    if session.json:
        print_json({"versions": [version_document(version) for version in found]})
        return
    rows = [
        (v.title, v.short, shown.number(v.rows), str(len(v.columns)), shown.bytes_(v.bytes), parts_text(v),
         shown.when(v.created_at))
        for v in found
    ]  # fmt: skip
    headers = ["version", "id", "rows", "columns", "size", "split", "made"]
    print_table(headers, rows, right={"rows", "columns", "size"})


@app.command()
def show(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="Number, v3 or start of its id; the latest if left out.")] = "",
) -> None:
    """Show a version. Its parts, its columns with their roles, and how each of its joins went.

    With --json: {"id", "name", "number", "rows", "bytes", "path", "columns": [{"name", "type", "role", "source"}],
    "split": {"train": {"start", "end", "rows", "labelled"}}, "label_counts": {}, "repeated_keys", "snapshots": {},
    "recipe", "created_at", "links": [{"source", "kind", "keys", "match_rate", "rows_in", "rows_out", "matched",
    "null_keys", "orphan_rows", "orphan_keys", "untimely_rows", "unused_keys", "duplicate_keys", "fan_out", "ages": {},
    "travel": [{"column", "rows", "of", "most_seconds", "examples"}], "orphan_sample": [{"key", "rows"}]}], "origin"};
    origin is null, or as in `lemnis share origins`.
    """
    session = session_of(context)
    found = session.engine.data.version(version or None)
    links = session.engine.data.links(found.id)
    origin = session.engine.share.origin("dataset", found.id)
    if session.json:
        told = {"links": [link_document(report) for report in links], "origin": origin}
        print_json(version_document(found) | told)
        return
    print_version(found, links)
    if origin is not None:
        say(f"from     {origin.text}" + (f"; its checks there: {origin.checks}" if origin.checks else ""))
    say()
    rows = [(c.name, c.type, c.role, c.source or shown.MISSING) for c in found.columns]
    print_table(["column", "type", "role", "source"], rows)


# Any: JSON documents.
def version_document(version: Version) -> dict[str, Any]:
    """Return a version as its document."""
    return {
        "id": version.id,
        "name": version.name,
        "number": version.number,
        "rows": version.rows,
        "bytes": version.bytes,
        "path": version.path,
        "columns": version.columns,
        "split": version.split,
        "label_counts": version.label_counts,
        "repeated_keys": version.repeated_keys,
        "snapshots": version.snapshots,
        "recipe": version.recipe,
        "created_at": version.created_at,
    }


def link_document(report: LinkReport) -> dict[str, Any]:
    """Return a join's report as its document."""
    keys = ("source", "kind", "keys", "match_rate", "rows_in", "rows_out", "matched", "null_keys", "orphan_rows",
            "orphan_keys", "untimely_rows", "unused_keys", "duplicate_keys", "fan_out", "ages", "travel",
            "orphan_sample")  # fmt: skip
    return {key: getattr(report, key) for key in keys}


def print_version(version: Version, links: list[LinkReport]) -> None:
    """Print what a version holds and how its joins went."""
    labels = ", ".join(f"{value} {rows:,}" for value, rows in version.label_counts.items())
    print_facts(
        [
            ("version", f"{version.title}  {version.id}"),
            ("rows", f"{version.rows:,} in {len(version.columns)} columns, {shown.bytes_(version.bytes)}"),
            ("split", parts_text(version)),
            ("label", f"{version.label}: {labels}" if version.label else shown.MISSING),
            ("time", version.time or shown.MISSING),
            (
                "key",
                f"{', '.join(version.keys)}, {version.repeated_keys:,} repeated" if version.keys else shown.MISSING,
            ),
        ]
    )
    if links:
        say()
        rows = [
            (r.source, " and ".join(f"{left} = {right}" for left, right in r.keys.items()), shown.share(r.match_rate),
             shown.number(r.orphan_rows), shown.number(r.orphan_keys), shown.number(r.null_keys),
             shown.number(r.unused_keys), shown.number(r.fan_out_max))
            for r in links
        ]  # fmt: skip
        headers = ["link", "on", "matched", "orphan rows", "orphan keys", "null keys", "unused keys", "most partners"]
        print_table(headers, rows, right=set(headers[2:]))


def parts_text(version: Version) -> str:
    """Return the rows of each part: ``train 137,823 · test 29,428``."""
    return " · ".join(f"{name} {part.rows:,}" for name, part in version.split.items()) or shown.MISSING


def queued(context: typer.Context, job_id: int, document: dict[str, Any]) -> None:
    """Say that a job was queued, and see to it that somebody starts it."""
    session = session_of(context)
    session.engine.jobs.ensure_supervisor()
    if session.json:
        print_json({"job": job_id, **document})
    else:
        say(f"Job {job_id} is queued. Follow it with `lemnis jobs show {job_id}`.")
