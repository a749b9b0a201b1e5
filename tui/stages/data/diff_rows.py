"""The rows that differ between two versions, a window at a time: of one column before and after, or all of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data.diff import CHANGES, Diff, DiffPage, Listing
from lemnis.tui.answers import answer
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.stages.data.differences import PSI_TEXT, keys_line, listing_title, row_cells, row_columns
from lemnis.tui.stages.data.preview import PathAsked
from lemnis.tui.widgets import Panel, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip
from lemnis.tui.widgets.windows import PAGE

KEYS = (("v", "kind"), ("[ ]", "column"), ("E", "export"), ("y", "copy"), ("K", "explain"), ("esc", "back"))


class DiffRows(Dialog[None]):
    """A windowed list; only what is on the screen is read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("v", "kind", "Kind", show=False),
        Binding("left_square_bracket", "column(-1)", "Column before", show=False),
        Binding("right_square_bracket", "column(1)", "Column after", show=False),
        Binding("E", "export", "Export", show=False),
        Binding("K", "explain", "Explain", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The first rows came back."""

        listing: Listing
        page: DiffPage

    @dataclass
    class Said(Message):
        """The rows were written, or something was refused."""

        text: str = ""
        error: LemnisError | None = None

    def __init__(self, engine: Engine, diff: Diff, listing: Listing) -> None:
        super().__init__(classes="diff")
        self.engine, self.diff, self.listing = engine, diff, listing

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Rows"), id="diff-rows-panel"):
            yield Table(id="diff-rows", empty=_("Reading …"))
        yield Words(keys_line(KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#diff-rows", Table).focus()
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="diff-rows")
    def read(self) -> None:
        """Read the first rows."""
        listing = self.listing
        try:
            page = self.engine.data.diffs.rows(self.diff, listing, 0, PAGE)
        except LemnisError as error:
            answer(self.post_message, self.Said(error=error))
        else:
            answer(self.post_message, self.Read(listing, page))

    def on_diff_rows_read(self, message: Read) -> None:
        listing, page = message.listing, message.page
        if listing != self.listing:
            return
        self.query_one(ErrorStrip).clear()
        table = self.query_one("#diff-rows", Table)
        table.set_columns(row_columns(self.diff, listing))

        def fetch(offset: int, limit: int) -> list[Row]:
            first = (offset, limit) == (0, PAGE)
            shown = page if first else self.engine.data.diffs.rows(self.diff, listing, offset, limit)
            return [row_cells(self.diff, listing, offset + place, row) for place, row in enumerate(shown.rows)]

        table.cursor = 0
        table.empty = _("There is no such row.")
        table.show_window(page.total, fetch)
        panel = self.query_one("#diff-rows-panel", Panel)
        versions = f"{self.diff.before_title} → {self.diff.after_title}"
        panel.retitle(listing_title(listing), f"{number(page.total)} · {versions}")

    def on_diff_rows_said(self, message: Said) -> None:
        if message.error is not None:
            self.query_one(ErrorStrip).show(message.error)
        else:
            self.query_one(ErrorStrip).clear()
            self.notify(message.text, markup=False)

    @on(Table.Sorted, "#diff-rows")
    def keep_order(self, message: Table.Sorted) -> None:
        """Say that so many rows stay in their order."""
        message.table.sorted_by = None
        message.table.refresh()
        self.notify(_("These rows stay in the order of their version; E writes them to a file to sort."), markup=False)

    def action_kind(self) -> None:
        """Go on to the next kind of rows; without a column the first is all of them."""
        kinds = [*CHANGES] if self.listing.column else ["", *CHANGES]
        now = self.listing.change or ("changed" if self.listing.column else "")
        self.listing = replace(self.listing, change=kinds[(kinds.index(now) + 1) % len(kinds)])
        self.read()

    def action_column(self, by: int) -> None:
        """Go to the rows of the column before or after, in the order of what changed most."""
        names = [column.name for column in self.diff.ordered() if column.changed]
        if not names:
            self.notify(_("No column changed in rows that both versions have."), markup=False)
            return
        name = self.listing.column
        place = names.index(name) + by if name in names else 0 if by > 0 else -1
        self.listing = Listing(column=names[place % len(names)])
        self.read()

    def action_export(self) -> None:
        """Ask for a file and write these rows to it."""
        name = "_".join(filter(None, ("diff", self.listing.column, self.listing.change))).replace("/", "_") + ".csv"

        def answered(path: str | None) -> None:
            if path:
                self.write(self.listing, Path(path).expanduser())

        question = _("{listing_title}: a new file ending in .csv, .jsonl or .parquet").format(
            listing_title=listing_title(self.listing)
        )
        self.app.push_screen(PathAsked(question, name, "rows.csv"), answered)

    @work(thread=True, exit_on_error=False, group="diff-export")
    def write(self, listing: Listing, path: Path) -> None:
        """Write rows to a file."""
        try:
            rows = self.engine.data.diffs.export(self.diff, listing, path)
        except LemnisError as error:
            self.post_message(self.Said(error=error))
        else:
            self.post_message(self.Said(_("{rows} rows are in {path}.").format(rows=number(rows), path=path)))

    def action_explain(self) -> None:
        self.app.push_screen(Explanation(_("Diff"), PSI_TEXT))
