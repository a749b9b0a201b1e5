"""Rows of a large wide table in the console: keypress to a complete picture, as a person pages, jumps and filters.

Each line is one figure as JSON: milliseconds to the first output after the key and until the data it asked for are on
the screen, and the CPU time the console used meanwhile, which other load on the machine does not change. The table is
generated once into build/ and kept for the next run; its size is chosen by --rows and --columns.
"""

import argparse
import json
import os
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pty_probe import Program
from wide_table import wide_version

PRESSES = 30
WAIT_S = 120.0
BUILD = Path(__file__).parents[2] / "build"
DOWN, UP, RIGHT, LEFT = "\x1b[6~", "\x1b[5~", "\x1b[C", "\x1b[D"


def main() -> int:
    """Print every figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=200)
    chosen = parser.parse_args()
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    root = BUILD / f"rows-{chosen.rows}-{chosen.columns}"
    engine, version = wide_version(root, chosen.rows, chosen.columns)
    size = f"{version.rows:,} x {len(version.columns)}, {version.bytes / 1e9:.2f} GB"
    engine.store.close()
    program = Program([sys.executable, "-m", "lemnis.tui", "--read-only", "-w", str(root)])
    try:
        program.complete_ms(("Problem",))
        browse(program, size, version.rows)
    finally:
        program.close()
    return 0


def browse(program: Program, size: str, rows: int) -> None:
    """Press the keys of a person who looks around."""
    os.write(program.terminal, b"3")
    until(program, lambda screen: "Columns" in screen)
    line(
        "open the rows", size, [reached(program, "r", lambda screen: "row 1 of" in screen and "…" not in body(screen))]
    )
    line("page down", size, [reached(program, DOWN, paged(program)) for _ in range(PRESSES)])
    line("page up", size, [reached(program, UP, paged(program)) for _ in range(PRESSES // 2)])
    line("column right", size, [reached(program, RIGHT, moved(program)) for _ in range(PRESSES * 2)])
    line("column left", size, [reached(program, LEFT, moved(program)) for _ in range(PRESSES)])
    ends = [reached(program, key, at(f"row {row:,} of")) for key, row in (("G", rows), ("g", 1)) * 5]
    line("jump to the end and back", size, ends)
    os.write(program.terminal, b"c")
    until(program, lambda screen: "Go to a column" in screen)
    os.write(program.terminal, b"word_5\r")
    until(program, lambda screen: "word_5" in screen and "Go to" not in screen)
    line("filter by a cell: first rows", size, [filtered(program) for _ in range(5)])

    os.write(program.terminal, b"s")
    until(program, lambda screen: "sorting" not in screen and "by word_5" in screen)
    line("page down, sorted", size, [reached(program, DOWN, paged(program)) for _ in range(PRESSES // 2)])
    os.write(program.terminal, b"sg")
    until(program, lambda screen: "by word_5" not in screen)
    for name in ("word_5", "price_3"):
        os.write(program.terminal, b"c")
        until(program, lambda screen: "Go to a column" in screen)
        os.write(program.terminal, f"{name}\r".encode())
        until(program, lambda screen: "Go to" not in screen)
        line(f"distinct values of {name}", size, [reached(program, "f", counted)])
        os.write(program.terminal, b"q")
        until(program, lambda screen: "distinct in" not in screen)


def counted(screen: str) -> bool:
    """Say whether the values of a column are on the screen."""
    return "distinct in" in screen or "bins in" in screen


def filtered(program: Program) -> tuple[float, float, float]:
    """Go to a column, filter by the cell, wait for the count, and take the filter back."""
    took = reached(
        program, "=", lambda screen: "word_5 =" in screen and "Looking" not in screen and "…" not in body(screen)
    )
    until(program, lambda screen: "≥" not in screen)
    os.write(program.terminal, b"u")
    until(program, lambda screen: "all rows" in screen)
    return took


def paged(program: Program) -> Callable[[str], bool]:
    """Return what says that another page is complete."""
    before = first_row(program.screen())
    return lambda screen: first_row(screen) != before and "…" not in body(screen)


def moved(program: Program) -> Callable[[str], bool]:
    """Return what says that the cursor is in another column."""
    before = column(program.screen())
    return lambda screen: column(screen) != before and "…" not in body(screen)


def at(words: str) -> Callable[[str], bool]:
    """Return what says that the screen shows some words, complete."""
    return lambda screen: words in screen and "…" not in body(screen)


def body(screen: str) -> str:
    """Return the lines of the rows: a number, then cells; … at the end of a cell that is cut does not count."""
    rows = [row for row in screen.splitlines() if re.match(r"│\s*[\d,]+[ ›]", row)]
    return "\n".join(cell for row in rows for cell in re.split(r"\s{2,}|│", row) if cell.strip() == "…")


def first_row(screen: str) -> str:
    """Return the number of the first row on screen."""
    found = re.search(r"^│\s*([\d,]+)[ ›]", screen, re.M)
    return found.group(1) if found else ""


def column(screen: str) -> str:
    """Return which column the cursor is in."""
    found = re.search(r"column (\d+) of", screen)
    return found.group(1) if found else ""


def reached(program: Program, key: str, there: Callable[[str], bool]) -> tuple[float, float, float]:
    """Press a key when all is quiet; return milliseconds to the first output, to the wanted picture, and of CPU."""
    program.quiet(0.1, time.monotonic())
    pressed, before, cpu = time.monotonic(), len(program.chunks), program.cpu_s()
    os.write(program.terminal, key.encode())
    while not there(program.screen()):
        if time.monotonic() - pressed > WAIT_S:
            raise RuntimeError(f"never there after {key!r}:\n{program.screen()}")
        time.sleep(0.002)
    complete = program.last_s()
    used = program.cpu_s() - cpu
    return (program.chunks[before][0] - pressed) * 1000, (complete - pressed) * 1000, used * 1000


def until(program: Program, there: Callable[[str], bool]) -> None:
    """Wait for a picture."""
    begun = time.monotonic()
    while not there(program.screen()):
        if time.monotonic() - begun > WAIT_S:
            raise RuntimeError(f"never there:\n{program.screen()}")
        time.sleep(0.01)
    program.quiet(0.3, time.monotonic())


def line(figure: str, size: str, taken: list[tuple[float, float, float]]) -> None:
    """Print one figure."""
    first, complete, cpu = ([each[place] for each in taken] for place in range(3))
    print(
        json.dumps(
            {
                "figure": figure,
                "table": size,
                "unit": "ms",
                "presses": len(taken),
                "first_output_p50": round(statistics.median(first), 1),
                "first_output_p95": round(p95(first), 1),
                "complete_p50": round(statistics.median(complete), 1),
                "complete_p95": round(p95(complete), 1),
                "cpu_p50": round(statistics.median(cpu), 1),
            }
        ),
        flush=True,
    )


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[round(0.95 * (len(values) - 1))]


if __name__ == "__main__":
    sys.exit(main())
