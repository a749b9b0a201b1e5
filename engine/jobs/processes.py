"""Processes of ours: how one is started, known again, asked to stop, and found dead."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from lemnis.engine.clock import boot_id

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Identity(Struct, frozen=True):
    """A process that can't be mistaken: its pid alone may be given to a stranger after its death."""

    pid: int
    started_ticks: int
    boot_id: str


def identity_of(pid: int) -> Identity | None:
    """Return the identity of a live process, or None when there is none (a zombie is none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    return Identity(pid, int(fields[19]), boot_id())


def is_alive(identity: Identity) -> bool:
    """Say whether exactly this process still runs."""
    return identity_of(identity.pid) == identity


def send_signal(identity: Identity, number: signal.Signals, *, group: bool = False) -> bool:
    """Signal a process (or its group) if it is still the same one; return whether it was sent."""
    if not is_alive(identity):
        return False
    with suppress(ProcessLookupError):
        if group:
            os.killpg(identity.pid, number)
        else:
            os.kill(identity.pid, number)
        return True
    return False


def start_process(
    module: str,
    arguments: list[str],
    *,
    cwd: Path,
    log: Path,
    threads: int = 0,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `python -m module` in a session of its own, its output in a file, with no inherited descriptor.

    Args:
        module: What to run.
        arguments: Its command line.
        cwd: Its working directory.
        log: Where stdout and stderr are appended; never a pipe, so a dead reader can't kill it.
        threads: What OpenMP and the linear algebra may use, 0 to leave them alone.
        environment: More variables.
    """
    variables = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if threads:
        variables |= dict.fromkeys(THREADS, str(threads))
    variables |= environment or {}
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(log, "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=variables,
            start_new_session=True,
        )


def step_back(niceness: int) -> None:
    """Let other processes go first, of other sessions too.

    Where the kernel schedules by session (autogroup), as it does where people work, a process's own niceness counts
    within its session alone: the session that `start_process` made for it gets the same.
    """
    with suppress(OSError):
        os.nice(niceness)
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(niceness))


def hold_lock(path: Path) -> IO[bytes] | None:
    """Take a file's lock for as long as the returned file is open, or return None when another process has it.

    The kernel frees it at any kind of death; the descriptor is not inherited by what we start.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(path, "a+b")  # noqa: SIM115  # held open on purpose
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def lock_is_held(path: Path) -> bool:
    """Say whether some process holds this lock now."""
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def tail(path: Path, limit_bytes: int = 65_536) -> str:
    """Return the end of a log as text, at most `limit_bytes`, starting at a line; empty when there is none."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit_bytes))
            data = file.read(limit_bytes)
    except OSError:
        return ""
    if size > limit_bytes:
        data = data.partition(b"\n")[2] or data
    return data.decode("utf-8", "backslashreplace")


def last_line(path: Path) -> str:
    """Return the last line of a log that says something, or an empty string."""
    return next((line.strip() for line in reversed(tail(path, 4096).splitlines()) if line.strip()), "")
