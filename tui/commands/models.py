"""`lemnis models`: the registry, its aliases, and what was in production when."""

from typing import Annotated

import msgspec
import typer

from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.deploy import AliasEvent, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.tui.commands import models_export
from lemnis.tui.commands.group import group, print_json, print_table, say, session_of
from lemnis.tui.format import MISSING, age, verdict, when

app = group("The registry: versions, aliases, history, rollback, exports.")
app.add_typer(models_export.app)

ModelName = Annotated[str, typer.Argument(help="A model's name, see `lemnis models list`.", metavar="MODEL")]
Alias = Annotated[str, typer.Option("--alias", help="The alias to move.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept with the event.")]


@app.command("list")
def list_models(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Only this model.", metavar="[MODEL]")] = "",
) -> None:
    """List the versions of every model, newest first.

    With --json: {"models": [{"name", "aliases": {alias: version}, "versions": [{"model", "version", "run_id",
    "run_name", "sha256", "path", "bytes", "threshold", "golden_rows", "verdict", "aliases", "who", "why",
    "created_at" (ms)}]}]}. What was made in another workspace says so below; `lemnis share origins` has it as JSON.
    """
    session = session_of(context)
    room = session.engine.deploy
    names = [model] if model else [entry.name for entry in room.models()]
    versions = {name: room.versions(name) for name in names}
    if session.json:
        aliases = {entry.name: entry.aliases for entry in room.models()}
        print_json({"models": [{"name": n, "aliases": aliases[n], "versions": v} for n, v in versions.items()]})
        return
    if not versions:
        say("No models yet. Register one with `lemnis models register RUN MODEL`.")
        return
    now = now_ms()
    rows = [version_line(version, now) for listed in versions.values() for version in listed]
    print_table(["model", "version", "aliases", "run", "gates", "age", "who", "why"], rows, right={"version", "age"})
    for origin in session.engine.share.origins():
        if origin.kind == "model" and origin.here.rpartition("@")[0] in versions:
            say(f"{origin.here} is from {origin.text}")


@app.command()
def register(
    context: typer.Context,
    run: Annotated[int, typer.Argument(help="A finished run's number, see `lemnis runs list`.", metavar="RUN")],
    model: ModelName,
    reason: Reason = "registered from the command line",
) -> None:
    """Make a finished run's model the next version of MODEL; it is checked and its golden answers are recorded.

    With --json: the version as in `list`.
    """
    session = session_of(context)
    version = session.engine.deploy.register(run, model, user_name(), reason)
    if session.json:
        print_json(version)
        return
    say(f"{version.model} version {version.version} from run {run}, with {version.golden_rows} golden rows.")


@app.command()
def promote(
    context: typer.Context,
    model: ModelName,
    version: Annotated[int, typer.Argument(help="The version's number.", metavar="VERSION")],
    reason: Reason,
    alias: Alias = "champion",
    force: Annotated[
        bool, typer.Option("--force", help="Although its gates did not pass; kept with the event.")
    ] = False,
) -> None:
    """Point an alias at a version; endpoints that follow the alias change to it without dropping a request.

    With --json: the event as in `history`.
    """
    session = session_of(context)
    tell(session.engine.deploy.promote(model, version, alias, user_name(), reason, force=force), as_json=session.json)


@app.command()
def rollback(context: typer.Context, model: ModelName, reason: Reason, alias: Alias = "champion") -> None:
    """Point an alias back at the version it named before.

    With --json: the event as in `history`.
    """
    session = session_of(context)
    tell(session.engine.deploy.rollback(model, alias, user_name(), reason), as_json=session.json)


@app.command()
def history(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Only this model.", metavar="[MODEL]")] = "",
    at: Annotated[
        str, typer.Option(help="Instead: what was in force at this time (ISO 8601, UTC unless it says).")
    ] = "",
) -> None:
    """Every move of every alias, newest first; with --at, what was in production then.

    With --json: {"at" (ms, null without --at), "events": [{"id", "model", "alias", "kind" (promote, rollback,
    withdraw), "version", "previous", "forced", "who", "why", "at" (ms), "evidence": {"verdict", "gates", "metrics"}}]}.
    """
    session = session_of(context)
    moment = time_of(at) if at else None
    events = session.engine.deploy.history(model, at=moment)
    if session.json:
        print_json({"at": moment, "events": events})
        return
    if not events:
        say("Nothing was in production then." if at else "No alias was moved yet.")
        return
    rows = [event_line(event) for event in events]
    print_table(["when", "model", "alias", "moved", "how", "gates then", "who", "why"], rows)


def time_of(text: str) -> int:
    """Return epoch ms of a time a person typed."""
    try:
        return parse_ms(text)
    except ValueError:
        raise BadInput(f"{text!r} is no time.", "Write for example 2013-05-01T03:00.", "--at") from None


def version_line(version: ModelVersion, now: int) -> list[str]:
    """Return one row of `lemnis models list`."""
    return [
        version.model,
        str(version.version),
        ", ".join(version.aliases) or MISSING,
        f"{version.run_id} {version.run_name}",
        verdict(version.verdict).text,
        age(version.created_at, now),
        version.who,
        version.why,
    ]


def event_line(event: AliasEvent) -> list[str]:
    """Return one row of `lemnis models history`."""
    moved = f"{event.previous or MISSING} → {event.version or MISSING}"
    how = f"{event.kind}, forced" if event.forced else event.kind
    gates = verdict(event.evidence["verdict"]).text if event.evidence else MISSING
    return [when(event.at), event.model, event.alias, moved, how, gates, event.who, event.why]


def tell(event: AliasEvent, *, as_json: bool) -> None:
    """Print one event."""
    if as_json:
        print_json(msgspec.to_builtins(event))
        return
    before = f", was {event.previous}" if event.previous else ""
    say(f"{event.model}@{event.alias} is version {event.version}{before}.")
