"""A screen of facts that a thread reads again every few seconds, and whose keys have the engine do something."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import ReadOnly
from lemnis.tui.actions import place_bindings
from lemnis.tui.answers import answer
from lemnis.tui.format import when
from lemnis.tui.language import _
from lemnis.tui.terminal.pace import every, pace
from lemnis.tui.widgets import Panel, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

Facts = TypeVar("Facts")


class LiveScreen(Dialog[None], Generic[Facts]):
    """What is shown is the screen's own affair: `read` returns the facts, and `draw` draws them.

    One reading is under way at a time, and what is old says so in words.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*place_bindings(), Binding("escape,q", "dismiss", "Back", show=False)]
    every_s: ClassVar[float] = 2.0
    stale_s: ClassVar[float] = 10.0
    panel: ClassVar[str]  # in whose lower border it says that what is shown is old

    @dataclass
    class Read(Message):
        """The facts came back from the thread. Any: Facts."""

        facts: Any

    @dataclass
    class Refused(Message):
        """They could not be read."""

        error: LemnisError

    @dataclass
    class Told(Message):
        """What was asked for is done, or was refused."""

        outcome: str | LemnisError

    def __init__(self, engine: Engine, *, classes: str) -> None:
        """Make the screen; its style class is its own."""
        super().__init__(classes=classes)
        self.engine = engine
        self.facts: Facts | None = None
        self._read_at = monotonic_s()
        self._reading = self._owed = False

    # What a screen defines.

    def read(self) -> Facts:
        """Return the facts; runs in a thread."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw what was read last, if anything was, for the room there is."""
        raise NotImplementedError

    # What its keys use.

    @work(thread=True, exit_on_error=False, group="act")
    def do(self, call: Callable[[], str]) -> None:
        """Do what was asked for in a thread, and tell what it returns."""
        try:
            self.post_message(self.Told(call()))
        except LemnisError as error:
            self.post_message(self.Told(error))

    def refuse(self, problem: str, remedy: str) -> None:
        """Say why a key does nothing now."""
        self.notify(remedy, title=problem, severity="warning", markup=False)

    def may_write(self) -> bool:
        """Say whether what is shown may be changed: not the past, nor a workspace open read-only; tells if not."""
        try:
            self.engine.store.check_writable()
        except ReadOnly as error:
            self.refuse(error.problem, error.remedy)
            return False
        return True

    # How it works.

    def on_mount(self) -> None:
        if self.engine.at is not None:
            past = _("◷ as it was at {at}").format(at=when(self.engine.at, seconds=True))
            self.mount(Words(Content.styled(past, "bold $warn"), classes="past"), before=0)
        every(self, self.every_s, self.look)
        self.look()

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def look(self) -> None:
        """Read again unless a reading is under way; say in words when what is shown has become old."""
        age = monotonic_s() - self._read_at
        if age > self.stale_s * pace(self):
            told = _("stale: not read for {age:.0f} s").format(age=age // 10 * 10)
            self.query_one(self.panel, Panel).footnote(told, stale=True)
        if not self._reading:
            self._reading = True
            self.read_again()

    @work(thread=True, exit_on_error=False, group="read")
    def read_again(self) -> None:
        """Read the facts."""
        try:
            found: Message = self.Read(self.read())
        except LemnisError as error:
            found = self.Refused(error)
        finally:
            self._reading = False
        answer(self.post_message, found)

    def on_live_screen_read(self, message: Read) -> None:
        self.facts, self._read_at = message.facts, monotonic_s()
        self.query_one(ErrorStrip).clear()
        self.query_one(self.panel, Panel).footnote("")
        self.draw()
        self._look_if_owed()

    def on_live_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)
        self._look_if_owed()

    def on_live_screen_told(self, message: Told) -> None:
        """Tell what came of it and read again; a reading that had begun before may not know of it yet."""
        outcome = message.outcome
        if isinstance(outcome, LemnisError):
            said = "\n".join(filter(None, (outcome.place, outcome.remedy)))
            self.notify(said, title=outcome.problem, severity="error", markup=False)
        elif outcome:
            self.notify(outcome, markup=False)
        self._owed = self._reading
        self.look()

    def _look_if_owed(self) -> None:
        if self._owed:
            self._owed = False
            self.look()
