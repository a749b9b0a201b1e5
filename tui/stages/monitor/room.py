"""The Monitor room: windows in time, what drifted in them, how good the model still is, and what fires."""

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from lemnis.engine import Engine
from lemnis.engine.config import Config
from lemnis.engine.errors import ConfigError
from lemnis.engine.jobs import user_name
from lemnis.engine.monitor import WIDTHS, Alert
from lemnis.engine.monitor.alerting.rules import BOUND, TOLD
from lemnis.tui.actions import bindings
from lemnis.tui.language import _
from lemnis.tui.messages import IncidentWanted, StageWanted
from lemnis.tui.sentences import told
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.monitor import rows
from lemnis.tui.stages.monitor.cells import CELLS
from lemnis.tui.stages.monitor.figures import next_metric
from lemnis.tui.stages.monitor.pane import MonitorView, Overview
from lemnis.tui.stages.monitor.performance import PerformanceLayer, stale_content
from lemnis.tui.stages.monitor.places import LAYERS, WINDOWS, MonitorPlaces
from lemnis.tui.widgets import Table, Words

NARROW = 100  # columns; below it one layer is shown at a time, as pane.tcss says


class MonitorStage(MonitorPlaces):
    """Drift, performance, alerts."""

    BINDINGS = bindings("monitor")
    cells = CELLS
    topics = frozenset({"monitor", "jobs"})
    live_seconds = 2.0

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.metric = ""  # of the performance layer; empty for the main one
        self.past = False

    def compose(self) -> ComposeResult:
        yield Words(id="summary")
        yield Words(id="stale")
        yield Overview(id="overview")
        yield PerformanceLayer(id="performance-view")

    def load(self) -> MonitorView:
        room = self.engine.monitor
        status = room.status()
        endpoints = list(dict.fromkeys(one.endpoint for one in status.watched))
        endpoint = self.endpoint if self.endpoint in endpoints else (endpoints[0] if endpoints else "")
        config = self._config()
        width = self.width if config else None
        windows = room.windows(endpoint, limit=WINDOWS, width=width, until=self.until) if endpoint else []
        window = next((one for one in windows if one.id == self.window_id), None) or rows.newest_told(windows)
        return MonitorView(
            now=self.engine.now_ms(),
            status=status,
            endpoints=endpoints,
            endpoint=endpoint,
            windows=windows,
            window=window,
            features=room.features(window.id) if window else [],
            grid=room.grid(windows),
            alerts=room.alerts(not self.past),
            standings=[one for one in room.alerting.standings() if one.alert_id is None],
            silences=room.alerting.silences(),
            rules=config.alerts if config else [],
            contacts=list(config.contacts) if config else [],
            differences=room.schema.known(endpoint) if endpoint else [],
            declared=config.monitor.window if config else "day",
            width=width or (config.monitor.window if config else "day"),
            currency=config.problem.currency if config else "",
            stale=room.stale() if config else [],
            performance=room.performance(endpoint, limit=WINDOWS) if config and endpoint else None,
        )

    def _config(self) -> Config | None:
        """Return what is declared; None while lemnis.toml is being mended, which the watch tells already."""
        try:
            return self.engine.config()
        except ConfigError:
            return None

    def show(self, view: MonitorView) -> None:
        self._view = view
        summary = rows.summary(view.status, view.endpoint, view.now)
        self.query_one("#summary", Words).say(Content.assemble(rows.badge(view.differences), summary))
        self._overview.pinned, self._overview.figure = self.window_id, self.figure
        self._overview.draw(view)
        self.query_one("#stale", Words).display = bool(view.stale)
        self.query_one("#stale", Words).say(stale_content(view.stale, view.now))
        if view.performance is not None and self.has_class("-performance"):
            self.query_one(PerformanceLayer).draw(view.performance, self.metric)

    @property
    def _overview(self) -> Overview:
        return self.query_one(Overview)

    @property
    def _alert(self) -> Alert | None:
        """The alert under the cursor."""
        key = self.query_one("#alerts", Table).key
        return next((alert for alert in self._view.alerts if str(alert.id) == key), None) if self._view else None

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    @on(Table.Moved, "#windows")
    def choose_window(self, message: Table.Moved) -> None:
        key = message.table.key  # where the cursor is by now
        if key and int(key) != self.window_id and message.table.has_focus:
            self.window_id = int(key)
            self.reload()

    @on(Table.Moved, "#features,#heat")
    def choose_feature(self) -> None:
        self._overview.show_bins()

    @on(Table.Opened, "#windows")
    def open_window(self) -> None:
        """Show what is in the window; on a wide screen that is beside it already."""
        self.front("-window")
        self.query_one("#features", Table).focus()

    @on(Table.Opened, "#alerts")
    def open_alert(self, message: Table.Opened) -> None:
        """Show one alert with everything around it; of a rule without one, say how it stands."""
        if not message.key.isdecimal():
            standings = self._view.standings if self._view else []
            found = next((one for one in standings if rows.standing_key(one) == message.key), None)
            if found is not None:
                self.toast(
                    _("{rule} of {endpoint} is {state}: {why}.").format(
                        rule=found.rule, endpoint=found.endpoint, state=_(found.state), why=told(found.why)
                    )
                )
            return
        self.post_message(IncidentWanted(int(message.key), self._alert))

    # Keys.

    def back(self) -> bool:
        if not any(self.has_class(layer) for layer in LAYERS):
            return False
        self.query_one("#windows", Table).focus()
        self.front("")
        return True

    def goto(self, thing: str) -> None:
        """Show a window by its id, or the incident ``alert/ID``."""
        kind, _, number = thing.rpartition("/")
        if kind == "alert" and number.isdecimal():
            self.post_message(IncidentWanted(int(number)))
        elif number.isdecimal():
            self.window_id = int(number)
        super().goto(thing)

    def action_figure(self) -> None:
        """Draw the next figure; on a narrow screen the first press brings the chart."""
        if self.has_class("-performance"):
            self._next_metric()
            return
        if self.size.width < NARROW and not self.has_class("-trend"):
            self.front("-trend")
            self.query_one("#heat", Table).focus()
            return
        figures = list(rows.FIGURES)
        self.figure = figures[(figures.index(self.figure) + 1) % len(figures)]
        if self._view is not None:
            self.show(self._view)

    def action_zoom_in(self) -> None:
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        self._zoom(+1)

    def _zoom(self, step: int) -> None:
        """Cut time into windows of the next width, around the window that was chosen."""
        view = self._view
        if view is None or not 0 <= (place := WIDTHS.index(self.width or view.declared) + step) < len(WIDTHS):
            return
        self.width = WIDTHS[place]
        if self.window_id and view.window is not None:
            self.until = view.window.ends
        if self.width == view.declared:
            self.until = None
        self.window_id = 0
        self.reload()

    def _next_metric(self) -> None:
        if self._view is not None and self._view.performance is not None:
            self.metric = next_metric(self._view.performance, self.metric)
            self.show(self._view)

    def action_performance(self) -> None:
        """Show how good the model is, measured and estimated."""
        self.front("-performance")
        self.query_one("#performance", Table).focus()

    def action_waive(self) -> None:
        """Let a stale model stay; asks who and why."""
        from lemnis.tui.stages.monitor.performance import waive_form

        stale = [one for one in self._view.stale if one.waived is None] if self._view else []
        if not stale:
            self.toast(_("No model is stale."), warn=True)
            return
        model, call = stale[0].model, self.engine.monitor.waive_stale

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(
                    call, model, filled["who"], filled["why"], done=_("{model} may stay as it is.").format(model=model)
                )

        self.app.push_screen(waive_form(stale[0], user_name()), answered)

    def action_purpose(self) -> None:
        """Show in Problem the change that made a model stale."""
        stale = self._view.stale if self._view else []
        if not stale:
            self.toast(_("The problem is as it was when the models that serve were trained."))
        else:
            self.post_message(StageWanted("problem", f"change/{stale[0].change_id or ''}"))

    def action_past(self) -> None:
        self.past = not self.past
        self.reload()

    def action_next_endpoint(self) -> None:
        if self._view is None or len(self._view.endpoints) < 2:
            self.toast(_("There is one endpoint only."))
            return
        known = self._view.endpoints
        self.endpoint, self.window_id = known[(known.index(self._view.endpoint) + 1) % len(known)], 0
        self.until = None
        self.reload()

    def action_acknowledge(self) -> None:
        from lemnis.tui.screens import answering

        alert = self._alert
        if alert is None or not alert.fires:
            self.toast(_("No firing alert is under the cursor."), warn=True)
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(answering.answer, self.engine, "take", alert, filled, done=str)

        self.app.push_screen(answering.form_of("take", alert), answered)

    def action_resolve(self) -> None:
        from lemnis.tui.screens import answering

        alert = self._alert
        if alert is None or alert.state == "resolved":
            self.toast(_("No open alert is under the cursor."), warn=True)
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(answering.answer, self.engine, "resolve", alert, filled, done=str)

        self.app.push_screen(answering.form_of("resolve", alert), answered)

    def action_silence(self) -> None:
        """Silence the rule under the cursor, whether it fires or not."""
        from lemnis.tui.screens import answering

        rule, endpoint = self._ruled
        if not rule:
            self.toast(_("No alert or rule is under the cursor."), warn=True)
            return

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                self.perform(
                    self.engine.monitor.alerting.silence,
                    rule,
                    endpoint=endpoint,
                    until=answering.ends(filled),
                    who=filled["who"],
                    why=filled["why"],
                    done=_("{rule} is silenced.").format(rule=rule),
                )

        self.app.push_screen(answering.silence_form(rule, endpoint, user_name()), answered)

    def action_rule(self) -> None:
        """Try a rule on history and declare it; the one under the cursor is filled in."""
        from lemnis.tui.stages.monitor.rehearsed import filled_rule, rule_form

        room, name = self.engine.monitor.alerting, self._ruled[0]
        rules = self._view.rules if self._view else []

        def answered(filled: dict[str, str] | None) -> None:
            if filled is not None:
                rule = filled_rule(filled)
                done = _("{name} is saved in lemnis.toml.").format(name=rule.name)
                self.perform(room.declare_rule, rule, user_name(), (*BOUND, *TOLD), done=done)

        known = next((rule for rule in rules if rule.name == name), None)
        contacts, width = (self._view.contacts, self._view.declared) if self._view else ([], "day")
        form = rule_form(known, lambda rule, days: room.rehearse(rule, days=days), contacts, width=width)
        self.app.push_screen(form, answered)

    def action_why(self) -> None:
        """Show what tells the chosen window's rows from training rows."""
        from lemnis.tui.stages.monitor.why import WhyScreen

        window = self._view.window if self._view else None
        if window is None:
            self.toast(_("No window is chosen."), warn=True)
        else:
            self.app.push_screen(WhyScreen(self.engine, window))

    def action_loop(self) -> None:
        from lemnis.tui.screens.loop import LoopScreen

        self.app.push_screen(LoopScreen(self.engine, self._view.endpoint if self._view else ""))

    def action_shape(self) -> None:
        """Show how the endpoint's rows differ in schema and balance from what its model learnt."""
        from lemnis.tui.stages.monitor.shape import ShapeScreen

        if self._view is not None:
            self.app.push_screen(ShapeScreen(self.engine, self._view.endpoint))

    @property
    def _ruled(self) -> tuple[str, str]:
        """The rule and endpoint of the alert or rule under the cursor; empty without one."""
        if (alert := self._alert) is not None:
            return alert.rule, alert.endpoint
        key = self.query_one("#alerts", Table).key
        standings = self._view.standings if self._view else []
        found = next((one for one in standings if rows.standing_key(one) == key), None)
        return (found.rule, found.endpoint) if found else ("", "")

    def action_replay(self) -> None:
        """Start a replay, or stop the one that runs."""
        from lemnis.tui.stages.monitor import replaying

        if self._view is not None:
            replaying.begin(self, self._view)

    def action_pause(self) -> None:
        """Pause the replay that runs, or let it go on."""
        from lemnis.tui.stages.monitor import replaying

        if self._view is not None:
            replaying.pause(self, self._view)

    def explain(self) -> tuple[str, str] | None:
        from lemnis.tui.stages.monitor import explain

        view = self._view
        if view is None:
            return None
        if self.has_class("-performance") and view.performance is not None:
            return explain.performance(view.performance, view.stale)
        if self.query_one("#alerts", Table).has_focus:
            return explain.alert(self._alert, view.rules)
        if self.query_one("#windows", Table).has_focus:
            return explain.window(view.window)
        return explain.feature(self._overview.feature)
