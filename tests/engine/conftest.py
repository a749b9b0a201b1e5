"""Fixtures of the engine's tests: a workspace of one's own, and an end to every process it started."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lemnis.engine import Engine
from lemnis.engine.jobs.processes import send_signal
from lemnis.engine.workspace import create_workspace

CONFIG = '[problem]\ntitle = "Test"\n[pool]\ncores = 2\nmemory = "8GiB"\n'


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine over an empty workspace; whatever it started is stopped afterwards."""
    opened = Engine(create_workspace(tmp_path / "workspace", CONFIG))
    yield opened
    opened.jobs.stop_supervisor()
    for job in opened.jobs.jobs(states=("preparing", "running")):
        if job.identity is not None:
            with suppress(ProcessLookupError):
                send_signal(job.identity, signal.SIGKILL, group=True)
    opened.store.close()
