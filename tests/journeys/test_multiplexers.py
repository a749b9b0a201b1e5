"""What is sent instead of a picture shows the same in a real tmux and a real GNU screen, which know some codes only."""

import random
import shutil
from pathlib import Path

import pyte
import pytest
from rich.cells import cell_len
from tmux import Tmux

from lemnis.tui.terminal.changes import Shown

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")]
COLUMNS, ROWS, PICTURES, PANE = 80, 22, 30, 20
STYLES = ("0", "1;36", "38;5;9", "38;5;46;48;5;16", "48;5;18", "7;35", "4;32", "1;33;44", "38;2;9;80;70;48;2;40;5;60")
TEXTS = ("│ 0.8587 │", "─" * PANE, "한글 이름", "", "a          b", "✓ ok", "⣿⣀⠒", "name    12", "╭─ Title ─╮")
END = "the end"


def frames(rng: random.Random, styles: tuple[str, ...]) -> list[str]:
    """Return pictures, each of some panes' lines, all of a pane's width: of no letter a half is left."""
    made: list[str] = []
    for _ in range(PICTURES):
        pieces = list[str]()
        for _ in range(40):
            row, column, text = rng.randrange(1, ROWS), 1 + PANE * rng.randrange(3), rng.choice(TEXTS)
            padded = text + " " * (PANE - cell_len(text))
            pieces.append(f"\x1b[{row};{column}H\x1b[{rng.choice(styles)}m{padded}\x1b[0m")
        made.append("".join(pieces))
    return made


def shown_by(folder: Path, written: str, between: list[str]) -> list[object]:
    """Return the cells that tmux shows of what is written to a terminal; what a space can't show is left out."""
    file = folder / "written"
    edge = "".join(f"\x1b[{row};{COLUMNS}H|" for row in range(1, ROWS))  # tmux leaves out what is blank up to the edge
    file.write_text(f"\x1b[?7l\x1b[2J{written}{edge}\x1b[{ROWS};1H{END}", "utf-8")
    opened = Tmux([*between, "sh", "-c", f"cat {file}; sleep 1000"], COLUMNS, ROWS + 1)
    try:
        opened.shows(END)
        lines = opened.tmux("capture-pane", "-e", "-p").rstrip("\n").split("\n")
    finally:
        opened.close()
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.Stream(screen).feed("\r\n".join(lines))
    cells = [screen.buffer[y][x] for y in range(ROWS - 1) for x in range(COLUMNS)]
    return [cell if cell.data != " " or cell.reverse or cell.underscore else (" ", cell.bg) for cell in cells]


@pytest.mark.parametrize("seed", range(3))
def test_tmux_shows_the_same(tmp_path: Path, seed: int) -> None:
    pictures, shown = frames(random.Random(seed), STYLES), Shown(erases=True)
    sent = "".join(shown.changes(picture) for picture in pictures)
    assert "X" in sent
    assert shown_by(tmp_path, sent, []) == shown_by(tmp_path, "".join(pictures), [])


@pytest.mark.skipif(not shutil.which("screen"), reason="GNU screen is not installed")
def test_screen_shows_the_same(tmp_path: Path) -> None:
    pictures, shown = frames(random.Random(7), STYLES[:-1]), Shown(erases=False)
    sent = "".join(shown.changes(picture) for picture in pictures)
    settings = tmp_path / "settings"
    settings.write_text("autodetach off\n")  # it ends with the terminal it is shown on
    screen = ["env", "-u", "STY", "screen", "-U", "-c", str(settings)]
    assert shown_by(tmp_path, sent, screen) == shown_by(tmp_path, "".join(pictures), screen)
