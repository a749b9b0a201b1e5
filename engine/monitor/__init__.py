"""Monitor: served rows against the training reference, the model against the labels that came back, and alerts."""

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
    "FeatureDrift",
    "Grid",
    "Heartbeat",
    "MonitorRoom",
    "Replay",
    "Status",
    "Verdict",
    "Watched",
    "Width",
    "Window",
]
