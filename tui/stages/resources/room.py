"""The Resources room: the machine live, the pool and its queue, the processes and whom they work for."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from lemnis.engine import Engine
from lemnis.engine.resources import DiskUse, GpuReport, History, HostSample, PoolState, Process, ProcessTable
from lemnis.tui.actions import bindings
from lemnis.tui.messages import StageWanted
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.resources import lines, rows
from lemnis.tui.stages.resources.pane import (
    DEFAULT_SPAN,
    SPAN_NAMES,
    SPANS,
    VIEWS,
    ChartView,
    Lines,
    axis_of,
    series_of,
)
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets.cells import Col, Row
from lemnis.tui.widgets.chart import Chart
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table

POINTS = 180  # steps of the chart
FIGURES = [name for view in VIEWS for name, _ in view.figures]
CORE_LINES = 4
STALE_S = 5


@dataclass(frozen=True, slots=True)
class ResourcesView:
    """Everything the tab shows, read at one moment."""

    at: int
    host: HostSample
    gpus: GpuReport
    pool: PoolState
    processes: ProcessTable
    past: History
    disk: list[DiskUse]
    span: int


class ResourcesStage(Stage[ResourcesView]):
    """The machine, who holds it and who waits for it."""

    BINDINGS = bindings("resources")
    topics = frozenset({"jobs"})
    live_seconds = 1.0

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.span: int = DEFAULT_SPAN
        self.chart_view: ChartView = VIEWS[0]
        self._view: ResourcesView | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="machine"):
            with Panel("CPU", id="cpu"):
                yield Lines(id="cores")
                yield Lines(id="cpu-line")
                yield Chart(
                    id="past", empty="The history begins with the engine: its sampler keeps one point a second."
                )
            with Vertical(id="side"):
                with Panel("Memory", id="memory"):
                    yield Lines(id="memory-lines")
                with Panel("Disk and network", id="flows"):
                    yield Lines(id="flow-lines")
        with Panel("Machine", id="brief"):
            yield Lines(id="brief-lines")
        with Panel("GPU", id="gpu"):
            yield Lines(id="gpu-lines")
        with Panel("Pool", id="pool"):
            yield Table(*rows.POOL_COLUMNS, id="jobs", empty="Nothing runs or waits. Start something in Experiments.")
        with Panel("Processes", id="process-panel"):
            reading = "Reading the process table …" if self.engine.at is None else "Which processes ran is not kept."
            yield Table(*rows.PROCESS_COLUMNS, id="processes", empty=reading)

    def load(self) -> ResourcesView:
        room, span = self.engine.resources, self.span
        processes = room.processes()
        return ResourcesView(
            at=self.engine.now_ms(),
            host=room.host(),
            gpus=room.gpus(),
            pool=room.pool(processes),
            processes=processes,
            past=room.histories("host", FIGURES, span, POINTS),
            disk=room.disk(),
            span=span,
        )

    def show(self, view: ResourcesView) -> None:
        self._view = view
        self._show_machine(view)
        self._show_chart(view)
        gpus, at = view.gpus, view.at
        owners = {process.pid: process.owner for process in view.processes.rows if process.owner}
        self.query_one("#gpu-lines", Lines).show(lambda width: lines.gpu_lines(gpus, owners, width, at))
        self.query_one("#gpu", Panel).retitle("GPU", f"driver {gpus.driver}" if gpus.driver else "")
        jobs = rows.pool_rows(view.pool, view.at)
        pool = self.query_one("#pool", Panel)
        pool.retitle("Pool", rows.pool_title(view.pool))
        pool.styles.height = min(9, len(jobs) + 3 if jobs else 5)
        processes = view.processes
        self._show_table("#jobs", rows.POOL_COLUMNS, jobs, rows.NARROW_POOL)
        self._say_why()
        found = [rows.process_row(process, processes.at) for process in processes.rows]
        self._show_table("#processes", rows.PROCESS_COLUMNS, found, rows.NARROW_PROCESSES)
        panel = self.query_one("#process-panel", Panel)
        panel.retitle("Processes", rows.processes_title(processes))
        panel.dated(processes.at, view.at, STALE_S)

    def _show_machine(self, view: ResourcesView) -> None:
        host, gpus, past, disk = view.host, view.gpus, view.past.values, view.disk
        self.query_one("#cores", Lines).show(lambda width: lines.core_lines(host.core_percents, width, CORE_LINES))
        self.query_one("#cpu-line", Lines).show(lambda width: [lines.cpu_line(host)])
        self.query_one("#memory-lines", Lines).show(lambda width: lines.memory_lines(host, width))
        self.query_one("#flow-lines", Lines).show(lambda width: lines.flow_lines(host, past, disk, width))
        self.query_one("#brief-lines", Lines).show(lambda width: lines.brief_lines(host, gpus, past, width))
        self.query_one("#brief", Panel).retitle("Machine", lines.cpu_title(host))
        for panel in ("#cpu", "#brief"):
            self.query_one(panel, Panel).dated(host.at, view.at, STALE_S)
        self.query_one("#flows", Panel).retitle("Disk and network", host.disk_device)

    def _show_table(self, name: str, columns: Sequence[Col], found: list[Row], narrow: frozenset[str]) -> None:
        """Show rows with the columns that there is room for."""
        table = self.query_one(name, Table)
        if self.app.screen.has_class("-narrow"):
            columns, found = rows.only(columns, found, narrow)
        table.set_columns(columns)
        table.show(found)

    @on(Table.Moved, "#jobs")
    def _say_why(self) -> None:
        """On a narrow screen, where its column is cut, say in the border why the job under the cursor waits."""
        waiting = self._view.pool.waiting if self._view is not None else []
        if not waiting or not self.app.screen.has_class("-narrow"):
            self.query_one("#pool", Panel).footnote("")
            return
        key = self.query_one("#jobs", Table).key
        why = next((job.why for job in waiting if str(job.job_id) == key), waiting[0].why)
        self.query_one("#pool", Panel).footnote(why)

    def _show_chart(self, view: ResourcesView) -> None:
        if view.span != self.span:
            return  # read before the person chose another span; the next view is on its way
        chart = self.query_one("#past", Chart)
        size, unit = axis_of(self.span)
        if (chart.x_label, chart.y_label) != (f"{unit} ago", self.chart_view.unit):
            chart.relabel(x=f"{unit} ago", y=self.chart_view.unit)
        chart.x_bounds = (-self.span / size, 0.0)
        chart.bounds = (0.0, 100.0) if self.chart_view.whole else None
        chart.show(series_of(self.chart_view, view.past, view.span))
        self.query_one("#cpu", Panel).retitle(
            "CPU", f"{lines.cpu_title(view.host)} · {self.chart_view.name}, {SPAN_NAMES[self.span]}"
        )

    # Keys.

    def action_zoom_in(self) -> None:
        """Look at a shorter time."""
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        """Look at a longer time."""
        self._zoom(+1)

    def _zoom(self, step: int) -> None:
        place = SPANS.index(self.span) + step
        if 0 <= place < len(SPANS):
            self.span = SPANS[place]
            self.reload()

    def action_chart(self) -> None:
        """Draw the next group of figures."""
        self.chart_view = VIEWS[(VIEWS.index(self.chart_view) + 1) % len(VIEWS)]
        if self._view is not None:
            self._show_chart(self._view)

    def action_stop(self) -> None:
        """Ask, then stop the job under the cursor, or the one that the process under the cursor works for."""
        job_id = self._job_id()
        if job_id is None:
            self.toast("Nothing of this workspace's jobs is under the cursor.", warn=True)
            return
        self.ask(
            f"Stop job {job_id}?",
            lost="what it did since its last checkpoint",
            word="stop",
            then=lambda: self.perform(self.engine.jobs.cancel, job_id, done=f"Job {job_id} was asked to stop."),
        )

    @on(Table.Opened)
    def open_run(self, message: Table.Opened) -> None:
        """Go to the run that a job trains."""
        message.stop()
        run_id = self._run_id(message.table)
        if run_id is not None:
            self.post_message(StageWanted("experiments", str(run_id)))
        else:
            self.toast("No run belongs to this row.")

    def explain(self) -> tuple[str, str] | None:
        if self._focused_table() == "jobs":
            return "The pool", POOL_TEXT
        return "What is shown here", MACHINE_TEXT

    def _focused_table(self) -> str:
        return "jobs" if self.query_one("#jobs", Table).has_focus else "processes"

    def _process(self) -> Process | None:
        key = self.query_one("#processes", Table).key
        found = self._view.processes.rows if self._view is not None else []
        return next((process for process in found if rows.process_key(process) == key), None)

    def _job_id(self) -> int | None:
        if self._focused_table() == "jobs":
            key = self.query_one("#jobs", Table).key
            return int(key) if key else None
        process = self._process()
        return process.job_id if process is not None else None

    def _run_id(self, table: Table) -> int | None:
        if table.id == "processes":
            process = self._process()
            return process.run_id if process is not None else None
        jobs = [*self._view.pool.holding, *self._view.pool.waiting] if self._view is not None else []
        return next((job.run_id for job in jobs if str(job.job_id) == table.key), None)


POOL_TEXT = (
    "What jobs hold is promised to them while they live: cores, memory and a share of the GPUs; 'used' is what their "
    "processes take at this moment. The pool is [pool] in lemnis.toml, within what this machine or container gives.\n\n"
    "Waiting jobs start by priority, then by age. The first that doesn't fit reserves: one behind it may fill the gap "
    "only if it would never delay it. 'why' says what is missing and who holds it. Commands: lemnis resources pools, "
    "lemnis jobs list."
)
MACHINE_TEXT = (
    "CPU % of a process is of one core: 200 is two cores busy. Memory of a process is what is resident; memory of the "
    "machine is what can't be dropped; inside a container its own bound counts.\n\n"
    "'waiting' is the share of the last ten seconds in which at least one task waited for CPU, memory or disk (PSI). "
    "GPU 'busy' is NVML's: the share of time with at least one kernel running, not how full the GPU is.\n\n"
    "The history has a point a second for 30 minutes, then means of 10 s (6 h), 1 min (2 days) and 10 min (30 days)."
)
