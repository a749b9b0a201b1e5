"""Console: composes the ten stages and moves between them; what a stage shows is the stage's affair."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import ScreenResume
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.notifications import SeverityLevel

from lemnis.engine import Engine, LemnisError
from lemnis.tui.actions import GLOBAL, actions, bindings
from lemnis.tui.address import Address
from lemnis.tui.clipboard import osc52, save_copy
from lemnis.tui.keys import named
from lemnis.tui.keys.keymap import DEFAULT, Keymap
from lemnis.tui.language import _
from lemnis.tui.messages import EngineSeen, LoopRead, RoomImported, TopicsMoved
from lemnis.tui.navigation import NavigatingApp
from lemnis.tui.sentences import told
from lemnis.tui.stages import STAGES
from lemnis.tui.terminal.app import TerminalApp
from lemnis.tui.tour.console import Touring
from lemnis.tui.warming import Rest, clear_garbage, heed_garbage, settle_memory, warm_rooms
from lemnis.tui.widgets.bars import FactLine, KeyBar
from lemnis.tui.widgets.loop import Loop
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.settled import settled

NARROW, SHORT = 100, 20
WARM_AFTER_S = 1.5
THREADS = 6  # that read for it, however many cores there are: each keeps its own connections to the store
SETTLING_S = 0.002  # so often it is looked whether a stage that is waited for has settled
HELD_S = 0.5  # so long the first picture waits for what it is to show
TOLD, LONG_S = 4, 15.0  # complaints about keys that are shown, and for how long
ANSWER_FIRST_S = 0.1  # the prompt's line goes when what it asked for is drawn: one picture less to wait for
AGE_SECONDS = 1.0  # how often the age of a live stage is looked at; it is drawn only when its words change


def palette() -> "type[Provider]":
    """Return the palette's provider, imported when the palette is first opened."""
    from lemnis.tui.palette import Palette

    return Palette


def fitting(breakpoints: Sequence[tuple[int, str]], size: int) -> str:
    """Return the class of the largest breakpoint that so many cells reach; the smallest breakpoint comes first."""
    return next((name for least, name in reversed(breakpoints) if size >= least), "")


class MainScreen(Screen[None]):
    """The screen of the stages; what a change of the focus alters draws itself, and nothing else is drawn again."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    _begun = False

    def _on_screen_resume(self, event: ScreenResume) -> None:
        """Read no style anew when it is seen first, whoever made it did a moment ago; nor when a dialog is left."""
        event.refresh_styles = event.refresh_styles and self._begun
        self._begun = True

    def _compositor_refresh(self) -> None:
        if not (isinstance(self.app, TerminalApp) and self.app.held):  # Textual would make a picture and throw it away
            super()._compositor_refresh()


class Console(Touring, NavigatingApp):
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
        place: Address | None = None,
        keymap: Keymap = DEFAULT,
    ) -> None:
        """Make a console.

        Args:
            engine: The workspace's engine.
            stage: The stage to open first.
            supervise: Keep the supervisor alive while the console is open.
            debug: Show the traceback of a crash.
            oncall: Show the on-call view first, over the stage.
            place: What to show first, instead of the stage.
            keymap: The keys in force.
        """
        super().__init__(engine, stage=place.stage if place else stage, supervise=supervise, debug=debug)
        self.first_place = Address("oncall") if oncall else place
        self.keymap = keymap
        self._warm, self._rest = False, Rest()

    def get_default_screen(self) -> Screen[None]:
        wide, tall = self.size  # with its classes from the beginning: another one is another look at every style
        classes = [fitting(self.HORIZONTAL_BREAKPOINTS or [], wide), fitting(self.VERTICAL_BREAKPOINTS or [], tall)]
        return self.timed(MainScreen(id="_default", classes=" ".join(classes)))

    def compose(self) -> ComposeResult:
        yield Loop()
        yield FactLine()
        yield Container(id="stages")
        yield PromptLine(id="filter")
        yield KeyBar()

    async def on_mount(self) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "reads"))
        self.pump.start()
        self.hold_picture("stage", "loop", seconds=HELD_S)
        facts = self.query_one(FactLine)
        facts.workspace, facts.lasting = self.engine.workspace.root.name, self.engine.notices()
        facts.past = self.banner
        self.use_keymap()
        await self.open_stage(self.here)
        if self.first_place is not None:
            await self.open_address(self.first_place)
        self.heed_signals()
        self.set_interval(AGE_SECONDS, self.show_age)
        if not self.is_headless:
            self.set_timer(HELD_S, heed_garbage)

    def action_command_palette(self) -> None:
        from lemnis.tui.palette import PaletteScreen

        if not isinstance(self.screen, PaletteScreen):
            self.push_screen(PaletteScreen(placeholder=_("Search for commands…"), id="--command-palette"))

    def search_themes(self) -> None:
        from textual.theme import ThemeProvider

        from lemnis.tui.palette import PaletteScreen

        self.push_screen(PaletteScreen(providers=[ThemeProvider], placeholder=_("Search for themes…")))

    def use_keymap(self) -> None:
        """Answer to the keys in force, and tell what is wrong with those that were declared."""
        named.use(self.keymap)
        self.set_keymap(dict(self.keymap.changed))
        labels = {action.id: self.keymap.label(action).split()[0] for action in actions(GLOBAL)}
        self.query_one(KeyBar).always = labels["app.help"], labels["app.command_palette"]
        if complaints := self.keymap.complaints:
            said = "\n".join([*complaints[:TOLD], _("See `lemnis keys check`.")])
            self.notify(said, title=_("Keys of your config.toml"), severity="warning", markup=False, timeout=LONG_S)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: "SeverityLevel" = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast; the ids of actions in it become their keys, and what is the engine's own is translated."""
        lines = "\n".join(map(told, message.split("\n")))
        super().notify(named.keyed(lines), title=told(title), severity=severity, timeout=timeout, markup=markup)

    def on_unmount(self) -> None:
        self.pump.stop()

    # What the pump says.

    def on_topics_moved(self, message: TopicsMoved) -> None:
        if self.stage is not None:
            self.stage.topics_moved(message.topics)

    def on_loop_read(self, message: LoopRead) -> None:
        for loop in self.framing(Loop):
            loop.show(message.stages)
        for facts in self.framing(FactLine):
            facts.broken = message.broken
        self.has_come("loop")

    def on_engine_seen(self, message: EngineSeen) -> None:
        for facts in self.framing(FactLine):
            facts.engine = message

    def on_stage_loaded(self) -> None:
        self.show_age()
        if not self._warm and not self.is_headless:
            self._warm = True
            self.set_timer(WARM_AFTER_S, self.warm)  # the first picture has the processor to itself
            self.set_interval(AGE_SECONDS, self.rest)

    def on_stage_complete(self) -> None:
        """Draw a stage that is waited for, once its tables have said where their cursors are and that is heeded.

        Placing it may bring scroll bars, which move what is beside them.
        """
        heard = self.stage is None or (settled(self.stage) and not self.screen.message_queue_size)
        if self.held and (not heard or self.place_unseen()):
            self.set_timer(SETTLING_S, self.on_stage_complete)
        else:
            self.has_come("stage")

    @work(thread=True, exit_on_error=False, group="warming")
    def warm(self) -> None:
        """Import the rooms that were not opened yet."""
        warm_rooms(STAGES, lambda name: self.post_message(RoomImported(name)), lambda: self.is_running)

    def on_room_imported(self, message: RoomImported) -> None:
        """Make a tab's room unseen, so that opening it costs its picture alone."""
        self.dress_screens()
        if self.screen_stack and not self.screen_stack[0].query(f"#stage-{message.stage}"):
            room = self.make_stage(message.stage)
            room.display = False
            self._making[message.stage] = self.screen_stack[0].query_one("#stages", Container).mount(room)
        if message.stage == STAGES[-1].name:
            self.set_timer(AGE_SECONDS, settle_memory)

    def rest(self) -> None:
        """Clear garbage if whoever types has paused and much has come."""
        if self._rest.due(self.inputs()):
            clear_garbage()

    # What the keys do everywhere.

    def action_next_pane(self) -> None:
        self.screen.focus_next()

    def action_help(self) -> None:
        from lemnis.tui.screens.help import Help

        self.push_screen(Help(self.here, self.keymap))

    def action_oncall(self) -> None:
        from lemnis.tui.screens.oncall import OnCall

        self.places.leave(self.where())
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
        explained = self.stage.explained() if self.stage else None
        if explained is None:
            self.notify(_("There is nothing to explain under the cursor."), markup=False)
            return
        from lemnis.tui.screens.explain import Explanation

        self.push_screen(Explanation(*explained))

    def action_filter(self) -> None:
        if self.stage is None or not self.stage.filter_hint:
            self.notify(_("This stage has nothing to filter."), markup=False)
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
        from lemnis.tui import copying

        place, screen = self.where(), self.screen

        def copy(kind: str | None) -> None:
            text, what = copying.chosen(kind, screen, place) if kind else ("", "")
            if text:
                self.copy(text, what)
            elif kind:
                self.notify(_("There is nothing to copy here."), markup=False)

        self.push_screen(copying.offered(screen), copy)

    def copy(self, text: str, what: str = "text") -> None:
        """Put a text on the clipboard of the terminal a person sits at, else into tmux's buffer, else into a file."""
        sequence, driver = osc52(text, os.environ), self._driver
        if sequence is not None and driver is not None:
            driver.write(sequence)
            self.notify(_("Copied the {what}.").format(what=what), markup=False)
        else:
            self.keep(text, what)

    @work(thread=True, exit_on_error=False, group="copy")
    def keep(self, text: str, what: str) -> None:
        """Put a text that the terminal can't take where it can be had."""
        from lemnis.tui import copying

        if os.environ.get("TMUX") and copying.into_tmux(text):
            said = _(
                "Too long for the terminal; the {what} is in tmux's buffer: paste it with the prefix and ]."
            ).format(what=what)
        else:
            try:
                path = save_copy(text, self.engine.workspace.hidden / "copies")
                said = _("The terminal can't take it; the {what} is in {path}").format(what=what, path=path)
            except OSError as error:
                said = _("The {what} was not copied: {error}").format(what=what, error=error.strerror)
        self.call_later(self.notify, said, markup=False)

    def action_edit(self) -> None:
        """Open lemnis.toml in the person's editor and check it afterwards."""
        if self.engine.store.read_only:
            self.notify(_("This workspace is open read-only."), severity="warning", markup=False)
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
