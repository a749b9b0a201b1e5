"""Retraining: who decides it, on which rows it learns, and whether the challenger is better than the champion."""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.monitor.retraining.records import (
    Event,
    Figure,
    Loop,
    Mean,
    Point,
    Queued,
    Retrained,
    Retraining,
    Step,
    Study,
    Way,
)

if TYPE_CHECKING:
    from lemnis.engine.monitor.retraining.room import RetrainingRoom

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
__getattr__ = later(__name__, {"room": ("RetrainingRoom",)})
