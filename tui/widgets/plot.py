"""Plot: lines and points in a frame with round numbers at two of its sides; what a chart draws in."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import ceil, floor, log10

from msgspec import Struct
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from lemnis.tui.widgets.canvas import Canvas

LEFT, BELOW = 8, 1  # cells for the numbers
STEPS = (1.0, 2.0, 5.0, 10.0)
MOST = 8  # numbers of an axis
OUT_UP = {"━": "┻", "┏": "┣", "┓": "┫"}
OUT_DOWN = {"━": "┳", "┗": "┣", "┛": "┫"}
OUT_LEFT = {"┃": "┫", "┏": "┳", "┗": "┻", "┣": "╋"}
OUT_RIGHT = {"┃": "┣", "┓": "┳", "┛": "┻", "┫": "╋"}
Ticks = Sequence[tuple[float, str]]


class Mark(Struct, frozen=True):
    """What is drawn of one line: its points, in its colour, joined or each as a dot."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dots: bool = False


class Axis(Struct, frozen=True):
    """The ends of an axis, and what stands at it where so many cells are free."""

    low: float
    high: float
    ticks: Callable[[float, float, int], Ticks]


def round_ticks(low: float, high: float, cells: int = 0) -> Ticks:
    """Return about five round numbers between two ends, with the decimals they need."""
    spacing = (high - low) / 5
    power = 10 ** floor(log10(spacing))
    place = bisect_left(STEPS, spacing / power)
    step = STEPS[max(0, place - 1)] * power
    if (high - low) // step > MOST:
        step = STEPS[place] * power
    first = ceil(low / step) * step
    values = [first + number * step for number in range(max(0, ceil((high + step / 2 - first) / step)))]
    decimals = -min(0, floor(log10(values[1] - values[0]))) if len(values) > 1 else 0
    return [(value, f"{value:.{decimals}f}") for value in values]


class Plot(Widget, can_focus=False):
    """A frame with lines in it, drawn anew when it is shown something else or has another size."""

    COMPONENT_CLASSES = {"plot--axis", "plot--tick"}

    def __init__(self) -> None:
        super().__init__()
        self._marks: Sequence[Mark] = ()
        self._x = self._y = Axis(0.0, 1.0, round_ticks)
        self._canvas: Canvas | None = None
        self._base = Style.null()

    def show(self, marks: Sequence[Mark], x: Axis, y: Axis) -> None:
        """Show lines over two axes; of several in one cell the last is seen."""
        self._marks, self._x, self._y = marks, spread(x), spread(y)
        self._canvas = None
        self.refresh()

    def notify_style_update(self) -> None:
        self._canvas = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        canvas = self._canvas
        if canvas is None or (canvas.width, canvas.height) != (width, height):
            self._base = self.rich_style
            canvas = self._canvas = self._drawn(width, height)
        return Strip(canvas.segments(y, self._base), width) if y < height else Strip.blank(width, self._base)

    def _drawn(self, width: int, height: int) -> Canvas:
        canvas, bottom = Canvas(width, height), height - BELOW - 1
        inside = Place(self._x, self._y, width - LEFT - 2, bottom - 1)
        if inside.width < 1 or inside.height < 1:
            return canvas
        for mark in self._marks:
            style = Style.parse(mark.colour)
            points = list(zip(mark.x, mark.y, strict=True))
            if mark.dots:
                for x, y in [(inside.column(x), inside.row(y)) for x, y in points]:
                    if x > 0 and y < bottom:
                        canvas.put(LEFT + x, y, "●", style)
            else:
                canvas.line(LEFT, bottom, [inside.exact(*point) for point in points], style)
        axis = self.get_component_rich_style("plot--axis")
        canvas.box(LEFT, bottom, axis)
        self._numbers(canvas, inside, bottom)
        return canvas

    def _numbers(self, canvas: Canvas, inside: "Place", bottom: int) -> None:
        axis, words = self.get_component_rich_style("plot--axis"), self.get_component_rich_style("plot--tick")
        for value, text in self._x.ticks(self._x.low, self._x.high, inside.width + 2):
            if self._x.low <= value <= self._x.high:
                x = LEFT + inside.column(value) - (value == self._x.low)
                canvas.join(x, 0, OUT_UP, axis)
                canvas.join(x, bottom, OUT_DOWN, axis)
                ahead = len(text) - 1 if value == self._x.high else (len(text) - 1) // 2
                canvas.write(x - ahead, bottom + 1, text, words)
        for value, text in self._y.ticks(self._y.low, self._y.high, bottom + 1):
            if self._y.low <= value <= self._y.high:
                y = inside.row(value) + (value == self._y.low)
                canvas.join(LEFT, y, OUT_LEFT, axis)
                canvas.join(canvas.width - 1, y, OUT_RIGHT, axis)
                text = text[: LEFT - 1]
                canvas.write(LEFT - 1 - len(text), y, text, words)


class Place(Struct, frozen=True):
    """Where values stand inside a frame of so many cells, from the frame's upper left corner."""

    x: Axis
    y: Axis
    width: int
    height: int

    def exact(self, x: float, y: float) -> tuple[float, float]:
        """Return the place of a point in cells."""
        across = 1 + (x - self.x.low) * self.width / (self.x.high - self.x.low)
        return across, self.height + 1 + (y - self.y.low) * -self.height / (self.y.high - self.y.low)

    def column(self, x: float) -> int:
        return floor(1 + (x - self.x.low) * self.width / (self.x.high - self.x.low))

    def row(self, y: float) -> int:
        return ceil(self.height + (y - self.y.low) * -self.height / (self.y.high - self.y.low))


def spread(axis: Axis) -> Axis:
    """Return an axis whose ends differ."""
    return axis if axis.low != axis.high else Axis(axis.low - 1e-6, axis.high + 1e-6, axis.ticks)
