"""The Problem room: the question, its money, its criteria, its plan, and the history of all of them."""

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, VerticalScroll

from lemnis.engine import Engine, LemnisError
from lemnis.engine.config import Problem
from lemnis.engine.data import Arrival
from lemnis.engine.problem import Change
from lemnis.engine.resources.planning import Plan
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.language import _
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.problem import rows
from lemnis.tui.stages.problem.explained import CELLS, PROBLEM_TEXT
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Panel, Table, Words

CHANGES = 200


class ProblemView(Struct, frozen=True):
    """What is stated, what of the planned data arrived, and who changed what."""

    problem: Problem
    arrivals: list[Arrival]
    changes: list[Change]


class ProblemStage(Stage[ProblemView]):
    """The question and everything a model is measured against."""

    BINDINGS = bindings("problem")
    cells = CELLS
    topics = frozenset({"problem", "data"})
    beside = True  # a large workspace is planned for longer than it takes to read what is stated
    live_seconds = 3.0  # lemnis.toml may be changed by any editor, and what is late becomes so with time

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self._view: ProblemView | None = None
        self._planning = False

    def compose(self) -> ComposeResult:
        with Panel(_("Problem"), id="statement-panel"):
            yield Words(id="statement")
        with Horizontal(id="terms"):
            with Panel(_("Value per case"), id="value-panel"):
                yield Words(id="value")
            with Panel(_("Success criteria"), id="criteria-panel"):
                yield Table(*rows.CRITERIA, id="criteria", empty=_("No criterion yet. Press {app.edit}."))
        with Horizontal(id="needs"):
            with Panel(_("Acquisition plan"), id="plan-panel"):
                yield Table(
                    *rows.PLAN, id="plan", empty=_("No plan yet. Press {app.edit} to say what data comes when.")
                )
            with Panel(_("Infrastructure"), id="needed-panel"), VerticalScroll(id="needed-scroll", can_focus=True):
                yield Words(_("Reading what this machine has measured …"), id="needed")
        with Container(id="past"):
            with Panel(_("History"), id="history-panel"):
                yield Table(*rows.HISTORY, id="history", empty=_("Nothing is recorded yet."))
            with Panel(_("Change"), id="change-panel"), VerticalScroll(id="change-scroll", can_focus=True):
                yield Words(id="change")

    def on_mount(self) -> None:
        self._plan()

    def load(self) -> ProblemView:
        self.engine.problem.notice()
        return ProblemView(
            problem=self.engine.problem.statement(),
            arrivals=self.engine.data.arrivals(),
            changes=self.engine.problem.history(CHANGES),
        )

    def show(self, view: ProblemView) -> None:
        if view != self._view or self.thing:  # read again every few seconds, and hardly ever another one
            self._draw(view)
        self._plan()

    def _draw(self, view: ProblemView) -> None:
        self._view = view
        self.query_one("#statement", Words).say(rows.statement_content(view.problem))
        self.query_one("#statement-panel", Panel).retitle(_("Problem"), view.problem.title)
        self.query_one("#value", Words).say(rows.value_content(view.problem))
        self.query_one("#value-panel", Panel).footnote(rows.break_even_text(view.problem))
        history = self.query_one("#history", Table)
        history.show([rows.change_row(change) for change in view.changes])
        if self.thing:
            history.select(self.thing.removeprefix("change/") or str(view.changes[0].id) if view.changes else "")
            self.thing = ""
        self.query_one("#history-panel", Panel).retitle(_("History"), str(len(view.changes)))
        self.query_one("#plan-panel", Panel).footnote(rows.plan_summary(view.arrivals))
        self._show_tables(view)
        self._show_change()

    def _plan(self) -> None:
        if not self._planning:
            self._planning = True
            self.run_worker(self._plan_in_thread, group="plan", thread=True, exit_on_error=False)

    def _plan_in_thread(self) -> None:
        try:
            found: Plan | LemnisError = self.engine.resources.plan()
        except LemnisError as error:
            found = error
        self.call_later(self._show_plan, found)

    def _show_plan(self, found: Plan | LemnisError) -> None:
        self._planning = False
        if not self.children:
            return  # the console is being left
        self.query_one("#needed", Words).say(rows.needed_content(found))
        self.query_one("#needed-panel", Panel).footnote(rows.needed_summary(found))
        self.post_message(self.Complete())

    def _show_tables(self, view: ProblemView) -> None:
        """Show criteria and plan with the columns that there is room for."""
        narrow = self.app.screen.has_class("-narrow")
        criteria = [rows.criterion_row(criterion) for criterion in view.problem.criteria]
        plan = [rows.plan_row(arrival) for arrival in view.arrivals]
        for name, columns, found, kept in (
            ("#criteria", rows.CRITERIA, criteria, rows.NARROW_CRITERIA),
            ("#plan", rows.PLAN, plan, rows.NARROW_PLAN),
        ):
            shown, cut = rows.only(columns, found, kept) if narrow else (list(columns), found)
            table = self.query_one(name, Table)
            table.set_columns(shown)
            table.show(cut)

    def _show_change(self) -> None:
        key = self.query_one("#history", Table).key
        change = next((one for one in self._view.changes if str(one.id) == key), None) if self._view else None
        panel = self.query_one("#change-panel", Panel)
        if change is None:
            panel.retitle(_("Change"))
            self.query_one("#change", Words).say("")
            return
        panel.retitle(_("Change"), f"{rows.when(change.at)} {change.who}".strip())
        self.query_one("#change", Words).say(rows.change_content(change))

    def on_resize(self) -> None:
        if self._view is not None:
            self._show_tables(self._view)

    @on(Table.Moved, "#history")
    def follow_history(self) -> None:
        self._show_change()
        self.query_one("#change-scroll").scroll_home(animate=False)

    @on(Table.Opened, "#history")
    def read_change(self) -> None:
        """Let the keys scroll what the change did."""
        self.query_one("#change-scroll").focus()

    def goto(self, thing: str) -> None:
        """Show a change of the history, ``change/ID``; without an ID the newest."""
        super().goto(thing)
        if thing.startswith("change/") and not self.has_class("-past"):
            self.action_history()

    # Keys.

    def action_history(self) -> None:
        """Go to the history, which a small terminal shows instead of the rest; again to come back."""
        there = not self.has_class("-past")
        self.set_class(there, "-past")
        self.query_one("#history" if there else "#criteria", Table).focus()

    def action_infrastructure(self) -> None:
        """Go to what the volume needs, which a small terminal shows instead of the plan; again to come back."""
        there = not self.query_one("#needed-scroll").has_focus
        self.set_class(there, "-needed")
        self.query_one("#needed-scroll" if there else "#criteria").focus()

    def address(self) -> Address:
        history = self.query_one("#history", Table)
        if self.query_one("#needed-scroll").has_focus:
            return address("problem", "plan")
        return address("problem", *(("change", history.key) if self.has_class("-past") and history.key else ()))

    def visit(self, place: Address) -> None:
        change = place.named("change")
        self.set_class(bool(change), "-past")
        self.set_class(place.thing == "plan", "-needed")
        if place.thing == "plan":
            self.call_after_refresh(self.query_one("#needed-scroll").focus)
            return
        self.point("history" if change else "criteria", change, f"There is no change {change}.")

    def back(self) -> bool:
        if self.has_class("-needed"):
            self.set_class(False, "-needed")
            self.query_one("#criteria", Table).focus()
            return True
        if self.query_one("#change-scroll").has_focus:
            self.query_one("#history", Table).focus()
        elif self.has_class("-past"):
            self.action_history()
        else:
            return super().back()
        return True

    def explain(self) -> tuple[str, str] | None:
        return _("The problem"), PROBLEM_TEXT
