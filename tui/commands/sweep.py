"""`lemnis sweep`: begin a search for better parameters."""

from time import sleep
from typing import Annotated

import typer

from lemnis.engine.experiments.parameters import read_overrides
from lemnis.engine.experiments.sweep import Sweep, Wishes
from lemnis.engine.jobs import JobFailed
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, say, session_of, single
from lemnis.tui.commands.session import Session
from lemnis.tui.commands.sweeps import sweep_document
from lemnis.tui.screens.swept.words import best_words

app = single()


@app.command()
def sweep(
    context: typer.Context,
    preset: Annotated[
        str | None, typer.Argument(help="A [sweeps.NAME] of lemnis.toml, else a preset; `default` if none.")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="How many trials; 50 if nothing is declared.")] = None,
    timeout: Annotated[str, typer.Option(help="Begin no trial after this time: seconds, 90min, 2h.")] = "",
    space: Annotated[
        list[str],
        typer.Option(help="A dimension: num_leaves=7..255:log or algorithm=gbdt,dart; repeat.", metavar="K=SPACE"),
    ] = [],  # noqa: B006
    objective: Annotated[
        list[str], typer.Option(help="A metric: auc, train_seconds:min; repeat for a Pareto front.", metavar="METRIC")
    ] = [],  # noqa: B006
    constraint: Annotated[
        list[str], typer.Option(help="What a trial must keep to: 'predict_ms < 0.5'; repeat.", metavar="TEXT")
    ] = [],  # noqa: B006
    set_: Annotated[
        list[str], typer.Option("--set", help="A value of the preset, the same for every trial.", metavar="K=V")
    ] = [],  # noqa: B006
    sampler: Annotated[str | None, typer.Option(help="tpe or random.")] = None,
    pruner: Annotated[str | None, typer.Option(help="median, hyperband or none.")] = None,
    parallel: Annotated[
        int | None, typer.Option(help="Trials at once; as many as the pool or the cluster holds if none.")
    ] = None,
    gang: Annotated[
        bool | None, typer.Option("--gang", help="The first trials start all together or not at all.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option(help="local, or dask: each trial on a worker of the cluster.", metavar="WHERE")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the sampler.")] = None,
    data: Annotated[str | None, typer.Option(help="Dataset version; the latest if none.", metavar="VERSION")] = None,
    features: Annotated[str | None, typer.Option(help="Feature set; the declared one if none.", metavar="SET")] = None,
    name: Annotated[str, typer.Option(help="What to call the sweep.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
    despite_checks: Annotated[
        str, typer.Option(help="Why it trains although a check failed; kept with the runs.", metavar="REASON")
    ] = "",
) -> None:
    """Look for better parameters: every trial is a run. It goes on when this command or the terminal ends.

    Without a space the usual parameters of trees vary. --set takes what `lemnis train --set` takes. Trials that fall
    behind are pruned. Follow and steer it with `lemnis sweeps` or in the console: Experiments, w.

    With --json: the sweep as in `lemnis sweeps show --json`.
    """
    session = session_of(context)
    wishes = Wishes(
        space=space,
        objectives=objective,
        constraints=constraint,
        overrides=read_overrides(set_),
        sampler=sampler,
        pruner=pruner,
        trials=trials,
        timeout=timeout,
        parallel=parallel,
        gang=gang,
        executor=executor,
        seed=seed,
        version=data,
        features=features,
        name=name,
        despite_checks=despite_checks,
    )
    begun = session.engine.sweeps.start(preset, wishes)
    session.engine.jobs.ensure_supervisor()
    if wait:
        begun = ended(session, begun)
        if begun.state == "failed":
            raise JobFailed(
                f"Sweep {begun.name} failed: {begun.why.rstrip('.')}.", f"Read `lemnis sweeps show {begun.name}`."
            )
    if session.json:
        print_json(sweep_document(begun, session.engine.sweeps.trials(begun.id)))
    elif wait:
        found = best_words(begun, session.engine.sweeps.trials(begun.id))
        say(f"Sweep {begun.name} is {begun.state}: {begun.why}. {found}")
    else:
        say(f"Sweep {begun.name} begins: {begun.trials} trials, {begun.at_once}.")
        say(f"Follow it with `lemnis sweeps show {begun.name}` or in the console: Experiments, w.")


def ended(session: Session, sweep: Sweep) -> Sweep:
    """Wait until a sweep runs no more and return it; what drives it may change meanwhile."""
    room = session.engine.sweeps
    while sweep.state == "running" and sweep.job_id is not None:
        wait_for(session, sweep.job_id)
        sweep = room.sweep(sweep.id)
    return sweep


def wait_for(session: Session, job_id: int) -> None:
    """Wait until a job has ended, however it did."""
    try:
        follow(session, job_id)
    except JobFailed:
        sleep(0.5)  # the supervisor queues another, or ends the sweep with the reason
    else:
        sleep(0.1)
