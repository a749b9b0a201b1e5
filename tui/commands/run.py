"""`lemnis run`: any command as a tracked, queued job."""

from pathlib import Path
from typing import Annotated

import typer

from lemnis.engine.config import parse_bytes
from lemnis.engine.errors import BadInput
from lemnis.engine.tracking.script import Wanted
from lemnis.tui.commands.follow import follow
from lemnis.tui.commands.group import print_json, say, session_of, single
from lemnis.tui.commands.runs_marks import run_document

app = single()


@app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(help="The program and its arguments.", metavar="COMMAND...")],
    cores: Annotated[float, typer.Option(min=0.1, help="Cores it holds, also its thread count.")] = 1,
    memory: Annotated[str, typer.Option(help="Memory it may take at most, e.g. 4GiB.", metavar="SIZE")] = "0",
    gpu: Annotated[float, typer.Option(min=0, help="Share of a GPU, or whole GPUs; 0 hides them from it.")] = 0,
    name: Annotated[str, typer.Option(help="What to call the run; the command if none.")] = "",
    experiment: Annotated[str, typer.Option(help="The experiment it is in.", metavar="NAME")] = "Default",
    project: Annotated[
        str,
        typer.Option(help="Whose share of the pool it counts against, else $LEMNIS_PROJECT's.", metavar="NAME"),
    ] = "",
    preemptible: Annotated[
        bool, typer.Option("--preemptible", help="It may be stopped (SIGTERM) for another, and is run again later.")
    ] = False,
    env: Annotated[
        list[str], typer.Option("--env", help="One more variable; kept with the job. May be repeated.", metavar="K=V")
    ] = [],  # noqa: B006
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended.")] = False,
) -> None:
    """Run any command as a queued job: `lemnis run --cores 2 --memory 4GiB -- python train.py`.

    It starts in this folder when its cores, memory and GPU are free, and goes on when this command or the terminal
    ends. What it prints is the job's log; cores and memory that it uses are metrics of the run. MLFLOW_TRACKING_URI is
    set for it: the first MLflow run that it starts is this run, whatever framework logs it. It fails if its status is
    not 0.

    With --json: the run as in `lemnis runs show --json`.
    """
    session = session_of(context)
    wanted = Wanted(
        command=command,
        folder=Path.cwd(),
        name=name,
        experiment=experiment,
        cores=cores,
        memory_bytes=size_of(memory),
        gpu=gpu,
        environment=dict(map(variable, env)),
        project=project,
        preemptible=preemptible,
    )
    room = session.engine.experiments
    started = room.run(session.engine.tracking.run(wanted))
    if wait and started.job_id is not None:
        follow(session, started.job_id)
        started = room.run(started.id)
    if session.json:
        print_json(run_document(started))
    elif wait:
        say(f"Run {started.id} {started.name} is {started.state}: `lemnis jobs logs {started.job_id}` has its output.")
    else:
        say(
            f"Run {started.id} {started.name} is queued. Follow its output with "
            f"`lemnis jobs logs {started.job_id} --follow`, or watch it in the console."
        )


def size_of(text: str) -> int:
    """Return a size in bytes; raises BadInput."""
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise BadInput(f"{error}.", "Write for example 4GiB.", "--memory") from None


def variable(text: str) -> tuple[str, str]:
    """Return the name and the value of a variable; raises BadInput."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadInput(f"{text!r} is no variable.", "Write for example SEED=1.", "--env")
    return name, value
