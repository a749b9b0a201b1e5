"""What a grid is made of: fields, cells as they are shown, the window on screen, and the cells that were read. Pure."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct, field
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, figure

GAP = "  "
RULE = "│ "  # after the last field that is kept in view
WIDEST, LONGEST = 40, 400  # cells of a field on screen; characters of a value that are looked at
EXACT = 2**53  # below it a fraction that has none is a whole number
CELLS_KEPT = 20_000
AHEAD_FIELDS = 8


class Field(Struct, frozen=True):
    """One column: its name in the data, its header, and whether it is aligned right."""

    name: str
    label: str
    right: bool = False


class Shown(Struct, frozen=True):
    """A cell as it is drawn: harmless text on one line, its width in cells, and what it stands for."""

    text: str
    width: int
    value: Any  # Any: a number, a truth value, a text or None
    quiet: bool = False

    @property
    def whole(self) -> str:
        """What is copied of it: the text to its end and the number to its last digit, however it is drawn."""
        if self.quiet or isinstance(self.value, bool):
            return self.text
        if isinstance(self.value, float) and self.value.is_integer() and abs(self.value) < EXACT:
            return str(int(self.value))
        return safe(self.value)


class Part(Struct, frozen=True):
    """A field on screen: how wide, and what stands behind it."""

    field: Field
    width: int
    after: str = GAP


class Window(Struct, frozen=True):
    """Rows from `first` to before `last`, and fields; `whole` of those that scroll are seen in full, from `left`."""

    first: int
    last: int
    parts: tuple[Part, ...]
    left: int = 0
    whole: int = 0
    numbers: int = 0

    def holds(self, place: int) -> bool:
        """Say whether a scrolling field is seen in full, or as far as the window is wide."""
        return self.left <= place < self.left + max(1, self.whole)

    def covers(self, other: "Window") -> bool:
        """Say whether this has all rows and fields of another."""
        mine = {part.field.name for part in self.parts}
        return (
            self.first <= other.first
            and other.last <= self.last
            and all(part.field.name in mine for part in other.parts)
        )


class Placed(Protocol):
    """What a window is made from: a grid."""

    total: int
    top: int
    left: int
    kept: list[str]

    @property
    def order(self) -> list[Field]:
        """The fields in the order of the screen."""
        ...


class Pages(Struct):
    """The cells that were read, by row and field; `generation` tells those of one view from those of the next."""

    cells: dict[tuple[int, str], Shown] = field(default_factory=dict[tuple[int, str], Shown])
    widths: dict[str, int] = field(default_factory=dict[str, int])
    generation: int = 0

    def start(self) -> None:
        """Forget all cells: other rows come."""
        self.cells = {}
        self.generation += 1

    def put(self, cells: dict[tuple[int, str], Shown], *, near: int) -> None:
        """Keep cells, and forget those far from a row when there are many; fields grow with their cells."""
        if len(self.cells) > CELLS_KEPT:
            far = sorted({row for row, _ in self.cells}, key=lambda row: abs(row - near))
            close = set(far[: len(far) // 2])
            self.cells = {place: cell for place, cell in self.cells.items() if place[0] in close}
        self.cells.update(cells)
        for (_, name), cell in cells.items():
            if cell.width > self.widths.get(name, 0):
                self.widths[name] = min(cell.width, WIDEST)

    def lacks(self, *windows: Window) -> Window | None:
        """Return the part of the first window that is not read yet; None if all of them are."""
        for window in windows:
            rows = range(window.first, window.last)
            parts = tuple(
                part for part in window.parts if any((row, part.field.name) not in self.cells for row in rows)
            )
            if parts:
                absent = [row for row in rows if any((row, part.field.name) not in self.cells for part in parts)]
                return Window(absent[0], absent[-1] + 1, parts)
        return None


def shown_cell(value: Any) -> Shown:
    """Return a value of the data as it is drawn: one line, harmless, as short as it is right."""
    if value is None or value != value:
        return Shown(MISSING, 1, None, quiet=True)
    if isinstance(value, bool):
        return Shown("true", 4, value) if value else Shown("false", 5, value)
    text = figure(value) if isinstance(value, float) else safe(value, limit=LONGEST)
    return Shown(text, cell_len(text), value)


def cut(text: str, width: int, *, right: bool = False, known: int = -1) -> str:
    """Return text exactly so many cells wide, ending in an ellipsis where it is longer; `known` is its width."""
    long = cell_len(text) if known < 0 else known
    if long > width:
        return f"{set_cell_size(text, width - 1)}…" if width > 0 else ""
    return " " * (width - long) + text if right else text + " " * (width - long)


def window_of(grid: Placed, widths: dict[str, int], width: int, height: int) -> Window:
    """Return what is on screen: the kept fields as far as they take half of it, then those from `left` on."""
    numbers = len(f"{grid.total:,}")
    room = width - numbers - 2
    order, many = grid.order, sum(field.name in grid.kept for field in grid.order)
    parts: list[Part] = []
    used = 0
    for one in order[:many]:
        wide = width_of(one, widths)
        if used + wide + len(GAP) > room // 2:
            break
        parts.append(Part(one, wide, GAP))
        used += wide + len(GAP)
    if parts:
        parts[-1] = Part(parts[-1].field, parts[-1].width, RULE)
    whole = 0
    for one in order[many + grid.left :]:
        wide = width_of(one, widths)
        if used + wide > room and parts and used > 0:
            if room - used > 1 and whole:
                parts.append(Part(one, room - used, ""))
            elif not whole:  # one field that is wider than what is left is cut
                parts.append(Part(one, max(1, room - used), ""))
            break
        parts.append(Part(one, min(wide, room), GAP))
        used += wide + len(GAP)
        whole += 1
    return Window(grid.top, min(grid.total, grid.top + height), tuple(parts), grid.left, whole, numbers)


def width_of(one: Field, widths: dict[str, int]) -> int:
    """Return how wide a field is: as its header with the arrow, or its widest cell so far."""
    return max(cell_len(one.label) + 1, widths.get(one.name, 0))


def ahead(window: Window, order: Sequence[Field], kept: Sequence[str], going: int, total: int) -> list[Window]:
    """Return what a person may look at next, the likeliest first: the next two pages, fields beside, a page back."""
    height, parts = window.last - window.first, window.parts

    def page(pages: int) -> Window:
        first = max(0, min(window.first + pages * height, total))
        return Window(first, max(first, min(total, first + height)), parts)

    def fields(start: int, end: int) -> Window:
        chosen = order[max(len(kept), start) : max(len(kept), end)]
        return Window(window.first, window.last, tuple(Part(one, 1) for one in chosen))

    first = len(kept) + window.left
    last = first + len(parts) - len(kept)
    right = fields(last, last + AHEAD_FIELDS)
    return [page(going), right, page(2 * going), fields(first - AHEAD_FIELDS, first), page(-going)]


class Runs:
    """Text of one line, gathered by style: few segments are drawn faster than many."""

    def __init__(self) -> None:
        self._done: list[Segment] = []
        self._text: list[str] = []
        self._style: Any = None

    def add(self, text: str, style: Any) -> None:
        """Append text."""
        if style is not self._style and self._text:
            self._done.append(Segment("".join(self._text), self._style))
            self._text = []
        self._style = style
        self._text.append(text)

    def segments(self) -> list[Segment]:
        """Return the line."""
        return [*self._done, Segment("".join(self._text), self._style)]


class Looks(Struct, frozen=True):
    """Rich styles of a line: plain, quiet, and the cell under the cursor; of the cursor's line and of the others."""

    other: tuple[Any, Any, Any]
    here: tuple[Any, Any, Any]
