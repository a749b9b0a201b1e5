"""Monitor: served rows against the training reference, the model against the labels that came back, and alerts."""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.monitor.alerting.records import Alert, AlertEvent, Incident, Notification, Silence, Standing
from lemnis.engine.monitor.concept.records import Concept, Figure
from lemnis.engine.monitor.concept.stale import Stale, Waiver
from lemnis.engine.monitor.drift.found import Contrast
from lemnis.engine.monitor.kept import Cell, Grid
from lemnis.engine.monitor.records import Bins, FeatureDrift, Replay, Verdict, Watched, Window
from lemnis.engine.monitor.replays import File, Planned
from lemnis.engine.monitor.room import Heartbeat, MonitorRoom, Status
from lemnis.engine.monitor.spans import WIDTHS, Width

if TYPE_CHECKING:
    from lemnis.engine.monitor.alerting.rehearsal import Firing, Rehearsal
    from lemnis.engine.monitor.concept.report import Entry, Performance

__all__ = [
    "WIDTHS",
    "Alert",
    "AlertEvent",
    "Bins",
    "Cell",
    "Concept",
    "Contrast",
    "Entry",
    "FeatureDrift",
    "Figure",
    "File",
    "Firing",
    "Grid",
    "Heartbeat",
    "Incident",
    "MonitorRoom",
    "Notification",
    "Performance",
    "Planned",
    "Rehearsal",
    "Replay",
    "Silence",
    "Stale",
    "Standing",
    "Status",
    "Verdict",
    "Waiver",
    "Watched",
    "Width",
    "Window",
]
__getattr__ = later(
    __name__, {"alerting.rehearsal": ("Firing", "Rehearsal"), "concept.report": ("Entry", "Performance")}
)
