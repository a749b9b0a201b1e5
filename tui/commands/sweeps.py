"""`lemnis sweeps`: list and show sweeps, and steer them while they run."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import now_ms
from lemnis.engine.experiments.parameters import read_overrides
from lemnis.engine.experiments.sweep import Sweep, Trial
from lemnis.engine.experiments.sweep.space import value_text
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.commands.session import Session
from lemnis.tui.format import MISSING, age, duration, share, verdict
from lemnis.tui.screens.swept.words import best_value, best_words, expectation_words, value_words

app = group("List, show and steer sweeps.")
Name = Annotated[str, typer.Argument(help="A sweep's name.", metavar="NAME")]


@app.command("list")
def list_sweeps(context: typer.Context) -> None:
    """List sweeps, the newest first.

    With --json: {"sweeps": [{"id", "name", "state", "why", "preset", "trials", "counts": {}, "objectives": [{"metric",
    "larger"}], "created_at", "ended_at"}]}; counts are of trials by state.
    """
    session = session_of(context)
    found = session.engine.sweeps.sweeps()
    if session.json:
        print_json({"sweeps": [listed_document(sweep) for sweep in found]})
        return
    if not found:
        say("No sweeps yet. Begin one with `lemnis sweep`.")
        return
    now = now_ms()
    rows = [
        (
            sweep.name,
            verdict(sweep.state).text,
            f"{sweep.ended} of {sweep.trials}",
            best_value(sweep, session.engine.sweeps.trials(sweep.id)),
            age(sweep.created_at, now),
            sweep.why,
        )
        for sweep in found
    ]
    print_table(["name", "state", "trials", "best", "age", "why"], rows, right={"trials", "age"})


@app.command()
def show(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option(min=0, help="Show at most this many trials, the newest.")] = 30,
) -> None:
    """Show a sweep: its space, its trials, the best, what decides, and what was done to it.

    With --json: {"id", "name", "state", "why", "preset", "trials", "counts": {}, "objectives", "constraints", "space":
    [{"name", "low", "high", "log", "choices", "frozen"}], "sampler", "pruner", "parallel" (0: as many as the cluster
    holds), "executor", "timeout_s", "spent_s",
    "data_version", "best": [numbers of trials], "importances": {}, "expectation": {"trials", "mean", "low", "high",
    "chance", "seconds"}, "all": [{"number", "state", "why", "params": {}, "values": [], "feasible", "run_id",
    "enqueued_by", "created_at", "ended_at"}], "events": [{"at", "user", "what"}]}; of several objectives `best` is the
    Pareto front.
    """
    session = session_of(context)
    room = session.engine.sweeps
    sweep = room.sweep(name)
    trials = room.trials(sweep.id)
    if session.json:
        print_json(sweep_document(sweep, trials) | {"events": room.events(sweep.id)})
        return
    print_facts(facts_of(sweep, trials))
    say()
    if trials and limit:
        print_trials(sweep, trials[-limit:])
        if len(trials) > limit:
            say(f"… and {len(trials) - limit:,} before: --limit shows more.")
    for event in room.events(sweep.id, limit=5):
        say(f"{age(event.at, now_ms())} ago  {event.user}: {event.what}")


@app.command()
def pause(context: typer.Context, name: Name) -> None:
    """Begin no more trials; those that run go on. With --json: the sweep as in `list`."""
    session = session_of(context)
    told(session, session.engine.sweeps.pause(name))


@app.command()
def resume(context: typer.Context, name: Name) -> None:
    """Let a paused or failed sweep go on. With --json: the sweep as in `list`."""
    session = session_of(context)
    sweep = session.engine.sweeps.resume(name)
    session.engine.jobs.ensure_supervisor()
    told(session, sweep)


@app.command()
def extend(
    context: typer.Context, name: Name, trials: Annotated[int, typer.Argument(help="How many more.", metavar="N")]
) -> None:
    """Ask for more trials; a finished sweep goes on. With --json: the sweep as in `list`."""
    session = session_of(context)
    sweep = session.engine.sweeps.extend(name, trials)
    session.engine.jobs.ensure_supervisor()
    told(session, sweep)


@app.command()
def prune(
    context: typer.Context, name: Name, trial: Annotated[int, typer.Argument(help="Its number.", metavar="TRIAL")]
) -> None:
    """Stop a trial at its next round, or take back one that waits. With --json: the sweep as in `list`."""
    session = session_of(context)
    session.engine.sweeps.prune(name, trial)
    told(session, session.engine.sweeps.sweep(name))


@app.command()
def enqueue(
    context: typer.Context,
    name: Name,
    point: Annotated[list[str], typer.Argument(help="Values: num_leaves=31 learning_rate=0.1.", metavar="K=V…")],
) -> None:
    """Let a point be tried next; what it leaves open the sampler chooses. With --json: {"trial": its number}."""
    session = session_of(context)
    trial = session.engine.sweeps.enqueue(name, read_overrides(point))
    if session.engine.sweeps.sweep(name).state == "running":
        session.engine.jobs.ensure_supervisor()
    if session.json:
        print_json({"trial": trial})
    else:
        say(f"Trial {trial} waits to be begun.")


@app.command()
def freeze(
    context: typer.Context,
    name: Name,
    parameter: Annotated[str, typer.Argument(help="What stands still.", metavar="PARAMETER")],
    value: Annotated[str, typer.Argument(help="Its value; the best trial's if none.", metavar="VALUE")] = "",
    vary: Annotated[bool, typer.Option("--vary", help="Let it vary again.")] = False,
) -> None:
    """Let a parameter have one value in all new trials. With --json: the sweep as in `show`, without events."""
    session = session_of(context)
    session.engine.sweeps.freeze(name, parameter, "-" if vary else value)
    tell_space(session, name)


@app.command()
def narrow(
    context: typer.Context,
    name: Name,
    parameter: Annotated[str, typer.Argument(help="What is to vary less.", metavar="PARAMETER")],
    bounds: Annotated[str, typer.Argument(help="20..80, or gbdt,dart; within what it began with.", metavar="BOUNDS")],
) -> None:
    """Give a parameter other bounds in all new trials. With --json: the sweep as in `show`, without events."""
    session = session_of(context)
    session.engine.sweeps.narrow(name, parameter, bounds)
    tell_space(session, name)


def told(session: Session, sweep: Sweep) -> None:
    """Say how a sweep stands after something was done to it."""
    if session.json:
        print_json(listed_document(sweep))
    else:
        say(f"Sweep {sweep.name} is {sweep.state}: {sweep.ended} of {sweep.trials} trials have ended.")


def tell_space(session: Session, name: str) -> None:
    """Say what varies now."""
    sweep = session.engine.sweeps.sweep(name)
    if session.json:
        print_json(sweep_document(sweep, session.engine.sweeps.trials(sweep.id)))
    else:
        print_facts([(dimension.name, dimension.words) for dimension in sweep.space])


def listed_document(sweep: Sweep) -> dict[str, Any]:
    """Return a sweep as `list --json` shows it."""
    names = ("id", "name", "state", "why", "preset", "trials", "counts", "objectives", "created_at", "ended_at")
    return {name: getattr(sweep, name) for name in names}


def sweep_document(sweep: Sweep, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return a sweep as `show --json` shows it, without its events."""
    more = ("constraints", "space", "sampler", "pruner", "parallel", "executor", "timeout_s", "spent_s", "data_version")
    kept = ("number", "state", "why", "params", "values", "feasible", "run_id", "enqueued_by", "created_at", "ended_at")
    insight = sweep.insight
    return listed_document(sweep) | {
        **{name: getattr(sweep, name) for name in more},
        "best": [trial.number for trial in sweep.best(trials)],
        "importances": insight.importances if insight else {},
        "expectation": msgspec.to_builtins(insight.expectation) if insight else None,
        "all": [{name: getattr(trial, name) for name in kept} for trial in trials],
    }


def facts_of(sweep: Sweep, trials: Sequence[Trial]) -> list[tuple[str, str]]:
    """Return what there is to say of a sweep."""
    counts = ", ".join(f"{count} {state}" for state, count in sweep.counts.items())
    limit = f" of {duration(sweep.timeout_s)}" if sweep.timeout_s else ""
    found = [
        ("sweep", f"{sweep.name}  {verdict(sweep.state).text}  {sweep.why}"),
        ("trials", f"{sweep.ended} of {sweep.trials}" + (f" ({counts})" if counts else "")),
        ("looks for", ", ".join(goal.words for goal in sweep.objectives)),
        ("keeps to", ", ".join(one.words for one in sweep.constraints)),
        ("from", f"preset {sweep.preset}, {sweep.data_version}"),
        ("executor", f"{sweep.executor}: each trial on a worker of the cluster" if sweep.executor != "local" else ""),
        ("how", f"{sweep.sampler}, pruner {sweep.pruner}, {sweep.at_once}, {duration(sweep.spent_s)}{limit}"),
        *((f"  {dimension.name}", dimension.words) for dimension in sweep.space),
        ("best", best_words(sweep, trials)),
    ]
    insight = sweep.insight
    if insight is not None and insight.importances:
        found.append(("decides", ", ".join(f"{name} {share(part, 0)}" for name, part in insight.importances.items())))
    if insight is not None and insight.expectation is not None:
        found.append(("to expect", expectation_words(sweep)))
    return [(name, text) for name, text in found if text]


def print_trials(sweep: Sweep, trials: Sequence[Trial]) -> None:
    """Print trials as a table."""
    metrics = [goal.metric for goal in sweep.objectives]
    names = [dimension.name for dimension in sweep.declared]
    rows = [
        [
            str(trial.number),
            verdict(trial.state).text,
            *(value_words(*pair) for pair in zip(metrics, trial.values or [None] * len(metrics), strict=True)),
            *(value_text(trial.params[name]) if name in trial.params else MISSING for name in names),
            str(trial.run_id or MISSING),
            trial.why,
        ]
        for trial in trials
    ]
    print_table(["trial", "state", *metrics, *names, "run", "why"], rows, right={"trial", "run", *metrics, *names})
