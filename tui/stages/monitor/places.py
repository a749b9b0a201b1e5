"""The places of Monitor: an endpoint's windows, one window or feature, its performance, and an alert among them."""

from lemnis.engine import Engine
from lemnis.engine.errors import NotFound
from lemnis.engine.monitor import WIDTHS, Width, Window
from lemnis.tui.address import Address, address, chosen
from lemnis.tui.language import _
from lemnis.tui.stages.monitor import rows
from lemnis.tui.stages.monitor.pane import MonitorView
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Table

WINDOWS = 60  # that are listed; an older one is listed with those before it
LAYERS = ("-window", "-trend", "-performance")


class MonitorPlaces(Stage[MonitorView]):
    """What the tab looks at, and how that is named and gone to.

    Attributes:
        endpoint: Whose windows are listed; empty for the one that answered last.
        window_id: The window under the cursor; 0 for the newest that can say something.
        figure: What is drawn over time.
        width: Of the windows; None for the declared one.
        until: The last moment that is looked at, epoch ms; None for the newest.
    """

    endpoint = ""
    window_id = 0
    figure = "auc"
    width: Width | None = None
    until: int | None = None
    _view: MonitorView | None = None

    def front(self, name: str) -> None:
        """Put one layer in front; an empty name goes back to the overview."""
        for layer in LAYERS:
            self.set_class(layer == name, layer)
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    def address(self) -> Address:
        view = self._view
        if view is None or not view.endpoint:
            return Address("monitor")
        width = self.width if self.width and self.width != view.declared else ""
        options = {"width": width, "until": self.until, "figure": "" if self.figure == "auc" else self.figure}
        if self.has_class("-performance"):
            return address("monitor", view.endpoint, "performance", **options)
        alert = self.query_one("#alerts", Table)
        if alert.has_focus and alert.key.isdecimal():
            return address("monitor", view.endpoint, "alert", alert.key, **options)
        if view.window is None or width or not (self.window_id or self.has_class("-window")):
            return address("monitor", view.endpoint, **options)
        feature = self.query_one("#features", Table)
        inside = ("feature", feature.key) if feature.has_focus and feature.key else ()
        return address("window", view.window.id, *inside, until=self.until, figure=options["figure"])

    def under_cursor(self) -> Address:
        alert, view = self.query_one("#alerts", Table), self._view
        if alert.has_focus and alert.key.isdecimal():
            return address("alert", alert.key)
        if view is None or view.window is None or view.window.id < 0:
            return self.address()
        return address("window", view.window.id)

    def visit(self, place: Address) -> None:
        until, alert = place.option("until"), place.named("alert")
        self.width = next((width for width in WIDTHS if width == place.option("width")), None)
        self.until = int(until) if until.isdecimal() else None
        self.figure, self.window_id = chosen(list(rows.FIGURES), place.option("figure")), 0
        if place.kind == "window":
            self.seek(place, found_window, self.engine, place.thing, then=lambda found: self._visit(found, place))
            return
        self.endpoint = place.thing
        self.front("-performance" if "performance" in place.parts else "")
        if self.has_class("-performance"):
            self.point("performance", "")
        else:
            absent = _("Alert {alert} is not among those listed; {{monitor.past}} lists all.").format(alert=alert)
            self.point("alerts" if alert else "windows", alert, absent)

    def _visit(self, found: tuple[Window, int | None], place: Address) -> None:
        """Show one window, and perhaps one feature in it."""
        (window, until), feature = found, place.named("feature")
        self.endpoint, self.window_id, self.until = window.endpoint, window.id, self.until or until
        self.front("-window" if feature else "")
        if feature:
            self.point("features", feature, f"Window {window.id} has no feature {feature}.")
        else:
            self.point("windows", str(window.id))


def found_window(engine: Engine, number: str) -> tuple[Window, int | None]:
    """Return a window, and until when to list windows so that it is among them. Blocks.

    Raises:
        NotFound: There is no such window.
    """
    if not number.isdecimal():
        raise NotFound("A window has a number.", "Write for example `window/12`.")
    window = engine.monitor.window(int(number))
    newest = engine.monitor.windows(window.endpoint, limit=WINDOWS)
    return window, None if any(one.id == window.id for one in newest) else window.ends
