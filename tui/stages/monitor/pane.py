"""The Monitor room's picture: alerts and windows, the features of one window, and what moved over time."""

from functools import partial

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll

from lemnis.engine.config import Alert as Rule
from lemnis.engine.monitor import (
    Alert,
    FeatureDrift,
    Grid,
    Performance,
    Silence,
    Stale,
    Standing,
    Status,
    Width,
    Window,
)
from lemnis.engine.monitor.schema.records import Finding
from lemnis.tui.format import when
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.monitor import rows
from lemnis.tui.stages.monitor.figures import in_unit
from lemnis.tui.widgets import Chart, Panel, Series, Table, Words


class MonitorView(Struct, frozen=True):
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
    standings: list[Standing]
    silences: list[Silence]
    rules: list[Rule]
    contacts: list[str]
    differences: list[Finding]
    declared: Width
    width: Width
    currency: str
    stale: list[Stale]
    performance: Performance | None


class Overview(Vertical):
    """Draws a view; which window and which figure are chosen is told by the room.

    Attributes:
        view: What is drawn now.
        pinned: The window a person chose; 0 lets the newest be chosen.
        figure: A key of `rows.FIGURES`.
    """

    view: MonitorView | None = None
    pinned = 0
    figure = "auc"

    def compose(self) -> ComposeResult:
        with Horizontal(id="top"):
            with Panel(_("Alerts"), id="alerts-panel"):
                yield Table(*rows.ALERTS, id="alerts", empty=_("No alert is open."))
            with Panel(_("Windows"), id="windows-panel"):
                yield Table(*rows.WINDOWS, id="windows", empty=rows.no_window("day", "day"))
        with Horizontal(id="middle"):
            with Panel(_("Features"), id="features-panel"):
                yield Words(id="changes")
                yield Table(*rows.FEATURES, id="features")
            with Panel(_("Distribution"), id="bins-panel"), VerticalScroll(can_focus=False):
                yield Words(id="bins")
        with Horizontal(id="bottom"):
            with Panel(_("Drift over time"), id="heat-panel"):
                yield Table(id="heat")
            with Panel(_("Figures"), id="chart-panel"):
                yield Chart(id="chart", empty=_("No labels have come back yet."))

    def draw(self, view: MonitorView) -> None:
        """Draw everything."""
        self.view = view
        self.show_alerts(view)
        self.show_windows(view)
        self.show_features(view)
        self.show_trend(view)

    def show_alerts(self, view: MonitorView) -> None:
        table = self.query_one("#alerts", Table)
        table.empty = no_alert(view)
        bounds = {rule.name: rule.above if rule.above is not None else rule.below for rule in view.rules}
        table.set_columns(rows.ALERTS_WIDE if table.size.width > 92 else rows.ALERTS)
        table.show(
            [rows.alert_row(alert, view.now) for alert in view.alerts]
            + [rows.standing_row(standing, view.now, bounds.get(standing.rule)) for standing in view.standings]
        )
        self.query_one("#alerts-panel", Panel).retitle(_("Alerts"), alerts_detail(view))

    def show_windows(self, view: MonitorView) -> None:
        table = self.query_one("#windows", Table)
        wide = table.size.width > 102
        table.set_columns(rows.WINDOWS_WIDE if wide else rows.WINDOWS)
        table.show([rows.window_row(window, view.grid, wide=wide) for window in reversed(view.windows)])
        if view.window is not None and not self.pinned:
            table.select(str(view.window.id))
        more = (
            " "
            + _("({index} of {endpoints})").format(
                index=view.endpoints.index(view.endpoint) + 1, endpoints=len(view.endpoints)
            )
            if view.endpoints[1:]
            else ""
        )
        table.empty = rows.no_window(view.width, view.declared)
        zoomed = (
            " " + _("· by {width}, alerts by {declared}").format(width=view.width, declared=view.declared)
            if view.width != view.declared
            else ""
        )
        self.query_one("#windows-panel", Panel).retitle(
            _("Windows"), view.endpoint and f"{view.endpoint}{more}{zoomed}"
        )

    def show_features(self, view: MonitorView) -> None:
        title = f"{rows.span_label(view.window)} · {rows.verdict_words(view.window)}" if view.window else ""
        self.query_one("#features-panel", Panel).retitle(_("Features"), title)
        table = self.query_one("#features", Table)
        columns = rows.feature_columns(table.size.width)
        table.set_columns(columns)
        table.empty = nothing_in(view, _("No window is chosen."))
        table.show([rows.feature_row(feature, view.grid, columns) for feature in view.features])
        changes = list(map(told, view.window.schema_changes)) if view.window else []
        words = self.query_one("#changes", Words)
        words.display = bool(changes)
        words.say(
            "\n".join(
                changes[:3]
                + (
                    [
                        _("… and {changes} more ({key_of})").format(
                            changes=len(changes) - 3, key_of=key_of("app.explain")
                        )
                    ]
                    if len(changes) > 3
                    else []
                )
            )
        )
        self.show_bins()

    def show_bins(self) -> None:
        feature = self.feature
        panel, words = self.query_one("#bins-panel", Panel), self.query_one("#bins", Words)
        panel.retitle(_("Distribution"), feature.feature if feature else "")
        words.say(rows.bins_content(feature, panel.content_size.width - 2) if feature else "")

    def show_trend(self, view: MonitorView) -> None:
        heat = self.query_one("#heat", Table)
        fitting = max(1, (heat.size.width - 30) // (rows.CELL + 2))
        recent = view.windows[-fitting:]
        heat.set_columns(rows.heat_columns(recent))
        heat.empty = nothing_in(view, _("Nothing to compare yet."))
        heat.show(rows.heat_rows(view.grid, recent))
        label, lines = rows.FIGURES[self.figure]
        places = list(range(1, len(view.windows) + 1))
        series = [Series(_(name), places, [getattr(window, field) for window in view.windows]) for name, field in lines]
        chart = self.query_one("#chart", Chart)
        span = rows.span_text(view.windows)
        chart.places = [rows.short_label(window) for window in view.windows]
        chart.value_text = partial(in_unit, unit=view.currency if self.figure == "money" else "")
        chart.relabel(x=span, y=_(label))
        chart.show(series, levels=self.levels(view))

    def levels(self, view: MonitorView) -> list[tuple[float, str]]:
        """Return the lines a figure is read against: the held-out rows' value and the bounds of the rules."""
        newest = view.windows[-1] if view.windows else None
        fields = [field for _, field in rows.FIGURES[self.figure][1]]
        held = {"roc_auc": "reference_auc", "log_loss": "reference_log_loss", "label_share": "reference_share"}
        levels = [
            (value, _("held out"))
            for field in fields
            if newest is not None and field in held and (value := getattr(newest, held[field])) is not None
        ]
        bounds = [(rule.below if rule.below is not None else rule.above, rule) for rule in view.rules]
        return levels + [(bound, rule.name) for bound, rule in bounds if bound is not None and rule.metric in fields]

    @property
    def feature(self) -> FeatureDrift | None:
        """The feature under the cursor, in the table or in the heat strip."""
        heat = self.query_one("#heat", Table)
        name = heat.key if heat.has_focus else self.query_one("#features", Table).key
        features = self.view.features if self.view else []
        return next((one for one in features if one.feature == name), features[0] if features else None)


def nothing_in(view: MonitorView, otherwise: str) -> str:
    """Return what an empty list of a window says: how rows come, as long as there are no windows at all."""
    return otherwise if view.windows else rows.no_window(view.width, view.declared)


def no_alert(view: MonitorView) -> str:
    """Return what the empty list of alerts says."""
    if not view.rules:
        return _("No rules. Press {monitor.rule} to try and declare one.")
    return _("No alert is open; {rules} rules wait for the first window.").format(rules=len(view.rules))


def alerts_detail(view: MonitorView) -> str:
    """Return what stands behind the title: how many fire, else how many rules; and which silence ends next."""
    firing = sum(alert.fires for alert in view.alerts)
    first = (
        _("{firing} firing").format(firing=firing)
        if firing
        else _("{rules} rules").format(rules=len(view.rules))
        if view.rules
        else ""
    )
    if not view.silences:
        return first
    ends = _("{silences} silenced, next until {until}").format(
        silences=len(view.silences), until=when(view.silences[0].until)[5:]
    )
    return f"{first} · {ends}" if first else ends
