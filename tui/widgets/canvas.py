"""Canvas: cells of a picture, with lines in dots of Braille, boxes and words; knows no widget and no data. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import floor

from rich.segment import Segment
from rich.style import Style

Ends = tuple[float, float, float, float]  # x and y of both, in cells
ACROSS, DOWN = 2, 4  # dots of a cell
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column of the dot, Unicode 2800
PLAIN = Style.null()


class Canvas:
    """A picture of so many cells; what lies outside is not drawn."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._letters = [[" "] * width for _ in range(height)]
        self._styles = [[PLAIN] * width for _ in range(height)]

    def put(self, x: int, y: int, letter: str, style: Style) -> None:
        """Write one cell."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self._letters[y][x], self._styles[y][x] = letter, style

    def write(self, x: int, y: int, text: str, style: Style) -> None:
        """Write words of letters one cell wide, from a cell to the right."""
        for place, letter in enumerate(text, x):
            self.put(place, y, letter, style)

    def line(self, left: int, bottom: int, points: Sequence[tuple[float, float]], style: Style) -> None:
        """Draw a line through points in dots; the cells it touches show nothing but it.

        Args:
            left: First column that may be drawn on.
            bottom: Last row that may be.
            points: Their x, from that column, and y, in cells.
            style: How the dots look.
        """
        touched: defaultdict[tuple[int, int], int] = defaultdict(int)
        for begin, end in pairwise(points):
            seen = clipped((*begin, *end), self.width - left - 1, bottom)
            if seen is not None:
                x0, y0, x1, y1 = seen
                ends = floor(x0 * ACROSS), floor(y0 * DOWN), floor(x1 * ACROSS), floor(y1 * DOWN)
                for x, y in dots_between(*ends):
                    touched[x // ACROSS, y // DOWN] |= DOTS[y % DOWN][x % ACROSS]
        for (x, y), dots in touched.items():
            self.put(left + x, y, chr(0x2800 + dots), style)

    def box(self, left: int, bottom: int, style: Style) -> None:
        """Draw a frame around all columns from `left` and all rows to `bottom`, in heavy lines."""
        right = self.width - 1
        for x in range(left + 1, right):
            self.put(x, 0, "━", style)
            self.put(x, bottom, "━", style)
        for y in range(1, bottom):
            self.put(left, y, "┃", style)
            self.put(right, y, "┃", style)
        for x, y, corner in ((left, 0, "┏"), (right, 0, "┓"), (left, bottom, "┗"), (right, bottom, "┛")):
            self.put(x, y, corner, style)

    def join(self, x: int, y: int, joints: dict[str, str], style: Style) -> None:
        """Let a line of the frame go on beyond it, by what its letter becomes."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self.put(x, y, joints.get(self._letters[y][x], self._letters[y][x]), style)

    def segments(self, y: int, base: Style) -> list[Segment]:
        """Return a row as pieces of equal style over a base."""
        found: list[Segment] = []
        text, before = "", PLAIN
        for letter, style in zip(self._letters[y], self._styles[y], strict=True):
            if style is not before and text:
                found.append(Segment(text, base + before))
                text = ""
            text, before = text + letter, style
        return [*found, Segment(text, base + before)]


def clipped(ends: Ends, right: float, bottom: float) -> Ends | None:
    """Return the part of a line between 0 and the right and bottom ends, None if it has none (Liang and Barsky)."""
    x, y, x1, y1 = ends
    across, down = x1 - x, y1 - y
    first, last = 0.0, 1.0
    for step, room in ((-across, x), (across, right - x), (-down, y), (down, bottom - y)):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            first = max(first, room / step)
        else:
            last = min(last, room / step)
    if first > last:
        return None
    start = (x, y) if first == 0 else (x + first * across, y + first * down)
    stop = (x1, y1) if last == 1 else (x + last * across, y + last * down)
    return (*start, *stop)


def dots_between(x: int, y: int, x1: int, y1: int) -> Iterator[tuple[int, int]]:
    """Yield the dots of a line, both ends included (Bresenham)."""
    across, down = abs(x1 - x), -abs(y1 - y)
    right, below = 1 if x < x1 else -1, 1 if y < y1 else -1
    error = across + down
    while True:
        yield x, y
        if x == x1 and y == y1:
            return
        twice = 2 * error
        if twice >= down:
            error += down
            x += right
        if twice <= across:
            error += across
            y += below
