"""The live machine: the console and `resources top` against nvitop, btop and htop in one run; the sampler's cost.

Each program runs on a pseudo-terminal of 160x48 on the same machine, in turn: start to a picture, CPU and bytes a
second while nobody types, memory. Then the sampler alone at 1 Hz with the process list, and what 30 days of history
take on disk, written by the real writer. Peers that are not installed are left out and named. Each line is one figure.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pty_probe import Program

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.resources.device import KEPT_FIGURES as GPU_FIGURES
from lemnis.engine.resources.history import KEPT_S, add_sample, tidy
from lemnis.engine.resources.sampler import KEPT_FIGURES
from lemnis.engine.workspace import create_workspace

PEERS = Path(__file__).parents[2] / "build/peers"
STARTS, WATCHED_S, SAMPLED_S = 3, 20.0, 30.0
CORES, GPUS = 64, 8


def main() -> int:
    """Print every figure."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        root = Path(folder) / "bench"
        engine = Engine(create_workspace(root, '[problem]\ntitle = "Bench"\n'))
        engine.store.close()
        history_size(Path(folder) / "month")
        lemnis = [sys.executable, "-m", "lemnis.tui"]
        start = [*lemnis, "-w", str(root), "engine", "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
        try:
            sampler(root)
            programs = {
                "console, Resources": ([*lemnis, "-w", str(root)], "0", ("Processes", "Pool")),
                "resources top": ([*lemnis, "resources", "top"], "", ("Processes", "command")),
                "nvitop": (
                    [str(PEERS / "nvitop/bin/python"), str(Path(__file__).with_name("peer_nvitop.py"))],
                    "",
                    ("PID",),
                ),
                "btop": ([shutil.which("btop") or ""], "", ("proc",)),
                "htop": ([shutil.which("htop") or ""], "", ("PID",)),
            }
            for name, (command, key, wanted) in programs.items():
                if command[0] and Path(command[0]).exists():
                    watched(name, command, key, wanted)
                else:
                    say(name, "not installed", "", None)
        finally:
            stop = [*lemnis, "-w", str(root), "engine", "stop"]
            subprocess.run(stop, check=True, stdout=subprocess.DEVNULL)
    return 0


def watched(name: str, command: list[str], key: str, wanted: tuple[str, ...]) -> None:
    """Print the figures of one program; the console is the child of what started it."""
    starts: list[float] = []
    for turn in range(STARTS):
        program = Program(command)
        try:
            program.see(["Problem" if key else wanted[0]])
            starts.append((program.last_s() - program.started_s) * 1000)
            if turn < STARTS - 1:
                continue
            if key:
                time.sleep(1.0)
                os.write(program.terminal, key.encode())
            program.see(list(wanted))
            time.sleep(12.0)  # what is made or imported once, the other tabs among it
            bytes_per_s, cpu = program.idle(WATCHED_S)
            if program.ended.is_set():
                raise RuntimeError(f"{name} ended while it was watched:\n{program.screen()}")
            say(name, "CPU while watched", "% of a core", cpu)
            say(name, "written while watched", "bytes/s", bytes_per_s)
            say(name, "memory (PSS)", "MiB", sum(map(pss_mib, program.pids())))
        finally:
            program.close()
    say(name, "start to the first picture", "ms", statistics.median(starts))


def sampler(root: Path) -> None:
    """Print what the sampler takes of a core at 1 Hz, with the process list."""
    processes = len([name for name in os.listdir("/proc") if name.isdigit()])
    pid = pid_of("lemnis.engine.resources.sampler", str(root))
    time.sleep(3.0)
    before, at = cpu_s(pid), time.monotonic()
    time.sleep(SAMPLED_S)
    used = 100 * (cpu_s(pid) - before) / (time.monotonic() - at)
    say(f"sampler, {processes} processes", "CPU at 1 Hz", "% of a core", used)
    say(f"sampler, {processes} processes", "memory (PSS)", "MiB", pss_mib(pid))


def history_size(root: Path) -> None:
    """Print what 30 days of a host with many cores and GPUs take, each row as the sampler and the tidying make it."""
    engine = Engine(create_workspace(root, '[problem]\ntitle = "Month"\n'))
    now = now_ms() // 600_000 * 600_000
    sources = {"host": KEPT_FIGURES, "cores": tuple(map(str, range(CORES)))}
    sources |= {f"gpu:{index}": GPU_FIGURES for index in range(GPUS)}
    for name, metrics in sources.items():
        largest = 100.0 if name == "cores" else 123_456_789_012.0
        row = {metric: largest - place for place, metric in enumerate(metrics)}
        with engine.store.write("metrics") as db:
            for seconds in KEPT_S.values():
                step = next(width for width, kept in KEPT_S.items() if kept == seconds)
                for at in range(now - seconds * 1000, now, step * 1000):
                    add_sample(db, name, at, row)
                if step > 1:
                    db.execute(
                        "update or replace telemetry set resolution = ? where source = ? and resolution = 1",
                        [step, name],
                    )
            tidy(db, name, now)
    rows = engine.store.value("select count(*) from telemetry", name="metrics")
    engine.store.close()
    size = sum(path.stat().st_size for path in (root / ".lemnis").glob("metrics.db"))
    say(f"history of 30 days, {CORES} cores, {GPUS} GPUs, {rows:,} rows", "on disk", "MB", size / 1e6)


def pid_of(module: str, argument: str) -> int:
    """Return the process that runs a module for a workspace."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if module in words and argument in words:
                return int(name)
        time.sleep(0.1)
    raise RuntimeError(f"{module} does not run")


def cpu_s(pid: int) -> float:
    """Return the CPU time of all threads of a process so far."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def pss_mib(pid: int) -> float:
    """Return a process's share of the memory it uses."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def say(what: str, figure: str, unit: str, value: float | None) -> None:
    """Print one line of JSON."""
    document = {"what": what, "figure": figure, "unit": unit, "value": None if value is None else round(value, 2)}
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    sys.exit(main())
