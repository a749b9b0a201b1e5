"""The Monitor room: windows in time, what drifted in them, how good the model still is, and what fires."""

from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms, parse_ms
from lemnis.engine.config import Alert as Rule
from lemnis.engine.errors import ConfigError
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import Alert, AlertEvent, FeatureDrift, Grid, Status, Window
from lemnis.tui.actions import bindings
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.monitor import explain, rows
from lemnis.tui.stages.monitor.form import Line, MonitorForm
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Chart, Facts, Panel, Series, Table, Words

WINDOWS = 60
NARROW = 100  # columns; below it one layer is shown at a time, as pane.tcss says
DAY_S = 86_400.0
LAYERS = ("-window", "-trend", "-alert")


@dataclass(frozen=True, slots=True)
class MonitorView:
    """Everything the tab shows, read at one time."""

    now: int
    status: Status
    endpoints: list[str]
    endpoint: str
    windows: list[Window]
    window: Window | None
    features: list[FeatureDrift]
    grid: Grid
    alerts: list[Alert]
    alert: Alert | None
    events: list[AlertEvent]
    rules: list[Rule]


class MonitorStage(Stage[MonitorView]):
    """Drift, performance, alerts."""

    BINDINGS = bindings("monitor")
    topics = frozenset({"monitor", "jobs"})
    live_seconds = 2.0

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.endpoint = ""  # empty: the one that answered last
        self.window_id = 0  # under the cursor; 0 for the newest that can say something
        self.alert_id = 0  # opened; 0 for none
        self.figure = "auc"
        self.past = False
        self._view: MonitorView | None = None

    def compose(self) -> ComposeResult:
        yield Words(id="summary")
        with Vertical(id="overview"):
            with Horizontal(id="top"):
                with Panel("Alerts", id="alerts-panel"):
                    yield Table(*rows.ALERTS, id="alerts", empty="No alert is open.")
                with Panel("Windows", id="windows-panel"):
                    yield Table(*rows.WINDOWS, id="windows", empty="No rows were served yet. Press t to replay some.")
            with Horizontal(id="middle"):
                with Panel("Features", id="features-panel"):
                    yield Words(id="changes")
                    yield Table(*rows.FEATURES, id="features", empty="No window is chosen.")
                with Panel("Distribution", id="bins-panel"), VerticalScroll(can_focus=False):
                    yield Words(id="bins")
            with Horizontal(id="bottom"):
                with Panel("Drift over time", id="heat-panel"):
                    yield Table(id="heat", empty="Nothing to compare yet.")
                with Panel("Figures", id="chart-panel"):
                    yield Chart(id="chart", empty="No labels have come back yet.")
        with Vertical(id="alert-view"):
            with Panel("Alert", id="alert-panel"):
                yield Facts(id="alert-facts")
            with Panel("What happened", id="events-panel"):
                yield Table(*rows.EVENTS, id="events")

    def load(self) -> MonitorView:
        room = self.engine.monitor
        status = room.status()
        endpoints = list(dict.fromkeys(one.endpoint for one in status.watched))
        endpoint = self.endpoint if self.endpoint in endpoints else (endpoints[0] if endpoints else "")
        windows = room.windows(endpoint, limit=WINDOWS) if endpoint else []
        window = next((one for one in windows if one.id == self.window_id), None) or newest_told(windows)
        return MonitorView(
            now=now_ms(),
            status=status,
            endpoints=endpoints,
            endpoint=endpoint,
            windows=windows,
            window=window,
            features=room.features(window.id) if window else [],
            grid=room.grid(endpoint, limit=WINDOWS),
            alerts=room.alerts(not self.past),
            alert=room.alert(self.alert_id) if self.alert_id else None,
            events=room.events(self.alert_id) if self.alert_id else [],
            rules=self._rules(),
        )

    def _rules(self) -> list[Rule]:
        """Return the declared rules; none while lemnis.toml is being mended, which the watch tells already."""
        try:
            return self.engine.config().alerts
        except ConfigError:
            return []

    def show(self, view: MonitorView) -> None:
        self._view = view
        self.query_one("#summary", Words).say(rows.summary(view.status, view.endpoint, view.now))
        self._show_alerts(view)
        self._show_windows(view)
        self._show_features(view)
        self._show_trend(view)

    def _show_alerts(self, view: MonitorView) -> None:
        table = self.query_one("#alerts", Table)
        table.empty = no_alert(view)
        table.set_columns(rows.ALERTS_WIDE if table.size.width > 92 else rows.ALERTS)
        table.show([rows.alert_row(alert, view.now) for alert in view.alerts])
        firing = sum(alert.fires for alert in view.alerts)
        detail = f"{firing} firing" if firing else f"{len(view.rules)} rules" if view.rules else ""
        self.query_one("#alerts-panel", Panel).retitle("Alerts", detail)
        if view.alert is not None:
            self.query_one("#alert-panel", Panel).retitle(f"Alert {view.alert.id}", view.alert.rule)
            self.query_one("#alert-facts", Facts).show(rows.alert_facts(view.alert, view.now))
            self.query_one("#events", Table).show([rows.event_row(event) for event in view.events])

    def _show_windows(self, view: MonitorView) -> None:
        table = self.query_one("#windows", Table)
        wide = table.size.width > 102
        table.set_columns(rows.WINDOWS_WIDE if wide else rows.WINDOWS)
        table.show([rows.window_row(window, wide=wide) for window in reversed(view.windows)])
        if view.window is not None and not self.window_id:
            table.select(str(view.window.id))
        more = f" ({view.endpoints.index(view.endpoint) + 1} of {len(view.endpoints)})" if view.endpoints[1:] else ""
        self.query_one("#windows-panel", Panel).retitle("Windows", view.endpoint and f"{view.endpoint}{more}")

    def _show_features(self, view: MonitorView) -> None:
        title = f"{rows.span_label(view.window)} · {view.window.why}" if view.window else ""
        self.query_one("#features-panel", Panel).retitle("Features", title)
        table = self.query_one("#features", Table)
        columns = rows.feature_columns(table.size.width)
        table.set_columns(columns)
        table.show([rows.feature_row(feature, view.grid, columns) for feature in view.features])
        changes = view.window.schema_changes if view.window else []
        words = self.query_one("#changes", Words)
        words.display = bool(changes)
        words.say("\n".join(changes[:3] + ([f"… and {len(changes) - 3} more (K)"] if len(changes) > 3 else [])))
        self._show_bins()

    def _show_bins(self) -> None:
        feature = self._feature
        panel, words = self.query_one("#bins-panel", Panel), self.query_one("#bins", Words)
        panel.retitle("Distribution", feature.feature if feature else "")
        words.say(rows.bins_content(feature, panel.content_size.width - 2) if feature else "")

    def _show_trend(self, view: MonitorView) -> None:
        heat = self.query_one("#heat", Table)
        fitting = max(1, (heat.size.width - 30) // (rows.CELL + 2))
        recent = view.windows[-fitting:]
        heat.set_columns(rows.heat_columns(recent))
        heat.show(rows.heat_rows(view.grid, recent))
        label, lines = rows.FIGURES[self.figure]
        places = list(range(1, len(view.windows) + 1))
        series = [Series(name, places, [getattr(window, field) for window in view.windows]) for name, field in lines]
        chart = self.query_one("#chart", Chart)
        span = f"{rows.span_label(view.windows[0])} … {rows.span_label(view.windows[-1])}" if view.windows else ""
        chart.relabel(x=span, y=label)
        chart.show(series, levels=self._levels(view))

    def _levels(self, view: MonitorView) -> list[tuple[float, str]]:
        """Return the lines a figure is read against: the held-out rows' value and the bounds of the rules."""
        newest = view.windows[-1] if view.windows else None
        fields = [field for _, field in rows.FIGURES[self.figure][1]]
        held = {"roc_auc": "reference_auc", "log_loss": "reference_log_loss", "label_share": "reference_share"}
        levels = [
            (value, "held out")
            for field in fields
            if newest is not None and field in held and (value := getattr(newest, held[field])) is not None
        ]
        bounds = [(rule.below if rule.below is not None else rule.above, rule) for rule in view.rules]
        return levels + [(bound, rule.name) for bound, rule in bounds if bound is not None and rule.metric in fields]

    @property
    def _feature(self) -> FeatureDrift | None:
        """The feature under the cursor, in the table or in the heat strip."""
        heat = self.query_one("#heat", Table)
        name = heat.key if heat.has_focus else self.query_one("#features", Table).key
        features = self._view.features if self._view else []
        return next((one for one in features if one.feature == name), features[0] if features else None)

    @property
    def _alert(self) -> Alert | None:
        """The alert that is open, or under the cursor."""
        if self._view is None:
            return None
        key = str(self.alert_id) if self.alert_id else self.query_one("#alerts", Table).key
        return next((alert for alert in self._view.alerts if str(alert.id) == key), self._view.alert)

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    @on(Table.Moved, "#windows")
    def choose_window(self, message: Table.Moved) -> None:
        if message.key and int(message.key) != self.window_id and message.table.has_focus:
            self.window_id = int(message.key)
            self.reload()

    @on(Table.Moved, "#features,#heat")
    def choose_feature(self) -> None:
        self._show_bins()

    @on(Table.Opened, "#windows")
    def open_window(self) -> None:
        """Show what is in the window; on a wide screen that is beside it already."""
        self._layer("-window")
        self.query_one("#features", Table).focus()

    @on(Table.Opened, "#alerts")
    def open_alert(self, message: Table.Opened) -> None:
        """Show one alert and everything that happened to it."""
        self.alert_id = int(message.key)
        self._layer("-alert")
        self.query_one("#events", Table).focus()
        self.reload()

    def _layer(self, name: str) -> None:
        """Put one layer in front; an empty name goes back to the overview."""
        for layer in LAYERS:
            self.set_class(layer == name, layer)
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    # Keys.

    def back(self) -> bool:
        if not any(self.has_class(layer) for layer in LAYERS):
            return False
        self.query_one("#alerts" if self.has_class("-alert") else "#windows", Table).focus()
        self.alert_id = 0
        self._layer("")
        return True

    def goto(self, thing: str) -> None:
        """Show a window by its id, or ``alert ID``."""
        kind, _, number = thing.rpartition(" ")
        if kind == "alert":
            self.alert_id = int(number)
            self._layer("-alert")
        elif number.isdecimal():
            self.window_id = int(number)
        super().goto(thing)

    def action_figure(self) -> None:
        """Draw the next figure; on a narrow screen the first press brings the chart."""
        if self.size.width < NARROW and not self.has_class("-trend"):
            self._layer("-trend")
            self.query_one("#heat", Table).focus()
            return
        figures = list(rows.FIGURES)
        self.figure = figures[(figures.index(self.figure) + 1) % len(figures)]
        if self._view is not None:
            self._show_trend(self._view)

    def action_past(self) -> None:
        self.past = not self.past
        self.reload()

    def action_next_endpoint(self) -> None:
        if self._view is None or len(self._view.endpoints) < 2:
            self.toast("There is one endpoint only.")
            return
        known = self._view.endpoints
        self.endpoint, self.window_id = known[(known.index(self._view.endpoint) + 1) % len(known)], 0
        self.reload()

    def action_acknowledge(self) -> None:
        alert = self._alert
        if alert is None or alert.state != "firing":
            self.toast("No firing alert is under the cursor.", warn=True)
            return
        self._ask_alert(alert, "Take", "It stays open and is yours; everybody sees who took it.", "take it")

    def action_resolve(self) -> None:
        alert = self._alert
        if alert is None or alert.state == "resolved":
            self.toast("No open alert is under the cursor.", warn=True)
            return
        self._ask_alert(alert, "Resolve", "Only a later window can raise it again.", "resolve it")

    def _ask_alert(self, alert: Alert, word: str, note: str, verb: str) -> None:
        """Ask who and why, then take or end an alert."""
        room = self.engine.monitor
        call = room.acknowledge if word == "Take" else room.resolve

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(call, alert.id, filled["who"], filled["why"], done=lambda a: f"{a.rule} is {a.state}.")

        lines = (Line("why", "why, what next"), Line("who", "who", user_name()))
        form = MonitorForm(f"{word} alert {alert.rule}", note, lines, verb=verb, wrong=nobody_or_nothing)
        self.app.push_screen(form, answered)

    def action_replay(self) -> None:
        """Start a replay, or stop the one that runs."""
        view = self._view
        if view is None:
            return
        if view.status.replays:
            replay = view.status.replays[0]
            self.ask(
                f"Stop the replay to {replay.endpoint} (job {replay.job_id})? A new one goes on where it was.",
                lost="",
                word="stop",
                then=partial(self.perform, self.engine.monitor.stop_replay, replay.job_id, done="The replay stops."),
            )
            return
        self.perform(self._replayable, then=self._ask_replay)

    def _replayable(self) -> tuple[str, str, str]:
        """Return an endpoint and a span worth replaying to it; in a thread."""
        endpoints = [one.name for one in self.engine.deploy.endpoints()]
        endpoint = self.endpoint if self.endpoint in endpoints else endpoints[0] if endpoints else ""
        start, end = self.engine.monitor.proposed_replay(endpoint) if endpoint else ("", "")
        return endpoint, start, end

    def _ask_replay(self, proposed: tuple[str, str, str]) -> None:
        endpoint, start, end = proposed
        if not endpoint:
            self.toast("Nothing is served yet: deploy a model first (8).", warn=True)
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(
                    self.engine.monitor.start_replay,
                    endpoint,
                    start=filled["from"],
                    end=filled["until"],
                    sample=float(filled["sample"]),
                    speed=float(filled["days"]) * DAY_S,
                    done=lambda job: f"Queued as job {job}: live traffic to {endpoint}.",
                )

        lines = (
            Line("from", "from (UTC)", start),
            Line("until", "until", end),
            Line("sample", "share of the rows", "1"),
            Line("days", "days a second (0: all)", "2"),
        )
        note = "Rows the endpoint has not had yet go out in order of time, their labels 30 days later."
        self.app.push_screen(
            MonitorForm(f"Replay to {endpoint}", note, lines, verb="start", wrong=bad_replay), answered
        )

    def explain(self) -> tuple[str, str] | None:
        view = self._view
        if view is None:
            return None
        if self.query_one("#alerts", Table).has_focus or self.alert_id:
            return explain.alert(self._alert, view.rules)
        if self.query_one("#windows", Table).has_focus:
            return explain.window(view.window)
        return explain.feature(self._feature)


def newest_told(windows: list[Window]) -> Window | None:
    """Return the newest window with enough rows for a verdict, else the newest."""
    told = [window for window in windows if window.verdict in ("ok", "watch", "drift")]
    return (told or windows or [None])[-1]


def no_alert(view: MonitorView) -> str:
    """Return what the empty list of alerts says."""
    if not view.rules:
        return "No rules. Declare [[alerts]] with e."
    return f"No alert is open; {len(view.rules)} rules are watched."


def nobody_or_nothing(filled: dict[str, str]) -> str:
    """Return what is wrong with the answer to who and why."""
    return "" if filled["who"] and filled["why"] else "Say who you are and why."


def bad_replay(filled: dict[str, str]) -> str:
    """Return what is wrong with a replay as it was filled in."""
    try:
        start, end = parse_ms(filled["from"]), parse_ms(filled["until"])
    except ValueError:
        return "Write the days as 2013-07-01."
    try:
        sample, days = float(filled["sample"]), float(filled["days"])
    except ValueError:
        return "The share and the days a second are numbers."
    if start >= end:
        return "The span ends before it starts."
    return "" if 0 < sample <= 1 and days >= 0 else "The share is above 0 up to 1, the days a second at least 0."
