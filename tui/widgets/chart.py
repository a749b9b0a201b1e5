"""Chart: lines over one axis, with a legend in words."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import N_, _
from lemnis.tui.widgets.plot import Axis, Mark, Plot, Ticks, round_ticks
from lemnis.tui.widgets.text import Words

COLOURS = ("#4cc2d9", "#e0a458", "#a98be0", "#7fc77f", "#e07a8b", "#9aa7b5", "#d9d05f", "#5f8fd9")
FAINT = "#8a8f98"  # of levels and of the line that values are read off at
EDGE = 1e-6  # share of the axis beyond the largest x: a point exactly at the axis' end is outside the last cell


class Series(Struct, frozen=True):
    """One line of a chart: `x` and `y` of equal length; None in `y` is a gap."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    points: bool = False  # draw dots instead of a line
    words: str = ""  # what the legend says of it; its last value if empty


class Chart(Vertical):
    """Lines over one axis. It takes no focus: tables beside it keep the keys."""

    def __init__(
        self,
        *,
        x: str = "",
        y: str = "",
        id: str | None = None,
        empty: str = N_("No points yet."),
        logarithmic: bool = False,
    ):
        """Make a chart.

        Args:
            x: What the horizontal axis is, with its unit; shown in the legend line.
            y: What the vertical axis is, with its unit.
            id: Widget id.
            empty: What is said while there is no point.
            logarithmic: Draw log10 of y; values that are not positive are left out.
        """
        super().__init__(id=id, classes="chart")
        self.x_label, self.y_label, self.empty, self.logarithmic = x, y, empty, logarithmic
        self.bounds: tuple[float, float] | None = None  # the ends of the y axis where they must not move
        self.x_bounds: tuple[float, float] | None = None
        self.read_x: float | None = None  # where a vertical line stands, to read values off
        self.places: Sequence[str] = ()  # names of the places 1, 2, 3 … of the x axis; numbers where there are none
        self.value_text: Callable[[float | None], str] = number  # how the legend writes a value
        self._series: list[Series] = []
        self._levels: list[tuple[float, str]] = []
        self._shown = False  # once, so that having no point is said too
        self._plot: Plot | None = None  # made with the first points

    def compose(self) -> ComposeResult:
        yield Words(classes="legend")

    @property
    def series(self) -> Sequence[Series]:
        """The lines that are shown."""
        return self._series

    def show(self, series: Sequence[Series], *, levels: Sequence[tuple[float, str]] = ()) -> None:
        """Show lines; nothing is drawn again if they are the same.

        Args:
            series: Up to eight lines.
            levels: Horizontal lines, e.g. thresholds: value and name.
        """
        if self._shown and list(series) == self._series and list(levels) == self._levels:
            return
        self._shown = True
        self._series, self._levels = list(series), list(levels)
        self.call_later(self._draw)

    def relabel(self, *, x: str | None = None, y: str | None = None, logarithmic: bool | None = None) -> None:
        """Change what the axes are; the lines are drawn again."""
        self.x_label = self.x_label if x is None else x
        self.y_label = self.y_label if y is None else y
        self.logarithmic = self.logarithmic if logarithmic is None else logarithmic
        self.call_later(self._draw)

    async def _draw(self) -> None:
        lines = [cleaned for one in self._series[: len(COLOURS)] if (cleaned := known_points(one, self.logarithmic)).x]
        for legend in self.query(".legend").results(Words):
            legend.say(self._legend(lines) if lines else Content.styled(f" {_(self.empty)}", "$muted"))
        if not lines:
            if self._plot is not None:
                self._plot.display = False
            return
        plot = self._plot
        if plot is None:
            plot = self._plot = Plot()
            await self.mount(plot)
        plot.display = True
        low, high = self.x_bounds or limits([value for line in lines for value in line.x], 0.0)
        levels = [scaled(level, self.logarithmic) for level, _ in self._levels]
        everything = [value for line in lines for value in line.y if value is not None]
        bottom, top = self.bounds or limits([*everything, *levels], 0.06)
        marks = [Mark([low, high], [level] * 2, FAINT) for level in levels]
        for colour, line in zip(COLOURS, lines, strict=False):
            values = [value for value in line.y if value is not None]
            marks.append(Mark(line.x, values, colour, dots=line.points or len(values) == 1))
        if self.read_x is not None:
            marks.append(Mark([self.read_x] * 2, [bottom, top], FAINT))
        ticks = named_ticks(self.places) if self.places else round_ticks
        plot.show(marks, Axis(low, high + EDGE * (high - low), ticks), Axis(bottom, top, round_ticks))

    def _legend(self, lines: Sequence[Series]) -> Content:
        scale = f" {_('(log10)')}" if self.logarithmic else ""
        parts: list[Content | tuple[str, str]] = [(f" {self.y_label}{scale}  ", "$muted")]
        for colour, line in zip(COLOURS, lines, strict=False):
            last = next((value for value in reversed(line.y) if value is not None), None)
            last = 10**last if self.logarithmic and last is not None else last
            parts += [
                ("━ ", colour),
                Content(safe(line.name, limit=30)),
                (f" {safe(line.words) or self.value_text(last)}   ", "$muted"),
            ]
        parts += [(f"┄ {safe(name)} {self.value_text(level)}   ", "$muted") for level, name in self._levels]
        if self.x_label:
            parts.append((f"→ {self.x_label}", "$muted"))
        return Content.assemble(*parts)


def named_ticks(names: Sequence[str]) -> Callable[[float, float, int], Ticks]:
    """Return an axis whose places 1, 2, 3 … have names: the last one, and of those before it as many as fit."""

    def ticks(low: float, high: float, cells: int) -> Ticks:
        places = [float(place) for place in range(len(names), 0, -every(names, cells)) if low <= place <= high]
        told = [names[round(place) - 1] for place in places]
        if places and high - places[0] < EDGE * len(names) * 2:
            places[0] = high  # so that its name ends at the edge, where the half of it would not be seen
        return list(zip(places, told, strict=True))[::-1]

    return ticks


def every(names: Sequence[str], cells: int) -> int:
    """Return which of equally spaced names can stand in so many cells: 1 for each, 2 for every second, and so on."""
    room = max(1, cells // (max(map(len, names)) + 2))
    return max(1, -(-len(names) // room))


def scaled(value: float, log: bool) -> float:
    """Return the height a value is drawn at."""
    from math import log10

    return log10(value) if log and value > 0 else value


def known_points(series: Series, log: bool) -> Series:
    """Return the points that can be drawn: those with a value and, on a log axis, a positive one."""
    pairs = [
        (x, scaled(y, log)) for x, y in zip(series.x, series.y, strict=False) if y is not None and (y > 0 or not log)
    ]
    return Series(series.name, [x for x, _ in pairs], [y for _, y in pairs], series.points, series.words)


def limits(values: Sequence[float], margin: float) -> tuple[float, float]:
    """Return the ends of an axis that shows all values with a margin (share of the span) at both ends."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    if high == low:
        return low - span / 2, high + span / 2
    return low - margin * span, high + margin * span
