"""The Resources room: the machine live, the pool and its queue, the processes and whom they work for."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from lemnis.engine import Engine, LemnisError
from lemnis.engine.resources import DiskUse, PoolState, Process, ProcessTable
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.language import _
from lemnis.tui.messages import StageWanted
from lemnis.tui.sentences import told
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.resources import rows
from lemnis.tui.stages.resources.explained import CELLS
from lemnis.tui.stages.resources.live.busiest import Busiest
from lemnis.tui.stages.resources.live.glance import Glance
from lemnis.tui.stages.resources.live.machine import Machine
from lemnis.tui.stages.resources.live.past import DEFAULT_SPAN, SPANS, VIEWS
from lemnis.tui.stages.resources.live.reading import Reading, Source, read
from lemnis.tui.stages.resources.live.watching import Watching, send_all
from lemnis.tui.stages.resources.pane import terminal_shape
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets.cells import Col, Row
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table


class ResourcesView(Struct, frozen=True):
    """Everything the tab shows, read at one moment."""

    at: int
    reading: Reading
    pool: PoolState
    disk: list[DiskUse]


class ResourcesStage(Watching, Stage[ResourcesView]):
    """The machine, who holds it and who waits for it."""

    BINDINGS = bindings("resources")
    cells = CELLS
    topics = frozenset({"jobs"})
    live_seconds = 1.0
    filter_hint = "python and memory > 500 or cpu > 50"

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self._view: ResourcesView | None = None
        self._glance = Glance(self, self.source, self.glanced)

    def compose(self) -> ComposeResult:
        yield Machine(terminal_shape(), id="live")
        with Panel(_("Pool"), id="pool"):
            yield Table(
                *rows.POOL_COLUMNS,
                id="jobs",
                empty=_("Nothing runs or waits. Start something in Experiments ({app.go_experiments})."),
            )
        reading = _("Reading the process table …") if self.engine.at is None else _("Which processes ran is not kept.")
        yield Busiest(empty=reading, id="process-panel")

    def load(self) -> ResourcesView:
        room = self.engine.resources
        reading = read(room, self.wish)
        return ResourcesView(self.engine.now_ms(), reading, room.pool(reading.known), room.disk())

    def reload(self) -> bool:
        return self.paused_at is None and super().reload()

    def show(self, view: ResourcesView) -> None:
        self._view = view
        if view.reading.wish != self.wish:
            return  # read before the person wanted something else; the next view is on its way
        self.reading = view.reading
        self.machine().show(view.reading, view.disk)
        jobs = rows.pool_rows(view.pool, view.at)
        pool = self.query_one("#pool", Panel)
        pool.retitle(_("Pool"), rows.pool_title(view.pool))
        pool.styles.height = min(9, len(jobs) + 3 if jobs else 4)
        self._show_table("#jobs", rows.POOL_COLUMNS, jobs, rows.NARROW_POOL)
        self._say_why()
        self.busiest().show(view.reading, view.at)
        if self.engine.at is None and self.paused_at is None:
            self._glance.soon()

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
            self.query_one("#pool", Panel).footnote(_("P: shares, estimates, dry runs"))
            return
        key = self.query_one("#jobs", Table).key
        why = next((told(job.why) for job in waiting if str(job.job_id) == key), told(waiting[0].why))
        self.query_one("#pool", Panel).footnote(why)

    # What the live panels ask of the tab.

    def source(self) -> Source:
        return self.engine.resources

    def machine(self) -> Machine:
        return self.query_one(Machine)

    def busiest(self) -> Busiest:
        return self.query_one(Busiest)

    def look_again(self) -> None:
        super().reload()

    def tell(self, message: str, *, warn: bool = False) -> None:
        self.toast(message, warn=warn)

    def open_screen(self, screen: Any, then: Callable[[str | None], None]) -> None:  # Any: any screen that answers so
        self.app.push_screen(screen, then)

    def send(self, processes: list[Process], name: str) -> None:
        self.perform(send_all, self.source(), processes, name, done=str)

    def filter(self, query: str) -> None:
        self.source().matching(ProcessTable(at=0), query)  # says what is wrong before anything changes
        self.wish = replace(self.wish, query=query)
        self.query_text = query
        self.look_again()

    def preview(self, query: str, tell: Callable[[str], None]) -> None:
        known = self.reading.known if self.reading is not None else ProcessTable(at=0)
        try:
            found = self.source().matching(known, query)
        except LemnisError:
            tell("")
        else:
            tell(_("{rows:,} of {rows2:,} processes").format(rows=len(found.rows), rows2=len(known.rows)))

    def back(self) -> bool:
        if self.wish.own and not self.query_text:
            self.action_own()
            return True
        return super().back()

    # Keys.

    def action_pool(self) -> None:
        """Show the pool on a screen of its own, at the job under the cursor."""
        from lemnis.tui.stages.resources.pool.screen import PoolScreen

        chosen = self.query_one("#jobs", Table).key or ""
        self.app.push_screen(PoolScreen(self.engine, chosen), self._go_to_run)

    def action_nodes(self) -> None:
        """Show this machine and the workers of the cluster."""
        from lemnis.tui.screens.nodes import NodesScreen

        self.app.push_screen(NodesScreen(self.engine))

    def action_usage(self) -> None:
        """Show what was held, used and paid for."""
        from lemnis.tui.screens.usage import UsageScreen

        self.app.push_screen(UsageScreen(self.engine))

    def action_stop(self) -> None:
        """Ask, then stop the job under the cursor, or the one that the process under the cursor works for."""
        job_id = self._job_id()
        if job_id is None:
            if self._focused_table() == "processes":
                self.action_signal()
            else:
                self.toast(_("No job is under the cursor."), warn=True)
            return
        self.ask(
            _("Stop job {job_id}?").format(job_id=job_id),
            lost=_("what it did since its last checkpoint"),
            word=_("stop"),
            then=lambda: self.perform(
                self.engine.jobs.cancel, job_id, done=_("Job {job_id} was asked to stop.").format(job_id=job_id)
            ),
        )

    @on(Table.Opened, "#jobs")
    def open_run(self, message: Table.Opened) -> None:
        """Go to the run that a job trains."""
        message.stop()
        view = self._view
        jobs = [*view.pool.holding, *view.pool.waiting] if view is not None else []
        run_id = next((job.run_id for job in jobs if str(job.job_id) == message.key), None)
        if run_id is not None:
            self._go_to_run(str(run_id))
        else:
            self.toast(_("No run belongs to this row."))

    @on(Table.Opened, "#processes")
    def open_process(self, message: Table.Opened) -> None:
        """Look at one process over time."""
        message.stop()
        self.look_at(self.busiest().process, self._go_to_run)

    def _go_to_run(self, run_id: str | None) -> None:
        if run_id:
            self.post_message(StageWanted("experiments", run_id))

    def address(self) -> Address:
        jobs = self.query_one("#jobs", Table)
        if jobs.has_focus and jobs.key:
            return address("job", jobs.key)
        span, chart = self.wish.span, self.machine().view.name
        return address(
            "resources",
            q=self.query_text,
            span="" if span == DEFAULT_SPAN else span,
            chart="" if chart == VIEWS[0].name else chart,
        )

    def visit(self, place: Address) -> None:
        if place.kind == "job":
            gone = _("Job {thing} neither runs nor waits: see `lemnis jobs show {thing}`.").format(thing=place.thing)
            self.point("jobs", place.thing, gone)
            return
        self.wish = replace(
            self.wish, span=next((span for span in SPANS if str(span) == place.option("span")), DEFAULT_SPAN)
        )
        self.machine().view = next((view for view in VIEWS if view.name == place.option("chart")), VIEWS[0])
        self.filter(place.option("q"))
        self.point("processes", "")

    def explain(self) -> tuple[str, str] | None:
        if self._focused_table() == "jobs":
            return _("The pool"), POOL_TEXT
        return _("What is shown here"), MACHINE_TEXT

    def _focused_table(self) -> str:
        return "jobs" if self.query_one("#jobs", Table).has_focus else "processes"

    def _job_id(self) -> int | None:
        if self._focused_table() == "jobs":
            key = self.query_one("#jobs", Table).key
            return int(key) if key else None
        process = self.busiest().process
        return process.job_id if process is not None else None


POOL_TEXT = (
    "What jobs hold is promised to them while they live: cores, memory and a share of the GPUs; 'used' is what their "
    "processes take at this moment. The pool is [pool] in lemnis.toml, within what this machine or container gives.\n\n"
    "[pool.quotas.NAME] promises a project or user cores, memory and GPUs; what one holds beyond that is borrowed and "
    "is taken back at the next checkpoint when it is asked for. What is guaranteed goes first, then the points: "
    "priority, one for ten minutes of waiting, less up to 30 for what was used of late (half counts after [pool] "
    "half_life). The first that doesn't fit reserves: one behind it may fill the gap only if it would never delay it. "
    "{resources.pool} shows shares, estimates and dry runs. Commands: lemnis resources pools, lemnis jobs priority."
)
MACHINE_TEXT = (
    "CPU % of a process is of one core: 200 is two cores busy. Memory of a process is what is resident; memory of the "
    "machine is what can't be dropped; inside a container its own bound counts.\n\n"
    "'waiting' is the share of the last ten seconds in which at least one task waited for CPU, memory or disk (PSI). "
    "GPU 'busy' is NVML's: the share of time with at least one kernel running, not how full the GPU is; 'SM' is the "
    "share of its multiprocessors' time that had work, where the driver counts that (Hopper and later).\n\n"
    "The history has a point a second for 30 minutes, then means of 10 s (6 h), 1 min (2 days) and 10 min (30 days); "
    "what was not measured is blank. On its axis ▶ is where a job started, the sign of its state where it ended.\n\n"
    "Processes: {table.open} shows one over time, {resources.tree} makes a tree, {app.filter} takes a query over pid, "
    "user, name, command, state, threads, nice, cpu (%), memory and gpu (MiB), time (s), age, owner, run, job and "
    "service."
)
