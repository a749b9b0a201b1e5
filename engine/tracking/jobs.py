"""The job that runs a command: its environment, its output in the job's log, its use of the machine, its end."""

import ctypes
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.deploy.guard import read_token
from lemnis.engine.errors import BadInput, LemnisError, StoreError
from lemnis.engine.experiments import tracked
from lemnis.engine.experiments.conditions import code_version, machine
from lemnis.engine.experiments.runs import get_run
from lemnis.engine.experiments.tracked import Logged
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.jobs.processes import THREADS, last_line
from lemnis.engine.text import safe
from lemnis.engine.tracking import script, service

LOOK_S = 0.2
MEASURE_S = 5.0
STOP_S = 20.0  # below what the supervisor grants a worker that is to stop
MIB = 1 << 20
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class CommandFailed(LemnisError):
    """A command ended with another status than 0."""

    code = "command_failed"


def run_command(context: JobContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a command to its end and return its exit code and seconds. Any: see `script.start`.

    Raises:
        CommandFailed: Its status was not 0.
        BadInput: It can't be started.
        Unavailable: The tracking server does not come up.
    """
    store, run_id = context.store, arguments["run_id"]
    job = JobsRoom(store).job(context.job_id)
    if job.attempts > 1:
        script.begin_again(store, run_id)
    service.declare(store, JobsRoom(store))
    url = service.wait(store, JobsRoom(store))
    facts = [code_version(Path(arguments["folder"])), msgspec.json.encode(machine()).decode()]
    with store.write() as db:
        db.execute("update runs set code_version = ?, machine = ? where id = ?", [*facts, run_id])
    environment = environment_of(arguments["environment"], context.cores, job.allocation.gpu)
    environment["MLFLOW_TRACKING_URI"] = f"{url}/jobs/{context.job_id}"
    token = read_token(service.token_path(context.workspace))
    if token is not None:
        environment["MLFLOW_TRACKING_TOKEN"] = token
    began = monotonic_s()
    child = started(arguments["command"], arguments["folder"], environment)
    try:
        code = watch(context, child, run_id)
    except BaseException:
        stop(child)
        raise
    finally:
        uid = tracked.uid_of(get_run(store, run_id))
        script.end_children(store, uid, "the command that logged it has ended")
    tracked.write_tags(store, run_id, {"exit_code": str(code)})
    if code != 0:
        said = last_line(context.directory / "log")
        raise CommandFailed(
            f"The command {ending(code)}{f'; its last words: {safe(said, limit=300)}' if said else '.'}",
            f"Read `lemnis jobs logs {context.job_id}`.",
        )
    return {"exit_code": code, "seconds": round(monotonic_s() - began, 3)}


def environment_of(kept: dict[str, str], cores: int, gpu: float) -> dict[str, str]:
    """Return the command's environment: this process's, the caller's, and its allocation."""
    environment = {**os.environ, **kept, "PYTHONUNBUFFERED": "1"}
    environment |= dict.fromkeys((*THREADS, "LEMNIS_CORES"), str(cores))
    if gpu <= 0:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # what was not allocated can't be used by accident
    return environment


def started(command: list[str], folder: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own, its output in this job's log.

    It is ended by the kernel when this worker dies, so that a lost job leaves nothing that runs.

    Raises:
        BadInput: The system can't start it.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_parent() -> None:
        libc.prctl(DIE_WITH_PARENT, signal.SIGKILL)

    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with_parent,  # this process has no thread that could hold a lock
        )
    except OSError as error:
        raise BadInput(
            f"{safe(command[0], limit=80)!r} can't be started: {error.strerror}.", "Check its path and its mode."
        ) from None


def watch(context: JobContext, child: subprocess.Popen[bytes], run_id: int) -> int:
    """Wait for a command, tell its last line as progress and its use of the machine as metrics; return its status.

    Raises:
        Cancelled: The job was asked to stop.
    """
    log, meter = context.directory / "log", Meter(child.pid)
    while True:
        try:
            return child.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            measured = meter.measured()
            said = safe(last_line(log), limit=200) or f"running {monotonic_s() - meter.began:.0f} s"
            with suppress(StoreError):  # a command is not ended because something about it could not be written
                if measured:
                    tracked.log_batch(context.store, get_run(context.store, run_id), metrics=measured)
                context.progress(None, said, peak_bytes=meter.peak_bytes)


class Meter:
    """Measures what a process and all that it started use."""

    def __init__(self, pid: int) -> None:
        self.pid, self.began, self.peak_bytes = pid, monotonic_s(), 0
        self._at, self._seconds = self.began, 0.0

    def measured(self) -> list[Logged]:
        """Return cores in use and memory, every few seconds; an empty list in between."""
        now = monotonic_s()
        if now - self._at < MEASURE_S and self.peak_bytes:
            return []
        seconds, memory = use_of(self.pid)
        # Children that have ended take their seconds with them: below nothing is nothing.
        cores = max(0.0, seconds - self._seconds) / max(now - self._at, LOOK_S)
        self._at, self._seconds, self.peak_bytes = now, seconds, max(self.peak_bytes, memory)
        step, at = round(now - self.began), now_ms()
        return [
            Logged("system/cpu_cores", step, at, round(cores, 3)),
            Logged("system/memory_mib", step, at, round(memory / MIB, 1)),
        ]


def use_of(pid: int) -> tuple[float, int]:
    """Return the processor seconds and the resident bytes of a process and all that it started and that still runs."""
    seconds, memory = 0.0, 0
    with suppress(psutil.Error):
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            with suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system
                memory += process.memory_info().rss
    return seconds, memory


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ask a command and its group to end, and end them when they do not."""
    for number, seconds in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        try:
            child.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def ending(code: int) -> str:
    """Return in words how a command ended."""
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL): by hand, or by the system for want of memory"
    return f"crashed with {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
