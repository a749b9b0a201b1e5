"""Labelling: people answer one question row by row; every answer is an event, and what stands is a view of them."""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.explore.labels.records import (
    HOW,
    KINDS,
    Answer,
    AnswerKind,
    Applied,
    Event,
    Item,
    Kind,
    LabelSet,
    Progress,
    Queue,
    Resolved,
    Task,
)

if TYPE_CHECKING:
    from lemnis.engine.explore.labels.agreement import Agreement, Pair
    from lemnis.engine.explore.labels.room import Accord, LabelsRoom

__all__ = [
    "HOW",
    "KINDS",
    "Accord",
    "Agreement",
    "Answer",
    "AnswerKind",
    "Applied",
    "Event",
    "Item",
    "Kind",
    "LabelSet",
    "LabelsRoom",
    "Pair",
    "Progress",
    "Queue",
    "Resolved",
    "Task",
]
__getattr__ = later(__name__, {"agreement": ("Agreement", "Pair"), "room": ("Accord", "LabelsRoom")})
