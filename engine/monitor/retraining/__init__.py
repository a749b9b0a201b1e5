"""Retraining: who decides it, on which rows it learns, and whether the challenger is better than the champion."""

from lemnis.engine.monitor.retraining.records import Event, Figure, Queued, Retrained, Retraining, Way
from lemnis.engine.monitor.retraining.room import RetrainingRoom

__all__ = ["Event", "Figure", "Queued", "Retrained", "Retraining", "RetrainingRoom", "Way"]
