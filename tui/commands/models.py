"""`lemnis models`: the registry, its aliases, and what was in production when."""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from lemnis.engine.clock import parse_ms
from lemnis.engine.deploy import AliasEvent, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.tracking.clients import ClientVersion
from lemnis.tui.commands import completing, models_card, models_export
from lemnis.tui.commands.group import fell_short, group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.commands.rollout import split_facts
from lemnis.tui.format import MISSING, age, number, verdict, when

if TYPE_CHECKING:
    from lemnis.engine.deploy.sheet import Sheet

app = group("The registry: versions, aliases, history, rollback, exports.")
app.add_typer(models_export.app)
app.add_typer(models_card.app)

ModelName = Annotated[
    str,
    typer.Argument(help="A model's name, see `lemnis models list`.", metavar="MODEL", autocompletion=completing.models),
]
Alias = Annotated[str, typer.Option("--alias", help="The alias to move.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept with the event.")]


@app.command("list")
def list_models(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(help="Only this model.", metavar="[MODEL]", autocompletion=completing.models)
    ] = "",
) -> None:
    """List the versions of every model, newest first.

    With --json: {"models": [{"name", "aliases": {alias: version}, "versions": [{"model", "version", "run_id",
    "run_name", "sha256", "path", "bytes", "threshold", "golden_rows", "verdict", "aliases", "who", "why",
    "created_at" (ms)}]}], "clients": [{"name", "version", "aliases", "run_uid", "run_name", "flavours", "why", "who",
    "note", "created_at" (ms)}]}: what MLflow's clients registered, with why it is not served here. What was made in
    another workspace says so below; `lemnis share origins` has it as JSON.
    """
    session = session_of(context)
    room = session.engine.deploy
    names = [model] if model else [entry.name for entry in room.models()]
    versions = {name: room.versions(name) for name in names}
    clients = [] if model else session.engine.tracking.client_versions()
    if session.json:
        aliases = {entry.name: entry.aliases for entry in room.models()}
        listed = [{"name": n, "aliases": aliases[n], "versions": v} for n, v in versions.items()]
        print_json({"models": listed, "clients": clients})
        return
    if not versions and not clients:
        say("No models yet. Register one with `lemnis models register RUN MODEL`.")
        return
    now = session.engine.now_ms()
    rows = [version_line(version, now) for listed in versions.values() for version in listed]
    rows += [client_line(version, now) for version in clients]
    print_table(["model", "version", "aliases", "run", "gates", "age", "who", "why"], rows, right={"version", "age"})
    for origin in session.engine.share.origins():
        if origin.kind == "model" and origin.here.rpartition("@")[0] in versions:
            say(f"{origin.here} is from {origin.text}")


@app.command()
def register(
    context: typer.Context,
    run: Annotated[
        int,
        typer.Argument(
            help="A finished run's number, see `lemnis runs list`.", metavar="RUN", autocompletion=completing.runs
        ),
    ],
    model: ModelName,
    reason: Reason = "registered from the command line",
    calibrate: Annotated[
        str,
        typer.Option(
            help="Answer with probabilities that this map makes: isotonic, platt or temperature.", metavar="MAP"
        ),
    ] = "",
) -> None:
    """Make a finished run's model the next version of MODEL; it is checked and its golden answers are recorded.

    --calibrate keeps a map of the run's evaluation with the version, where it made the probabilities better on the rows
    that judged it: the server, `lemnis predict` and monitoring answer and measure with it.
    With --json: the version as in `list`.
    """
    session = session_of(context)
    version = session.engine.deploy.register(run, model, user_name(), reason, calibrate=calibrate)
    if session.json:
        print_json(version)
        return
    say(f"{version.model} version {version.version} from run {run}, with {version.golden_rows} golden rows.")


@app.command()
def adopt(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model that an MLflow client registered.", metavar="NAME")],
    version: Annotated[int, typer.Argument(help="Its version.", metavar="VERSION")],
    model: ModelName,
    reason: Reason = "taken over from an MLflow client",
) -> None:
    """Take over a LightGBM model of an MLflow client as the next version of MODEL, to be promoted and served.

    It needs the signature it was logged with; it is asked golden rows in a process apart. Nothing is unpickled.
    With --json: the version as in `list`.
    """
    session = session_of(context)
    made = session.engine.tracking.adopt(name, version, model, user_name(), reason)
    if session.json:
        print_json(made)
        return
    say(f"{made.model} version {made.version} from {name} {version}, with {made.golden_rows} golden rows.")


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
    """Show the evidence and point an alias at a version; endpoints that follow it change without dropping a request.

    At a terminal the model's name has to be typed once more; elsewhere the name that was given counts.
    With --json: the event as in `history`.
    """
    session = session_of(context)
    room = session.engine.deploy
    sheet, asked = room.sheet(model, version, alias), sys.stdin.isatty() and not session.json and reason.strip() != ""
    if asked:
        print_sheet(sheet)
        typed_in_full(model, f"make version {version} the {alias}")
    event = room.promote(model, version, alias, user_name(), reason, force=force)
    if not asked and not session.json:
        print_sheet(sheet)
    tell(event, as_json=session.json)


@app.command()
def evidence(
    context: typer.Context,
    model: ModelName,
    version: Annotated[int, typer.Argument(help="The version's number.", metavar="VERSION")],
    alias: Alias = "champion",
) -> None:
    """Show what speaks for and against a version before an alias moves to it, beside the version it would replace.

    With --json: {"version": as in `list`, "alias", "objections" (empty: none), "gates": [{"metric", "part", "rule",
    "observed", "low", "high" (95 %), "verdict" (pass, fail, not enough data), "why", "rows_needed"}], "metrics": {PART:
    {NAME: value}}, "data", "present": as "version" or null, "present_metrics", "split": as in `endpoints split` or
    null}. Exit code 1 when its gates are against it.
    """
    session = session_of(context)
    found = session.engine.deploy.sheet(model, version, alias)
    if session.json:
        print_json(found)
    else:
        print_sheet(found)
    if found.objections:
        fell_short()


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
    model: Annotated[
        str, typer.Argument(help="Only this model.", metavar="[MODEL]", autocompletion=completing.models)
    ] = "",
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


def print_sheet(sheet: "Sheet") -> None:
    """Print an evidence sheet: where the version came from, its gates, and its measures beside the present ones."""
    version, present = sheet.version, sheet.present
    print_facts(
        [
            ("version", f"{version.model} {version.version}, run {version.run_id} {version.run_name}"),
            ("would replace", f"version {present.version} as {sheet.alias}" if present else f"no {sheet.alias}"),
            ("learned from", sheet.data or MISSING),
            ("sha256", version.sha256),
            ("golden rows", str(version.golden_rows)),
            ("gates", verdict(version.verdict).text),
            *split_facts(sheet.split),
        ]
    )
    for gate in sheet.gates:
        more = f"; about {gate.rows_needed:,} rows would decide" if gate.rows_needed else ""
        say(f"  {verdict(gate.verdict).text}  {gate.metric} on {gate.part} {gate.rule}: {number(gate.observed)}{more}")
    rows = [
        [name, part, number(value), *beside(value, sheet.present_metrics.get(part, {}).get(name))]
        for part, measured in sheet.metrics.items()
        for name, value in measured.items()
        if name in SHEET_MEASURES
    ]
    if rows:
        say()
        headers = ["measure", "rows", f"version {version.version}"]
        print_table([*headers, f"version {present.version}" if present else MISSING, "difference"], rows)


SHEET_MEASURES = ("roc_auc", "pr_auc", "log_loss", "brier", "rmse", "mae", "accuracy", "value_per_1000")


def beside(value: float | None, present: float | None) -> list[str]:
    """Return what the present version has, and the difference."""
    if value is None or present is None:
        return [number(present), MISSING]
    return [number(present), f"{'+' if value >= present else ''}{number(float(value - present))}"]


def typed_in_full(name: str, what: str) -> None:
    """Ask a person to type a name in full; raises BadInput when it is another."""
    if input(f"Type {name} to {what}: ").strip() != name:
        raise BadInput(f"That is not {name}; nothing was changed.", "Type the model's name in full.")


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
        f"{version.run_id} {version.run_name}" + (f", {version.calibration}" if version.calibration else ""),
        verdict(version.verdict).text,
        age(version.created_at, now),
        version.who,
        version.why,
    ]


def client_line(version: ClientVersion, now: int) -> list[str]:
    """Return one row of `lemnis models list` for what an MLflow client registered."""
    return [
        version.name,
        str(version.version),
        ", ".join(version.aliases) or MISSING,
        version.run_name or version.run_uid[:8] or MISSING,
        "MLflow",
        age(version.created_at, now),
        version.who or MISSING,
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
