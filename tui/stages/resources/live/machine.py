"""The machine as panels: cores and the past beside memory, disk and network; one panel of all on a small screen."""

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from lemnis.engine.resources import DiskUse, HostSample
from lemnis.tui.language import _
from lemnis.tui.stages.resources import lines
from lemnis.tui.stages.resources.live.brief import brief_lines
from lemnis.tui.stages.resources.live.cores import core_lines
from lemnis.tui.stages.resources.live.flows import flow_lines
from lemnis.tui.stages.resources.live.gpus import busy_now, gpu_lines
from lemnis.tui.stages.resources.live.graph import Shape
from lemnis.tui.stages.resources.live.past import SPAN_NAMES, VIEWS, View, gpu_view, past_lines
from lemnis.tui.stages.resources.live.reading import Reading
from lemnis.tui.stages.resources.pane import Filled, Lines
from lemnis.tui.widgets.panel import Panel

LEAST, MOST = 9, 26  # lines of the panels above
STALE_S = 5


class Machine(Vertical):
    """Draws readings; `view` is what is drawn of the past, on a small screen in place of the summary."""

    def __init__(self, shape: Shape, *, id: str | None = None):
        super().__init__(id=id, classes="machine")
        self.shape: Shape = shape
        self.view: View = VIEWS[0]
        self.core_lines = 2
        self.brief = True  # on a small screen: the summary, not the past
        self._drawn: tuple[Reading, list[DiskUse]] | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="machine"):
            with Panel("CPU", id="cpu"):
                yield Lines(id="cpu-line")
                yield Lines(id="cores")
                yield Filled(id="past")
            with Vertical(id="side"):
                with Panel(_("Memory"), id="memory"):
                    yield Lines(id="memory-lines")
                with Panel(_("Disk and network"), id="flows"):
                    yield Filled(id="flow-lines")
        with Panel(_("Machine"), id="brief"):
            yield Lines(id="brief-lines")
        with Panel("GPU", id="gpu"):
            yield Lines(id="gpu-lines")

    def _stand(self) -> None:
        """Take three eighths of the screen's height: the rest belongs to the tables."""
        tall = max(LEAST, min(MOST, self.app.size.height * 3 // 8))
        self.core_lines = max(2, tall // 4)
        self.query_one("#machine", Horizontal).styles.height = tall

    def show(self, reading: Reading, disk: list[DiskUse]) -> None:
        """Draw a reading; `disk` is what the parts of the workspace take, empty without one."""
        self._drawn = reading, disk
        self._stand()
        host, gpus, shape, processes = reading.host, reading.gpus, self.shape, reading.by_pid
        self._show_host(reading, disk)
        self.query_one("#gpu", Panel).set_class(not gpus.devices, "-none")
        self.query_one("#gpu-lines", Lines).show(
            lambda width: gpu_lines(gpus, processes, reading.gpu_past, width, now_ms=reading.at, shape=shape)
        )
        self._show_past(reading)
        self.query_one("#gpu", Panel).retitle("GPU", busy_now(gpus))
        self.query_one("#flows", Panel).retitle(_("Disk and network"), host.disk_device)
        self._date(reading)

    def glance(self, host: HostSample) -> None:
        """Draw what the host does by now; the rest stays as it was drawn last."""
        if self._drawn is None:
            return
        reading, disk = replace(self._drawn[0], host=host, at=host.at), self._drawn[1]
        self._drawn = reading, disk
        self._show_host(reading, disk)
        if self.brief:
            self._show_summary(reading)
        self._date(reading)

    def _show_host(self, reading: Reading, disk: list[DiskUse]) -> None:
        host, past, shape = reading.host, reading.past.values, self.shape
        self.query_one("#cpu-line", Lines).show(lambda width: [lines.cpu_line(host)])
        self.query_one("#cores", Lines).show(
            lambda width: core_lines(host.core_percents, reading.cores, width, self.core_lines, shape=shape)
        )
        none = [] if reading.gpus.devices else [lines.gpu_brief(reading.gpus)]
        self.query_one("#memory-lines", Lines).show(lambda width: [*lines.memory_lines(host, width), *none])
        self.query_one("#flow-lines", Filled).fill(
            lambda width, height: flow_lines(host, past, disk, width, height, shape=shape)
        )

    def _date(self, reading: Reading) -> None:
        for panel in ("#cpu", "#brief"):
            self.query_one(panel, Panel).dated(reading.host.at, reading.at, STALE_S)

    def turn(self) -> None:
        """Draw the next view of the past; a small screen begins and ends with the summary."""
        views = self._views()
        place = next((place for place, view in enumerate(views) if view.name == self.view.name), -1) + 1
        if self.brief and self.app.screen.has_class("-narrow"):
            self.brief = False
        else:
            self.brief = place == len(views)
            self.view = views[place % len(views)]
        if self._drawn is not None:
            self._show_past(self._drawn[0])

    def _views(self) -> list[View]:
        gpus = list(self._drawn[0].gpu_past) if self._drawn is not None else []
        return [*VIEWS, *([gpu_view(gpus)] if gpus else [])]

    def _show_past(self, reading: Reading) -> None:
        view, shape, host, past = self.view, self.shape, reading.host, reading.past_of_all
        self.query_one("#past", Filled).fill(
            lambda width, height: past_lines(view, past, reading.marks, width, height, shape=shape)
        )
        if self.brief:
            self._show_summary(reading)
        else:
            self.query_one("#brief-lines", Lines).show(
                lambda width: past_lines(view, past, reading.marks, width, 6, shape=shape)
            )
        shown = f"{_(view.name)}, {_(SPAN_NAMES[reading.wish.span])}"
        self.query_one("#cpu", Panel).retitle("CPU", f"{lines.cpu_title(host)} · {shown}")
        self.query_one("#brief", Panel).retitle(
            _("Machine"), lines.cpu_title(host) if self.brief else f"{lines.cpu_title(host)} · {shown}"
        )

    def _show_summary(self, reading: Reading) -> None:
        self.query_one("#brief-lines", Lines).show(
            lambda width: brief_lines(reading.host, reading.gpus, reading.past.values, width, shape=self.shape)
        )
