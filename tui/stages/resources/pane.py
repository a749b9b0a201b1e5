"""Panes of Resources: lines that repaint only what changed, and the chart's views and spans."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from lemnis.engine.resources import History
from lemnis.tui.widgets.cells import fitted
from lemnis.tui.widgets.chart import Series


class Lines(Widget):
    """Lines of text drawn for the width there is; of a new picture only the lines that differ are sent."""

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None):
        super().__init__(id=id, classes=classes)
        self._draw: Callable[[int], Sequence[Content]] = lambda width: ()
        self._lines: list[Content] = []

    def show(self, draw: Callable[[int], Sequence[Content]]) -> None:
        """Show what `draw` returns for a width in cells; it is asked again when the width changes."""
        self._draw = draw
        width = self.size.width
        if not width:
            return
        lines = [fitted(line, width) for line in draw(width)]
        if len(lines) != len(self._lines):
            self._lines = lines
            self.styles.height = max(1, len(lines))
            self.refresh(layout=True)
            return
        changed = [index for index, line in enumerate(lines) if not line.is_same(self._lines[index])]
        self._lines = lines
        if changed:
            self.refresh(*(Region(0, index, width, 1) for index in changed))

    def on_resize(self) -> None:
        self._lines = []
        self.show(self._draw)

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines)


@dataclass(frozen=True, slots=True)
class ChartView:
    """One choice of what the chart shows: figures of the host by name, with their legend and scale."""

    name: str
    unit: str
    figures: tuple[tuple[str, str], ...]
    divisor: float = 1.0
    whole: bool = False  # 0..100 always, so that the height means the same from one look to the next


VIEWS = (
    ChartView("use", "%", (("cpu_percent", "CPU"), ("memory_percent", "memory")), whole=True),
    ChartView(
        "waiting",
        "% of time",
        (("cpu_pressure_percent", "CPU"), ("memory_pressure_percent", "memory"), ("disk_pressure_percent", "disk")),
    ),
    ChartView("disk", "MiB/s", (("disk_read_bytes_per_s", "read"), ("disk_write_bytes_per_s", "write")), divisor=2**20),
    ChartView("network", "MiB/s", (("net_received_bytes_per_s", "in"), ("net_sent_bytes_per_s", "out")), divisor=2**20),
)
SPANS = (60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000)
SPAN_NAMES = {
    60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h", 21_600: "6 h", 86_400: "24 h", 604_800: "7 days",
    2_592_000: "30 days",
}  # fmt: skip
DEFAULT_SPAN = 900


def axis_of(seconds: int) -> tuple[float, str]:
    """Return by what ages in seconds are divided on the chart's axis, and the unit that results."""
    for size, unit, least in ((86_400, "days", 172_800), (3600, "hours", 7200), (60, "minutes", 120)):
        if seconds >= least:
            return size, unit
    return 1, "seconds"


def series_of(view: ChartView, past: History, seconds: int) -> list[Series]:
    """Return the chart's lines over minutes (or hours, days) before now; the step that is still filling is left out."""
    size, _ = axis_of(seconds)
    count = len(past.at) - 1
    ages = [-(count - 1 - index) * past.step_s / size for index in range(count)]
    lines: list[Series] = []
    for metric, name in view.figures:
        values = past.values.get(metric, [])[:count]
        lines.append(Series(name, ages, [None if value is None else value / view.divisor for value in values]))
    return lines
