"""The widgets every stage is made of; see each class for how to use it."""

from lemnis.tui.widgets.cells import Cell, Col, Row, data_cell, numbered_rows
from lemnis.tui.widgets.chart import Chart, Series
from lemnis.tui.widgets.confirm import Confirm
from lemnis.tui.widgets.grid import Grid
from lemnis.tui.widgets.gridcells import Field
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.table import Table
from lemnis.tui.widgets.text import Bars, Empty, Facts, Keys, LogView, Meter, Spark, Words, value_bar, value_cell

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
