"""Over a real SSH connection: the console opens, the connection drops, the work goes on."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ssh_server import MISSING, ssh_server
from support import engine_at, until
from tmux import Tmux

from lemnis.engine import Engine

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = engine_at(tmp_path / "workspace")
    yield opened
    for job in opened.jobs.jobs(states=("preparing", "running")):
        opened.jobs.cancel(job.id)
    opened.jobs.stop_supervisor()
    opened.store.close()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[list[str]]:
    """The command that connects to an SSH server of our own on loopback."""
    with ssh_server(tmp_path) as command:
        yield command


def consoles(root: Path) -> list[int]:
    """Return the pids of the consoles on this workspace."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            runs_python = os.path.basename(words[0]).startswith(b"python")  # not the shell that started it
            if runs_python and b"lemnis.tui" in words and str(root).encode() in words:
                found.append(int(folder.name))
    return found


def test_a_dropped_connection_ends_the_console_and_not_the_work(engine: Engine, connection: list[str]) -> None:
    root = engine.workspace.root
    job_id = engine.jobs.submit("jobs.selftest", "a long self-test", {"steps": 3000, "pause_s": 0.1})
    terminal = Tmux([*connection, f"{sys.executable} -m lemnis.tui -w {root}"], 80, 24)
    try:
        terminal.shows("Problem")
        terminal.keys("0")
        terminal.shows("a long self-test")
        until(lambda: engine.jobs.job(job_id).state == "running")
        assert consoles(root)
        os.kill(terminal.pid(), signal.SIGKILL)
        until(lambda: not consoles(root), 15.0)
    finally:
        terminal.close()
    moved = engine.jobs.job(job_id).progress_n
    assert until(lambda: engine.jobs.job(job_id).progress_n > moved)
    assert engine.jobs.job(job_id).state == "running"
