"""`lemnis train`: queue a training from a preset."""

from typing import Annotated

import typer

from lemnis.engine.experiments import Advice
from lemnis.engine.experiments.algorithms import ALGORITHMS
from lemnis.engine.experiments.parameters import read_overrides
from lemnis.engine.experiments.start import CHECKS, LEFT_OUT
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, print_table, say, session_of, single
from lemnis.tui.commands.runs import run_document
from lemnis.tui.commands.session import Session
from lemnis.tui.format import number
from lemnis.tui.stages.experiments.devices import TRIED_HEADERS, advice_title, tried_texts

app = single()


@app.command()
def train(
    context: typer.Context,
    preset: Annotated[str | None, typer.Argument(help="A [presets.NAME] of lemnis.toml; `default` if none.")] = None,
    set_: Annotated[
        list[str], typer.Option("--set", help="A value that replaces the preset's; may be repeated.", metavar="K=V")
    ] = [],  # noqa: B006
    algorithm: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(ALGORITHMS)}; the preset's if none.", metavar="NAME")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, gpu (OpenCL) or cuda.", metavar="DEVICE")] = None,
    executor: Annotated[
        str | None, typer.Option(help="local, or dask: by all workers of the cluster together.", metavar="WHERE")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Dataset version; the latest if none.", metavar="VERSION")] = None,
    features: Annotated[str | None, typer.Option(help="Feature set; the declared one if none.", metavar="SET")] = None,
    name: Annotated[str, typer.Option(help="What to call the run.")] = "",
    advise: Annotated[
        bool, typer.Option("--advise", help="Train 30 rounds on each device instead, and say which to take.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is trained.")] = False,
    despite_checks: Annotated[
        str, typer.Option(help="Why it is trained although a check failed; kept with the run.", metavar="REASON")
    ] = "",
) -> None:
    """Train a model from a preset; the run goes on when this command or the terminal ends.

    A check that failed on the version and is not waived refuses the training with exit code 1. How the checks stood is
    kept as the run's tag `checks`.

    --set takes algorithm, rounds, early_stopping, seed, cores, memory and every parameter of LightGBM, e.g. --set
    num_leaves=63. The baselines take few: linear takes lambda_l2, constant takes centre (mean or median of a number).
    What the preset says and the algorithm has no use for is left out, and named in the run's tag `left_out`; dart and
    rf always train all their rounds.

    --advise keeps no run: it trains 30 rounds on the CPU, on OpenCL (gpu) and on CUDA, each in a process of its own,
    with these very data and parameters, and tells times, metric, memory, the cost by the prices of [pool], and why a
    device can't be used.

    With --json: the run as in `lemnis runs show --json`; with --advise: {"preset", "algorithm", "version", "rows",
    "rounds", "tried_rounds", "metric", "device", "why", "tried": [{"device", "usable", "why", "name", "prepare_s",
    "round_s", "value", "peak_bytes", "gpu_peak_bytes", "gpu_busy_percent", "total_s", "cost"}]}.
    """
    session = session_of(context)
    room = session.engine.experiments
    chosen = {"algorithm": algorithm, "executor": executor}
    overrides = {**read_overrides(set_), **{key: value for key, value in chosen.items() if value}}
    if advise:
        job_id = room.advisor.start(preset, overrides=overrides, version=data, features=features)
        follow(session, job_id)
        show_advice(session, room.advisor.read(job_id))
        return
    run_id = room.start(
        preset,
        overrides=overrides,
        version=data,
        features=features,
        device=device,
        name=name,
        despite_checks=despite_checks,
    )
    session.engine.jobs.ensure_supervisor()
    run = room.run(run_id)
    if wait and run.job_id is not None:
        follow(session, run.job_id)
        run = room.run(run_id)
    if session.json:
        print_json(run_document(run))
        return
    if CHECKS in run.tags:
        say(f"Checks of its data: {run.tags[CHECKS]}.")
    if LEFT_OUT in run.tags:
        say(f"Left out: {run.tags[LEFT_OUT]}.")
    if wait:
        shown = "  ".join(f"{key} {number(value, 4)}" for key, value in run.metrics.items())
        say(f"Run {run.id} {run.name} is {run.state}: {shown}")
    else:
        say(f"Run {run.id} {run.name} is queued. Follow it with `lemnis runs show {run.id}` or in the console.")


def show_advice(session: Session, advice: Advice) -> None:
    """Print what was found on each device, and which to take."""
    if session.json:
        print_json(advice)
        return
    say(advice_title(advice))
    rows = [tried_texts(one) for one in advice.tried]
    print_table([*TRIED_HEADERS, advice.metric], rows, right={*TRIED_HEADERS[2:], advice.metric})
    for one in advice.tried:
        if not one.usable:
            say(f"{one.device}: {one.why}")
    say(advice.why)
