"""Explore on a large table: from a key to the first column on a console's screen, before and while it is profiled.

Each line is one figure as JSON; `cpu` is what the console itself used until then, on a busy machine the truer one. The
console runs on a pseudo-terminal of 160x48 over a version that nothing is known of; the engine is up, as it is while
anybody works. The table is made once below `--folder`; that takes a minute.
"""

import argparse
import json
import os
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path

from large_table import engine_with
from pty_probe import Program

from lemnis.engine import Engine, LemnisError

TURNS, ROWS = 3, 10_000_000


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parents[2] / "build" / "bench")
    options = parser.parse_args()
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    engine = engine_with(options.folder, options.rows)
    engine.jobs.ensure_supervisor()
    taken: dict[str, list[tuple[float, float]]] = {"tab": [], "sampled": [], "exact": []}
    try:
        for _ in range(TURNS):
            for name, both in first_columns(engine).items():
                taken[name].append(both)
    finally:
        engine.jobs.stop_supervisor()
        engine.store.close()
    words = {
        "tab": "key 3 to the first column's histogram, nothing profiled",
        "sampled": "key n to the first column in the table",
        "exact": "key n to the first exact column",
    }
    for name, both in taken.items():
        seconds, cpu = (statistics.median(one) for one in zip(*both, strict=True))
        worst = round(max(one for one, _ in both), 2)
        figure = {"figure": words[name], "rows": options.rows, "unit": "s", "median": round(seconds, 2), "worst": worst}
        print(json.dumps({**figure, "cpu": round(cpu, 2)}), flush=True)
    return 0


def first_columns(engine: Engine) -> dict[str, tuple[float, float]]:
    """Return the seconds of one turn from the key that asks to the screen that shows, and the console's CPU seconds."""
    with engine.store.write() as db:
        for table in ("profiles", "missing_patterns"):
            db.execute(f"delete from {table}")
    program = Program([sys.executable, "-m", "lemnis.tui", "-w", str(engine.workspace.root)])
    try:
        program.complete_ms(("Problem",))
        found = {"tab": after(program, "3", ("full bar", "mean"))}
        pressed, cpu = time.monotonic(), program.cpu_s()
        found["sampled"] = after(program, "n", (r"[1-9]\d* measured",))
        program.see((r"[1-9]\d* of them exactly",))
        found["exact"] = (program.last_s() - pressed, program.cpu_s() - cpu)
        for job in engine.jobs.jobs(states=("queued", "preparing", "running")):
            engine.jobs.cancel(job.id)
            with suppress(LemnisError):  # it was cancelled, as it should be
                engine.jobs.wait(job.id)
        return found
    finally:
        program.close()


def after(program: Program, key: str, wanted: tuple[str, ...]) -> tuple[float, float]:
    """Press a key when all is quiet and return the seconds until the screen shows all the patterns, and CPU seconds."""
    program.quiet(0.5, time.monotonic())
    pressed, cpu = time.monotonic(), program.cpu_s()
    os.write(program.terminal, key.encode())
    program.see(wanted)
    return program.last_s() - pressed, program.cpu_s() - cpu


if __name__ == "__main__":
    sys.exit(main())
