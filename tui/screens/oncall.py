"""The on-call view: how bad it is, what serves and how well, what fires; for a person who was woken up."""

from contextlib import suppress
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from lemnis.engine import Engine
from lemnis.engine.errors import ConfigError
from lemnis.engine.monitor import Alert
from lemnis.engine.monitor.duty import Duty
from lemnis.tui.address import Address
from lemnis.tui.language import N_, _
from lemnis.tui.screens.alerted import duty as words
from lemnis.tui.screens.alerted.lines import Line, wrapped
from lemnis.tui.screens.answering import AlertScreen
from lemnis.tui.screens.incident import IncidentScreen, content
from lemnis.tui.widgets import Keys, Panel, Table, Words
from lemnis.tui.widgets.strip import ErrorStrip

LOW, HEAD_LINES, ALERT_LINES = 20, 3, 2  # lines of the screen, below which headline and alert are told in so many
LEAST = 4  # lines of the panel of alerts: its border, its head and one alert
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


class OnCall(AlertScreen[Duty]):
    """Headline, endpoints, alerts, silences; `a` takes an alert at once, enter opens its incident.

    It is read every two seconds and drawn only where it changed; times are in whole minutes, so that a quiet night
    writes nothing to the terminal.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "dismiss", "Close", show=False),
        Binding("B", "bell", "Bell", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]
    panel, place, keys = "#duty-alerts-panel", N_("the on-call view"), KEYS

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, classes="oncall")
        self.bell: bool | None = None  # None: as lemnis.toml says
        self._declared = False
        self._rung: frozenset[int] | None = None  # pages that were there; None before the first look

    def address(self) -> Address:
        return Address("oncall")

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Words(_("Reading …"), id="duty-head")
        with Panel(_("Endpoints"), id="duty-endpoints-panel"):
            yield Words(id="duty-endpoints")
        with Panel(_("Alerts"), id="duty-alerts-panel"):
            yield Table(id="duty-alerts", empty=_("Nothing fires and nothing is pending."))
        with Vertical(id="duty-foot"):
            yield Words(id="duty-alert")
            yield Words(id="duty-silences")
            yield Keys(id="duty-keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()

    def read(self) -> Duty:
        with suppress(ConfigError):  # while lemnis.toml is being mended it is as it was
            self._declared = self.engine.config().oncall.bell
        return self.engine.monitor.duty()

    @property
    def rings(self) -> bool:
        """Whether a new page rings the terminal's bell."""
        return self._declared if self.bell is None else self.bell

    def ring(self, duty: Duty) -> None:
        """Ring once when a page is new, however many are."""
        pages = words.pages_of(duty)
        if self.rings and self._rung is not None and pages - self._rung:
            self.app.bell()
        self._rung = pages | (self._rung or frozenset())

    def draw(self) -> None:
        """Draw what was read last, for the width there is."""
        duty = self.facts
        if duty is None:
            return
        self.ring(duty)
        width, small = self.size.width, self.size.width < words.SMALL
        low = self.size.height < LOW
        head = broken([words.headline(duty)], width - 2)[: HEAD_LINES if low else None]
        self.query_one("#duty-head", Words).say(content(head))
        self.query_one("#duty-endpoints", Words).say(content(words.endpoint_lines(duty, width - 4)))
        table = self.query_one(Table)
        table.set_columns(words.alert_columns(width))
        table.show([words.alert_row(alert, duty, width) for alert in duty.alerts])
        self.say_alert()
        silences = self.query_one("#duty-silences", Words)
        silences.display = bool(duty.silences) or not small
        silences.say(content(broken([words.silence_line(duty)], width - 2)[:2]))
        if low:  # alerts and keys stay on the screen, whatever else there is to say
            rest = len(head) + ALERT_LINES + 2 * silences.display + 1 + (self.engine.at is not None)
            most = max(3, self.size.height - rest - LEAST)
            self.query_one("#duty-endpoints-panel").styles.max_height = most
        bell = _("bell on") if self.rings else _("bell off")
        self.query_one(Keys).show(*[(key, bell if key == "B" else does) for key, does, _ in KEYS])

    @on(Table.Moved, "#duty-alerts")
    def say_alert(self) -> None:
        """Say in full what the table has no room for, in as many lines as the screen can spare."""
        alert, place = self.alert, self.query_one("#duty-alert", Words)
        place.display = alert is not None
        if alert is not None:
            lines = words.alert_lines(alert, self.size.width - 2)
            place.say(content(lines[: ALERT_LINES if self.size.height < LOW else 5]))

    # Keys.

    @property
    def alert(self) -> Alert | None:
        """The alert under the cursor."""
        key = self.query_one(Table).key
        return next((one for one in self.facts.alerts if str(one.id) == key), None) if self.facts else None

    @on(Table.Opened, "#duty-alerts")
    def open_incident(self, message: Table.Opened) -> None:
        message.stop()
        self.app.push_screen(IncidentScreen(self.engine, int(message.key), self.alert))

    def action_bell(self) -> None:
        self.bell = not self.rings
        self.draw()


def broken(lines: list[Line], width: int) -> list[Line]:
    """Return lines broken to a width."""
    return [part for line in lines for part in wrapped(line, width)]
