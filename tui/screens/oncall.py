"""The on-call view: what fires, what serves and what drifted, for a person who was woken up."""

from dataclasses import dataclass

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen

from lemnis.engine import Engine, LemnisError
from lemnis.engine.deploy import Endpoint
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert, Window
from lemnis.tui.format import MISSING, age, number, verdict, when
from lemnis.tui.screens import answering
from lemnis.tui.widgets import Col, Panel, Row, Table
from lemnis.tui.widgets.strip import ErrorStrip

ORDER = {"firing": 0, "flapping": 0, "pending": 1, "acknowledged": 2}


@dataclass(frozen=True, slots=True)
class Duty:
    """Everything the view shows: open alerts, endpoints, and the newest judged window of each endpoint."""

    alerts: list[Alert]
    endpoints: list[Endpoint]
    windows: dict[str, Window]


def read_duty(engine: Engine) -> Duty:
    """Read the store; blocks."""
    alerts = sorted(engine.monitor.alerts(open_only=True), key=lambda alert: (ORDER.get(alert.state, 3), -alert.since))
    windows: dict[str, Window] = {}
    for window in engine.monitor.windows():
        newest = windows.get(window.endpoint)
        if newest is None or window.starts > newest.starts:
            windows[window.endpoint] = window
    return Duty(alerts, engine.deploy.endpoints(), windows)


def alert_row(alert: Alert, now: int) -> Row:
    """Return the cells of an open alert: state, gravity, what, the value against its bound, since when."""
    value = f"{number(alert.value)} / {number(alert.threshold)}"
    return Row(
        str(alert.id),
        (
            verdict(alert.state).content,
            alert.severity,
            alert.rule,
            alert.endpoint,
            value,
            age(alert.since, now),
            alert.message,
        ),
    )


def endpoint_row(endpoint: Endpoint, window: Window | None) -> Row:
    """Return the cells of an endpoint with the verdict of its newest window."""
    judged = verdict(window.verdict).content if window else verdict("no data").content
    return Row(
        endpoint.name,
        (
            endpoint.name,
            verdict(endpoint.state).content,
            f"{endpoint.model} {endpoint.version if endpoint.version is not None else MISSING}",
            f"{endpoint.alias}",
            number(endpoint.requests),
            number(endpoint.errors),
            number(endpoint.p99_ms, 1),
            judged,
            when(window.starts)[:10] if window else MISSING,
            number(window.roc_auc if window else None),
        ),
    )


class OnCall(ModalScreen[None]):
    """Alerts above, endpoints below; `a` takes an alert, `Z` silences its rule, `R` resolves it, enter opens it."""

    BINDINGS = [
        Binding("escape,q,o", "dismiss", "Close", show=False),
        Binding("a", "answer('take')", "Acknowledge", show=False),
        Binding("Z", "answer('silence')", "Silence", show=False),
        Binding("R", "answer('resolve')", "Resolve", show=False),
    ]

    @dataclass
    class Read(Message):
        """The facts came back from the thread."""

        duty: Duty

    @dataclass
    class Refused(Message):
        """They could not be read, or the acknowledgement could not be written."""

        error: LemnisError

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self._duty = Duty([], [], {})

    def compose(self) -> ComposeResult:
        with Vertical(classes="oncall"):
            yield ErrorStrip()
            with Panel("on call: alerts"):
                yield Table(
                    Col("state"),
                    Col("severity"),
                    Col("rule"),
                    Col("endpoint"),
                    Col("value", "value / bound", right=True),
                    Col("since", right=True),
                    Col("message", flex=True),
                    id="duty-alerts",
                    empty="Nothing fires and nothing is pending.",
                )
            with Panel("endpoints"):
                yield Table(
                    Col("endpoint"),
                    Col("state"),
                    Col("model"),
                    Col("alias"),
                    Col("requests", right=True),
                    Col("errors", right=True),
                    Col("p99", "p99 ms", right=True),
                    Col("drift"),
                    Col("window"),
                    Col("auc", "AUC", right=True),
                    id="duty-endpoints",
                    empty="Nothing is served. Deploy (8) starts an endpoint.",
                )

    def on_mount(self) -> None:
        self.set_interval(2.0, self.read_again)
        self.read_again()

    @work(thread=True, exclusive=True, exit_on_error=False, group="oncall")
    def read_again(self) -> None:
        try:
            self.post_message(self.Read(read_duty(self.engine)))
        except LemnisError as error:
            self.post_message(self.Refused(error))

    def on_on_call_read(self, message: Read) -> None:
        duty, now = message.duty, self.engine.now_ms()
        self._duty = duty
        self.query_one(ErrorStrip).clear()
        self.query_one("#duty-alerts", Table).show([alert_row(alert, now) for alert in duty.alerts])
        self.query_one("#duty-endpoints", Table).show(
            [endpoint_row(endpoint, duty.windows.get(endpoint.name)) for endpoint in duty.endpoints]
        )
        firing = sum(ORDER.get(alert.state) == 0 for alert in duty.alerts)
        keys = " · a take  Z silence  R resolve" if duty.alerts and not self.engine.store.read_only else ""
        self.query(Panel).first().retitle("on call: alerts", f"{firing} firing, {len(duty.alerts)} open{keys}")

    def on_on_call_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def action_answer(self, how: str) -> None:
        """Ask what is needed to take, silence or resolve the alert under the cursor, and do it."""
        key = self.query_one("#duty-alerts", Table).key
        alert = next((one for one in self._duty.alerts if str(one.id) == key), None)
        if alert is None:
            return
        if how == "take" and not alert.fires:
            self.notify(f"{alert.rule} is {alert.state}: only what fires is taken.", severity="warning", markup=False)
            return
        who = user_name()
        form = (
            answering.silence_form(alert.rule, alert.endpoint, who)
            if how == "silence"
            else (answering.take_form if how == "take" else answering.resolve_form)(alert, who)
        )

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.answer(alert, how, filled)

        self.app.push_screen(form, answered)

    @work(thread=True, exit_on_error=False, group="oncall")
    def answer(self, alert: Alert, how: str, filled: dict[str, str]) -> None:
        room = self.engine.monitor
        try:
            if how == "silence":
                until = answering.ends(filled)
                room.alerting.silence(
                    alert.rule, endpoint=alert.endpoint, until=until, who=filled["who"], why=filled["why"]
                )
            elif how == "take":
                until = answering.ends(filled) if filled["until"] else None
                room.acknowledge(alert.id, filled["who"], filled["why"], until)
            else:
                room.resolve(alert.id, filled["who"], filled["why"])
            self.post_message(self.Read(read_duty(self.engine)))
        except LemnisError as error:
            self.post_message(self.Refused(error))
