"""The widgets every stage is made of; see each class for how to use it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lemnis.tui.widgets.cells import Cell, Col, Row, data_cell, numbered_rows
    from lemnis.tui.widgets.chart import Chart, Series
    from lemnis.tui.widgets.confirm import Confirm
    from lemnis.tui.widgets.grid import Grid
    from lemnis.tui.widgets.gridcells import Field
    from lemnis.tui.widgets.logview import LogView
    from lemnis.tui.widgets.panel import Panel
    from lemnis.tui.widgets.prompt import PromptLine
    from lemnis.tui.widgets.table import Table
    from lemnis.tui.widgets.text import Bars, Empty, Facts, Keys, Meter, Spark, Words, value_bar, value_cell

__all__ = [
    "Bars",
    "Cell",
    "Chart",
    "Col",
    "Confirm",
    "Empty",
    "Facts",
    "Field",
    "Grid",
    "Keys",
    "LogView",
    "Meter",
    "Panel",
    "PromptLine",
    "Row",
    "Series",
    "Spark",
    "Table",
    "Words",
    "data_cell",
    "numbered_rows",
    "value_bar",
    "value_cell",
]
HOMES = {
    "cells": ("Cell", "Col", "Row", "data_cell", "numbered_rows"),
    "chart": ("Chart", "Series"),
    "confirm": ("Confirm",),
    "grid": ("Grid",),
    "gridcells": ("Field",),
    "logview": ("LogView",),
    "panel": ("Panel",),
    "prompt": ("PromptLine",),
    "table": ("Table",),
    "text": ("Bars", "Empty", "Facts", "Keys", "Meter", "Spark", "Words", "value_bar", "value_cell"),
}
HOME_OF = {name: home for home, names in HOMES.items() for name in names}


def __getattr__(name: str) -> Any:  # Any: a module's attribute; each is typed above
    """Import a widget when it is asked for: the first picture needs few of them, and comes the sooner."""
    if name not in HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOME_OF[name]}"), name)
