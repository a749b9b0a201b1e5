"""Navigation: the part of the console that shows one stage at a time and goes from one to another."""

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from textual.containers import Container
from textual.css.query import NoMatches
from textual.widget import AwaitMount, Widget

from lemnis.engine import Engine, LemnisError
from lemnis.tui.actions import ACTIONS, GLOBAL, TABLE
from lemnis.tui.address import Address, address
from lemnis.tui.bugs import unexpected
from lemnis.tui.language import _
from lemnis.tui.messages import IncidentWanted, PlaceWanted, StageWanted
from lemnis.tui.moment import moment_ms, moment_text
from lemnis.tui.places import Places
from lemnis.tui.screens.addressed import Addressed, Lined, screen_of, wanted_by
from lemnis.tui.sentences import told
from lemnis.tui.stages import BY_NAME
from lemnis.tui.stages.stage import Stage
from lemnis.tui.terminal.resuming import ResumingApp
from lemnis.tui.widgets.bars import FactLine, KeyBar
from lemnis.tui.widgets.loop import Loop
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.text import Empty

HERE = Path(__file__).parent
FRESH_S = 0.25  # so long a tab waits for what is true now, where the machine is busy


class NavigatingApp(ResumingApp):
    """An app of stages, of which one is seen.

    Attributes:
        here: The name of the stage that is seen.
        debug_crash: A stage that can't be loaded ends the app, instead of being a sentence in its tab.
    """

    def __init__(self, engine: Engine, *, stage: str, supervise: bool, debug: bool) -> None:
        super().__init__(engine, supervise=supervise)
        self.here, self.debug_crash = stage, debug
        self.places = Places()
        self._focused: dict[str, Widget] = {}
        self._making: dict[str, AwaitMount] = {}  # rooms made before anybody opened their tabs

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
            self._show_again(self.stage)
        elif not main.query(f"#stage-{name}"):
            await box.mount(self.make_stage(name))
        if thing and self.stage is not None:
            self.stage.goto(thing)
        self.focus_stage()
        self.show_age()

    def _show_again(self, stage: Stage[Any]) -> None:  # Any: the view of a stage is its own affair
        """Read a stage anew: one that changes all the time before it is seen, the others with what they showed last."""

        def read() -> None:
            if not stage.reload():
                self.give_picture()

        if not stage.live_seconds:
            self.call_after_refresh(stage.reload)
            return
        self.hold_picture("stage", seconds=FRESH_S)
        if self.held:  # what is read is shown in the room there is for it
            self.screen_stack[0]._refresh_layout()  # pyright: ignore[reportPrivateUsage]
        self.call_later(read)  # once it is known what of it is wanted

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
            return Container(
                Empty(f"{told(broken.problem)} {told(broken.remedy)}"), id=f"stage-{name}", classes="stage"
            )
        sheet = HERE / "stages" / name / "pane.tcss"
        if sheet.exists():
            # What a tab says of its screens comes before what is said of all of them, whichever was read first.
            self.stylesheet.add_source(sheet.read_text("utf-8"), read_from=(str(sheet), ""), tie_breaker=1)
        if kind is None:
            return Container(
                Empty(_("{stage} has nothing to show yet.").format(stage=info.said)),
                id=f"stage-{name}",
                classes="stage",
            )
        return kind(self.engine, info)

    # Places and their addresses.

    def where(self) -> Address:
        """Return the address of what is seen, with its time if that is past."""
        found = Address({"experiments": "runs"}.get(self.here, self.here))
        over = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Addressed)), None)
        with suppress(NoMatches):  # a stage that is being made has no panes yet
            found = over.address() if over is not None else self.stage.address() if self.stage is not None else found
        return found if self.engine.at is None else found.at(moment_text(self.engine.at))

    async def open_address(self, place: Address) -> None:
        """Show what an address names, at its time; what it names wrongly is told in a sentence."""
        try:
            at = moment_ms(place.option("at"), self.present.now_ms()) if place.option("at") else None
            if at != self.engine.at:
                self.travel("now" if at is None else at, place)
                return
            screen = screen_of(self.engine, place)
            await self.show_stage(place.stage)
            if screen is not None:
                await self.push_screen(screen, self.left)
            elif self.stage is not None:
                self.stage.sought = place
                self.stage.visit(place)
        except LemnisError as error:
            self.notify(error.remedy, title=error.problem, severity="error", markup=False)

    def left(self, answer: object) -> None:
        """Show what a screen that was opened by its address asks for when it is left."""
        wanted = wanted_by(answer)
        if wanted is not None:
            self.post_message(wanted)

    def action_history(self, step: int) -> None:
        """Go back to the place before, or forward again."""
        place = self.places.back(self.where()) if step < 0 else self.places.forward(self.where())
        if place is None:
            self.notify(
                _("There is no place {which} this one.").format(which=_("before") if step < 0 else _("after")),
                markup=False,
            )
        else:
            self.post_message(PlaceWanted(place, leave=False))

    def under_cursor(self) -> Address:
        """Return the address of the thing that is looked at: what is under the cursor, where that is one."""
        over = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Addressed)), None)
        if over is not None:
            return over.under_cursor() if isinstance(over, Lined) else over.address()
        return self.stage.under_cursor() if self.stage is not None else self.where()

    def action_lineage(self) -> None:
        """Show where the thing under the cursor comes from and what came of it."""
        from lemnis.tui.screens.traced import traced

        asked = traced(self.under_cursor())
        if asked is None:
            remedy = _("Move to an alert, window, version, run, endpoint or source.")
            self.notify(remedy, title=_("Nothing here has a lineage."), severity="warning", markup=False)
            return
        self.places.leave(self.where())
        screen = screen_of(self.engine, address("lineage", *asked))
        if screen is not None:  # over what is seen, which esc comes back to
            self.push_screen(screen)

    def action_jump(self) -> None:
        """Put a letter on every pane that is seen; the next key goes to one."""
        from lemnis.tui.screens.jump import Jump

        panes = [pane for pane in self.screen.focus_chain if pane.region]
        self.push_screen(Jump(panes), self.jumped)

    def jumped(self, pane: Widget | None) -> None:
        """Give the focus to the pane that was chosen."""
        if pane is not None and pane.is_attached:
            pane.focus()

    def uncover(self) -> None:
        """Take away all that is over the stages."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    async def show_stage(self, name: str, thing: str = "") -> None:
        """Show a stage with nothing over it."""
        self.uncover()
        await self.open_stage(name, thing)

    async def on_stage_wanted(self, message: StageWanted) -> None:
        self.places.leave(self.where())
        await self.show_stage(message.stage, message.thing)

    async def on_place_wanted(self, message: PlaceWanted) -> None:
        if message.leave:
            self.places.leave(self.where())
        await self.open_address(message.place)

    def on_incident_wanted(self, message: IncidentWanted) -> None:
        self.places.leave(self.where())
        from lemnis.tui.screens.incident import IncidentScreen

        self.push_screen(IncidentScreen(self.engine, message.alert_id, message.alert))

    async def renew(self) -> None:
        """Make every stage anew over the engine that is shown now."""
        self.uncover()
        main = self.screen_stack[0]
        for making in self._making.values():
            await making
        self._making.clear()
        self._focused.clear()
        main.set_focus(None)
        await main.query_one("#stages", Container).remove_children()
        main.query_one(FactLine).past = self.banner
        await self.open_stage(self.here)

    def show_age(self) -> None:
        """Say in the footer how old the stage's view is."""
        for bar in self.framing(KeyBar):
            bar.age, bar.stale = (self.stage.age_text, self.stage.stale) if self.stage else ("", False)

    async def action_stage(self, name: str) -> None:
        self.places.leave(self.where())
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
