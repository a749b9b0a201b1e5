"""Stage 6, Experiments: training runs with every condition recorded, their curves, and comparing them."""

from typing import TYPE_CHECKING

from lemnis.engine.doors import later
from lemnis.engine.experiments.runs import Run, RunPage

if TYPE_CHECKING:
    from lemnis.engine.experiments.advice import Advice
    from lemnis.engine.experiments.advisor import Advisor
    from lemnis.engine.experiments.compare import Comparison, MetricRow, Row
    from lemnis.engine.experiments.grid import Grids
    from lemnis.engine.experiments.grouping import Groups
    from lemnis.engine.experiments.points import Curve
    from lemnis.engine.experiments.predictions import Gain
    from lemnis.engine.experiments.records import Grid, Plan, RunGroup, Started
    from lemnis.engine.experiments.room import ExperimentsRoom
    from lemnis.engine.experiments.search import Shelf

__all__ = [
    "Advice",
    "Advisor",
    "Comparison",
    "Curve",
    "ExperimentsRoom",
    "Gain",
    "Grid",
    "Grids",
    "Groups",
    "MetricRow",
    "Plan",
    "Row",
    "Run",
    "RunGroup",
    "RunPage",
    "Shelf",
    "Started",
]
__getattr__ = later(
    __name__,
    {
        "advice": ("Advice",),
        "advisor": ("Advisor",),
        "compare": ("Comparison", "MetricRow", "Row"),
        "grid": ("Grids",),
        "grouping": ("Groups",),
        "points": ("Curve",),
        "predictions": ("Gain",),
        "records": ("Grid", "Plan", "RunGroup", "Started"),
        "room": ("ExperimentsRoom",),
        "search": ("Shelf",),
    },
)
