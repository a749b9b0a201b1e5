"""Ports: one endpoint has one, its workers share it, and no other endpoint of this user listens there too."""

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

from lemnis.engine.errors import Unavailable
from lemnis.engine.jobs.processes import hold_lock
from lemnis.engine.text import safe


def shared(host: str, port: int, who: str) -> tuple[socket.socket, IO[bytes]]:
    """Bind an address that further processes of the same endpoint may bind as well.

    Returns the socket, which takes no connection before it listens, and what holds the port as long as it is open.

    Raises:
        Unavailable: It is another's, or not this machine's.
    """
    held = claim(port, who)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        held.close()
        raise Unavailable(
            f"{host}:{port} can't be listened on: {error.strerror}.",
            "Stop what uses it, or deploy with another --port.",
        ) from None
    bound.set_inheritable(False)
    return bound, held


def claim(port: int, who: str) -> IO[bytes]:
    """Take a port for `who`, for as long as the returned file is open in one of its processes.

    Where several processes may listen on one port, the kernel lets any process of the same user join; this does not.

    Raises:
        Unavailable: Another has it.
    """
    path = folder() / f"{port}.lock"
    file = hold_lock(path)
    if file is not None:
        file.truncate(0)
        file.write(who.encode())
        file.flush()
    else:
        file = open(path, "a+b")  # noqa: SIM115  # held open on purpose
    fcntl.flock(file, fcntl.LOCK_SH)
    file.seek(0)
    holder = file.read().decode("utf-8", "replace")
    if holder != who:
        file.close()
        raise Unavailable(
            f"Port {port} belongs to {safe(holder, limit=200)}.", "Stop that one, or deploy with another --port."
        )
    return file


def folder() -> Path:
    """Return the folder of this user's claims; they outlive nobody, so it may be a temporary one.

    Raises:
        Unavailable: Somebody else made it.
    """
    path = Path(tempfile.gettempdir()) / f"lemnis-ports-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.lstat().st_uid != os.getuid():
        raise Unavailable("The folder of the ports is not ours.", "Remove it, or set TMPDIR.", str(path))
    return path
