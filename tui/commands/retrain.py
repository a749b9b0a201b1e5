"""`lemnis retrain`: the served model again on later rows as challenger, and what the policy decides."""

from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor.retraining import Retrained, Retraining
from lemnis.engine.text import safe
from lemnis.tui.commands import retrain_studies
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of
from lemnis.tui.format import age, number, when
from lemnis.tui.screens.looped.words import MOST, allowed_words, figure_cells, outcome_words, step_cells

USUAL = "start"


class Retrain(TyperGroup):
    """`lemnis retrain` alone, or with options or an endpoint, is `lemnis retrain start`."""

    # Any: Typer's own copy of Click is private.
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = [USUAL, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Retrain,
    rich_markup_mode=None,
    add_completion=False,
    help="Train the served model again on later rows. Alone, or with an endpoint: `lemnis retrain start`.",
)
app.callback()(lambda: None)
app.add_typer(retrain_studies.app)


@app.command(USUAL)
def start(
    context: typer.Context,
    endpoint: Annotated[
        str, typer.Argument(help="Whose model; the one that answered last.", metavar="[ENDPOINT]")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept.")] = "newer labels",
    window: Annotated[
        str, typer.Option(help="all, last:90d, last:20000rows, last:3windows or decay:30d; [retraining] if none.")
    ] = "",
    begin: Annotated[
        str, typer.Option("--start", help="full, continue (new trees on the champion's) or refit (its leaves).")
    ] = "full",
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Queue it and leave.")] = False,
) -> None:
    """Train the served model again on rows whose labels have come, and judge both on the newest of them.

    The new model becomes the challenger; promoting it stays yours. It goes on when this command or the terminal ends.
    `decay:30d` learns from all rows, each half as much for every 30 days of its age; `continue` and `refit` from those
    since the champion's training. All of it is on record as conditions of the run. With --json: {"id", "cause",
    "kind", "endpoint", "model", "reason", "policy", "who", "way", "job_id", "run_id", "state", "outcome",
    "champion_version", "challenger_version", "found": {"part": [first day, day after], "rows", "gates", "figures":
    [{"metric", "champion", "challenger", "delta", "low", "high", "p", "verdict"}]}}.
    """
    session = session_of(context)
    room = session.engine.monitor.retraining
    made = room.start(endpoint, user_name(), reason, room.way(window, begin))
    if not no_wait and made.job_id is not None:
        follow(session, made.job_id)
        made = room.retraining(made.id)
    if session.json:
        print_json(made)
    elif no_wait:
        say(f"Queued as job {made.job_id}: retraining of {made.endpoint}. See `lemnis retrain status`.")
    else:
        print_retraining(made)


def print_retraining(made: Retraining) -> None:
    """Print a challenger beside the champion."""
    found = made.found
    if found is None:
        say(f"Retraining {made.id} is {made.state}: {made.doing}")
        return
    first, last = (day[:10] for day in found.part)
    say(f"{made.model} v{found.challenger_version} (run {found.run_id}, {found.dataset}) is the challenger.")
    say(f"On the {found.rows:,} labelled rows from {first} until {last}, which neither learnt from:")
    print_figures(found)
    say(f"Its gates: {found.gates}. {outcome_words(made)}")


def print_figures(found: Retrained) -> None:
    """Print each measure of both, the difference with its interval, and the verdict."""
    both = [f"champion v{found.champion_version}", f"challenger v{found.challenger_version}"]
    headers = ["figure", *both, "delta", "95 % interval", "verdict"]
    print_table(headers, [figure_cells(figure, found.currency) for figure in found.figures], right=set(headers[1:5]))


@app.command("status")
def status(
    context: typer.Context,
    endpoint: Annotated[str, typer.Argument(help="Whose loop; the one that answered last.", metavar="[ENDPOINT]")] = "",
    limit: Annotated[int, typer.Option(help="How many retrainings and events.")] = 5,
) -> None:
    """Show the loop: each step with its age, what it waits for and what moves it on; what is queued, what was decided.

    With --json: {"endpoint", "model", "version", "challenger", "run_id", "policy", "steps": [{"name", "state", "why",
    "since" (ms), "blocker", "key", "command"}], "last": as `lemnis retrain start --json`, "queue": [{"cause",
    "endpoint", "reason", "since", "decision": {"answer": train, waits or declined, "why", "allowed_at" (ms)}}],
    "retrainings": [as last], "events": [{"at", "who", "what", "why", "endpoint", "cause"}]}.
    """
    session = session_of(context)
    monitor = session.engine.monitor
    loop = monitor.retraining.loop(endpoint, watching=monitor.status().why)
    made = monitor.retraining.retrainings(loop.endpoint, limit)
    events = monitor.retraining.events(loop.endpoint, limit)
    if session.json:
        print_json(msgspec.to_builtins(loop) | {"retrainings": made, "events": events})
        return
    now = now_ms()
    served = f"{loop.model} v{loop.version}" if loop.version is not None else "nothing"
    say(f"{loop.endpoint} serves {served}; policy = {loop.policy}")
    headers = ["step", "state", "age", "what is so", "waits for", "next"]
    print_table(headers, [step_cells(step, now) for step in loop.steps], right={"age"})
    for one in loop.queue:
        say(f"{allowed_words(one)} {one.reason}")
    if made:
        print_retrainings(made)
    for event in events:
        say(f"{age(event.at, now):>8}  {event.who} {event.what}: {event.why}")


def print_retrainings(made: list[Retraining]) -> None:
    """Print retrainings, newest first."""
    headers = ["id", "endpoint", "state", "begun", "who", "challenger", "verdict", "why"]
    rows: list[list[str]] = []
    for one in made:
        main = one.found.main if one.found else None
        verdict = f"{main.metric} {number(main.delta)} {main.verdict}" if main else ""
        rows.append(
            [
                str(one.id),
                one.endpoint,
                one.outcome or one.state,
                when(one.created_at),
                one.who,
                f"v{one.challenger_version}" if one.challenger_version else "",
                verdict,
                safe(one.reason, limit=MOST),
            ]
        )
    print_table(headers, rows, right={"id"})
