"""The on-call view: how bad it is, what serves and how well, what fires; for a person who was woken up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import ConfigError
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.duty import Duty
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address
from lemnis.tui.screens import answering
from lemnis.tui.screens.alerted import duty as words
from lemnis.tui.screens.alerted.lines import Line, wrapped
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.incident import IncidentScreen, content, listed
from lemnis.tui.widgets import Keys, Panel, Table, Words
from lemnis.tui.widgets.strip import ErrorStrip

READ_EVERY_S = 2.0
STALE_S = 10.0
LOW = 20  # lines of the screen, below which an alert is told in two
KEYS = (
    ("a", "take", "take the alert under the cursor at once: it is yours and tells nobody again; A asks until when"),
    ("enter", "open", "everything around it: what, since when, how sure, money, what changed, what can be done"),
    ("Z", "silence", "hold its rule on this endpoint for a while: why and until when"),
    ("R", "end", "end it by hand: only a later window raises it again"),
    (
        "B",
        "bell",
        "ring the terminal's bell once for each new page, or not; [oncall] bell in lemnis.toml says how it begins",
    ),
    ("y", "copy", "copy a cell, a row or all rows"),
    ("?", "keys", "this list"),
    ("esc", "back", "leave"),
)


class OnCall(ModalScreen[None]):
    """Headline, endpoints, alerts, silences; `a` takes an alert at once, enter opens its incident.

    It is read every two seconds and drawn only where it changed; times are in whole minutes, so that a quiet night
    writes nothing to the terminal.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *place_bindings(),
        Binding("escape,q,o", "dismiss", "Close", show=False),
        Binding("a", "take", "Take", show=False),
        Binding("A", "answer('take')", "Take until", show=False),
        Binding("Z", "answer('silence')", "Silence", show=False),
        Binding("R", "answer('resolve')", "Resolve", show=False),
        Binding("B", "bell", "Bell", show=False),
        Binding("y", "app.copy", "Copy", show=False),
        Binding("question_mark", "keys", "Keys", show=False),
    ]

    @dataclass
    class Read(Message):
        """The facts came back from the thread."""

        duty: Duty
        bell: bool | None  # whether lemnis.toml wants it; None while it is being mended

    @dataclass
    class Refused(Message):
        """It could not be read."""

        error: LemnisError

    @dataclass
    class Told(Message):
        """What was asked for is done, or was refused."""

        outcome: str | LemnisError

    def __init__(self, engine: Engine) -> None:
        super().__init__(classes="oncall")
        self.engine = engine
        self.duty: Duty | None = None
        self.bell: bool | None = None  # None: as lemnis.toml says
        self._declared = False
        self._rung: frozenset[int] | None = None  # pages that were there; None before the first look
        self._read_at = monotonic_s()
        self._reading = False

    def address(self) -> Address:
        return Address("oncall")

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Words("Reading …", id="duty-head")
        with Panel("Endpoints", id="duty-endpoints-panel"):
            yield Words(id="duty-endpoints")
        with Panel("Alerts", id="duty-alerts-panel"):
            yield Table(id="duty-alerts", empty="Nothing fires and nothing is pending.")
        with Vertical(id="duty-foot"):
            yield Words(id="duty-alert")
            yield Words(id="duty-silences")
            yield Keys(id="duty-keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self.set_interval(READ_EVERY_S, self.look)
        self.look()

    def on_resize(self) -> None:
        self.draw()

    def look(self) -> None:
        """Read again unless a reading is under way; say in words when what is shown has become old."""
        age = monotonic_s() - self._read_at
        if age > STALE_S:
            self.query_one("#duty-alerts-panel", Panel).footnote(f"stale: not read for {age // 10 * 10:.0f} s")
        if not self._reading:
            self._reading = True
            self.read_again()

    @work(thread=True, exit_on_error=False, group="oncall")
    def read_again(self) -> None:
        """Read what there is to know."""
        try:
            try:
                bell = self.engine.config().oncall.bell
            except ConfigError:
                bell = None
            self.post_message(self.Read(self.engine.monitor.duty(), bell))
        except LemnisError as error:
            self.post_message(self.Refused(error))
        finally:
            self._reading = False

    def on_on_call_read(self, message: Read) -> None:
        self.duty, self._read_at = message.duty, monotonic_s()
        self._declared = self._declared if message.bell is None else message.bell
        self.query_one(ErrorStrip).clear()
        self.query_one("#duty-alerts-panel", Panel).footnote("")
        self.ring()
        self.draw()

    def on_on_call_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_on_call_told(self, message: Told) -> None:
        answering.tell(self, message.outcome)
        self.look()

    @property
    def rings(self) -> bool:
        """Whether a new page rings the terminal's bell."""
        return self._declared if self.bell is None else self.bell

    def ring(self) -> None:
        """Ring once when a page is new, however many are."""
        if self.duty is None:
            return
        pages = words.pages_of(self.duty)
        if self.rings and self._rung is not None and pages - self._rung:
            self.app.bell()
        self._rung = pages | (self._rung or frozenset())

    def draw(self) -> None:
        """Draw what was read last, for the width there is."""
        duty = self.duty
        if duty is None or not self.is_mounted:
            return
        width, small = self.size.width, self.size.width < words.SMALL
        self.query_one("#duty-head", Words).say(content(broken([words.headline(duty)], width - 2)))
        self.query_one("#duty-endpoints", Words).say(content(words.endpoint_lines(duty, width - 4)))
        table = self.query_one(Table)
        table.set_columns(words.alert_columns(width))
        table.show([words.alert_row(alert, duty, width) for alert in duty.alerts])
        self.say_alert()
        silences = self.query_one("#duty-silences", Words)
        silences.display = bool(duty.silences) or not small
        silences.say(content(broken([words.silence_line(duty)], width - 2)[:2]))
        bell = "bell on" if self.rings else "bell off"
        self.query_one(Keys).show(*[(key, bell if key == "B" else does) for key, does, _ in KEYS])

    @on(Table.Moved, "#duty-alerts")
    def say_alert(self) -> None:
        """Say in full what the table has no room for, in as many lines as the screen can spare."""
        alert, place = self.alert, self.query_one("#duty-alert", Words)
        place.display = alert is not None
        if alert is not None:
            lines = words.alert_lines(alert, self.size.width - 2)
            place.say(content(lines[: 2 if self.size.height < LOW else 5]))

    # Keys.

    @property
    def alert(self) -> Alert | None:
        """The alert under the cursor."""
        key = self.query_one(Table).key
        return next((one for one in self.duty.alerts if str(one.id) == key), None) if self.duty else None

    @on(Table.Opened, "#duty-alerts")
    def open_incident(self, message: Table.Opened) -> None:
        message.stop()
        self.app.push_screen(IncidentScreen(self.engine, int(message.key), self.alert))

    def action_keys(self) -> None:
        self.app.push_screen(Explanation("Keys on call", listed(KEYS)))

    def action_bell(self) -> None:
        self.bell = not self.rings
        self.draw()

    def action_take(self) -> None:
        alert = self.alert
        if alert is not None and self._may_write():
            self.do(lambda: answering.take_at_once(self.engine, alert.id, "the on-call view"))

    def action_answer(self, how: answering.Answer) -> None:
        """Ask what is needed to take, silence or end the alert under the cursor, and do it."""
        alert = self.alert
        if alert is None or not self._may_write():
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.do(lambda: answering.answer(self.engine, how, alert, filled))

        self.app.push_screen(answering.form_of(how, alert), answered)

    def _may_write(self) -> bool:
        """Say whether this workspace may be changed; tells if not."""
        if self.engine.store.read_only:
            self.notify("This workspace is open read-only.", severity="warning", markup=False)
        return not self.engine.store.read_only

    @work(thread=True, exit_on_error=False, group="oncall-act")
    def do(self, call: Callable[[], str]) -> None:
        """Do what was asked for in a thread, and tell."""
        try:
            self.post_message(self.Told(call()))
        except LemnisError as error:
            self.post_message(self.Told(error))


def broken(lines: list[Line], width: int) -> list[Line]:
    """Return lines broken to a width."""
    return [part for line in lines for part in wrapped(line, width)]
