"""Fixtures of the engine's tests: a workspace of one's own, and places elsewhere that are as real as they can be."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.jobs.processes import send_signal
from lemnis.engine.workspace import create_workspace

CONFIG = '[problem]\ntitle = "Test"\n[pool]\ncores = 2\nmemory = "8GiB"\n'
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


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


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket called `rows` of an S3 service of our own."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    reset = Request(f"http://{host}:{port}/moto-api/reset", method="POST")  # what it holds is shared by the process
    urlopen(reset, timeout=20).close()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client: Any = boto3.client("s3")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    client.create_bucket(Bucket="rows")

    def put(key: str, text: str) -> None:
        client.put_object(Bucket="rows", Key=key, Body=text.encode())

    yield put
    server.stop()


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an SSH server of our own, whose key is known, and which knows our key."""
    if not Path(SSHD).exists() or not shutil.which("ssh-keygen"):
        pytest.skip("not installed: an OpenSSH server")
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    for path in (tmp_path / "host", home / ".ssh/id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    (tmp_path / "authorized").write_text((home / ".ssh/id_ed25519.pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = " ".join((tmp_path / "host.pub").read_text().split()[:2])
    (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {key}\n")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": tmp_path / "host", "PidFile": tmp_path / "sshd.pid",
        "AuthorizedKeysFile": tmp_path / "authorized", "PasswordAuthentication": "no", "StrictModes": "no",
        "UsePAM": "no", "Subsystem": "sftp internal-sftp",
    }  # fmt: skip
    (tmp_path / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", tmp_path / "config"], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens)
    yield f"sftp://{getpass.getuser()}@127.0.0.1:{port}"
    server.terminate()
    server.wait(10)
