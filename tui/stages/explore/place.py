"""Where the cursor of the rows is, in one line that is drawn alone: a title in the border would draw all rows again."""

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from lemnis.tui.format import number
from lemnis.tui.widgets import Grid


class Place(Widget):
    """Row and column of a grid's cursor, and how many columns are folded."""

    words: reactive[str] = reactive("")

    def render(self) -> RenderResult:
        return Content.styled(f" {self.words}", "$muted")

    def say(self, grid: Grid, folded: int) -> None:
        """Say where the cursor of a grid is."""
        place = f"row {number(grid.row + 1)} of {number(grid.total)}" if grid.total else "no row"
        hidden = f" · {number(folded)} column{'s' * (folded != 1)} folded: z" if folded else ""
        self.words = f"{place} · column {grid.place + 1} of {len(grid.fields)}{hidden}"
