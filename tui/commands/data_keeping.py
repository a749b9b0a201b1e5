"""`lemnis data verify` and `gc`: whether the kept files are whole, and removing those nothing refers to."""

import sys
from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.data import Verification
from lemnis.engine.data.gc import KEEP
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.tui import format as shown
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import fell_short, print_facts, print_json, print_table, say, session_of

app = typer.Typer(rich_markup_mode=None)


@app.command()
def verify(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Read every file, also those that were not touched.")
    ] = False,
) -> None:
    """Look whether every kept file still holds what its hash says. Exit code 1: one does not, or is gone.

    A file that was not touched since it was last read is not read again, unless --all is given.

    With --json: {"job", "files", "bytes", "hashed", "seconds", "faults": [{"title", "path", "condition", "held_by",
    "remedy"}]}; condition is damaged or missing.
    """
    session = session_of(context)
    job_id = session.engine.data.start_verify(everything=everything)
    found = msgspec.convert(follow(session, job_id).result, Verification)
    if session.json:
        print_json({"job": job_id, **msgspec.to_builtins(found)})
    else:
        print_verification(found)
    if found.faults:
        fell_short()


@app.command()
def gc(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    keep: Annotated[int, typer.Option(min=1, help="Versions of each dataset that stay anyway, the newest.")] = KEEP,
    snapshots: Annotated[
        bool, typer.Option("--snapshots", help="Also old snapshots that no version was made of.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove data files that nothing refers to. It asks first.

    A version stays if a run, a registered model, an evaluation, an endpoint, the monitor, a feature ranking or a job
    refers to it, or if it is one of the newest. A snapshot stays if it is what its source holds now or a version was
    made of it; others go only with --snapshots. Files written in the last ten minutes stay.

    With --json: {"dry_run", "files", "bytes", "removed": [title], "kept", "kept_bytes"}.
    """
    session = session_of(context)
    room = session.engine.data
    found = room.collectable(keep=keep, snapshots=snapshots)
    # Any: a JSON document.
    document: dict[str, Any] = {"dry_run": dry_run, "kept": found.kept, "kept_bytes": found.kept_bytes}
    if not dry_run and found.removable:
        if not session.json:
            print_plan(found.removable)
        asked(len(found.removable), found.bytes, yes=yes)
        done = room.collect(user_name(), keep=keep, snapshots=snapshots)
        document |= {"files": done.files, "bytes": done.bytes, "removed": done.what}
        text = f"Removed {done.files} files, {shown.bytes_(done.bytes)}."
    else:
        titles = [one.title for one in found.removable]
        document |= {"files": len(titles), "bytes": found.bytes, "removed": titles}
        if not session.json and titles:
            print_plan(found.removable)
        text = f"{len(titles)} files would go, {shown.bytes_(found.bytes)}." if titles else "Nothing to remove."
    if session.json:
        print_json(document)
    else:
        say(f"{text} {found.kept} files stay, {shown.bytes_(found.kept_bytes)}.")


def asked(files: int, size: int, *, yes: bool) -> None:
    """Go on only if the person says so.

    Raises:
        BadInput: There is nobody to ask and --yes is not given.
        Abort: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"{files} files would be removed.", "Say --yes, or look first with --dry-run.")
    typer.confirm(f"Remove {files} files, {shown.bytes_(size)}? They can't be brought back", abort=True, err=True)


def print_plan(removable: list[Any]) -> None:
    """Print what would go. Any: records of the engine's collection."""
    rows = [(one.title, one.kind, shown.bytes_(one.bytes)) for one in removable]
    print_table(["file", "kind", "size"], rows, right={"size"})


def print_verification(found: Verification) -> None:
    """Print what verifying found; what is wrong first."""
    for fault in found.faults:
        say(f"▲ {fault.title} is {fault.condition}: {fault.path}")
        if fault.held_by:
            say(f"  needed by {', '.join(fault.held_by)}")
        say(f"  {fault.remedy}")
    wrong = (
        f"{len(found.faults)} of {found.files} files are not whole"
        if found.faults
        else f"{found.files} files, all whole"
    )
    print_facts(
        [
            ("kept", f"{wrong}, {shown.bytes_(found.bytes)}"),
            ("read", f"{found.hashed} now in {shown.duration(found.seconds)}; the others were not touched"),
        ]
    )
