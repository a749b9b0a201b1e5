"""Monitor: served rows against the training reference, the model against the labels that came back, and alerts."""

from lemnis.engine.monitor.concept.records import Figure
from lemnis.engine.monitor.concept.report import Entry, Performance
from lemnis.engine.monitor.concept.stale import Stale, Waiver
from lemnis.engine.monitor.kept import Cell, Grid
from lemnis.engine.monitor.records import Alert, AlertEvent, Bins, FeatureDrift, Replay, Verdict, Watched, Window
from lemnis.engine.monitor.room import Heartbeat, MonitorRoom, Status
from lemnis.engine.monitor.spans import WIDTHS, Width

__all__ = [
    "WIDTHS",
    "Alert",
    "AlertEvent",
    "Bins",
    "Cell",
    "Entry",
    "FeatureDrift",
    "Figure",
    "Grid",
    "Heartbeat",
    "MonitorRoom",
    "Performance",
    "Replay",
    "Stale",
    "Status",
    "Verdict",
    "Waiver",
    "Watched",
    "Width",
    "Window",
]
