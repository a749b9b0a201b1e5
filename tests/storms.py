"""What a terminal does to a console that a test wants much of: sizes that change, and pages of names."""

import random
import re
from pathlib import Path

from hostile import hostile
from support import engine_at
from terminal import Terminal, lemnis

from lemnis.engine.clock import now_ms

SIZES = ((0, 0), (1, 1), (2, 5), (3, 3), (40, 15), (80, 24), (200, 1), (500, 150), (1, 150), (500, 1))
NUMBER = re.compile(r"(?<!\d)\d{5}(?!\d)")
RUN = "insert into runs (id, name, state, why, created_at, started_at, ended_at) values (?, ?, 'finished', '', ?, ?, ?)"


def resized(terminal: Terminal, times: int, seed: int = 7) -> None:
    """Resize a console again and again, every tenth time waiting for its picture; at last it must answer at 80x24."""
    chance = random.Random(seed)
    for number in range(times):
        size = SIZES[number] if number < len(SIZES) else (chance.randint(0, 500), chance.randint(0, 150))
        terminal.resize(*size)
        if number % 10 == 0:
            terminal.press(chance.choice("1234567890"))
        terminal.read()
    terminal.resize(80, 24)
    terminal.press("6")
    terminal.wait_for("Palette")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.modes_left_on() == set()


def paged(workspace: Path, count: int) -> int:
    """Page through so many runs with hostile names on a real terminal; returns how many were drawn."""
    engine, at = engine_at(workspace), now_ms()
    with engine.store.write() as db:
        for number, name in enumerate(hostile(count)):
            db.execute(RUN, [number + 1, f"{number:05}{name}", at, at, at])
    engine.store.close()
    terminal = Terminal(lemnis("--read-only"), cwd=workspace, columns=160, lines=50)
    try:
        terminal.wait_for("Palette")
        terminal.press("6")
        terminal.wait_for(f"{count - 1:05}")
        drawn = whole_page(terminal)
        while "  00000" not in terminal.text():
            before = under_cursor(terminal)
            terminal.press("\x1b[6~")
            terminal.wait_for(lambda before=before: under_cursor(terminal) not in ("", before))
            terminal.wait_for(lambda: not misaligned(terminal))
            drawn |= whole_page(terminal)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.strange_sequences() == []
        assert "owned" not in terminal.screen.title
        return len(drawn)
    finally:
        terminal.close()


def whole_page(terminal: Terminal) -> set[int]:
    """Return the numbers of the runs on the screen, once they follow on each other."""
    found: set[int] = set()

    def follow_on() -> bool:
        found.clear()
        found.update(map(int, NUMBER.findall(terminal.text())))
        return bool(found) and max(found) - min(found) + 1 == len(found)

    terminal.wait_for(follow_on)
    return found


def under_cursor(terminal: Terminal) -> str:
    """Return the number of the run under the cursor; empty while it is not read."""
    lines = [line for line in terminal.text().splitlines() if line.startswith("│›")]
    found = NUMBER.search(lines[0]) if lines else None
    return found[0] if found else ""


def misaligned(terminal: Terminal) -> list[str]:
    """Return the lines between the panels' borders that do not end with one in the last column."""
    last = terminal.screen.columns - 1
    lines = terminal.text().splitlines()
    return [
        line for row, line in enumerate(lines) if line.startswith("│") and terminal.screen.buffer[row][last].data != "│"
    ]
