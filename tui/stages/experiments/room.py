"""The Experiments room: the runs, the curve of the one under the cursor, and starting, comparing and stopping them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.experiments import Run, RunPage
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.query import compile_query
from lemnis.engine.validate import Standing
from lemnis.tui.actions import bindings
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.experiments import facts, rows
from lemnis.tui.stages.experiments.pane import CurveLine, CurvePanel, Look, RunDetail, RunsTable
from lemnis.tui.stages.experiments.train import TrainDialog, Training
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Facts, Panel, Table

Queued = TypeVar("Queued")
MOST_ROWS = 300  # shown at once; the order and the filter are over all runs
POINTS = 240
LOG_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class ExperimentsView:
    """The runs that are asked for, and a look at one of them."""

    page: RunPage
    everything: int
    baseline: Run | None
    look: Look | None
    now_ms: int


class ExperimentsStage(Stage[ExperimentsView]):
    """Runs, curves, comparison."""

    BINDINGS = bindings("experiments")
    topics = frozenset({"experiments"})
    filter_hint = "metrics.auc > 0.75 and not state = failed"

    @dataclass
    class Looked(Message):
        """A run was read for the panes beside the table."""

        look: Look

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ExperimentsStage.Looked)

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.sort, self.descending, self.only_different = "", True, True
        self.run_id = 0  # under the cursor
        self.open_id = 0  # shown in full; 0 for the list
        self.deleted: list[list[int]] = []
        self._select: int | None = None
        self._view: ExperimentsView | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="runs-view"):
            with Panel("Runs", id="runs-panel"):
                yield RunsTable(id="runs", empty="No runs yet. Press t to train the first one.")
            yield CurveLine(id="curve-line")
            with Horizontal(id="beside"):
                yield CurvePanel(id="curve")
                with Panel("Run", id="run-panel"), VerticalScroll(can_focus=False):
                    yield Facts(id="run-facts")
        yield RunDetail(id="run-detail")

    # Reading.

    def load(self) -> ExperimentsView:
        room = self.engine.experiments
        page = room.search(self.query_text, self.sort, self.descending, MOST_ROWS)
        everything = room.search(limit=0).total if self.query_text else page.total
        wanted = self.open_id or self._select or self.run_id or (page.runs[0].id if page.runs else 0)
        return ExperimentsView(page, everything, room.baseline(), self.read(wanted), now_ms())

    def read(self, run_id: int) -> Look | None:
        """Return what is drawn of a run, None if there is none; runs in a thread."""
        room = self.engine.experiments
        if not run_id:
            return None
        run, baseline = room.run(run_id), room.baseline()
        overlaid = baseline is not None and baseline.id != run_id
        return Look(
            run=run,
            curves=room.curve(run_id, points=POINTS),
            at=room.last_point_at(run_id),
            now_ms=now_ms(),
            baseline=baseline,
            base_curves=room.curve(baseline.id, points=POINTS) if baseline is not None and overlaid else {},
            log=room.log(run_id, LOG_BYTES) if self.open_id == run_id else "",
        )

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-look")
    def look_at(self, run_id: int) -> None:
        """Read the run that the cursor came to."""
        try:
            look = self.read(run_id)
        except LemnisError:
            return  # it went meanwhile; the next load says what there is
        if look is not None:
            self.post_message(self.Looked(look))

    # Drawing.

    def show(self, view: ExperimentsView) -> None:
        self._view = view
        self.query_one("#runs-view").display = not self.open_id
        self.query_one("#run-detail").display = bool(self.open_id)
        self.show_runs(view)
        if view.look is not None:
            self.show_look(view.look)

    def show_runs(self, view: ExperimentsView) -> None:
        """Draw the table and say what it holds."""
        table, runs = self.query_one("#runs", RunsTable), view.page.runs
        narrow = self.app.size.width < 100
        columns = rows.columns_for(runs, baseline=view.baseline, only_different=self.only_different, narrow=narrow)
        table.empty = (
            "No run fits. Press esc to see all again." if self.query_text else "No runs yet. Press t to train."
        )
        if columns != table.columns:
            here = table.key
            table.set_columns(columns)
            self._select = self._select or (int(here) if here else None)
        table.show([rows.run_row(run, columns, baseline=view.baseline, now_ms=view.now_ms) for run in runs])
        if self._select is not None and table.select(str(self._select)):
            self._select = None
        self.query_one("#runs-panel", Panel).retitle("Runs", self.count_words(view))
        hidden = len(rows.everything(runs)) - len(rows.differing(runs)) if self.only_different else 0
        same = f"{hidden} columns are equal: z shows them" if hidden and not narrow else ""
        self.query_one("#runs-panel", Panel).footnote(same)

    def count_words(self, view: ExperimentsView) -> str:
        """Return how many runs are shown, of how many, under which filter and beside which baseline."""
        shown, total = len(view.page.runs), view.page.total
        words = f"{total:,} of {view.everything:,} for {self.query_text}" if self.query_text else f"{total:,}"
        if shown < total:
            words += f", first {shown:,}"
        running = sum(run.state == "running" for run in view.page.runs)
        words += f" · {running} running" if running else ""
        if view.baseline is not None:
            words += f" · {rows.BASELINE} baseline #{view.baseline.id}"
        return words

    @on(Looked)
    def on_looked(self, message: Looked) -> None:
        message.stop()
        if message.look.run.id in (self.run_id, self.open_id):
            self.show_look(message.look)

    def show_look(self, look: Look) -> None:
        """Draw one run beside the table, or in full."""
        if self.open_id == look.run.id:
            self.query_one(RunDetail).show(look)
            return
        curve = self.query_one("#curve", CurvePanel)
        curve.show(look)
        self.query_one(CurveLine).show(look, curve.metric)
        self.query_one("#run-panel", Panel).retitle(f"#{look.run.id} {look.run.name}")
        self.query_one("#run-facts", Facts).show(facts.summary(look.run, look.baseline, look.now_ms))

    # Moving.

    @on(Table.Moved, "#runs")
    def on_moved(self, message: Table.Moved) -> None:
        self.run_id = int(message.key or 0)
        if self.run_id and not self.open_id:
            self.look_at(self.run_id)

    @on(Table.Sorted, "#runs")
    def on_sorted(self, message: Table.Sorted) -> None:
        self.sort, self.descending = message.column.replace("delta.", "metrics."), message.descending
        self.reload()

    @on(Table.Opened, "#runs")
    def on_opened(self, message: Table.Opened) -> None:
        self.goto(message.key)

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

    def filter(self, query: str) -> None:
        compile_query(query, FIELDS, now_ms=0)
        super().filter(query)

    def preview(self, query: str, tell: Callable[[str], None]) -> None:
        self.count(query, tell)

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-count")
    def count(self, query: str, tell: Callable[[str], None]) -> None:
        """Say how many runs a query finds so far; one that is not finished yet says nothing."""
        try:
            total = self.engine.experiments.search(query, limit=0).total
        except LemnisError:
            words = "…"
        else:
            words = f"{total:,} {'run' if total == 1 else 'runs'}"
        self.app.call_later(tell, words)

    def explain(self) -> tuple[str, str] | None:
        table = self.query_one("#runs", Table)
        if self._view is None or not table.columns:
            return None
        return facts.explained(table.columns[table.column].name)

    # Doing.

    @property
    def chosen(self) -> list[int]:
        """The marked runs, else the one under the cursor."""
        marks = [int(key) for key in self.query_one("#runs", Table).marks]
        return marks or [self.open_id or self.run_id][: bool(self.open_id or self.run_id)]

    def action_train(self) -> None:
        """Ask which preset and start it; say how the checks of the data stand as soon as that is read."""
        try:
            presets = self.engine.experiments.presets()
        except LemnisError as error:
            self.refuse(error)
            return
        dialog = TrainDialog(presets)
        self.app.push_screen(dialog, self.start)
        self.perform(self._standing, then=dialog.tell)

    def _standing(self) -> Standing | None:
        return self.engine.validate.standing() if self.engine.data.versions() else None

    def start(self, training: Training | None) -> None:
        """Queue what was chosen and go to it."""
        if training is not None:
            call = partial(
                self.engine.experiments.start,
                training.preset,
                overrides=training.overrides,
                despite_checks=training.despite_checks,
            )
            self.perform(self.queue, call, done=lambda run_id: f"Run {run_id} is queued.", then=self.go_to_run)

    def queue(self, call: Callable[..., Queued], *arguments: int) -> Queued:
        """Call what queues work and see that somebody does it; runs in a thread."""
        queued = call(*arguments)
        self.engine.jobs.ensure_supervisor()
        return queued

    def go_to_run(self, run_id: int) -> None:
        """Put the cursor on a run once it is in the table."""
        self._select = run_id

    def action_reproduce(self) -> None:
        """Train the run under the cursor again."""
        run_id = self.open_id or self.run_id
        if run_id:
            done = f"Queued: the conditions of run {run_id} once more."
            self.perform(self.queue, self.engine.experiments.reproduce, run_id, done=done, then=self.go_to_run)

    def action_resume(self) -> None:
        """Queue the run under the cursor again."""
        run_id = self.open_id or self.run_id
        if run_id:
            done = f"Run {run_id} goes on from its checkpoint."
            self.perform(self.queue, self.engine.experiments.resume, run_id, done=done)

    def action_stop(self) -> None:
        """Ask, then stop the run under the cursor."""
        run = self.run_here()
        if run is None or run.ended:
            self.toast("Only a waiting or running run can be stopped.", warn=True)
            return
        lost = "nothing: it can go on from its checkpoint (r)" if run.state == "running" else "its place in the queue"
        self.ask(
            f"Stop run {run.id} {run.name}?",
            lost=lost,
            word="stop",
            then=lambda: self.perform(self.engine.experiments.cancel, run.id, done=f"Run {run.id} is asked to stop."),
        )

    def action_delete(self) -> None:
        """Ask, then hide the marked runs."""
        ids = self.chosen
        if ids:
            named = f"run {ids[0]}" if len(ids) == 1 else f"{len(ids)} runs"
            lost = "nothing for good: u brings them back, their files stay"
            self.ask(f"Delete {named}?", lost=lost, word="delete", then=lambda: self.hide(ids))

    def hide(self, ids: list[int]) -> None:
        """Hide runs and remember them for undo."""

        def done(_: int) -> None:
            self.deleted.append(ids)
            self.query_one("#runs", Table).mark_only([])

        self.perform(self.engine.experiments.delete, ids, done="Deleted. Press u to undo.", then=done)

    def action_undo(self) -> None:
        """Bring back what was hidden last."""
        if not self.deleted:
            self.toast("Nothing was deleted here.")
            return
        ids = self.deleted.pop()
        self._select = ids[0]
        self.perform(self.engine.experiments.restore, ids, done="Back again.")

    def action_pin(self) -> None:
        """Make the run under the cursor the baseline, or take that away."""
        run = self.run_here()
        if run is not None:
            done = "No baseline." if run.pinned else f"Run {run.id} is the baseline."
            self.perform(self.engine.experiments.pin, None if run.pinned else run.id, done=done)

    def action_differ(self) -> None:
        """Show only the columns that differ, or all."""
        self.only_different = not self.only_different
        if self._view is not None:
            self.show_runs(self._view)

    def action_metric(self) -> None:
        """Draw the next metric."""
        for curve in self.query(CurvePanel):
            curve.next_metric()
        curve = self.query_one("#curve", CurvePanel)
        self.query_one(CurveLine).show(curve.look, curve.metric)

    def action_compare(self) -> None:
        """Compare the marked runs; with one marked, against the baseline."""
        ids, baseline = self.chosen, self._view.baseline if self._view else None
        if len(ids) == 1 and baseline is not None:
            ids = [baseline.id, *ids]
        if len(set(ids)) < 2:
            self.toast("Mark two or more runs with space, then press c.", warn=True)
            return
        from lemnis.tui.screens.compare import Compare

        self.app.push_screen(Compare(self.engine, ids))

    def run_here(self) -> Run | None:
        """Return the run under the cursor, or the one that is open."""
        wanted = self.open_id or self.run_id
        view = self._view
        if view is None:
            return None
        known = [*view.page.runs, *([view.look.run] if view.look else [])]
        return next((run for run in known if run.id == wanted), None)
