"""Over a real SSH connection: the console opens, the connection drops, the work goes on."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engine_at, until
from tmux import Tmux

from lemnis.engine import Engine

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
MISSING = [
    name
    for name, found in {
        "an OpenSSH server": Path(SSHD).exists(),
        "an OpenSSH client": shutil.which("ssh") and shutil.which("ssh-keygen"),
        "tmux": shutil.which("tmux"),
    }.items()
    if not found
]
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
    """The command that connects to an SSH server of our own on loopback, with keys of our own."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text())
    (tmp_path / "authorized").chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": tmp_path / "host",
        "AuthorizedKeysFile": tmp_path / "authorized",
        "PidFile": tmp_path / "sshd.pid",
        "PasswordAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
    }
    (tmp_path / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", tmp_path / "config"], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens)
    trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    yield ["ssh", "-tt", "-p", str(port), "-i", str(tmp_path / "user"), *trust, f"{getpass.getuser()}@127.0.0.1"]
    server.terminate()
    server.wait(10)


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
