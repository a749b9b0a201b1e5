"""`lemnis retrain curve|warm|backtest|studies`: what other rows, warm starts or regular retraining would have given."""

from typing import Annotated, get_args

import typer

from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import WIDTHS
from lemnis.engine.monitor.retraining import Study
from lemnis.engine.monitor.spans import Width
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import when
from lemnis.tui.screens.looped.words import mean_words, point_cells

app = typer.Typer(rich_markup_mode=None)
Endpoint = Annotated[str, typer.Argument(help="Whose model; the one that answered last.", metavar="[ENDPOINT]")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Queue it and leave.")]
Window = Annotated[str, typer.Option(help="all, last:90d, last:20000rows, last:3windows or decay:30d.")]


@app.command()
def curve(
    context: typer.Context,
    endpoint: Endpoint = "",
    window: Annotated[list[str], typer.Option(help="A choice of rows; repeat.", metavar="WINDOW")] = [],  # noqa: B006
    no_wait: NoWait = False,
) -> None:
    """Train on several choices of rows and judge each beside the champion, all on the same rows.

    They are judged on the window before the newest labelled one, which stays unseen: it can still judge the challenger
    of the choice. Nothing is registered. With --json: {"id", "kind", "endpoint", "model", "champion_version", "state",
    "points": [{"name", "learnt", "judged", "rounds", "cpu_seconds", "seconds", "figures": [{"metric", "champion",
    "challenger", "delta", "low", "high", "p", "verdict"}], "why"}], "mean": {"metric", "spans", "gain", "low", "high",
    "better", "money"}}.
    """
    room = session_of(context).engine.monitor.retraining
    finish(context, room.start_curve(endpoint, user_name(), window), wait=not no_wait)


@app.command()
def warm(context: typer.Context, endpoint: Endpoint = "", window: Window = "all", no_wait: NoWait = False) -> None:
    """Compare full training with going on from the champion and with refitting its leaves, in figures and in time.

    `continue` and `refit` learn from the rows since the champion's training ended; all three are judged on the newest
    labelled window. With --json: as `lemnis retrain curve`.
    """
    room = session_of(context).engine.monitor.retraining
    finish(context, room.start_warm(endpoint, user_name(), window), wait=not no_wait)


@app.command()
def backtest(
    context: typer.Context,
    endpoint: Endpoint = "",
    every: Annotated[str, typer.Option(help="How often one would have retrained: day, week or month.")] = "month",
    months: Annotated[int, typer.Option(help="How many of the latest spans; 0 for all.", min=0)] = 6,
    window: Window = "all",
    no_wait: NoWait = False,
) -> None:
    """Say what retraining every month would have gained over the champion as it is, and what it would have cost.

    For each month that the champion has not seen a model is trained on the rows before it whose labels were known by
    then (`label_delay` of [dataset]), and both are judged on that month. The gain's interval is Student's t over the
    months. A stopped job goes on where it was: `lemnis jobs retry`. With --json: as `lemnis retrain curve`.
    """
    if every not in WIDTHS[2:]:
        raise BadInput(f"Nobody retrains every {every!r}.", f"Choose one of {', '.join(WIDTHS[2:])}.", "--every")
    width: Width = next(one for one in get_args(Width) if one == every)
    room = session_of(context).engine.monitor.retraining
    made = room.start_backtest(endpoint, user_name(), every=width, spans=months, window=window)
    finish(context, made, wait=not no_wait)


@app.command()
def studies(context: typer.Context, endpoint: Endpoint = "") -> None:
    """List what was tried. With --json: {"studies": [as `lemnis retrain curve`]}."""
    session = session_of(context)
    found = session.engine.monitor.retraining.studies(endpoint)
    if session.json:
        print_json({"studies": [document(one) for one in found]})
        return
    currency = session.engine.config().problem.currency
    for one in found:
        say(f"{one.kind} {one.id} of {one.endpoint}, {when(one.created_at)}, {one.who}: {one.state}")
        print_study(one, currency)


def finish(context: typer.Context, made: Study, *, wait: bool) -> None:
    """Wait for a study and print it."""
    session = session_of(context)
    if wait and made.job_id is not None:
        follow(session, made.job_id)
        made = session.engine.monitor.retraining.study(made.id)
    if session.json:
        print_json(document(made))
    elif wait:
        print_study(made, session.engine.config().problem.currency)
    else:
        say(f"Queued as job {made.job_id}: {len(made.plan)} trainings. See `lemnis retrain studies`.")


def document(made: Study) -> dict[str, object]:
    """Return a study as its JSON document has it."""
    fields = ("id", "kind", "endpoint", "model", "champion_version", "who", "state", "points", "mean", "cpu_seconds")
    return {name: getattr(made, name) for name in fields}


def print_study(made: Study, currency: str) -> None:
    """Print what came of each try, and of a backtest the mean gain."""
    if not made.points:
        return
    metric = next((point.main.metric.replace("_", " ") for point in made.points if point.main is not None), "")
    headers = ["tried", "rows", f"champion v{made.champion_version}", f"this {metric}".strip(), "delta"]
    headers += ["95 % interval", "verdict", "rounds", "CPU s"]
    right = {*headers[1:6], *headers[7:]}
    print_table(headers, [point_cells(point, currency) for point in made.points], right=right)
    if made.kind == "backtest" and (words := mean_words(made, currency)):
        say(f"{words[0].upper()}{words[1:]}.")
