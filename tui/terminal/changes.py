"""What the terminal shows, cell by cell, so that only cells that change are sent, with the shortest codes for colours.

A widget that is drawn anew sends all of itself, each piece with its whole style: over a slow line that is most of what
a console says. Here the pieces of Textual's pictures (cursor, style, text) are compared with what stands there already.
"""

import re
from functools import lru_cache
from threading import Lock

from rich.cells import cell_len

from lemnis.tui.terminal.painting import UNKNOWN, Line, Pen
from lemnis.tui.terminal.styles import blank_of, styled

# A cursor's place; a style; text; a line feed; anything else.
PIECES = re.compile(
    r"\x1b\[(\d*)(?:;(\d*))?H|\x1b\[([\d;]*)m|([^\x00-\x1f\x7f]+)|(\n)"
    r"|\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|P(?:[^\x1b]|\x1b(?!\\))*\x1b\\|\[[<>?=]?[\d;:]*[ $]?[@-~]|.)|.",
    re.DOTALL,
)
# What leaves every cell as it is: modes but those of the other screen, questions, kitty's keys, titles.
HARMLESS = re.compile(r"\x1b\[\?(?!1049|1047|47)[\d;]*\$?[hlp]|\x1b\[[<>=?][\d;]*u|\x1b\[[\d>]*[cn]|\x1b\]|\x1bP")
# Letters, marks, lines, blocks and Braille that are one cell wide and stand alone.
ALONE = r" -~\u00a1-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25ff\u2800-\u28ff"
WIDE = r"\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"  # everywhere two cells wide
PLAIN = re.compile(f"[{ALONE}]*")
KINDS = f"([{ALONE}]+)|([{WIDE}]+)|([^{ALONE}{WIDE}]+)"  # compiled once it is needed: the first picture seldom does


class Shown:
    """What the terminal shows.

    A cell is a text and a style; of text with wide or combining letters the first cell has all and the others none, so
    that it is sent as a whole.
    """

    def __init__(self, *, erases: bool = False) -> None:
        """Send to a terminal that erases cells in the background's colour, or not."""
        self._rows: dict[int, Line] = {}
        self._wanted: dict[int, Line] = {}  # those that are to be shown and aren't yet
        self._y = self._x = 0  # where the picture goes on
        self._style = ""  # in which the picture goes on
        self._pen = Pen(erases=erases)
        self._unsure, self._lock = False, Lock()

    def forget(self) -> None:
        """Take nothing for known any more: the terminal was cleared, resized or left. From any thread or signal."""
        self._unsure = True

    def changes(self, data: str) -> str:
        """Return what is to be sent so that the terminal shows the same as if `data` were sent."""
        with self._lock:  # the thread that reads the terminal asks it things
            return "".join(self._changes(data))

    def _changes(self, data: str) -> list[str]:
        out, pen = list[str](), self._pen
        if self._unsure:
            self._unsure, pen.at = False, None
            self._rows.clear()
        for piece in PIECES.finditer(data):
            row, column, style, text, line = piece.groups()
            if text is not None:
                self._put(out, text)
            elif style is not None:
                self._style = styled(self._style, style)
            elif line is not None:
                self._y += 1
            elif piece[0].endswith("H") and row is not None:
                self._y, self._x = int(row or 1) - 1, int(column or 1) - 1
            else:
                self._other(out, piece[0])
        self._paint(out)
        out += (pen.turn(""), pen.move(self._y, self._x))
        return out

    def _other(self, out: list[str], piece: str) -> None:
        self._paint(out)
        if HARMLESS.match(piece) is None:
            out += (self._pen.move(self._y, self._x), self._pen.turn(self._style))
            self._rows.clear()
            self._pen.at = None
        out.append(piece)

    def _paint(self, out: list[str]) -> None:
        """Have what is wanted shown."""
        if self._wanted:
            out += self._pen.paint({y: (self._rows[y], line) for y, line in self._wanted.items()})
            self._rows |= self._wanted
            self._wanted.clear()

    def _put(self, out: list[str], text: str) -> None:
        y, x, style = self._y, self._x, self._style
        letters, styles = cells_of(text, style)
        if not letters:  # belongs to the cell before, which is no longer known
            self._paint(out)
            out += (self._pen.move(y, x), self._pen.turn(style), text)
            self._pen.at = None
            self._rows.pop(y, None)
            return
        after = self._x = x + len(letters)
        line = self._wanted.get(y) or self._rows.get(y) or Line()
        if line.letters[x:after] == letters and line.styles[x:after] == styles:
            return
        if "" in line.letters[x : x + 1] or "" in line.letters[after : after + 1]:  # a letter's other half is blanked
            self._paint(out)
        if y not in self._wanted:
            self._wanted[y] = self._rows.setdefault(y, Line()).copy()
        self._wanted[y].put(x, letters, styles)
        self._rows[y].widen(len(self._wanted[y].letters))
        if "" in letters:
            self._rows[y].doubt(self._wanted[y], x, after)  # a letter of which a half differs is drawn whole


def draws(data: str) -> bool:
    """Say whether text is written or erased by what is sent, and not modes, questions and titles alone."""
    return any(piece[4] or piece[0].endswith(("K", "X")) for piece in PIECES.finditer(data))


def cells_of(text: str, style: str) -> tuple[list[str], list[str]]:
    """Return what stands in each cell of a text, and the style that is seen there."""
    letters = list(text) if PLAIN.fullmatch(text) else list(apart(text))
    blank = blank_of(style)
    if blank == style:
        return letters, [style] * len(letters)
    return letters, [blank if letter == " " else style for letter in letters]


@lru_cache(maxsize=256)  # of a kilobyte each
def apart(text: str) -> tuple[str, ...]:
    """Return what stands in each cell of a text with other letters than plain ones."""
    if any(not cell_len(letter) for letter in text):  # marks, and what joins letters
        return (UNKNOWN + text, *[""] * (cell_len(text) - 1)) if cell_len(text) else ()
    cells: list[str] = []
    for plain, wide, other in re.findall(KINDS, text):
        cells += plain
        for letter in wide:
            cells += (letter, "")
        if other:
            cells += (UNKNOWN + other, *[""] * (cell_len(other) - 1))
    return tuple(cells)
