"""The screen of a grid: choose versions, algorithms and values, see at once what that makes, then train it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from msgspec import structs
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput, ChecksFailed
from lemnis.engine.experiments import Grid, Plan, Started
from lemnis.engine.experiments.algorithms import ALGORITHMS
from lemnis.engine.experiments.grid import read_axes
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.experiments.forms import Line
from lemnis.tui.stages.experiments.plan import Offer, axis_rows, cell_columns, cell_rows, plan_words, values_text
from lemnis.tui.widgets import Col, Confirm, Panel, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog


class Choices(Dialog[list[str] | None]):
    """Dismisses with what is marked, else with the line under the cursor; or with None."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, title: str, rows: Sequence[Row], chosen: Sequence[str], *, several: bool) -> None:
        """Make a choice of rows, each a name and what it is; `several` may be marked."""
        super().__init__()
        self.heading, self.rows, self.chosen, self.several = title, rows, chosen, several

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(self.heading, "bold $stage-accent"))
            yield Table(Col("name", most=30), Col("what", flex=True), id="choices")
            mark = ((" space ", "$key"), f" {_('mark')}   ") if self.several else ()
            yield Words(
                Content.assemble(*mark, (" enter ", "$key"), f" {_('done')}   ", (" esc ", "$key"), f" {_('as it is')}")
            )

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.styles.height = min(len(self.rows), 12) + 1
        table.show(self.rows)
        if self.several:
            table.mark_only(self.chosen)
        table.select(next(iter(self.chosen), ""))
        table.focus()

    @on(Table.Opened)
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        marked = [row.key for row in self.rows if row.key in message.table.marks] if self.several else []
        self.dismiss(marked or [message.key])

    def action_leave(self) -> None:
        self.dismiss(None)


class GridScreen(Dialog[Started | None]):
    """Dismisses with the grid that was queued, or with None."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
        Binding("plus", "add", "Add a parameter", show=False),
        Binding("d", "remove", "Remove the parameter", show=False),
        Binding("A", "again", "Train again", show=False),
        Binding("t", "train", "Train", show=False),
    ]

    @dataclass
    class Offered(Message):
        """What can be chosen, and what this person chose the last time."""

        offer: Offer
        grid: Grid

    @dataclass
    class Planned(Message):
        """What the grid would start, or why it can't be."""

        grid: Grid
        plan: Plan | None
        error: LemnisError | None

    @dataclass
    class Queued(Message):
        """The grid was queued, or why not."""

        started: Started | None
        error: LemnisError | None

    def __init__(self, engine: Engine) -> None:
        super().__init__(classes="compare gridded")
        self.engine = engine
        self.offer, self.grid, self.again = Offer(presets={}, versions=[]), Grid(), False
        self.plan: Plan | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            with Panel(_("Grid"), id="axes-panel"):
                yield Table(
                    Col("axis", "varied", most=24), Col("count", "", right=True), Col("values", flex=True), id="axes"
                )
            with Panel(_("Runs"), id="cells-panel"):
                yield Table(id="cells", empty=_("reading …"))
            yield Words(id="compare-said")
        keys = (
            *(
                (" enter ", "$key"),
                f" {_('change')}  ",
                (" + ", "$key"),
                f" {_('parameter')}  ",
                (" d ", "$key"),
                f" {_('remove')}  ",
            ),
            *(
                (" A ", "$key"),
                f" {_('again')}  ",
                (" t ", "$key"),
                f" {_('train')}  ",
                (" esc ", "$key"),
                f" {_('back')}",
            ),
        )
        yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#axes", Table).focus()
        self.read()

    # Reading.

    @work(thread=True, exclusive=True, exit_on_error=False, group="grid")
    def read(self) -> None:
        """Read what can be chosen and what was chosen the last time."""
        room = self.engine.experiments
        try:
            offer = Offer(presets=room.presets(), versions=self.engine.data.versions())
            grid = room.recall("grid", Grid, Grid())
        except LemnisError as error:
            answer(self.post_message, self.Planned(self.grid, None, error))
        else:
            answer(self.post_message, self.Offered(offer, grid))

    @on(Offered)
    def on_offered(self, message: Offered) -> None:
        message.stop()
        self.offer = message.offer
        known = message.grid.preset in self.offer.presets
        self.change(structs.replace(message.grid, preset=message.grid.preset if known else None))

    def change(self, grid: Grid) -> None:
        """Vary something else, and count anew."""
        self.grid = grid
        table = self.query_one("#axes", Table)
        table.show(axis_rows(grid, self.offer))
        # So that the lines below it stay in sight on small screens.
        self.query_one("#axes-panel").styles.height = min(len(grid.values) + 3, 10) + 3
        if self.plan is None:
            self.query_one("#compare-said", Words).say(Content.styled(_("counting …"), "$muted"))
        self.make_plan(grid)

    @work(thread=True, exclusive=True, exit_on_error=False, group="grid-plan")
    def make_plan(self, grid: Grid) -> None:
        """Count the runs of a grid."""
        try:
            plan = self.engine.experiments.grids.plan(grid)
        except LemnisError as error:
            answer(self.post_message, self.Planned(grid, None, error))
        else:
            answer(self.post_message, self.Planned(grid, plan, None))

    @on(Planned)
    def on_planned(self, message: Planned) -> None:
        message.stop()
        if message.grid is self.grid:
            self.plan = message.plan
            self.draw(message.error)

    def draw(self, error: LemnisError | None) -> None:
        """Say how many runs there are to be, or what is wrong."""
        said, table = self.query_one("#compare-said", Words), self.query_one("#cells", Table)
        if self.plan is None:
            wrong = error or BadInput("Nothing is planned yet.", "")
            said.say(Content.styled(safe(f"✖ {told(wrong.problem)} {told(wrong.remedy)}"), "$bad"))
            table.empty = _("No run can be made of this.")
            table.show([])
            return
        said.say(Content(safe(plan_words(self.plan, again=self.again))))
        columns = cell_columns(narrow=self.app.size.width < 100)
        if columns != table.columns:
            table.set_columns(columns)
        table.show(cell_rows(self.plan, again=self.again))

    # Choosing.

    @on(Table.Opened, "#axes")
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        axis, offer, grid = message.key, self.offer, self.grid

        def take(chosen: list[str] | None) -> None:
            if chosen is None:
                return
            changed = (
                {"preset": chosen[0]} if axis == "preset" else {"versions" if axis == "data" else "algorithms": chosen}
            )
            self.change(structs.replace(grid, **changed))

        if axis == "preset":
            rows = [Row(name, (name, preset.algorithm)) for name, preset in offer.presets.items()]
            self.app.push_screen(Choices(_("Preset"), rows, [grid.preset or ""], several=False), take)
        elif axis == "data":
            rows = [
                Row(one.id, (one.title, _("{rows:,} rows  {id}").format(rows=one.rows, id=one.id[:8])))
                for one in offer.versions
            ]
            self.app.push_screen(Choices(_("Data versions"), rows, offer.chosen(grid), several=True), take)
        elif axis == "algorithm":
            rows = [Row(one.name, (one.name, one.words)) for one in ALGORITHMS.values()]
            self.app.push_screen(Choices(_("Algorithms"), rows, offer.algorithms(grid), several=True), take)
        else:
            self.ask_values(f"{axis}={values_text(grid.values[axis])}", axis)

    def ask_values(self, line: str, axis: str) -> None:
        """Ask for a parameter's name and values; what `axis` had is replaced."""

        def refuse(text: str) -> str:
            try:
                read_axes([text])
            except BadInput as error:
                return f"{told(error.problem)} {told(error.remedy)}"
            return ""

        def take(text: str | None) -> None:
            if text is not None:
                values = {name: one for name, one in self.grid.values.items() if name != axis} | read_axes([text])
                self.change(structs.replace(self.grid, values=values))

        text = _("A setting (rounds, seed, cores …) or a parameter, and its values: num_leaves=31,63")
        self.app.push_screen(Line(_("Vary a parameter"), text, value=line, word=_("vary"), refuse=refuse), take)

    def action_add(self) -> None:
        """Vary one more parameter."""
        self.ask_values("", "")

    def action_remove(self) -> None:
        """Vary the parameter under the cursor no more."""
        axis = self.query_one("#axes", Table).key
        if axis in self.grid.values:
            values = {name: one for name, one in self.grid.values.items() if name != axis}
            self.change(structs.replace(self.grid, values=values))

    def action_again(self) -> None:
        """Also train what a run has the same conditions of, or not."""
        self.again = not self.again
        if self.plan is not None:
            self.draw(None)

    # Training.

    def action_train(self) -> None:
        """Ask, then queue the runs."""
        if self.plan is None:
            return
        count = len(self.plan.cells if self.again else self.plan.new)
        if not count:
            self.notify(_("Every run of this grid is there already: A trains them again."), markup=False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.queue("")

        what = _("1 run") if count == 1 else _("{count} runs").format(count=count)
        self.app.push_screen(
            Confirm(_("Train {what} as one group?").format(what=what), lost="", word=_("train")), answered
        )

    @work(thread=True, exclusive=True, exit_on_error=False, group="grid-queue")
    def queue(self, despite: str) -> None:
        """Queue the grid."""
        room, grid = self.engine.experiments, self.grid
        try:
            started = room.grids.start(grid, again=self.again, despite_checks=despite)
            self.engine.jobs.ensure_supervisor()
            room.remember("grid", structs.replace(grid, versions=[]))
        except LemnisError as error:
            self.post_message(self.Queued(None, error))
        else:
            self.post_message(self.Queued(started, None))

    @on(Queued)
    def on_queued(self, message: Queued) -> None:
        message.stop()
        if message.started is not None:
            self.dismiss(message.started)
        elif isinstance(message.error, ChecksFailed):
            self.ask_reason(message.error)
        elif message.error is not None:
            self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)

    def ask_reason(self, error: ChecksFailed) -> None:
        """Ask why these data are trained on all the same."""

        def take(reason: str | None) -> None:
            if reason:
                self.queue(reason)

        refuse = _("A reason is kept with every run; without one nothing is trained.")
        self.app.push_screen(
            Line(
                _("Train despite the checks?"),
                _("{problem} Why it is trained all the same:").format(problem=told(error.problem)),
                word=_("train"),
                refuse=lambda text: "" if text else refuse,
            ),
            take,
        )

    def action_leave(self) -> None:
        self.dismiss(None)
