"""The compare screen: runs side by side with tested differences, importance, curves, scatter, parallel axes, a diff."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput
from lemnis.engine.files import write_atomic
from lemnis.engine.text import safe
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.format import share
from lemnis.tui.language import _
from lemnis.tui.screens.compared import exports, tables
from lemnis.tui.screens.compared.changes import Changes, changes_of
from lemnis.tui.screens.compared.explained import explained
from lemnis.tui.screens.compared.panel import PlotPanel
from lemnis.tui.screens.compared.views import (
    ALIKE,
    DIFF,
    EMPTY,
    PARALLEL,
    PLOTTED,
    SCATTER,
    VIEWS,
    CompareView,
    keys_line,
    tabs_line,
)
from lemnis.tui.screens.compared.words import Compared, rows_words
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.sentences import told
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Col, Panel, PromptLine, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog

POINTS = 240
LIVE_SECONDS = 1.0


class Compare(Dialog[None]):
    """Two or more runs side by side; reads again while one of them trains or is tested."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "leave", "Back", show=False),
        *(Binding(str(place + 1), f"view({place})", name, show=False) for place, name in enumerate(VIEWS)),
        Binding("left_square_bracket", "turn(-1)", "View before", show=False),
        Binding("right_square_bracket", "turn(1)", "Next view", show=False),
        Binding("z", "differ", "Differences", show=False),
        Binding("p", "baseline", "Baseline", show=False),
        Binding("t", "part", "Other rows", show=False),
        Binding("v", "metric", "Metric", show=False),
        Binding("b", "parameter", "Parameter", show=False),
        Binding("n", "run", "Next run", show=False),
        Binding("w", "smooth", "Smooth", show=False),
        Binding("L", "log", "Log axis", show=False),
        Binding("comma", "read_off(-1)", "Read off before", show=False),
        Binding("full_stop", "read_off(1)", "Read off after", show=False),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", show=False),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False),
        Binding("0", "zoom(0.0)", "Whole curve", show=False),
        Binding("K", "explain", "Explain", show=False),
        Binding("E", "export", "Export", show=False),
        Binding("y", "app.copy", "Copy", show=False),
        *place_bindings(),  # after the screen's own: L is the axis here
    ]

    @dataclass
    class Read(Message):
        """The runs were read."""

        view: CompareView

    @dataclass
    class Refused(Message):
        """They could not be read, or not be tested."""

        error: LemnisError
        leave: bool = True

    @dataclass
    class Asked(Message):
        """A job was asked to test them."""

        job_id: int | None

    @dataclass
    class Written(Message):
        """The export was written, or why not."""

        path: Path
        error: LemnisError | None

    def __init__(self, engine: Engine, run_ids: list[int], baseline: int | None = None) -> None:
        super().__init__(classes="compare")
        self.engine, self.run_ids, self.baseline = engine, run_ids, baseline
        self.view, self.only_different, self.part = 0, True, ""
        self.place = 1  # of the run whose diff is shown
        self._job_id: int | None = None
        self._asked: set[tuple[int, str]] = set()
        self._changes: dict[tuple[int, int], Changes] = {}  # from one run to another; they do not change any more
        self._view: CompareView | None = None

    def address(self) -> Address:
        return address("compare", ",".join(map(str, self.run_ids)))

    def compose(self) -> ComposeResult:
        yield Words(id="compare-tabs")
        with Vertical():
            with Panel(_("Compare"), id="compare-panel"):
                yield Table(id="compared", empty=ALIKE)
            yield PlotPanel(id="plot-panel")
            yield Words(id="compare-said")
        yield PromptLine("E", id="compare-prompt")
        yield Words(id="compare-keys", classes="keys")

    def on_mount(self) -> None:
        self.query_one("#plot-panel").display = False
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read_live)
        self.read()

    # Reading.

    def read_live(self) -> None:
        """Read again if a run still changes or is being tested."""
        live = self._view is not None and any(not run.ended for run in self._view.found.comparison.runs)
        if live or self._job_id is not None:
            self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="compare")
    def read(self) -> None:
        """Read the runs, what is known of their differences, and their curves."""
        room = self.engine.experiments
        try:
            comparison = room.compare(self.run_ids, self.baseline)
            ids = [run.id for run in comparison.runs]
            known = self.engine.evaluate.significance(ids, self.part)
            base, *others = comparison.runs
            for run in others:
                if (base.id, run.id) not in self._changes:
                    self._changes[base.id, run.id] = changes_of(self.engine, base, run)
            changes = {run.id: self._changes[base.id, run.id] for run in others}
            found = Compared(comparison, known, room.gains(ids), changes)
            curves = [room.curve(run.id, points=POINTS) for run in comparison.runs]
            job = self.engine.jobs.job(self._job_id) if self._job_id is not None else None
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Read(CompareView(found, curves, job)))

    def on_compare_read(self, message: Read) -> None:
        self._view = message.view
        known, job = message.view.found.significance, message.view.job
        if job is not None and job.ended:
            self._job_id = None
        if known is not None and known.missing and self._job_id is None and not self.engine.store.read_only:
            asked = (known.baseline_id, self.part)
            if asked not in self._asked:
                self._asked.add(asked)
                self.ask_for_tests([run.id for run in message.view.found.comparison.runs], self.part)
        self.draw()

    @work(thread=True, exit_on_error=False, group="compare-tests")
    def ask_for_tests(self, run_ids: list[int], part: str) -> None:
        """Have a job test the runs on the same rows."""
        try:
            job_id = self.engine.evaluate.start_pairs(run_ids, part)
            self.engine.jobs.ensure_supervisor()
        except LemnisError as error:
            self.post_message(self.Refused(error, leave=False))
        else:
            self.post_message(self.Asked(job_id))

    def on_compare_asked(self, message: Asked) -> None:
        self._job_id = message.job_id
        self.read()

    def on_compare_refused(self, message: Refused) -> None:
        self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)
        if message.leave:
            self.dismiss()

    # Drawing.

    def draw(self) -> None:
        """Draw what was read."""
        self.query_one("#compare-tabs", Words).say(tabs_line(self.view))
        self.query_one("#compare-keys", Words).say(keys_line(self.view))
        plot = self.query_one(PlotPanel)
        plot.display = self.view in PLOTTED
        if self._view is None:
            return
        found = self._view.found
        if plot.display:
            plot.take(VIEWS[self.view], found, self._view.curves)
        self.place = min(self.place, len(found.comparison.runs) - 1)
        columns, rows = self.table_of(found)
        table = self.query_one(Table)
        table.empty = EMPTY.get(VIEWS[self.view], ALIKE)
        table.set_columns(columns)
        table.show(rows)
        self.query_one("#compare-panel", Panel).retitle(*self.title_of(found))
        everything = [*found.comparison.conditions, *found.comparison.parameters, *found.comparison.metrics]
        equal = sum(not row.differs for row in everything)
        hides = self.only_different and equal and not self.view
        hidden = _("{equal} lines are equal: z shows them").format(equal=equal) if hides else ""
        self.query_one("#compare-panel", Panel).footnote(hidden)
        self.query_one("#compare-said", Words).say(Content.styled(safe(self.said(found)), "$muted"))
        if plot.display:
            self.draw_plot()

    def table_of(self, found: Compared) -> tuple[list[Col], list[Row]]:
        """Return the table of this view."""
        match VIEWS[self.view]:
            case "Summary":
                return tables.run_columns(found), tables.summary_rows(found, everything=not self.only_different)
            case "Tests":
                narrow = self.app.size.width < 100
                return tables.test_columns(narrow=narrow), tables.tests_rows(found, narrow=narrow)
            case "Importance":
                return tables.run_columns(found, first="feature"), tables.importance_rows(found)
            case "Diff":
                return [Col("diff", flex=True)], tables.diff_rows(found, self.place)
            case _:
                return self.query_one(PlotPanel).runs_table(found)

    def title_of(self, found: Compared) -> tuple[str, str]:
        """Return the title of the table and what stands muted behind it."""
        runs = found.comparison.runs
        if self.view == DIFF:
            return f"#{runs[0].id} → #{runs[self.place].id} {runs[self.place].name}", _("- baseline, + this run")
        pair = next(iter(found.pairs.values()), None)
        shown = _("only what differs") if self.only_different else _("everything")
        tested = rows_words(pair) if pair is not None else ""
        said = filter(None, (shown if not self.view else "", tested))
        return _("Compare {runs} runs").format(runs=len(runs)), " · ".join(said)

    def said(self, found: Compared) -> str:
        """Return how the tests stand: being done, refused, and what several of them mean."""
        known, job = found.significance, self._view.job if self._view else None
        if known is None or self.view > 1:
            return ""
        if job is not None and not job.ended:
            done = f" {share(job.progress, 0)}" if job.progress is not None else ""
            progress = told(job.progress_text) if job.state == "running" else told(job.why)
            return _("testing{done}: {progress}").format(done=done, progress=progress)
        if known.missing and self.engine.store.read_only:
            return _("not tested yet; the workspace is open read-only")
        if known.missing and job is not None:
            return _("not tested: {why}").format(why=told(job.why))
        refused = [_("#{run} is not tested: {why}").format(run=run, why=why) for run, why in known.refused.items()]
        return ". ".join([*refused[:2], *([told(known.warning)] if known.warning else [])])

    @property
    def front(self) -> int:
        """The place of the run under the cursor of the table, in a view that plots runs."""
        key = self.query_one(Table).key
        runs = self._view.found.comparison.runs if self._view else []
        return next((place for place, run in enumerate(runs) if str(run.id) == key), 0)

    def draw_plot(self) -> None:
        """Draw curves, dots or parallel axes with the run under the cursor in front."""
        self.query_one(PlotPanel).draw(self.front)

    @on(Table.Moved)
    def on_moved(self) -> None:
        if self.view in PLOTTED:
            self.draw_plot()

    def on_resize(self) -> None:
        if self.view in (SCATTER, PARALLEL):
            self.call_after_refresh(self.draw_plot)

    # Keys.

    def action_view(self, place: int) -> None:
        """Go to a view."""
        self.view = place
        self.draw()
        self.query_one(Table).focus()
        if place in (SCATTER, PARALLEL):
            self.call_after_refresh(self.draw_plot)  # once its room is known

    def action_turn(self, by: int) -> None:
        """Go to the view beside this one."""
        self.action_view((self.view + by) % len(VIEWS))

    def action_differ(self) -> None:
        """Show only what differs, or everything."""
        self.only_different = not self.only_different
        self.draw()

    def action_explain(self) -> None:
        """Say what the number under the cursor is, by which formula, and from where on it counts."""
        found = explained(self._view.found, self.query_one(Table).key) if self._view else None
        if found is None:
            self.notify(_("There is nothing to explain under the cursor."), markup=False)
        else:
            self.app.push_screen(Explanation(*found))

    def action_part(self) -> None:
        """Test on the other held-out rows."""
        known = self._view.found.significance if self._view else None
        if known is not None and len(known.parts) > 1:
            self.part = known.parts[(known.parts.index(known.part) + 1) % len(known.parts)]
            self.read()

    def action_metric(self) -> None:
        """Plot the next metric."""
        self.query_one(PlotPanel).next_metric()
        self.draw()

    def action_parameter(self) -> None:
        """Plot the next parameter."""
        self.query_one(PlotPanel).parameter += 1
        self.draw()

    def action_run(self) -> None:
        """Show the next run's diff."""
        count = len(self._view.found.comparison.runs) if self._view else 2
        self.place = self.place % (count - 1) + 1
        self.draw()

    def action_smooth(self) -> None:
        """Smooth the curves more, or not at all again."""
        self.query_one(PlotPanel).next_smoothing()
        self.draw()

    def action_log(self) -> None:
        """Draw the curves on a log axis, or not."""
        plot = self.query_one(PlotPanel)
        plot.logarithmic = not plot.logarithmic
        self.draw()

    def action_read_off(self, by: int) -> None:
        """Move the line that values are read off at."""
        self.query_one(PlotPanel).move_line(by)
        self.draw()

    def action_zoom(self, factor: float) -> None:
        """Show less or more of the rounds around the reading line; 0 shows all."""
        self.query_one(PlotPanel).zoom(factor)
        self.draw()

    def action_baseline(self) -> None:
        """Refer the differences to the run whose column the cursor is in."""
        place = self.front if self.view in PLOTTED else self.query_one(Table).column - 1
        if self._view is not None and self.view != 1 and 0 <= place < len(self._view.found.comparison.runs):
            self.baseline = self._view.found.comparison.runs[place].id
            self.read()

    def action_leave(self) -> None:
        """Close the prompt, or go back."""
        if not self.query_one(PromptLine).display:
            self.dismiss()

    # Exporting.

    def action_export(self) -> None:
        """Ask for a file to write the comparison to."""
        self.query_one(PromptLine).open("comparison.md", "comparison.md, .csv, .json or .tex")

    @on(PromptLine.Left)
    def on_left(self) -> None:
        self.query_one(Table).focus()

    @on(PromptLine.Entered)
    def on_entered(self, message: PromptLine.Entered) -> None:
        if self._view is not None:
            self.write(self._view.found, Path(message.text.strip()).expanduser(), everything=not self.only_different)

    @work(thread=True, exit_on_error=False, group="compare-export")
    def write(self, found: Compared, path: Path, *, everything: bool) -> None:
        """Write the comparison to a file."""
        error: LemnisError | None = None
        try:
            write_atomic(path, exports.exported(found, exports.format_of(path), everything=everything))
        except OSError as failed:
            error = BadInput(f"{path.name} can't be written: {failed.strerror}.", "Choose another file.")
        except LemnisError as refused:
            error = refused
        self.post_message(self.Written(path, error))

    def on_compare_written(self, message: Written) -> None:
        if message.error is not None:
            self.query_one(PromptLine).refuse(message.error)
            return
        self.query_one(PromptLine).close()
        self.query_one(Table).focus()
        self.notify(_("Wrote {absolute}").format(absolute=message.path.absolute()), markup=False)
