"""An OpenSSH server of our own on loopback, with keys of our own; nothing of this machine's configuration is used."""

# pyright: basic

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import until

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


@contextmanager
def ssh_server(folder: Path) -> Iterator[list[str]]:
    """Give the command that connects with a terminal; what follows it runs there. The files go to `folder`."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    (folder / "authorized").chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": folder / "sshd.pid",
        "PasswordAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    try:
        until(listens)
        yield ["ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), *trust, f"{getpass.getuser()}@127.0.0.1"]
    finally:
        server.terminate()
        server.wait(10)
