"""The sampler's cost: one reading against psutil's own, and the service's share of a core while it works."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from lemnis.engine import Engine
from lemnis.engine.resources.following import ProcessReader
from lemnis.engine.resources.host import HostReader
from lemnis.engine.workspace import create_workspace

ROUNDS, SETTLE_S, WATCH_S = 60, 3.0, 20.0


def main() -> int:
    """Print every figure as one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        engine = Engine(create_workspace(Path(folder) / "bench", ""))
        host, processes = HostReader(engine.workspace.root), ProcessReader()
        compare("host reading", host.read, psutil_host)
        compare(f"process table of {len(psutil.pids())}", lambda: processes.read(set()), psutil_processes)
        engine.store.close()
        print(json.dumps({"figure": "sampler service", "unit": "% of a core", "lemnis": service_share(engine)}))
    return 0


def compare(figure: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Time both in turn and print the medians and their ratio."""
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        for name, call in (("ours", ours), ("theirs", theirs)):
            began = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - began) * 1e6)
    mine, other = (statistics.median(times[name]) for name in ("ours", "theirs"))
    document = {"figure": figure, "unit": "µs", "lemnis": round(mine), "psutil": round(other)}
    print(json.dumps({**document, "ratio": round(mine / other, 2)}, ensure_ascii=False), flush=True)


def psutil_host() -> object:
    """Read what HostReader reads, by psutil alone."""
    return (
        psutil.cpu_times(percpu=True), psutil.virtual_memory(), psutil.swap_memory(), psutil.getloadavg(),
        psutil.disk_io_counters(perdisk=True), psutil.net_io_counters(pernic=True), psutil.disk_usage("/"),
    )  # fmt: skip


def psutil_processes() -> object:
    """Read the figures of ProcessReader for every process, by psutil."""
    fields = ["pid", "name", "username", "cpu_percent", "memory_info", "num_threads", "create_time", "status", "ppid"]
    return [process.info for process in psutil.process_iter(fields)]


def service_share(engine: Engine) -> float:
    """Return how much of a core the service takes while it samples a workspace."""
    command = [sys.executable, "-m", "lemnis.engine.resources.sampler", "--workspace", str(engine.workspace.root)]
    service = subprocess.Popen(command)
    try:
        time.sleep(SETTLE_S)
        began, before = time.monotonic(), cpu_s(service.pid)
        time.sleep(WATCH_S)
        return round(100 * (cpu_s(service.pid) - before) / (time.monotonic() - began), 3)
    finally:
        service.terminate()
        service.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process's threads so far."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total / 1e9


if __name__ == "__main__":
    sys.exit(main())
