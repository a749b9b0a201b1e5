"""What the terminal shows, cell by cell, so that only cells that change are sent, with the shortest codes for colours.

A widget that is drawn anew sends all of itself, each piece with its whole style: over a slow line that is most of what
a console says. Here the pieces of Textual's pictures (cursor, style, text) are compared with what stands there already.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

from rich.cells import cell_len

# A cursor's place; a style; text; a line feed; anything else.
PIECES = re.compile(
    r"\x1b\[(\d*)(?:;(\d*))?H|\x1b\[([\d;]*)m|([^\x00-\x1f\x7f]+)|(\n)"
    r"|\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|P(?:[^\x1b]|\x1b(?!\\))*\x1b\\|\[[<>?=]?[\d;:]*[ $]?[@-~]|.)|.",
    re.DOTALL,
)
# What leaves every cell as it is: modes but those of the other screen, questions, kitty's keys, titles.
HARMLESS = re.compile(r"\x1b\[\?(?!1049|1047|47)[\d;]*\$?[hlp]|\x1b\[[<>=?][\d;]*u|\x1b\[[\d>]*[cn]|\x1b\]|\x1bP")
# Letters, marks, lines, blocks and Braille that are one cell wide and stand alone.
PLAIN = re.compile(r"[ -~\u00a1-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25ff\u2800-\u28ff]*")
SEEN_WITHOUT_LETTERS = {"4", "7", "9", "21", "53"}  # underlined, reversed, struck: seen on a space too
GAP = 6  # cells that stay: sending them again is no longer than moving the cursor over them
Style = tuple[frozenset[str], str, str]  # attributes, foreground and background as the codes for them


class Shown:
    """What the terminal shows.

    A cell is a text and a style; of text with wide or combining letters the first cell has all and the others none, so
    that it is sent as a whole.
    """

    def __init__(self) -> None:
        self._rows: dict[int, tuple[list[str], list[str]]] = {}
        self._y = self._x = 0  # where the picture goes on
        self._style = ""  # in which the picture goes on
        self._at: tuple[int, int] | None = None  # where the terminal's cursor is
        self._sent = ""  # the terminal's style
        self._unsure, self._lock = False, Lock()

    def forget(self) -> None:
        """Take nothing for known any more: the terminal was cleared, resized or left. From any thread or signal."""
        self._unsure = True

    def changes(self, data: str) -> str:
        """Return what is to be sent so that the terminal shows the same as if `data` were sent."""
        with self._lock:  # the thread that reads the terminal asks it things
            return self._changes(data)

    def _changes(self, data: str) -> str:
        out: list[str] = []
        if self._unsure:
            self._unsure, self._at = False, None
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
        if self._sent:
            out.append("\x1b[0m")
            self._sent = ""
        self._move(out, self._y, self._x)
        return "".join(out)

    def _other(self, out: list[str], piece: str) -> None:
        if HARMLESS.match(piece) is None:
            self._move(out, self._y, self._x)
            self._rows.clear()
            self._at = None
        out.append(piece)

    def _put(self, out: list[str], text: str) -> None:
        y, x, style = self._y, self._x, self._style
        blank = blank_of(style)
        if PLAIN.fullmatch(text):
            size, new = len(text), list(text)
            styles = [blank if letter == " " else style for letter in text] if blank != style else [style] * size
            whole = False
        else:
            size, whole = cell_len(text), True
            new, styles = [text, *[""] * (size - 1)], [style] * size
        self._x += size
        letters, drawn = self._rows.setdefault(y, ([], []))
        if len(letters) < x + size:
            lacking = x + size - len(letters)
            letters += ["\0"] * lacking  # unknown
            drawn += [""] * lacking
        if not size:  # belongs to the cell before, which is no longer known
            del self._rows[y]
            self._send(out, y, x, text, style)
            self._at = None
        elif letters[x : x + size] != new or drawn[x : x + size] != styles:
            spans = [(0, size)] if whole else different(letters[x : x + size], drawn[x : x + size], new, styles)
            for begin, end in spans:
                part = text if whole else text[begin:end]
                self._send(out, y, x + begin, part, blank if part.isspace() else style)
                self._at = None if whole else (y, x + end)  # terminals differ in how wide a letter is
            letters[x : x + size], drawn[x : x + size] = new, styles

    def _send(self, out: list[str], y: int, x: int, text: str, style: str) -> None:
        self._move(out, y, x)
        if not (text.isspace() and blank_of(self._sent) == blank_of(style)):
            out.append(step(self._sent, style))
            self._sent = style
        out.append(text)

    def _move(self, out: list[str], y: int, x: int) -> None:
        if self._at != (y, x):
            ahead = x - self._at[1] if self._at is not None and self._at[0] == y else 0
            out.append(f"\x1b[{ahead}C" if ahead > 0 else f"\x1b[{y + 1};{x + 1}H")
            self._at = (y, x)


def different(
    letters: Sequence[str], drawn: Sequence[str], new: Sequence[str], styles: Sequence[str]
) -> list[tuple[int, int]]:
    """Return the stretches of cells that differ, as first and last + 1; short gaps between them are taken in."""
    spans: list[tuple[int, int]] = []
    for place in [i for i in range(len(new)) if letters[i] != new[i] or drawn[i] != styles[i]]:
        if spans and place - spans[-1][1] <= GAP:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return spans


@lru_cache(maxsize=4096)
def styled(before: str, codes: str) -> str:
    """Return a style, as the codes that make it from none, after some more codes."""
    attributes, foreground, background = read(f"{before};{codes or '0'}" if before else codes or "0")
    return ";".join(filter(None, (*sorted(attributes), foreground, background)))


@lru_cache(maxsize=4096)
def read(codes: str) -> Style:
    """Return what codes say (ECMA-48, SGR; 38 and 48 as xterm has them)."""
    attributes: set[str] = set()
    foreground = background = ""
    parts = iter(codes.split(";"))
    for code in parts:
        if code in ("38", "48"):
            kind = next(parts, "")
            colour = ";".join((code, kind, *(next(parts, "") for _ in range(3 if kind == "2" else 1))))
            foreground, background = (colour, background) if code == "38" else (foreground, colour)
        elif code in ("", "0"):
            attributes.clear()
            foreground = background = ""
        elif (len(code) == 2 and code[0] == "3") or (len(code) == 2 and code[0] == "9"):
            foreground = "" if code == "39" else code
        elif (len(code) == 2 and code[0] == "4") or (len(code) == 3 and code[:2] == "10"):
            background = "" if code == "49" else code
        else:
            attributes.add(code)
    return frozenset(attributes), foreground, background


@lru_cache(maxsize=4096)
def blank_of(style: str) -> str:
    """Return what of a style is seen on a space."""
    attributes, _, background = read(style)
    return style if attributes & SEEN_WITHOUT_LETTERS else background


@lru_cache(maxsize=16384)
def step(before: str, after: str) -> str:
    """Return the shortest codes that lead from a style to another."""
    if before == after:
        return ""
    (had, foreground, background), (attributes, wanted, behind) = read(before), read(after)
    if not had <= attributes:
        return f"\x1b[0;{after}m" if after else "\x1b[0m"
    codes = sorted(attributes - had)
    codes += [wanted or "39"] if wanted != foreground else []
    codes += [behind or "49"] if behind != background else []
    return f"\x1b[{';'.join(codes)}m" if after else "\x1b[0m"
