"""The Experiments room: the runs, the curve of the one under the cursor, and starting, comparing and stopping them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import NotFound
from lemnis.engine.experiments import Run
from lemnis.engine.text import safe
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.experiments import facts, rows
from lemnis.tui.stages.experiments.acts import ExperimentsView
from lemnis.tui.stages.experiments.grouped import explained, grouped_of, show_lines
from lemnis.tui.stages.experiments.listing import FIRST, KEY, all_of, first_of, part_of
from lemnis.tui.stages.experiments.pane import CurveLine, CurvePanel, Look, RunDetail
from lemnis.tui.stages.experiments.shown import ListStage
from lemnis.tui.stages.experiments.table import RunsTable
from lemnis.tui.widgets import Col, Facts, Panel, Row, Table

POINTS = 240
LOG_BYTES = 16_384


class ExperimentsStage(ListStage):
    """Runs, curves, comparison."""

    BINDINGS = bindings("experiments")
    topics = frozenset({"experiments"})
    ahead = True
    filter_hint = "metrics.auc > 0.75 and not state = failed"

    @dataclass
    class Looked(Message):
        """A run was read for the panes beside the table."""

        look: Look

    @dataclass
    class Listed(Message):
        """The numbers of all runs that are asked for are known."""

        view: ExperimentsView

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.only_different = True
        self.undoable = []
        self._sample = []

    def compose(self) -> ComposeResult:
        with Vertical(id="runs-view"):
            with Panel(_("Runs"), id="runs-panel"):
                yield RunsTable(id="runs", empty=_("No runs yet. Press {experiments.train} to train the first one."))
            yield CurveLine(id="curve-line")
            with Horizontal(id="beside"):
                yield CurvePanel(id="curve")
                with Panel(_("Run"), id="run-panel"), VerticalScroll(can_focus=False):
                    yield Facts(id="run-facts")
        yield RunDetail(id="run-detail")

    # Reading.

    def load(self) -> ExperimentsView:
        self.recall()
        room, asked, known = self.engine.experiments, self.asked, self._view.listing if self._view else None
        if asked.group:
            listing = grouped_of(room, asked, str(self._select or self.line))
        elif known is not None and known.asked == asked and known.total > FIRST:
            listing = all_of(room, asked, self._select or self.run_id)  # what is on screen is read anew
        else:
            listing = first_of(room, asked)
        wanted = self.open_id or self._select or (self.run_id if listing.place(self.run_id) is not None else 0)
        wanted = wanted or (listing.lines.telling(self.line) if listing.lines is not None else 0)
        wanted = wanted or (listing.runs[0].id if listing.runs else 0)
        return ExperimentsView(listing, room.baseline(), self.read(wanted), self.engine.now_ms())

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-list", description="list_all")
    def list_all(self, view: ExperimentsView) -> None:
        """Read the numbers of all runs after the first ones are shown."""
        try:
            listing = all_of(self.engine.experiments, view.listing.asked, self._select or 0)
        except LemnisError:
            return  # the next load says what is wrong
        answer(self.post_message, self.Listed(ExperimentsView(listing, view.baseline, None, view.now_ms)))

    def read(self, run_id: int) -> Look | None:
        """Return what is drawn of a run, None if there is none; runs in a thread."""
        room = self.engine.experiments
        if not run_id:
            return None
        run, baseline = room.run(run_id), room.baseline()
        overlaid = baseline is not None and baseline.id != run_id
        origin = self.engine.share.origin("run", str(run_id))
        return Look(
            run=run,
            curves=room.curve(run_id, points=POINTS),
            at=room.last_point_at(run_id),
            now_ms=self.engine.now_ms(),
            baseline=baseline,
            base_curves=room.curve(baseline.id, points=POINTS) if baseline is not None and overlaid else {},
            log=room.log(run_id, LOG_BYTES) if self.open_id == run_id else "",
            origin=origin.text if origin is not None else "",
        )

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-look")
    def look_at(self, run_id: int) -> None:
        """Read the run that the cursor came to."""
        try:
            look = self.read(run_id)
        except LemnisError:
            return  # it went meanwhile; the next load says what there is
        if look is not None:
            answer(self.post_message, self.Looked(look))

    # Drawing.

    def show(self, view: ExperimentsView) -> None:
        self.query_one("#runs-view").display = not self.open_id
        self.query_one("#run-detail").display = bool(self.open_id)
        self.show_runs(view)
        self.call_after_refresh(self.show_rest, view)  # the runs are seen first

    def show_rest(self, view: ExperimentsView) -> None:
        """Draw the run under the cursor, and read the numbers of all runs where only the first are known."""
        if not self.visible_now:  # a tab that opens shows its runs first, and is read anew behind them
            return
        if view.look is not None and view.look.run.id in (self.beside_id or view.look.run.id, self.open_id):
            self.show_look(view.look)
        if view.listing.numbers is None and view.listing.asked == self.asked:
            self.list_all(view)

    @on(Listed)
    def on_listed(self, message: Listed) -> None:
        message.stop()
        if message.view.listing.asked == self.asked:
            self.show_runs(message.view)

    def show_runs(self, view: ExperimentsView) -> None:
        """Draw the table and say what it holds."""
        another = self._view is None or self._view.listing.asked != view.listing.asked
        self._view = view
        table, listing = self.query_one("#runs", RunsTable), view.listing
        if listing.offset == 0:
            self._sample = listing.runs[:FIRST]
        narrow = self.app.size.width < 100
        columns = rows.chosen_columns(self.layout_chosen.columns, narrow=narrow) or rows.columns_for(
            self._sample, baseline=view.baseline, only_different=self.only_different, narrow=narrow
        )
        table.freeze(self.layout_chosen.frozen)
        table.empty = self.empty_words()
        if columns != table.columns:
            self._select = self._select or self.under(table) or None
            table.set_columns(columns)
        if another and listing.lines is None and listing.place(self._select or self.run_id) is None:
            table.cursor = 0
        self.place(table, view, columns)
        self.query_one("#runs-panel", Panel).retitle(_("Runs"), self.count_words(view))
        equal = self.only_different and not self.layout_chosen.columns
        hidden = len(rows.everything(self._sample)) - len(rows.differing(self._sample)) if equal else 0
        same = (
            _("{hidden} columns are equal: {{experiments.differ}} shows them").format(hidden=hidden)
            if hidden and not narrow
            else ""
        )
        self.query_one("#runs-panel", Panel).footnote(same)

    def under(self, table: RunsTable) -> int:
        """Return the run under the cursor; the table may be ahead of the messages that tell of it."""
        return int(table.key) if table.key.isdecimal() else self.run_id

    def empty_words(self) -> str:
        """Return what is said where no run is listed."""
        if self.query_text:
            return _("No run fits. Press {app.back} to see all again.")
        return (
            _("No runs yet. Press {experiments.train} to train.")
            if self.shelf == "active"
            else _("Nothing is {shelf}. Press {{experiments.shelf}}.").format(shelf=self.shelf)
        )

    def place(self, table: RunsTable, view: ExperimentsView, columns: list[Col]) -> None:
        """Put the rows into the table, the cursor on its run if that is still listed."""
        listing = view.listing

        def draw(run: Run) -> Row:
            return rows.run_row(run, columns, baseline=view.baseline, now_ms=view.now_ms)

        def drawn(runs: Sequence[Run]) -> list[Row]:
            return [draw(run) for run in runs]

        if listing.lines is not None:
            at = listing.lines.place(str(self._select or self.line))
            self._select = None
            show_lines(table, self.engine.experiments, listing.lines, draw, at)
            return
        if listing.numbers is None or len(listing.runs) == listing.total:
            table.show(drawn(listing.runs))
            if self._select is not None and table.select(str(self._select)):
                self._select = None
            return
        numbers, room = listing.numbers, self.engine.experiments
        wanted = self._select or self.under(table)
        at = listing.place(wanted) if wanted else None
        self._select = None if at is not None else self._select
        table.show_part(
            len(numbers),
            lambda offset, limit: drawn(part_of(room, numbers, offset, limit)),
            offset=listing.offset,
            rows=drawn(listing.runs),
            at=table.cursor if at is None else at,
        )

    def count_words(self, view: ExperimentsView) -> str:
        """Return how many runs are shown, of how many, under which filter and beside which baseline."""
        listing = view.listing
        total = (
            f"{listing.total:,}" if listing.numbers is not None else _("first {total:,}").format(total=listing.total)
        )
        everything = (
            " " + _("of {everything:,}").format(everything=listing.everything) if listing.everything is not None else ""
        )
        groups = listing.lines.words if listing.lines is not None else ""
        query = listing.asked.query
        words = (
            _("{total}{everything}{groups} for {query}").format(
                total=total, everything=everything, groups=groups, query=query
            )
            if query
            else f"{total}{groups}"
        )
        words += f" {self.shelf}" if self.shelf != "active" else ""
        words += " " + _("· view {view_name}").format(view_name=self.view_name) if self.view_name else ""
        running = sum(run.state == "running" for run in listing.runs)
        words += " " + _("· {running} running").format(running=running) if running else ""
        if view.baseline is not None:
            words += " " + _("· {baseline} baseline #{id}").format(baseline=rows.BASELINE, id=view.baseline.id)
        return words

    @on(Looked)
    def on_looked(self, message: Looked) -> None:
        message.stop()
        if message.look.run.id in (self.beside_id, self.open_id):
            self.show_look(message.look)

    def show_look(self, look: Look) -> None:
        """Draw one run beside the table, or in full."""
        self._look = look
        if self.open_id == look.run.id:
            self.query_one(RunDetail).show(look)
            return
        curve = self.query_one("#curve", CurvePanel)
        curve.show(look)
        self.query_one(CurveLine).show(look, curve.metric)
        self.query_one("#run-panel", Panel).retitle(f"#{look.run.id} {look.run.name}")
        self.query_one("#run-facts", Facts).show(facts.summary(look.run, look.baseline, look.now_ms, look.origin))

    # Moving.

    @on(Table.Moved, "#runs")
    def on_moved(self, message: Table.Moved) -> None:
        self.line = message.key or self.line
        self.run_id = int(message.key) if message.key.isdecimal() else 0
        lines = self._view.listing.lines if self._view else None
        self.beside_id = self.run_id if lines is None else lines.telling(message.key)
        self.call_after_refresh(self.look_beside)  # the cursor is seen first

    def look_beside(self) -> None:
        """Read the run that is shown beside the list."""
        if self.beside_id and not self.open_id and self.visible_now:
            self.look_at(self.beside_id)

    @on(Table.Sorted, "#runs")
    def on_sorted(self, message: Table.Sorted) -> None:
        self.sort, self.descending = message.column.replace("delta.", "metrics."), message.descending
        self.reload()

    @on(Table.Opened, "#runs")
    def on_opened(self, message: Table.Opened) -> None:
        if message.key.startswith(KEY):
            self.fold(message.key)
        else:
            self.goto(message.key)

    def address(self) -> Address:
        return address("run", self.open_id) if self.open_id else self.listed_at

    def visit(self, place: Address) -> None:
        if place.kind == "runs":
            self.open_id = 0
            self.list_at(place)
            self.query_one("#runs", Table).focus()
        elif place.thing.isdecimal():
            self.goto(place.thing)
        else:
            self.refuse(NotFound(f"“{safe(place.thing, limit=40)}” is no run's number.", "Write for example `run/3`."))

    def goto(self, thing: str) -> None:
        """Show one run in full."""
        if thing.isdecimal():
            self.open_id = self.run_id = int(thing)
            self.reload()
            self.query_one("#record VerticalScroll").focus()

    def back(self) -> bool:
        if self.open_id:
            self._select, self.open_id = self.open_id, 0
            self.reload()
            self.query_one("#runs", Table).focus()
            return True
        return super().back()

    def preview(self, query: str, tell: Callable[[str], None]) -> None:
        self.count(query, tell)

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-count")
    def count(self, query: str, tell: Callable[[str], None]) -> None:
        """Say how many runs a query finds so far; one that is not finished yet says nothing."""
        try:
            total = self.engine.experiments.count(query)
        except LemnisError:
            words = "…"
        else:
            words = f"{total:,} {'run' if total == 1 else 'runs'}"
        if not get_current_worker().is_cancelled:  # more was typed since
            answer(self.call_later, tell, words)

    def explain(self) -> tuple[str, str] | None:
        table = self.query_one("#runs", Table)
        if self._view is None or not table.columns:
            return None
        lines = self._view.listing.lines
        if lines is not None and (group := lines.group(table.key)) is not None:
            return explained(group, lines)
        return facts.explained(table.columns[table.column].name)

    def action_differ(self) -> None:
        """Show only the columns that differ, or all."""
        self.only_different = not self.only_different
        if self._view is not None:
            self.show_runs(self._view)
