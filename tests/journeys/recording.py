"""Writes screenshots/session.cast, an asciicast: runs compared, a promotion, drift, an incident, and the way back.

usage: python tests/journeys/recording.py [WORKSPACE]

Without a workspace it builds the demo in a folder of its own. What the terminal showed is recorded at the pace of
somebody who types, picture by picture as what changed; only waiting is cut: a pause lasts PAUSE_S at most.
"""

# pyright: basic

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
from pyte.graphics import FG_AIXTERM, FG_ANSI
from pyte.screens import Char
from wcwidth import wcwidth

sys.path.insert(1, str(Path(__file__).parents[1]))

from support import until
from terminal import Terminal, lemnis

from lemnis.engine.demo import MODEL
from screenshots import OUT, working_engine  # pyright: ignore[reportAttributeAccessIssue]  the module beside

CAST = OUT / "session.cast"
COLUMNS, LINES = 100, 30
TITLE = "Lemnis: from two runs to a promotion, an incident and the way back"
PAUSE_S, MOST_BYTES = 1.5, 400_000
LETTER_S, LOOK_S, READ_S = 0.06, 0.7, 1.6
TOGETHER_S = 0.08  # what comes within it is one picture
NAMED = {name: code for code, name in (FG_ANSI | FG_AIXTERM).items()}
STILL_S, TRAINED_S = 0.25, 600.0
ENTER, ESCAPE = "\r", "\x1b"


class Tape(pyte.Stream):
    """Draws what a terminal shows, and keeps what changed of the picture, a few times a second."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal.screen)
        self.screen, terminal.stream = terminal.screen, self
        self.events: list[tuple[float, str]] = []
        self.before: dict[tuple[int, int], Char] = {}
        self.taken_s = 0.0

    def feed(self, data: str) -> None:
        super().feed(data)
        if time.monotonic() - self.taken_s > TOGETHER_S:
            self.take()

    def take(self) -> None:
        """Keep what differs from the picture before."""
        self.taken_s = time.monotonic()
        shown = {(y, x): self.screen.buffer[y][x] for y in range(LINES) for x in range(COLUMNS)}
        text = changed(self.before, shown)
        self.before = shown
        if text:
            self.events.append((self.taken_s, text))

    def cast(self) -> str:
        """Return what was kept as asciicast v2."""
        header = {"version": 2, "width": COLUMNS, "height": LINES, "title": TITLE, "env": {"TERM": "xterm-256color"}}
        lines, at, before = [json.dumps(header)], 0.0, self.events[0][0]
        for stamp, text in self.events:
            at, before = at + min(stamp - before, PAUSE_S), stamp
            text = text if at else f"\x1b[2J\x1b[?25l{text}"
            lines.append(json.dumps([round(at, 3), "o", text], ensure_ascii=False))
        return "\n".join(lines) + "\n"


def changed(before: dict[tuple[int, int], Char], shown: dict[tuple[int, int], Char]) -> str:
    """Return what makes one picture of another, the cursor put where something differs only."""
    parts: list[str] = []
    style, at = "", (-1, -1)
    for (y, x), cell in shown.items():
        if before.get((y, x)) == cell or not cell.data:  # the second half of a wide character is empty
            continue
        if at != (y, x):
            parts.append(f"\x1b[{y + 1};{x + 1}H")
        if style != (style := styled(cell)):
            parts.append(style)
        parts.append(cell.data)
        at = (y, x + wcwidth(cell.data[0]))
    return "".join(parts)


def styled(cell: Char) -> str:
    """Return the sequence that begins a cell's style."""
    flags = {1: cell.bold, 3: cell.italics, 4: cell.underscore, 7: cell.reverse, 9: cell.strikethrough}
    codes = ["0", *(str(code) for code, on in flags.items() if on)]
    for number, colour in ((38, cell.fg), (48, cell.bg)):
        if re.fullmatch("[0-9a-f]{6}", colour):
            codes += [str(number), "2", *(str(int(colour[place : place + 2], 16)) for place in (0, 2, 4))]
        elif colour in NAMED:
            codes.append(str(NAMED[colour] + number - 38))
    return f"\x1b[{';'.join(codes)}m"


class Person:
    """Somebody at the keyboard, who looks at what comes before the next key."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def keys(self, *keys: str, then: str = "") -> None:
        """Press keys one by one, and wait for a text."""
        for key in keys:
            self.look(LOOK_S)
            self.terminal.press(key)
        if then:
            self.terminal.wait_for(then)
        self.look(STILL_S)

    def write(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        self.look(LOOK_S)
        for letter in text:
            self.terminal.press(letter)
            self.look(LETTER_S)

    def look(self, seconds: float = READ_S) -> None:
        """Look at the screen for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.terminal.read(left)


def main() -> int:
    """Record the session and write it; returns 0, raises where the screen never showed what it should."""
    OUT.mkdir(exist_ok=True)
    with working_engine(sys.argv[1:]) as engine:
        engine.jobs.ensure_supervisor()
        until(lambda: engine.deploy.alias(MODEL, "challenger"), TRAINED_S)  # an alert has asked for it
        with console(engine.workspace.root) as terminal:
            tape = Tape(terminal)
            play(Person(terminal))
            tape.take()
    written = tape.cast()
    assert len(written.encode()) <= MOST_BYTES, f"{len(written.encode()):,} bytes are too many"
    CAST.write_text(written, "utf-8")
    print(f"screenshots/{CAST.name}", flush=True)
    return 0


@contextmanager
def console(workspace: Path) -> Iterator[Terminal]:
    """Yield a console that knows nothing of the person whose machine this is."""
    with tempfile.TemporaryDirectory(prefix="lemnis-pictures-") as home:
        of_nobody = {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "LOGNAME": "demo", "USER": "demo"}
        os.environ.pop("NO_COLOR", None)
        terminal = Terminal(
            lemnis(), cwd=workspace, columns=COLUMNS, lines=LINES, COLORTERM="truecolor", TEXTUAL_ANIMATIONS="none",
            **of_nobody,
        )  # fmt: skip
        try:
            yield terminal
        finally:
            terminal.press(ESCAPE)
            terminal.close()


def play(person: Person) -> None:
    """Go once round: which run is better, promote it, what drifted, what happened, and back."""
    terminal = person.terminal
    terminal.wait_for("Palette")
    person.look()
    person.keys("6", then="Runs")
    person.keys("/")
    person.write("id <= 3")
    person.keys(ENTER, then="wide")
    person.keys(" ", "j", " ", "c", then="Summary")
    person.look()
    person.keys("2", then="Holm")
    person.look()
    person.keys(ESCAPE, "8", then="challenger")
    person.keys("P", then="type late")
    person.write("late")
    person.keys(ENTER)
    person.write("better on the last month")
    person.keys(ENTER, then="late@champion is version")
    person.look()
    person.keys("9", then="drift")
    person.look()
    person.keys("o", then="nobody has taken it")
    person.look()
    person.keys(ENTER, then="Incident")
    person.look()
    person.keys("j", "j", "j", "b", then="type late")
    person.write("late")
    person.keys(ENTER)
    person.write("first look at what drifted")
    person.keys(ENTER, then="again")
    person.look()


if __name__ == "__main__":
    sys.exit(main())
