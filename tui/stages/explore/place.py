"""Where the cursor of the rows is, in one line that is drawn alone: a title in the border would draw all rows again."""

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.widgets import Grid


class Place(Widget):
    """Row and column of a grid's cursor, and how many columns are folded."""

    words: reactive[str] = reactive("")

    def render(self) -> RenderResult:
        return Content.styled(f" {self.words}", "$muted")

    def say(self, grid: Grid, folded: int) -> None:
        """Say where the cursor of a grid is."""
        row, rows = number(grid.row + 1), number(grid.total)
        place = _("row {row} of {rows}").format(row=row, rows=rows) if grid.total else _("no row")
        column = _("column {column} of {columns}").format(column=grid.place + 1, columns=len(grid.fields))
        folds = _("1 column folded: z") if folded == 1 else _("{n} columns folded: z").format(n=number(folded))
        self.words = " · ".join([place, column, *([folds] if folded else [])])
