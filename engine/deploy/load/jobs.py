"""The job `deploy.load`: starts a server of its own for a version, asks it harder and harder, and keeps the figures."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
from msgspec import Struct

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import load_config
from lemnis.engine.deploy import registry
from lemnis.engine.deploy.load.client import ask, requests_of
from lemnis.engine.deploy.load.records import LoadCell, LoadTest, save_load_test
from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

MODULE = "lemnis.engine.deploy.load.twin"
READY_S, LOOK_S = 60.0, 0.005
TICKS = os.sysconf("SC_CLK_TCK")


class Twin(Struct, frozen=True):
    """A server that is ready: its process, its port, and how long it took."""

    pid: int
    port: int
    cold_start_ms: float


def load(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure a version under load and keep what was measured.

    Args:
        context: The job.
        arguments: ``endpoint``, ``model``, ``version``; ``connections`` and ``batches``: how many of each, in turn;
            ``seconds`` of each pair.

    Raises:
        NotFound: There is no such version.
        LemnisError: The server did not become ready.
        Cancelled: The job was asked to stop; nothing is kept.
    """
    import uvloop

    store, model, number = context.store, str(arguments["model"]), int(arguments["version"])
    config = load_config(context.workspace.config)
    signature, golden = registry.signature_of(store, model, number), registry.golden_of(store, model, number)
    pairs = [(count, batch) for batch in arguments["batches"] for count in arguments["connections"]]
    context.progress(0.0, "starting a server")
    cells: list[LoadCell] = []
    with twin(context, str(arguments["endpoint"]), model, number) as server:
        idle = memory_of(server.pid)
        for place, (count, batch) in enumerate(pairs):
            context.progress(0.05 + 0.9 * place / len(pairs), f"{count} connections, {batch} rows a request")
            requests = requests_of(model, signature, golden.rows, batch)
            before = cpu_seconds(server.pid)
            began = monotonic_s()
            asked, elapsed = uvloop.run(ask(server.port, requests, count, float(arguments["seconds"])))
            used = (cpu_seconds(server.pid) - before) * elapsed / (monotonic_s() - began)
            cells.append(
                cell_of(asked.waits, asked.errors, (count, batch), elapsed, used, price=config.pool.price_core_hour)
            )
        busy = memory_of(server.pid)
    found = LoadTest(
        endpoint=str(arguments["endpoint"]),
        model=model,
        version=number,
        cold_start_ms=round(server.cold_start_ms, 1),
        idle_bytes=idle,
        busy_bytes=busy,
        rows=len(golden.rows),
        cores=len(os.sched_getaffinity(0)),
        currency=config.problem.currency,
        price_core_hour=config.pool.price_core_hour,
        cells=cells,
        at=now_ms(),
        job_id=context.job_id,
    )
    save_load_test(store, found)
    return {"model": model, "version": number, "cold_start_ms": found.cold_start_ms}


def cell_of(
    waits: list[float], errors: int, pair: tuple[int, int], elapsed: float, used: float, *, price: float
) -> LoadCell:
    """Return the figures of one pair of connections and rows.

    Args:
        waits: Seconds of each answer.
        errors: What was not answered.
        pair: Connections, rows a request.
        elapsed: Seconds that were measured.
        used: Seconds of a core that the server used in them.
        price: Of a core for an hour; 0 for none.
    """
    quantiles = (np.quantile(waits, [0.5, 0.9, 0.99, 0.999]) * 1000).round(4).tolist() if waits else [None] * 4
    rows = len(waits) * pair[1]
    each = used / rows if rows else None
    return LoadCell(
        connections=pair[0],
        batch=pair[1],
        seconds=round(elapsed, 3),
        requests=len(waits),
        errors=errors,
        requests_per_s=round(len(waits) / elapsed, 1),
        rows_per_s=round(rows / elapsed, 1),
        p50_ms=quantiles[0],
        p90_ms=quantiles[1],
        p99_ms=quantiles[2],
        p999_ms=quantiles[3],
        cpu_us_per_row=round(each * 1e6, 3) if each is not None else None,
        cost_per_million=each * 1e6 * price / 3600 if each is not None and price else None,
    )


@contextmanager
def twin(context: "JobContext", endpoint: str, model: str, number: int) -> Generator[Twin]:
    """Start a server for one version and yield it once it is ready; it is gone afterwards.

    Raises:
        LemnisError: It did not become ready.
    """
    with tempfile.TemporaryDirectory(dir=context.directory) as folder:
        scratch = create_workspace(Path(folder) / "scratch", "")
        Store(scratch).close()  # made here, so that it is no part of starting the server
        command = [sys.executable, "-m", MODULE, "--workspace", str(context.workspace.root)]
        command += ["--scratch", str(scratch.root), "--endpoint", endpoint, "--model", model, "--version", str(number)]
        began = monotonic_s()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            port = int((process.stdout.readline() if process.stdout else "").strip() or 0)
            while not (port and is_ready(port)):
                context.progress(0.0, "waiting for the server to be ready")
                if process.poll() is not None or monotonic_s() - began > READY_S:
                    raise LemnisError(
                        "The server did not become ready.", "Look at the job's log.", f"{model} v{number}"
                    )
                time.sleep(LOOK_S)
            yield Twin(process.pid, port, (monotonic_s() - began) * 1000)
        finally:
            process.communicate() if process.poll() is not None else stop(process)


def stop(process: "subprocess.Popen[str]") -> None:
    """End a server: by the end of its input, else by force."""
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def is_ready(port: int) -> bool:
    """Say whether a server answers that it is ready."""
    with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=5) as answer:
        return answer.status == 200
    return False


def cpu_seconds(pid: int) -> float:
    """Return how many seconds of a core a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_of(pid: int) -> int:
    """Return a process's memory in bytes: PSS, where the kernel tells it, else RSS."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
