"""`lemnis grid`: train every combination of data versions, algorithms and values, as one group of runs."""

from typing import Annotated, Any

import typer

from lemnis.engine.experiments import Grid, Plan, Run
from lemnis.engine.experiments.algorithms import ALGORITHMS
from lemnis.engine.experiments.compare import larger_is_better
from lemnis.engine.experiments.grid import read_axes
from lemnis.engine.experiments.parameters import TASKS, metric_name
from lemnis.engine.jobs import JobFailed
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import fell_short, print_json, print_table, say, session_of, single
from lemnis.tui.commands.session import Session
from lemnis.tui.format import duration, number
from lemnis.tui.stages.experiments.plan import plan_words

app = single()


@app.command()
def grid(
    context: typer.Context,
    preset: Annotated[str | None, typer.Argument(help="A [presets.NAME] of lemnis.toml; `default` if none.")] = None,
    data: Annotated[str, typer.Option(help="Dataset versions; the latest if none.", metavar="V,V…")] = "",
    algorithm: Annotated[str, typer.Option(help=f"Of {', '.join(ALGORITHMS)}.", metavar="A,A…")] = "",
    set_: Annotated[
        list[str],
        typer.Option("--set", help="A setting or parameter and its values; may be repeated.", metavar="K=V,V…"),
    ] = [],  # noqa: B006
    features: Annotated[str | None, typer.Option(help="Feature set; the declared one if none.", metavar="SET")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also train what was trained already.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be trained, and how long.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are trained.")] = False,
    despite_checks: Annotated[
        str, typer.Option(help="Why it is trained although a check failed; kept with each run.", metavar="REASON")
    ] = "",
) -> None:
    """Train every combination of data versions, algorithms and values; all runs are queued as one group, or none.

    What an algorithm has no use for is left out for it, so that no run is there twice: linear takes no num_leaves. A
    combination that a finished or waiting run has the very conditions of is skipped. `group = 'grid 1'` finds the runs.
    With --wait exit code 1 says that a run failed.

    With --json: {"group", "runs": [ids], "same": [ids of the runs that stood for skipped combinations]}; with --wait
    also "results": [runs as in `lemnis runs show --json`]; with --plan: {"combinations", "new", "at_once", "seconds"
    (null: no earlier run tells), "basis" (how many earlier runs say so), "cells": [{"name", "version", "algorithm",
    "params", "left_out", "same_as", "same_state", "expected": {"seconds", "basis"}}]}.
    """
    session = session_of(context)
    wanted = Grid(
        preset=preset, versions=listed(data), algorithms=listed(algorithm), values=read_axes(set_), features=features
    )
    room = session.engine.experiments.grids
    if plan:
        show_plan(session, room.plan(wanted))
        return
    started = room.start(wanted, again=again, despite_checks=despite_checks)
    if started.run_ids:
        session.engine.jobs.ensure_supervisor()
    runs = followed(session, started.run_ids) if wait else []
    if session.json:
        print_json(started_document(started.group, started.run_ids, started.same, runs if wait else None))
    else:
        if started.same:
            same = ", ".join(map(str, started.same[:10])) + ("…" if len(started.same) > 10 else "")
            say(f"Skipped, because these runs have the same conditions: {same}. --again trains them too.")
        if not started.run_ids:
            say("Nothing is left to train.")
        elif wait:
            show_results(runs)
        else:
            count = len(started.run_ids)
            say(
                f"{count} {'run is' if count == 1 else 'runs are'} queued as {started.group}: "
                f"lemnis runs list -q \"group = '{started.group}'\""
            )
    if any(run.state != "finished" for run in runs):
        fell_short()


def listed(text: str) -> list[str]:
    """Return the words between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def followed(session: Session, run_ids: list[int]) -> list[Run]:
    """Wait for every run, and return them as they are then; one that failed does not end the waiting."""
    room = session.engine.experiments
    for run in room.runs(run_ids):
        if run.job_id is not None:
            try:
                follow(session, run.job_id)
            except JobFailed:
                continue
    return room.runs(run_ids)


# Any: JSON values.
def started_document(group: str, run_ids: list[int], same: list[int], runs: list[Run] | None) -> dict[str, Any]:
    """Return what was queued, and with `runs` how they came out."""
    from lemnis.tui.commands.runs import run_document

    document: dict[str, Any] = {"group": group, "runs": run_ids, "same": same}
    return document if runs is None else document | {"results": [run_document(run) for run in runs]}


def show_plan(session: Session, plan: Plan) -> None:
    """Print what would be trained."""
    if session.json:
        names = ("combinations", "at_once", "seconds", "basis", "cells")
        print_json({"new": len(plan.new), **{name: getattr(plan, name) for name in names}})
        return
    rows = [
        (
            cell.name,
            duration(cell.expected.seconds) if cell.expected else "",
            f"as run {cell.same_as}, {cell.same_state}" if cell.same_as else "",
            ", ".join(cell.left_out),
        )
        for cell in plan.cells
    ]
    print_table(["run", "takes", "same", "left out"], rows, right={"takes"})
    say(plan_words(plan))


def show_results(runs: list[Run]) -> None:
    """Print how the runs came out, the best first."""
    metric = metric_name("validation", TASKS[runs[0].task].metrics[0])
    sign = -1 if larger_is_better(metric) else 1

    def place(run: Run) -> tuple[bool, float]:
        value = run.metrics.get(metric)
        return (value is None, sign * (value or 0.0))

    rows = [
        (
            str(run.id),
            run.name,
            run.state,
            number(run.metrics.get(metric), 4),
            duration(run.metrics.get("train_seconds")),
        )
        for run in sorted(runs, key=place)
    ]
    print_table(["#", "run", "state", metric, "trained in"], rows, right={"#", metric, "trained in"})
