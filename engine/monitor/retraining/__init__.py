"""Retraining: who decides it, on which rows it learns, and whether the challenger is better than the champion."""

from lemnis.engine.monitor.retraining.loop import Loop, Step
from lemnis.engine.monitor.retraining.records import Event, Figure, Queued, Retrained, Retraining, Way
from lemnis.engine.monitor.retraining.room import RetrainingRoom
from lemnis.engine.monitor.retraining.studied import Mean, Point, Study

__all__ = [
    "Event",
    "Figure",
    "Loop",
    "Mean",
    "Point",
    "Queued",
    "Retrained",
    "Retraining",
    "RetrainingRoom",
    "Step",
    "Study",
    "Way",
]
