"""What a Dask worker does: it gives an order to a process of its own, reports its rounds, and ends it when asked to."""

import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.experiments import conditions
from lemnis.engine.experiments.remote.child import MARK
from lemnis.engine.experiments.remote.order import Fault, Order, Outcome
from lemnis.engine.version import VERSION

TELL_S = 0.1  # rounds are reported together
LOOK_S = 0.25  # how often it is asked whether anybody still wants this
LIVE = ("executing", "long-running")


def carry(order: bytes, sent: Mapping[str, bytes]) -> bytes:
    """Train what an Order says, and return its Outcome; both as JSON. The task of Dask."""
    from distributed import get_worker

    worker: Any = get_worker()  # Any: distributed is typed in part
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in LIVE

    def tell(message: dict[str, Any]) -> None:
        worker.log_event(topic, message)

    lemnis = msgspec.json.decode(order, type=dict[str, Any]).get("lemnis")
    if lemnis != VERSION:
        problem = f"The worker {worker.address} has Lemnis {VERSION}, this is {lemnis}."
        return msgspec.json.encode(
            Outcome(fault=Fault(code="unavailable", problem=problem, remedy="Install the same on all."))
        )
    made = msgspec.json.decode(order, type=Order)
    topic = made.topic
    attempt = uuid.uuid4().hex
    base = {"id": made.id, "attempt": attempt}
    tell(
        base
        | {
            "kind": "began",
            "worker_address": worker.address,
            "tells": made.tells,
            "machine": conditions.machine() | {"host": socket.gethostname()},
            "libraries": conditions.library_versions(),
        }
    )
    folder = Path(tempfile.mkdtemp(prefix="lemnis-", dir=worker.local_directory))
    try:
        for name, rows in sent.items():
            (folder / f"{name}.parquet").write_bytes(rows)
        (folder / "order.json").write_bytes(order)
        reporter = Reporter(base, tell) if made.tells else None
        outcome = run_child(folder, int(str(made.parameters["num_threads"])), wanted, reporter, worker.address)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


class Reporter:
    """Sends what the process says, a few messages a second."""

    def __init__(self, base: Mapping[str, Any], tell: Any) -> None:  # Any: JSON values; a function of such
        self._base, self._tell = dict(base), tell
        self._rounds: list[Any] = []
        self._lines: list[str] = []
        self._told_at = monotonic_s()

    def take(self, line: str) -> None:
        """Take one line of the process."""
        if line.startswith(MARK):
            self._rounds.append(msgspec.json.decode(line[1:]))
        elif line.strip():
            self._lines.append(line.rstrip()[:1000])

    def send(self, *, now: bool = False) -> None:
        """Send what there is, when it is time."""
        if not (now or monotonic_s() - self._told_at >= TELL_S):
            return
        self._told_at = monotonic_s()
        if self._rounds or self._lines:
            self._tell(self._base | {"kind": "told", "rounds": self._rounds, "lines": self._lines})
            self._rounds, self._lines = [], []


def run_child(folder: Path, cores: int, wanted: Any, reporter: Reporter | None, address: str) -> bytes:
    """Run the process of an order to its end, and return its Outcome as JSON; end it when it is wanted no more.

    Any: a function that says whether it is.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "lemnis.engine.experiments.remote.child", str(folder)],
        stdin=subprocess.PIPE,  # closed when this process dies, however it does: the child ends then
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"OMP_NUM_THREADS": str(cores)},
    )
    assert process.stdout is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reading = threading.Thread(target=read_lines, args=(process.stdout, lines), daemon=True)
    reading.start()
    last, looked_at = "", monotonic_s()
    try:
        while True:
            try:
                line = lines.get(timeout=TELL_S)
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line and not line.startswith(MARK):
                last = line.strip() or last
            if reporter is not None:
                if line:
                    reporter.take(line)
                reporter.send()
            if monotonic_s() - looked_at >= LOOK_S:
                looked_at = monotonic_s()
                if not wanted():
                    return b""
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stdout.close()
        if process.stdin is not None:
            process.stdin.close()
    if reporter is not None:
        reporter.send(now=True)
    if code == 0:
        return (folder / "outcome.json").read_bytes()
    how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
    said = f"; its last words: {last[:300]}" if last else ""
    fault = Fault(code="crashed", problem=f"The training's process on {address} {how}{said}.", remedy="See the log.")
    return msgspec.json.encode(Outcome(fault=fault))


def read_lines(stream: IO[bytes], lines: "queue.SimpleQueue[str | None]") -> None:
    """Hand on the lines of a process, and None behind the last."""
    for line in stream:
        lines.put(line.decode("utf-8", "replace"))
    lines.put(None)
