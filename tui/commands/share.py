"""`lemnis share` and `lemnis data push|pull`: what goes to other workspaces and comes from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lemnis.engine.share import Item
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of

app = group("Remotes and bundles: list, export, import, origins.")
moving = typer.Typer(rich_markup_mode=None)  # push and pull, under `lemnis data` and here
WHAT = "v3, NAME@v2, MODEL@ALIAS, run:12 or the start of an id; the newest dataset version, if left out."
What = Annotated[list[str] | None, typer.Argument(help=WHAT)]
RemoteName = Annotated[str, typer.Option("--remote", help="One of [remotes]; may be left out where there is one.")]
WithData = Annotated[bool, typer.Option("--with-data", help="Also the rows that runs and models were trained on.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the job, or only queue it.")]


@moving.command()
def push(
    context: typer.Context,
    what: What = None,
    remote: RemoteName = "",
    with_data: WithData = False,
    verify: Annotated[bool, typer.Option("--verify", help="Read what is there again, and mend it.")] = False,
    wait: Wait = True,
) -> None:
    """Bring dataset versions, runs and models to a remote. What is there is not sent again; push again to go on.

    What a transfer that broke off has left at the remote is cleared away once nobody went on with it for a week.

    With --json: {"job", "things": [{"kind", "ref", "title", "id", "state"}], "files", "bytes", "kept",
    "swept": {"files", "bytes", "problem"}}; state is new or there already; without waiting, things is null.
    """
    session = session_of(context)
    job_id = session.engine.share.start_push(what or (), remote=remote, data=with_data, verify=verify)
    result = done(context, job_id, wait=wait)
    if result is not None:
        print_table(["thing", "kind", "id", "at the remote"], rows_of(result))
        sent = f"{shown.number(result['files'])} files, {shown.bytes_(result['bytes'])} sent"
        say(f"{sent}; {shown.bytes_(result['kept'])} were there already")
        swept = result["swept"]
        if swept["files"]:
            size = f"{shown.bytes_(swept['bytes'])} of {shown.number(swept['files'])} transfers"
            say(f"{size} that broke off over a week ago were cleared away there")
        if swept["problem"]:
            say(f"▲ What broke off earlier was not cleared away: {swept['problem']}")


@moving.command()
def pull(
    context: typer.Context,
    what: What = None,
    remote: RemoteName = "",
    with_data: WithData = False,
    wait: Wait = True,
) -> None:
    """Take dataset versions, runs and models over from a remote. Everything is verified first, or nothing is taken.

    With --json: {"job", "things": [{"kind", "id", "title", "here", "bytes", "state"}]}; state is new, here already,
    or mended where a file of it was missing or damaged here; without waiting, things is null.
    """
    session = session_of(context)
    print_arrived(context, session.engine.share.start_pull(what or (), remote=remote, data=with_data), wait=wait)


@app.command("list")
def list_things(
    context: typer.Context,
    remote: RemoteName = "",
    here: Annotated[bool, typer.Option("--here", help="Only what is here; asks no remote.")] = False,
) -> None:
    """List what is here, at a remote, or both.

    With --json: {"remote", "url", "things": [{"kind", "id", "ref", "title", "local", "bytes", "created_at", "here",
    "there", "maker"}], "faults": []}; remote is null with --here.
    """
    room = session_of(context).engine.share
    found = None if here else room.overview(remote)
    items = room.items() if found is None else found.items
    if session_of(context).json:
        keys = ("kind", "id", "ref", "title", "local", "bytes", "created_at", "here", "there", "maker")
        things = [{key: getattr(item, key) for key in keys} for item in items]
        facts = {"remote": found.remote if found else None, "url": found.url if found else None}
        print_json(facts | {"things": things, "faults": found.faults if found else []})
        return
    rows = [
        (item.ref, item.kind, item.short, shown.bytes_(item.bytes or None), shown.when(item.created_at),
         where_text(item) if found else "here", item.maker or shown.MISSING)
        for item in items
    ]  # fmt: skip
    print_table(["name", "kind", "id", "size", "made", "where", "from workspace"], rows, right={"size"})
    for fault in found.faults if found else []:
        say(f"▲ {fault}")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The bundle to write; it must not be there.")],
    what: What = None,
    with_data: WithData = False,
    wait: Wait = True,
) -> None:
    """Write a bundle. One file that says what it holds, that `unzip` and DuckDB can read, and that import verifies.

    With --json: {"job", "file", "bytes", "things": [{"kind", "ref", "title", "id"}]}; without waiting, things is null.
    """
    session = session_of(context)
    result = done(context, session.engine.share.start_export(file, what or (), data=with_data), wait=wait)
    if result is not None:
        print_table(["thing", "kind", "id"], rows_of(result))
        say(f"{file} is written, {shown.bytes_(result['bytes'])}. Take it in with `lemnis share import {file}`.")


@app.command("import")
def import_bundle(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A bundle.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all of it, and change nothing.")] = False,
    wait: Wait = True,
) -> None:
    """Take a bundle in. Everything is verified first, or nothing is taken; a second time changes nothing.

    With --json: as `lemnis data pull`.
    """
    job_id = session_of(context).engine.share.start_import(file, dry_run=dry_run)
    print_arrived(context, job_id, wait=wait)
    if dry_run and wait and not session_of(context).json:
        say("It is whole; nothing was changed.")


@app.command()
def origins(context: typer.Context) -> None:
    """List what came from other workspaces. Where it was made, and through what it came.

    With --json: {"origins": [{"kind", "id", "here", "title", "workspace", "workspace_name", "who", "via", "checks",
    "at"}]}.
    """
    session = session_of(context)
    found = session.engine.share.origins()
    if session.json:
        print_json({"origins": found})
        return
    rows = [
        (origin.kind, origin.here[:12] if origin.kind == "dataset" else origin.here, origin.title,
         f"{origin.workspace_name} ({origin.workspace[:8]})", origin.who or shown.MISSING, origin.via,
         shown.when(origin.at))
        for origin in found
    ]  # fmt: skip
    print_table(["kind", "here", "there", "workspace", "handed out by", "through", "came"], rows)


def where_text(item: Item) -> str:
    """Return where a thing is, seen from here."""
    if item.here and item.there:
        return f"both; {item.local} here" if item.local else "both"
    return "here only" if item.here else "remote only"


# Any: JSON documents.
def done(context: typer.Context, job_id: int, *, wait: bool) -> dict[str, Any] | None:
    """Wait for a job, or see to it that it is started; return its result where a person is to be told of it."""
    session = session_of(context)
    if not wait:
        session.engine.jobs.ensure_supervisor()
        if session.json:
            print_json({"job": job_id, "things": None})
        else:
            say(f"Job {job_id} is queued. Follow it with `lemnis jobs show {job_id}`.")
        return None
    result = follow(session, job_id).result or {}
    if session.json:
        print_json({"job": job_id, **result})
        return None
    return result


def print_arrived(context: typer.Context, job_id: int, *, wait: bool) -> None:
    """Print what a pull or an import has brought."""
    result = done(context, job_id, wait=wait)
    if result is not None:
        rows = [
            (one["title"], one["kind"], one["id"][:8], shown.bytes_(one["bytes"]), one["here"] or shown.MISSING,
             one["state"])
            for one in result["things"]
        ]  # fmt: skip
        print_table(["thing", "kind", "id", "size", "here", "state"], rows, right={"size"})


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the things of a push or an export as rows."""
    return [
        (one["title"], one["kind"], one["id"][:8], *([one["state"]] if "state" in one else []))
        for one in result["things"]
    ]
