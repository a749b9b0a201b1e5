"""`lemnis runs import`, and the folder that `lemnis runs export --mlflow` writes: runs of MLflow's stores."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine.text import safe
from lemnis.engine.tracking.transfer.records import Brought
from lemnis.tui.commands.follow import CLEAR_LINE
from lemnis.tui.commands.group import print_json, say, session_of
from lemnis.tui.commands.session import Session
from lemnis.tui.format import bytes_

app = typer.Typer()


@app.command("import")
def import_runs(
    context: typer.Context,
    place: Annotated[str, typer.Argument(help="An mlruns folder, a SQLite file, or a server's address.")],
    artifacts: Annotated[
        Path | None, typer.Option(help="The artifacts of a SQLite file's server; mlartifacts beside it.", metavar="DIR")
    ] = None,
) -> None:
    """Bring the runs of an MLflow store in: parameters, every point, tags, notes, inputs, artifacts, times and states.

    Logged models come with them, and registered models with versions, aliases, tags and words.

    A run is known by its id: imported again it is brought up to date, and is there once. The store is only read. A
    server is asked with the token in MLFLOW_TRACKING_TOKEN.

    With --json: {"experiments", "runs" (new ones), "models", "registered" (versions), "known", "points", "files",
    "bytes", "missing" (whose artifacts could not be read, and why)}.
    """
    session = session_of(context)
    done = session.engine.tracking.import_runs(place, artifacts, drawn(session))
    clear(session)
    if session.json:
        print_json(done)
        return
    known = f", besides {done.known} that are here already" if done.known else ""
    runs = "1 run" if done.runs == 1 else f"{done.runs} runs"
    say(f"Imported {runs}{known}: {done.points:,} points, {done.files} files, {bytes_(done.bytes)}.")
    if done.registered:
        say(f"Registered versions of models: {done.registered}.")
    for text in done.missing:
        say(f"Without its artifacts: {text}")


def export_to(session: Session, place: str, run_ids: list[int]) -> None:
    """Write runs as an mlruns folder, or send them to a server, and say so."""
    room = session.engine.tracking
    if place.startswith(("http://", "https://")):
        done = room.send_runs(place, run_ids, drawn(session))
    else:
        done = room.export_runs(Path(place), run_ids, drawn(session))
    clear(session)
    if session.json:
        counts = {"runs": done.runs, "registered": done.registered, "points": done.points, "files": done.files}
        print_json({"written": place} | counts | {"known": done.known, "missing": done.missing})
    else:
        known = f", besides {done.known} that are there already" if done.known else ""
        moved = f"{done.points:,} points, {done.files} files, {bytes_(done.bytes)}"
        say(f"Wrote {done.runs} runs{known} to {place}: {moved}.")
        if done.registered:
            say(f"Versions of registered models: {done.registered}.")
        for text in done.missing:
            say(f"Without its artifacts: {text}")


def drawn(session: Session) -> Callable[[Brought], None]:
    """Return what draws how far it is on a terminal."""

    def draw(done: Brought) -> None:
        if sys.stderr.isatty() and not session.json:
            sys.stderr.write(f"{CLEAR_LINE}{safe(f'{done.runs + done.known} runs, {done.points:,} points')}")
            sys.stderr.flush()

    return draw


def clear(session: Session) -> None:
    """Take the drawn line away."""
    if sys.stderr.isatty() and not session.json:
        sys.stderr.write(CLEAR_LINE)
