"""The console over 100,000 runs with ten million points: from a key to the picture it asked for.

Runs on a real pseudo-terminal of 160x48; a time ends with the first output after which the screen shows what was asked.
Each line is one figure as JSON. With an argument: that folder's workspace, filled by `many_runs` when it is not there.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from many_runs import fill
from pty_probe import Program

from lemnis.engine import Engine
from lemnis.engine.workspace import Workspace

RUNS, ROUNDS, GIVE_UP_S = 100_000, 5, 20.0
QUIET_S, WARM_S = 0.4, 6.0  # after its first picture a console gets its other tabs ready
QUERY = "metrics.auc > 0.8 and params.learning_rate = 0.1"


def press(program: Program, keys: str, shows: Callable[[str], bool]) -> float:
    """Press keys when all is quiet, and return the milliseconds until the screen shows what is wanted."""
    program.quiet(QUIET_S, time.monotonic())
    program.screen()
    first = len(program.chunks)
    pressed = time.monotonic()
    os.write(program.terminal, keys.encode())
    time.sleep(0.05)
    while True:  # nothing is emulated before the console is quiet: that would take its processor
        program.quiet(QUIET_S, time.monotonic())
        while first < len(program.chunks):
            at, data = program.chunks[first]
            first += 1
            program.feed(data)
            program.skip(first)
            if shows(program.shown()):
                return (at - pressed) * 1000
        if time.monotonic() - pressed > GIVE_UP_S:
            raise RuntimeError(f"{keys!r} never showed what was wanted on:\n{program.shown()}")


def words(*wanted: str) -> Callable[[str], bool]:
    return lambda screen: all(word in screen for word in wanted)


def cursor_on(name: str) -> Callable[[str], bool]:
    return lambda screen: any("›" in line and name in line for line in screen.splitlines()[3:])


def main() -> int:
    """Print every figure."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "build/many-runs")
    if not root.exists():
        fill(root, RUNS, points=True).store.close()
    Engine(Workspace(root)).store.close()  # one of an earlier schema is brought up to date
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        program = Program([sys.executable, "-m", "lemnis.tui", "--read-only", "-w", str(root)])
        try:
            program.complete_ms(("Problem",))
            time.sleep(WARM_S)
            for name, took in session(program):
                times.setdefault(name, []).append(took)
        finally:
            program.close()
    for name, took in times.items():
        report(name, took)
    return 0


def session(program: Program) -> Sequence[tuple[str, float]]:
    """Return each step with its milliseconds."""
    last = f"run-{RUNS:06}"
    steps: list[tuple[str, str, Callable[[str], bool]]] = [
        ("open", "6", words(last)),
        ("page", "\x1b[6~", cursor_on("run-099988")),
        ("mark", " ", words("✓")),
        ("last run", "G", cursor_on("run-000001")),
        ("first run", "g", cursor_on(last)),
        ("sort", "S", words("0.99")),
        ("filter", "\r", words(f"for {QUERY}", "0.99")),
    ]
    found: list[tuple[str, float]] = []
    for name, key, shows in steps:
        if name == "sort":
            press(program, "lll", words(last))
        if name == "filter":
            press(program, "/", words("for example"))
            press(program, QUERY, words("9,979 runs"))
        found.append((name, press(program, key, shows)))
    return found


def report(name: str, took: list[float]) -> None:
    """Print one figure."""
    figure = {
        "figure": f"{RUNS:,} runs, key to paint: {name}",
        "unit": "ms",
        "median": round(statistics.median(took), 1),
    }
    print(json.dumps({**figure, "low": round(min(took), 1), "high": round(max(took), 1)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
