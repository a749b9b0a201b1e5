"""Console: composes the ten stages and moves between them; what a stage shows is the stage's affair."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Container
from textual.css.query import NoMatches
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import AwaitMount, Widget

if TYPE_CHECKING:
    from textual.command import Provider

from lemnis.engine import Engine, LemnisError
from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE, bindings
from lemnis.tui.clipboard import osc52, save_copy
from lemnis.tui.messages import EngineSeen, IncidentWanted, LoopRead, RoomImported, StageWanted, TopicsMoved
from lemnis.tui.stages import BY_NAME, STAGES
from lemnis.tui.stages.stage import Stage, unexpected
from lemnis.tui.terminal.resuming import ResumingApp
from lemnis.tui.tour.console import Touring
from lemnis.tui.warming import settle_memory, warm_rooms
from lemnis.tui.widgets.bars import FactLine, KeyBar
from lemnis.tui.widgets.grid import Grid
from lemnis.tui.widgets.loop import Loop
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.table import Table
from lemnis.tui.widgets.text import Empty

HERE = Path(__file__).parent
NARROW, SHORT = 100, 20
Frame = TypeVar("Frame", bound=Widget)
WARM_AFTER_S = 1.5
ANSWER_FIRST_S = 0.1  # the prompt's line goes when what it asked for is drawn: one picture less to wait for
AGE_SECONDS = 1.0  # how often the age of a live stage is looked at; it is drawn only when its words change


def palette() -> "type[Provider]":
    """Return the palette's provider, imported when the palette is first opened."""
    from lemnis.tui.palette import Palette

    return Palette


class MainScreen(Screen[None]):
    """The screen of the stages; what a change of the focus alters draws itself, and nothing else is drawn again."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


class Console(Touring, ResumingApp):
    """The whole console over one engine."""

    BINDINGS = bindings("everywhere")
    COMMANDS = {palette}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]

    def __init__(
        self,
        engine: Engine,
        *,
        stage: str = "problem",
        supervise: bool = False,
        debug: bool = False,
        oncall: bool = False,
    ) -> None:
        """Make a console.

        Args:
            engine: The workspace's engine.
            stage: The stage to open first.
            supervise: Keep the supervisor alive while the console is open.
            debug: Show the traceback of a crash.
            oncall: Show the on-call view first, over the stage.
        """
        super().__init__(engine, supervise=supervise)
        self.here, self.debug_crash, self.first_oncall = stage, debug, oncall
        self._focused: dict[str, Widget] = {}
        self._warm = False
        self._making: dict[str, AwaitMount] = {}  # rooms made before anybody opened their tabs

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(id="_default")

    def compose(self) -> ComposeResult:
        yield Loop()
        yield FactLine()
        yield Container(id="stages")
        yield PromptLine(id="filter")
        yield KeyBar()

    async def on_mount(self) -> None:
        facts = self.query_one(FactLine)
        facts.workspace, facts.lasting = self.engine.workspace.root.name, self.engine.notices()
        facts.past = self.banner
        await self.open_stage(self.here)
        if self.first_oncall:
            self.action_oncall()
        self.heed_signals()
        self.set_interval(AGE_SECONDS, self.show_age)
        self.pump.start()

    def on_unmount(self) -> None:
        self.pump.stop()

    # Moving between stages.

    @property
    def stage(self) -> "Stage[Any] | None":  # Any: the view of a stage is its own affair
        """The stage a person sees, None while its room is missing."""
        try:
            found = self.screen_stack[0].query_one(f"#stage-{self.here}")
        except (NoMatches, IndexError):
            return None
        return cast("Stage[Any]", found) if isinstance(found, Stage) else None

    async def open_stage(self, name: str, thing: str = "") -> None:
        """Show a stage, importing its room the first time, and perhaps one thing in it."""
        main = self.screen_stack[0]
        if main.focused is not None:
            self._focused[self.here] = main.focused
        self.here = name
        main.query_one(Loop).open = name
        main.query_one(PromptLine).close()
        box = main.query_one("#stages", Container)
        if name in self._making:
            await self._making.pop(name)
        for child in box.children:
            child.display = child.id == f"stage-{name}"
        if self.stage is not None:
            self.call_after_refresh(self.stage.reload)  # what it showed last is seen first
        elif not main.query(f"#stage-{name}"):
            await box.mount(self.make_stage(name))
        if thing and self.stage is not None:
            self.stage.goto(thing)
        self.focus_stage()
        self.show_age()

    def focus_stage(self) -> None:
        """Give the focus back to where it was in this stage, or to its first pane."""
        main, last = self.screen_stack[0], self._focused.get(self.here)
        if last is not None and last.is_attached and last.focusable:
            main.set_focus(last)
        else:
            room = f"stage-{self.here}"  # one change of the focus: each has the styles of two panes looked up anew
            inside = (widget for widget in main.focus_chain if any(node.id == room for node in widget.ancestors))
            main.set_focus(next(inside, None))

    def make_stage(self, name: str) -> Widget:
        """Return the stage's widget; one that can't be loaded is a sentence in its tab, not the end of the console."""
        info = BY_NAME[name]
        try:
            kind = info.load()
        except Exception as error:
            if self.is_headless or self.debug_crash:
                raise
            broken = unexpected(error)
            return Container(Empty(f"{broken.problem} {broken.remedy}"), id=f"stage-{name}", classes="stage")
        sheet = HERE / "stages" / name / "pane.tcss"
        if sheet.exists():
            self.stylesheet.add_source(sheet.read_text("utf-8"), read_from=(str(sheet), ""))
        if kind is None:
            return Container(Empty(f"{info.title} has nothing to show yet."), id=f"stage-{name}", classes="stage")
        return kind(self.engine, info)

    async def on_stage_wanted(self, message: StageWanted) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        await self.open_stage(message.stage, message.thing)

    def on_incident_wanted(self, message: IncidentWanted) -> None:
        from lemnis.tui.screens.incident import IncidentScreen

        self.push_screen(IncidentScreen(self.engine, message.alert_id, message.alert))

    async def renew(self) -> None:
        """Make every stage anew over the engine that is shown now."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        main = self.screen_stack[0]
        for making in self._making.values():
            await making
        self._making.clear()
        self._focused.clear()
        main.set_focus(None)
        await main.query_one("#stages", Container).remove_children()
        main.query_one(FactLine).past = self.banner
        await self.open_stage(self.here)

    # What the pump says.

    def on_topics_moved(self, message: TopicsMoved) -> None:
        if self.stage is not None:
            self.stage.topics_moved(message.topics)

    def on_loop_read(self, message: LoopRead) -> None:
        for loop in self._framing(Loop):
            loop.show(message.stages)
        for facts in self._framing(FactLine):
            facts.broken = message.broken

    def on_engine_seen(self, message: EngineSeen) -> None:
        for facts in self._framing(FactLine):
            facts.engine = message

    def _framing(self, kind: type[Frame]) -> Iterable[Frame]:
        """Return the widget of this kind around the stages; none while the console is leaving."""
        around = self.screen_stack[0].children if self.screen_stack else ()
        return [widget for widget in around if isinstance(widget, kind)]  # a query would look at every tab's widgets

    def on_stage_loaded(self) -> None:
        self.show_age()
        if not self._warm and not self.is_headless:
            self._warm = True
            self.set_timer(WARM_AFTER_S, self.warm)  # the first picture has the processor to itself

    @work(thread=True, exit_on_error=False, group="warming")
    def warm(self) -> None:
        """Import the rooms that were not opened yet."""
        warm_rooms(STAGES, lambda name: self.post_message(RoomImported(name)), lambda: self.is_running)

    def on_room_imported(self, message: RoomImported) -> None:
        """Make a tab's room unseen, so that opening it costs its picture alone."""
        if self.screen_stack and not self.screen_stack[0].query(f"#stage-{message.stage}"):
            room = self.make_stage(message.stage)
            room.display = False
            self._making[message.stage] = self.screen_stack[0].query_one("#stages", Container).mount(room)
        if message.stage == STAGES[-1].name:
            self.set_timer(AGE_SECONDS, settle_memory)

    def show_age(self) -> None:
        """Say in the footer how old the stage's view is."""
        for bar in self._framing(KeyBar):
            bar.age = self.stage.age_text if self.stage else ""

    # What the keys do everywhere.

    async def action_stage(self, name: str) -> None:
        await self.open_stage(name)

    async def action_do(self, action_id: str) -> None:
        """Do a declared action from the palette: go to its stage first if it has one."""
        action = next(action for action in ACTIONS if action.id == action_id)
        if action.scope == GLOBAL:
            await self.run_action(action.name, self)
        elif action.scope == TABLE:
            await self.run_action(action.name, self.screen.focused or self)
        else:
            if action.scope != self.here:
                await self.open_stage(action.scope)
            if self.stage is not None:
                await self.run_action(action.name, self.stage)

    def action_next_pane(self) -> None:
        self.screen.focus_next()

    def action_help(self) -> None:
        from lemnis.tui.screens.help import Help

        self.push_screen(Help(self.here))

    def action_oncall(self) -> None:
        from lemnis.tui.screens.oncall import OnCall

        self.push_screen(OnCall(self.engine))

    async def action_back(self) -> None:
        if self.stage is not None and self.stage.back():
            return
        if self.engine.at is not None:
            self.travel("now")
            return
        await self.leave_tour()
        self.focus_stage()

    def action_explain(self) -> None:
        explained = self.stage.explain() if self.stage else None
        if explained is None:
            self.notify("There is nothing to explain under the cursor.", markup=False)
            return
        from lemnis.tui.screens.explain import Explanation

        self.push_screen(Explanation(*explained))

    def action_filter(self) -> None:
        if self.stage is None or not self.stage.filter_hint:
            self.notify("This stage has nothing to filter.", markup=False)
            return
        self.query_one(PromptLine).open(self.stage.query_text, self.stage.filter_hint, self.stage.history)

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        prompt = self.query_one(PromptLine)
        if self.stage is None:
            return
        try:
            self.stage.filter(message.text)
        except LemnisError as error:
            prompt.refuse(error)
            return
        self.focus_stage()
        prompt.close(ANSWER_FIRST_S)

    def on_prompt_line_typed(self, message: PromptLine.Typed) -> None:
        if self.stage is not None:
            self.stage.preview(message.text, self.query_one(PromptLine).tell)

    def on_prompt_line_completing(self, message: PromptLine.Completing) -> None:
        if self.stage is not None:
            self.stage.complete(message.text, self.query_one(PromptLine).offer)

    def on_prompt_line_left(self) -> None:
        self.focus_stage()

    def action_copy(self) -> None:
        table = self.screen.focused
        if not isinstance(table, Table | Grid):
            self.notify("Copying works in tables; move to one with tab.", markup=False)
            return
        from lemnis.tui.screens.copy import KINDS, CopyMenu

        def copy(kind: str | None) -> None:
            if kind and (text := table.copy_text(kind)):
                self.copy(text, KINDS[kind])

        self.push_screen(CopyMenu(), copy)

    def copy(self, text: str, what: str = "text") -> None:
        """Put a text on the clipboard of the terminal a person sits at, or into a file where it is too long."""
        sequence = osc52(text, os.environ)
        driver = self._driver
        if sequence is not None and driver is not None:
            driver.write(sequence)
            self.notify(f"Copied the {what}.", markup=False)
            return
        path = save_copy(text, self.engine.workspace.hidden / "copies")
        self.notify(f"Too long for the clipboard; the {what} is in {path}", markup=False)

    def action_edit(self) -> None:
        """Open lemnis.toml in the person's editor and check it afterwards."""
        if self.engine.store.read_only:
            self.notify("This workspace is open read-only.", severity="warning", markup=False)
            return
        from lemnis.tui.declaration import edit

        problem = edit(self.engine.workspace.config, self.suspend())
        self.refresh(layout=True)
        if problem:
            self.notify(problem, severity="error", markup=False)
        self.record_declaration()

    @work(thread=True, exclusive=True, exit_on_error=False, group="declaration")
    def record_declaration(self) -> None:
        """Check lemnis.toml and record its change."""
        from lemnis.tui.declaration import checked

        words, good = checked(self.engine)
        self.call_later(self.notify, words, severity="information" if good else "error", markup=False)
        self.post_message(TopicsMoved(frozenset({"problem"})))
