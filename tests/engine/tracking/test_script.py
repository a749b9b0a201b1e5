"""Any command gets a queue place, its allocation, captured output and tracking; its end is the run's end."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import until
from tracking_server import CONFIG, client_environment

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run
from lemnis.engine.jobs import JobFailed
from lemnis.engine.jobs.processes import identity_of
from lemnis.engine.tracking.script import Wanted
from lemnis.engine.workspace import create_workspace


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine(create_workspace(tmp_path_factory.mktemp("script") / "workspace", CONFIG))
    yield opened
    opened.jobs.stop_supervisor()
    opened.store.close()


def queued(engine: Engine, *command: str, **wishes: object) -> Run:
    run_id = engine.tracking.run(Wanted(command=command, folder=engine.workspace.root, **wishes))  # type: ignore[arg-type]
    return engine.experiments.run(run_id)


def ended(engine: Engine, run: Run) -> Run:
    assert run.job_id is not None
    with suppress(JobFailed):
        engine.jobs.wait(run.job_id)
    return engine.experiments.run(run.id)


def test_a_command_that_fails_says_how_and_its_output_is_kept(engine: Engine) -> None:
    run = queued(engine, "sh", "-c", "pwd; echo $MLFLOW_TRACKING_URI; echo oh no >&2; exit 3", cores=2, name="try")
    assert (run.name, run.cores) == ("try", 2)
    done = ended(engine, run)
    assert done.state == "failed"
    assert "ended with status 3; its last words: oh no" in done.why
    assert done.tags["exit_code"] == "3"
    printed = engine.experiments.log(run.id).splitlines()
    assert printed[0] == str(engine.workspace.root)
    assert printed[1] == f"{engine.tracking.url()}/jobs/{run.job_id}"
    assert done.machine["cores"] == os.cpu_count()


def test_what_can_not_start_is_refused_at_once(engine: Engine) -> None:
    with pytest.raises(BadInput, match="no program"):
        queued(engine, "no-such-program-here")
    with pytest.raises(BadInput, match="no command"):
        queued(engine)


def test_a_cancelled_command_ends_with_everything_it_started(engine: Engine) -> None:
    run = queued(engine, "sh", "-c", "sleep 300 & echo $!; sleep 300")
    assert run.job_id is not None
    pid = until(lambda: engine.experiments.log(run.id).strip())
    until(lambda: engine.experiments.run(run.id).metrics.get("system/memory_mib"))
    engine.experiments.cancel(run.id)
    until(lambda: engine.experiments.run(run.id).ended)
    assert engine.experiments.run(run.id).state == "cancelled"
    until(lambda: identity_of(int(pid)) is None)


@pytest.mark.slow
def test_the_first_run_of_an_mlflow_script_is_the_job_s_run(engine: Engine) -> None:
    quiet = {
        name: value for name, value in client_environment("").items() if name.startswith(("MLFLOW_D", "DO_", "GIT_"))
    }
    script = Path(__file__).parent / "script_training.py"
    run = queued(engine, sys.executable, str(script), cores=2, environment=quiet)
    done = ended(engine, run)
    assert done.state == "finished", engine.experiments.log(run.id)
    assert (done.name, done.experiment) == ("outer", "somebody else's")
    assert done.params == {"epochs": "3"}
    assert done.metrics["loss"] == pytest.approx(1 / 3)
    assert done.tags["exit_code"] == "0"
    assert not [key for key in done.tags if key.startswith("lemnis.")]
    assert [value for _, value in engine.experiments.curve(run.id)["loss"]] == pytest.approx([1, 1 / 2, 1 / 3])
    inner = engine.experiments.search("name = inner").runs[0]
    assert (inner.state, inner.tags["mlflow.parentRunId"]) == ("finished", done.uid)
    printed = engine.experiments.log(run.id)
    assert "threads 2 gpu ''" in printed
    assert "the end" in printed
