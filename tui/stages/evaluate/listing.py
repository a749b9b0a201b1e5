"""A list and, beside it, the detail of the line under the cursor: how everything that verifying finds is shown."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from lemnis.tui.stages.evaluate.pane import Drawn
from lemnis.tui.widgets import Col, Panel, Row, Table


class Listing(Struct, frozen=True):
    """What one view shows.

    Attributes:
        title, detail: Of the list's panel: what it is, and a count or a verdict.
        columns, rows: The list.
        empty: What is said when there is none: a sentence with the next key.
        below: Title of the detail's panel.
        lines: Returns the detail of a row's key for a width in cells.
        foot: Words in the list's lower border.
    """

    title: str
    columns: Sequence[Col]
    rows: Sequence[Row]
    empty: str
    below: str
    lines: Callable[[str, int], Sequence[Content]]
    detail: str = ""
    foot: str = ""


class ListingPane(Container):
    """Shows a listing; beside each other on a large screen, below each other on a small one."""

    def __init__(self, *, id: str | None = None):
        super().__init__(id=id)
        self._listing: Listing | None = None

    def compose(self) -> ComposeResult:
        with Panel("", id="listing-panel"):
            yield Table(id="listing")
        with Panel("", id="listing-detail-panel"):
            yield Drawn(id="listing-detail")

    @property
    def table(self) -> Table:
        return self.query_one("#listing", Table)

    def show(self, listing: Listing) -> None:
        """Show a listing; the cursor stays with its row."""
        self._listing = listing
        panel = self.query_one("#listing-panel", Panel)
        panel.retitle(listing.title, listing.detail)
        panel.footnote(listing.foot)
        self.table.empty = listing.empty
        self.table.set_columns(listing.columns)
        self.table.show(listing.rows)
        self.query_one("#listing-detail-panel", Panel).retitle(listing.below)
        self._follow()

    @on(Table.Moved, "#listing")
    def _follow(self) -> None:
        listing, key = self._listing, self.table.key
        if listing is not None:
            self.query_one("#listing-detail", Drawn).show(lambda width: listing.lines(key, width))
