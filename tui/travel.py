"""Travel: the part of the console that moves in time, between engines of now and of past moments."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, cast
from weakref import WeakSet

from msgspec import Struct
from textual import work
from textual.dom import DOMNode
from textual.message import Message
from textual.timer import Timer

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput
from lemnis.tui.actions import GLOBAL
from lemnis.tui.address import Address
from lemnis.tui.answers import answer
from lemnis.tui.format import when
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import N_, _
from lemnis.tui.pump import Pump
from lemnis.tui.stages.stage import WRITES, Stage
from lemnis.tui.terminal.app import TerminalApp
from lemnis.tui.warming import settle_memory

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

    from lemnis.engine.store import Store

Wish: TypeAlias = int | Literal["earlier", "later", "now"]

STAYED_S, RARELY_S = 1.0, 16.0
MOST_LEFT = 3  # places that were left and still take memory, for somebody who steps on and on
REFUSED = N_("This is the past: it can't be changed. {app.back} returns to now.")


class TravellingApp(TerminalApp):
    """An app over an engine of now or of a past moment, which another one can take the place of.

    Attributes:
        engine: The one that is shown.
        present: The one of now.
        pump: Follows the one that is shown.
        opened_by: The tab and the action that was done last on it, or everywhere: it may have opened a dialog.
        banner: What is said above everything while the past is shown; empty for now.
    """

    def __init__(self, engine: Engine, *, supervise: bool) -> None:
        super().__init__()
        self.engine, self.supervise = engine, supervise
        self.opened_by = ("", "")
        self.present = engine if engine.at is None else engine.present()
        self.banner = "" if engine.at is None else banner(engine.at)
        self.pump = self.pump_of(engine)
        self._left: WeakSet[Store] = WeakSet()  # not of engines: a room of one may be held longer than it
        self._letting_go: Timer | None = None
        self.set_class(engine.at is not None, "-past")

    def pump_of(self, engine: Engine) -> Pump:
        """Return a pump over an engine, which is heard while that engine is the one that is shown."""

        def heard(message: Message) -> None:
            if self.engine is engine:
                self.post_message(message)

        return Pump(engine, heard, supervise=self.supervise and engine.at is None)

    async def renew(self) -> None:
        """Make all that is shown anew over `engine`."""
        raise NotImplementedError

    async def open_address(self, place: Address) -> None:
        """Show what an address names, at its time."""
        raise NotImplementedError

    def action_past(self) -> None:
        from lemnis.tui.screens.past import Past

        def answered(at: int | None) -> None:
            if at is not None:
                self.travel(at)

        self.push_screen(Past(self.present), answered)

    def action_travel(self, step: Literal["earlier", "later"]) -> None:
        self.travel(step)

    @work(thread=True, exclusive=True, exit_on_error=False, group="travel")
    def travel(self, wish: "Wish", then: Address | None = None) -> None:
        """Show the whole console as it was at a moment (epoch ms), a step on or back, or as it is now.

        Args:
            wish: When.
            then: What to show of that time; None for the stage that is open.
        """
        try:
            place = place_of(self.present, self.engine, wish)
        except LemnisError as error:
            answer(self.call_later, self.notify, error.remedy, title=error.problem, severity="warning", markup=False)
        else:
            answer(self.call_later, self.arrive, place, then)

    async def arrive(self, place: "Place", then: Address | None = None) -> None:
        """Show a place in time, and there what an address names."""
        self.pump.stop()
        if self.engine is not self.present:
            self._left.add(self.engine.store)
        self.engine, self.banner, self.pump = place.engine, place.banner, self.pump_of(place.engine)
        self.set_class(place.engine.at is not None, "-past")
        await self.renew()
        self.pump.start()
        if len(self._left) > MOST_LEFT:
            self._forget()
        self.let_go()
        if then is not None:
            await self.open_address(then)

    def let_go(self, after_s: float = STAYED_S) -> None:
        """Let go of the places in time that were left, once a person stays: each has open files in several threads."""
        if self._letting_go is not None:
            self._letting_go.stop()
        self._letting_go = self.set_timer(after_s, partial(self._let_go, after_s))

    def _let_go(self, after_s: float) -> None:
        self._forget()
        if self._left:  # a thread still reads there
            self.let_go(min(2 * after_s, RARELY_S))

    def _forget(self) -> None:
        # What stays remembers what it was asked for last, also what was taken away since, with the engine it showed.
        for node in (self, *self.screen_stack, *self.screen.walk_children()):
            node._query_one_cache.clear()  # pyright: ignore[reportPrivateUsage]
        for store in self._left:
            store.close()  # whoever still reads there opens it once more
        settle_memory()

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do an action, unless it would change the past: that is refused with a sentence."""
        stage = cast("Stage[object]", default_namespace) if isinstance(default_namespace, Stage) else None
        scope = stage.info.name if stage is not None else GLOBAL
        if len(self.screen_stack) == 1:
            self.opened_by = (scope, action if isinstance(action, str) else "")
        if self.engine.at is not None and (scope, action) in WRITES:
            self.notify(_(REFUSED), severity="warning", markup=False)
            return True
        return await super().run_action(action, cast("DOMNode | None", default_namespace), namespaces)


class Place(Struct, frozen=True):
    """Where in time the console is: the engine to ask, and what its banner says; empty for now."""

    engine: Engine
    banner: str = ""


def place_of(now: Engine, here: Engine, wish: Wish) -> Place:
    """Return where a wish leads: to a moment (epoch ms), a step of what happened on or back, or to now. Blocks.

    Args:
        now: The engine of now.
        here: The one that is shown.
        wish: Where to go.

    Raises:
        BadInput: There is nothing to go to.
    """
    if isinstance(wish, int):
        return Place(now.as_of(wish), banner(wish))
    if wish == "later" and here.at is None:
        raise BadInput("This is now.", "{app.earlier} goes back to what happened last.")
    if wish == "now":
        return Place(now)
    moment = now.moment_beside(here.now_ms(), later=wish == "later")
    if moment is None and wish == "earlier":
        raise BadInput("Nothing is recorded before this.", "{app.later} goes to what happened next, {app.back} to now.")
    if moment is None:
        return Place(now)
    return Place(now.as_of(moment.at), banner(moment.at, moment.text))


def banner(at: int, happened: str = "") -> str:
    """Return what is said above everything while the past is shown."""
    told = f" · {happened}" if happened else ""
    back = key_of("app.back")
    return _("as it was at {at} · {back} returns to now{told}").format(at=when(at, seconds=True), back=back, told=told)
