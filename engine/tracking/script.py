"""Any command as a run: queued with an allocation, its output captured, its metrics logged through MLflow's client."""

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.groups import experiment_named
from lemnis.engine.experiments.tracked import Announced
from lemnis.engine.jobs import JobsRoom, Terms, user_name
from lemnis.engine.store import Store, returning
from lemnis.engine.text import safe

KIND = "tracking.script"
AWAITS = "lemnis.awaits_client"  # tag of a run whose command has started no MLflow run yet
NAME_LENGTH = 80
# What of the caller's environment a command needs to be the same command when the supervisor starts it.
KEPT = (
    *("PATH", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONPATH", "LD_LIBRARY_PATH"),
    *("LANG", "LC_ALL", "LC_CTYPE", "TZ", "HOME"),
)


class Wanted(Struct, frozen=True, kw_only=True):
    """A command and what it is to have.

    Attributes:
        command: The program and its arguments.
        folder: Where it runs.
        name: What to call the run; by default the command.
        experiment: The experiment it is in, made if need be; a client that names another moves the run there.
        cores: Cores it holds, which are also its thread count.
        memory_bytes: What it may take at most; 0 for no bound.
        gpu: Share of a GPU, or whole GPUs; with none, GPUs are hidden from it.
        environment: More variables, such as keys it reads; they are kept with the job.
        project: Whose share of the pool it counts against; empty for the environment's, else the user's.
        preemptible: It bears SIGTERM at any moment and is run again from its beginning, where it finds what it kept.
    """

    command: Sequence[str]
    folder: Path
    name: str = ""
    experiment: str = "Default"
    cores: float = 1
    memory_bytes: int = 0
    gpu: float = 0.0
    environment: Mapping[str, str] = {}
    project: str = ""
    preemptible: bool = False


def start(store: Store, jobs: JobsRoom, wanted: Wanted) -> int:
    """Store a run and queue its command in one transaction; return the run's number.

    Raises:
        BadInput: There is no such program or folder.
    """
    if not wanted.command:
        raise BadInput("There is no command.", "Write for example `lemnis run -- python train.py`.")
    if not wanted.folder.is_dir():
        raise BadInput(f"{wanted.folder} is no folder.", "Name the folder where the command runs.")
    program = wanted.command[0]
    if shutil.which(program, path=os.environ.get("PATH")) is None and not (wanted.folder / program).is_file():
        raise BadInput(f"There is no program {safe(program, limit=80)!r}.", "Give its path, or mend PATH.")
    text = shlex.join(wanted.command)
    user = user_name()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | dict(wanted.environment)
    arguments: dict[str, Any] = {  # Any: JSON values
        "command": list(wanted.command),
        "folder": str(wanted.folder),
        "environment": environment,
    }
    with store.write() as db:
        run_id = tracked.announce(
            store,
            Announced(
                name=safe(wanted.name or text, limit=NAME_LENGTH),
                experiment_id=experiment_named(store, wanted.experiment, create=True).id,
                user=user,
                state="queued",
                tags={"mlflow.source.name": text, "mlflow.user": user, AWAITS: "named" if wanted.name else "any name"},
            ),
        )
        job_id = jobs.submit(
            KIND,
            safe(text, limit=NAME_LENGTH),
            {**arguments, "run_id": run_id},
            cores=wanted.cores,
            memory_bytes=wanted.memory_bytes,
            gpu=wanted.gpu,
            run_id=run_id,
            terms=Terms(project=wanted.project, preemptible=wanted.preemptible, limited=wanted.memory_bytes > 0),
        )
        db.execute(
            "update runs set job_id = ?, why = 'waiting for a free slot', cores = ?, memory_bytes = ? where id = ?",
            [job_id, wanted.cores, wanted.memory_bytes, run_id],
        )
    return run_id


def adopted(store: Store, job_id: int, asked: Announced) -> int | None:
    """Give a command's first MLflow run the run that was queued for it, and return its number; None for later ones."""
    with store.write() as db:
        taken = returning(
            db,
            """delete from run_tags where key = ? and run_id in
                 (select r.id from runs r join jobs j on j.id = r.job_id
                  where r.job_id = ? and j.state in ('preparing', 'running')) returning run_id, value""",
            [AWAITS, job_id],
        )
        if not taken:
            return None
        run_id = int(taken[0]["run_id"])
        name = asked.name or asked.tags.get(tracked.RUN_NAME, "")
        tags = {key: value for key, value in asked.tags.items() if key != tracked.RUN_NAME}
        if name and taken[0]["value"] != "named":
            tags[tracked.RUN_NAME] = name
        tracked.write_tags(store, run_id, tags)
        db.execute("update runs set experiment_id = ? where id = ?", [asked.experiment_id, run_id])
    return run_id


def begin_again(store: Store, run_id: int) -> None:
    """Forget what an earlier attempt at the command logged: the next one says it anew."""
    with store.write("metrics") as db:
        db.execute("delete from metric_points where run_id = ?", [run_id])
    with store.write() as db:
        for table in ("run_params", "run_metrics", "run_datasets", "run_models"):
            db.execute(f"delete from {table} where run_id = ?", [run_id])
        tracked.write_tags(store, run_id, {AWAITS: "any name"})


def end_children(store: Store, uid: str, why: str) -> None:
    """End the runs that a command began inside its own and left open."""
    with store.write() as db:
        db.execute(
            """update runs set state = 'failed', why = ?, ended_at = unixepoch('subsec') * 1000
               where state in ('running', 'queued') and job_id is null
                 and id in (select run_id from run_tags where key = 'mlflow.parentRunId' and value = ?)""",
            [why, uid],
        )
