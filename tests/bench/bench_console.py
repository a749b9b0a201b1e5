"""Console against a bare Textual app: start to first data, key to paint, and what an idle screen writes.

Both run in turn on a real pseudo-terminal of 160x48; each line is one figure as JSON with the ratio inside this run.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from pty_probe import Program

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.workspace import create_workspace

STARTS, PRESSES, QUIET_S, IDLE_S = 5, 30, 1.0, 5.0
RUNS = 10_000
FIRST_DATA = ("run-09999", "Experiments")


def main() -> int:
    """Print every figure."""
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as folder:
        root = Path(folder) / "bench"
        fill(root)
        hello = [sys.executable, str(Path(__file__).with_name("hello.py"))]
        console = [sys.executable, "-m", "lemnis.tui", "--read-only", "-w", str(root)]
        starts: dict[str, list[float]] = {"hello": [], "console": []}
        keys: dict[str, list[float]] = {"hello": [], "console": []}
        idle: dict[str, tuple[float, float]] = {}
        for turn in range(STARTS + 1):
            for name, command, wanted in (("hello", hello, ("row 9 ",)), ("console", console, ("Problem",))):
                program = Program(command)
                try:
                    took = program.complete_ms(wanted)
                    if turn:  # the first start fills the file cache
                        starts[name].append(took)
                    if turn == STARTS:
                        if name == "console":
                            os.write(program.terminal, b"6")
                            program.complete_ms(FIRST_DATA)
                        keys[name] = [program.key_ms("j" if name == "console" else DOWN) for _ in range(PRESSES)]
                        program.quiet(QUIET_S, time.monotonic())
                        idle[name] = program.idle(IDLE_S)
                finally:
                    program.close()
    report(starts, keys, idle)
    return 0


DOWN = "\x1b[B"
RUN = "insert into runs (id, name, state, why, created_at, started_at, ended_at) values (?, ?, 'finished', '', ?, ?, ?)"


def fill(root: Path) -> None:
    """Make a workspace with many finished runs."""
    engine = Engine(create_workspace(root, '[problem]\ntitle = "Bench"\nquestion = "How fast?"\n'))
    at = now_ms()
    with engine.store.write() as db:
        for number in range(RUNS):
            db.execute(RUN, [number + 1, f"run-{number:05}", at, at, at])
            db.execute("insert into run_metrics (run_id, key, value) values (?, 'auc', ?)", [number + 1, number / RUNS])
    engine.store.close()


def report(starts: dict[str, list[float]], keys: dict[str, list[float]], idle: dict[str, tuple[float, float]]) -> None:
    """Print one line of JSON for each figure."""

    def line(figure: str, unit: str, console: float, hello: float, *, ratio: bool = True) -> None:
        document = {"figure": figure, "unit": unit, "console": round(console, 2), "bare_textual": round(hello, 2)}
        print(json.dumps({**document, "ratio": round(console / hello, 2)} if ratio and hello else document), flush=True)

    line("start to complete first screen", "ms", *(statistics.median(starts[name]) for name in ("console", "hello")))
    line(f"key to paint, {RUNS:,} runs, p50", "ms", *(statistics.median(keys[name]) for name in ("console", "hello")))
    line(f"key to paint, {RUNS:,} runs, p95", "ms", *(p95(keys[name]) for name in ("console", "hello")))
    line("idle output", "bytes/s", idle["console"][0], idle["hello"][0], ratio=False)
    line("idle CPU", "% of a core", idle["console"][1], idle["hello"][1])


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[round(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    sys.exit(main())
