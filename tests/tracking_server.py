"""A tracking server of a workspace, and the real MLflow client in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from lemnis.engine import Engine
from lemnis.engine.tracking import service
from lemnis.engine.workspace import Workspace, create_workspace

CONFIG = '[problem]\ntitle = "Test"\n[pool]\ncores = 2\nmemory = "8GiB"\n'


def client_environment(url: str) -> dict[str, str]:
    """Return the environment of a client that talks to one server and to nobody else, and does not ask twice."""
    own = {"MLFLOW_TRACKING_URI": url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
    return {**os.environ, **own, **quiet}


def run_client(script: Path, url: str, *arguments: str) -> str:
    """Run a script with the real client, and return what it printed."""
    done = subprocess.run(
        [sys.executable, script, *arguments],
        env=client_environment(url),
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


class Served:
    """A workspace with its tracking server."""

    def __init__(self, folder: Path) -> None:
        """Take a folder with a workspace, or make one there."""
        there = (folder / "lemnis.toml").exists()
        self.engine = Engine(Workspace(folder) if there else create_workspace(folder, CONFIG))
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server's own process, and wait until it answers."""
        jobs = self.engine.jobs
        service.declare(self.engine.store, jobs)
        declared = service.declared(jobs)
        assert declared is not None
        log = open(self.engine.workspace.hidden / "tracking.log", "wb")  # noqa: SIM115  # closed with the process
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", declared.module, *declared.arguments], stdout=log, stderr=log
            )
        try:
            self.url = service.wait(self.engine.store, jobs)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        self.engine.store.close()
