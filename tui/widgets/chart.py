"""Chart: lines over one axis by textual-plot, with a legend in words; NumPy is imported when the first one has data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import N_, _
from lemnis.tui.widgets.text import Words

if TYPE_CHECKING:
    from textual_plot import AxisFormatter, HiResMode, PlotWidget

    from lemnis.tui.widgets.plot import Plot

COLOURS = ("#4cc2d9", "#e0a458", "#a98be0", "#7fc77f", "#e07a8b", "#9aa7b5", "#d9d05f", "#5f8fd9")
EDGE = 1e-6  # share of the axis beyond the largest x: a point exactly at the axis' end is outside the last cell
SIGNS = ("━", "╍", "┅", "┉", "╌", "┄", "┈", "─")


@dataclass(frozen=True, slots=True)
class Series:
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
        self._plot: Plot | None = None

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

    def ready(self) -> None:
        """Make what draws the lines ahead of them: that takes an import."""
        self.call_later(self._make_unseen)

    async def _make_unseen(self) -> None:
        if self._plot is None:
            (await self._make_plot()).display = False

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
            if self._plot is not None and self._plot.children:
                self._plot.clear()
                self._plot.display = False
            return
        plot = self._plot or await self._make_plot()
        if not plot.children:
            return  # the console is being left
        plot.display = True
        plot.clear()
        low, high = self.x_bounds or limits([value for line in lines for value in line.x], 0.0)
        for level in [one[0] for one in self._levels]:
            plot.plot([low, high], [scaled(level, self.logarithmic)] * 2, line_style="#8a8f98", hires_mode=hires())
        for colour, line in zip(COLOURS, lines, strict=False):
            values = [value for value in line.y if value is not None]
            if line.points or len(values) == 1:
                plot.scatter(line.x, values, marker="●", marker_style=colour)
            else:
                plot.plot(line.x, values, line_style=colour, hires_mode=hires())
        everything = [value for line in lines for value in line.y if value is not None]
        levels_drawn = [scaled(level, self.logarithmic) for level, _ in self._levels]
        bottom, top = self.bounds or limits([*everything, *levels_drawn], 0.06)
        if self.read_x is not None:
            plot.plot([self.read_x] * 2, [bottom, top], line_style="#8a8f98", hires_mode=hires())
        plot.set_x_formatter(named_axis(self.places, plot) if self.places else numbered_axis())
        plot.set_xlimits(low, high + EDGE * (high - low))
        plot.set_ylimits(bottom, top)
        plot.paint()

    async def _make_plot(self) -> "Plot":
        from lemnis.tui.widgets.plot import Plot

        self._plot = Plot()
        self._plot.can_focus = False
        await self.mount(self._plot)
        self._plot.margin_left, self._plot.margin_bottom, self._plot.margin_top = 8, 1, 0
        return self._plot

    def _legend(self, lines: Sequence[Series]) -> Content:
        scale = " (log10)" if self.logarithmic else ""
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


def hires() -> "HiResMode":
    """Return the finest dots that every UTF-8 terminal has: braille."""
    from textual_plot import HiResMode

    return HiResMode.BRAILLE


def numbered_axis() -> "AxisFormatter":
    """Return an axis with round numbers."""
    from textual_plot import NumericAxisFormatter

    return NumericAxisFormatter()


def named_axis(names: Sequence[str], plot: "PlotWidget") -> "AxisFormatter":
    """Return an axis whose places 1, 2, 3 … have names: the last one, and of those before it as many as fit."""
    from textual_plot import AxisFormatter

    class Named(AxisFormatter):
        """The plot asks again whenever it has another size."""

        def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
            step = every(names, plot.size.width - plot.margin_left)
            places = [float(place) for place in range(len(names), 0, -step) if min_ <= place <= max_]
            if places and max_ - places[0] < EDGE * len(names) * 2:
                places[0] = max_  # so that its name ends at the edge, where the half of it would not be seen
            return places[::-1]

        def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
            return [names[round(tick) - 1] for tick in ticks]

    return Named()


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
