"""Table: rows by key with a cursor that stays on its row, marks, sorting, and windows of very large results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

from lemnis.engine import LemnisError
from lemnis.tui.actions import bindings
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.cells import (
    Col,
    Row,
    copied,
    header_labels,
    ordered,
    row_content,
    strip_of,
    styles_for,
    widths_of,
)
from lemnis.tui.widgets.windows import PAGE, Rows

MEASURED, LINES_KEPT = 1000, 200  # rows that decide how wide columns are, and drawn lines kept: more than any screen
EMPTY = N_("Nothing here.")


class Table(ScrollView, can_focus=True):
    """A table of rows that are known by key.

    Either all rows are given (`show`), then it sorts by itself; or a number of rows and a function that fetches a
    window of them (`show_window`), then only what is on screen is read, in a thread, and sorting is asked of the owner
    by `Table.Sorted`. A cell that comes from data is a `str`: it is shown as it is, never as markup.
    """

    BINDINGS = bindings("tables")
    empty: reactive[str] = reactive("")
    cursor: reactive[int] = reactive(0, repaint=False)
    column: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class About(Message):
        """Something a table says; `@on(Table.Opened, "#id")` selects by the table."""

        table: "Table"

        @property
        def control(self) -> "Table":
            return self.table

    @dataclass
    class Moved(About):
        """The cursor is on another row."""

        key: str

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Table.Moved) and message.table is self.table

    @dataclass
    class Opened(About):
        """Enter was pressed on a row."""

        key: str

    @dataclass
    class Marked(About):
        """The marks changed; `keys` are in the order they were set."""

        keys: tuple[str, ...]

    @dataclass
    class Sorted(About):
        """The person wants a windowed table in another order; the owner calls `show_window` again."""

        column: str
        descending: bool

    @dataclass
    class Fetched(Message, bubble=False):
        """A window of rows came back from the thread."""

        generation: int
        offset: int
        rows: Sequence[Row]

    def __init__(self, *columns: Col, id: str | None = None, classes: str | None = None, empty: str = EMPTY):
        """Make a table.

        Args:
            columns: Left to right.
            id: Widget id.
            classes: CSS classes.
            empty: What is said when there are no rows: one sentence with the id of the one next action in braces.
        """
        super().__init__(id=id, classes=classes)
        self.columns = list(columns)
        self.set_reactive(Table.empty, empty)
        self.marks: list[str] = []
        self.sorted_by: tuple[str, bool] | None = None
        self._rows, self._given = Rows(), list[Row]()
        self._widths = widths_of(self.columns, [], 0)
        self._lines: dict[tuple[int, bool, bool], Strip] = {}

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; the cursor, the marks and the scroll position stay with their keys."""
        given = list(rows)
        if self._rows.generation and self._rows.fetch is None and given == self._given and self.total == len(given):
            return
        self._given = given
        self._place(self._ordered(given))

    def show_window(self, total: int, fetch: Callable[[int, int], Sequence[Row]]) -> None:
        """Show a large result of `total` rows of which ``fetch(offset, limit)`` reads a part.

        `fetch` is called in a thread, may raise LemnisError, and always for whole pages.
        """
        self._given = []
        self._rows.open(total, fetch)
        self.cursor = min(self.cursor, max(0, total - 1))
        self._resize()
        self.refresh()

    def set_columns(self, columns: Sequence[Col]) -> None:
        """Replace the columns; show rows afterwards."""
        if list(columns) == self.columns:
            return
        self.columns, self._given = list(columns), []
        self.column = min(self.column, max(0, len(self.columns) - 1))
        self._rows.give([])
        self._resize()
        self.refresh()

    @property
    def total(self) -> int:
        """How many rows there are, read or not."""
        return self._rows.total

    @property
    def rows(self) -> list[Row]:
        """The rows that are known, in their order."""
        return self._rows.in_order()

    @property
    def current(self) -> Row | None:
        """The row under the cursor; None if there is none or it is not read yet."""
        return self._rows.known.get(self.cursor)

    @property
    def key(self) -> str:
        """The key of the row under the cursor, or an empty string."""
        return self.current.key if self.current else ""

    def select(self, key: str) -> bool:
        """Move the cursor to the row with this key, if it is loaded."""
        index = self._rows.position(key)
        self.cursor = self.cursor if index is None else index
        return index is not None

    def mark_only(self, keys: Sequence[str]) -> None:
        """Replace the marks without a message."""
        self.marks = list(keys)
        self._redraw()

    def copy_text(self, kind: str) -> str:
        """Return what `y` copies: ``c`` the cell, ``l`` its column, ``r`` the row, ``j`` its JSON, ``m`` Markdown."""
        return copied(kind, self.columns, self.rows, self.current, self.column)

    # Keys.

    def action_move(self, rows: int) -> None:
        self.cursor += rows

    def action_step(self, columns: int) -> None:
        self.column += columns

    def action_page(self, pages: int) -> None:
        self.cursor += pages * max(1, self.size.height - 3)

    def action_end(self, last: bool) -> None:
        self.cursor = self.total - 1 if last else 0

    def action_open(self) -> None:
        if self.key:
            self.post_message(self.Opened(self, self.key))

    def action_mark(self) -> None:
        if not self.key:
            return
        self.marks = (
            [key for key in self.marks if key != self.key] if self.key in self.marks else [*self.marks, self.key]
        )
        self._lines = {known: strip for known, strip in self._lines.items() if known[0] != self.cursor}
        self._refresh_row(self.cursor)
        self.post_message(self.Marked(self, tuple(self.marks)))
        self.cursor += 1

    def action_sort(self, direction: str) -> None:
        """Sort by the cursor's column, ``up`` or ``down``; what is missing comes last either way."""
        if not self.columns:
            return
        self.sorted_by = (self.columns[self.column].name, direction == "down")
        if self._rows.fetch is None:
            self._place(self._ordered(self._given))
        else:
            self._resize()
            self.post_message(self.Sorted(self, *self.sorted_by))
        self.refresh()

    # How it works.

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, self.total - 1))

    def validate_column(self, column: int) -> int:
        return max(0, min(column, len(self.columns) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        for index in (old, new):
            self._refresh_row(index)
        self._follow_cursor()
        self.post_message(self.Moved(self, self.key))

    def watch_column(self) -> None:
        left = sum(width + 2 for width in self._widths[: self.column])
        width = self._widths[self.column] + 2 if self._widths else 1
        if left < self.scroll_x or left + width > self.scroll_x + self.size.width:
            self.scroll_to(x=max(0, left - 2), animate=False)
        self.refresh()

    def _ordered(self, rows: list[Row]) -> list[Row]:
        names = [column.name for column in self.columns]
        if self.sorted_by is None or self.sorted_by[0] not in names:
            return rows
        return ordered(rows, names.index(self.sorted_by[0]), descending=self.sorted_by[1])

    def _place(self, rows: list[Row]) -> None:
        """Put rows in, with the cursor on its key and as far from the top of the window as it was."""
        key, offset, before = self.key, self.cursor - round(self.scroll_y), (self._widths, self.cursor)
        drawn, unread = self._rows.known, self._rows.generation == 0
        self._rows.give(rows)
        self._resize()
        index = self._rows.position(key) if key else None
        if index is not None and index != self.cursor:
            self.set_reactive(Table.cursor, index)
            self.scroll_to(y=max(0, index - offset), animate=False)
        elif self.cursor >= self.total:
            self.set_reactive(Table.cursor, max(0, self.total - 1))
        if self.key != key:
            self.post_message(self.Moved(self, self.key))
        if unread or before != (self._widths, self.cursor) or len(drawn) != self.total:
            self.refresh()
            return
        for index, row in self._rows.known.items():  # a live table sends only the lines that differ
            if row != drawn.get(index):
                self._refresh_row(index)

    def _resize(self) -> None:
        scrollbar = int(self.total + 1 > self.size.height)
        sorted_by = self.sorted_by[0] if self.sorted_by else ""
        rows = self._rows.first(MEASURED)
        self._widths = widths_of(self.columns, rows, self.size.width - scrollbar, sorted_by=sorted_by)
        self._lines.clear()
        # The header takes the first line of the window, so there is one more; the last blank need not be seen.
        self.virtual_size = Size(max(0, sum(self._widths) + 2 * len(self._widths) - 1), self._tall())

    def _tall(self) -> int:  # lines there are to scroll over
        return self.total + 1

    def on_resize(self) -> None:
        self._resize()
        self._follow_cursor()

    def on_focus(self) -> None:
        self._redraw()

    on_blur = on_focus

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines.clear()

    def _follow_cursor(self) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        if self.cursor < self.scroll_y:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= self.scroll_y + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _redraw(self) -> None:
        self._lines.clear()
        self.refresh()

    def _refresh_row(self, index: int) -> None:
        line = index - round(self.scroll_y) + 1
        self.refresh(Region(0, line, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        x, top = round(self.scroll_x), round(self.scroll_y)
        width, base = self.size.width, self.visual_style
        if y == 0:
            strip = self._header()
        elif self.total == 0:
            here = y == min(2, self.size.height - 1) and self._rows.generation > 0  # it was read at least once
            text = Content.styled(f" {keyed(_(self.empty))}", "$muted") if here else Content("")
            return self._strip(text, base).adjust_cell_length(width, base.rich_style)
        else:
            strip = self._line(top + y - 1)
        return strip.crop_extend(x, x + width, base.rich_style)

    def _header(self) -> Strip:
        head, current = self._style("header"), self._style("current")
        here = self.column if self.has_focus else -1
        labels = header_labels(self.columns, self._widths, self.sorted_by)
        return Strip.join([self._strip(label, current if at == here else head) for at, label in enumerate(labels)])

    def _line(self, index: int) -> Strip:
        if index >= self.total:
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        here = index == self.cursor
        row = self._rows.known.get(index)
        if row is None:
            self._ask_for(index)
            return self._strip(Content(" …"), self._style("missing"))
        known = (index, here, self.has_focus)
        if known not in self._lines:
            if len(self._lines) > LINES_KEPT:
                self._lines.clear()
            self._lines[known] = self._drawn(row, here)
        return self._lines[known]

    def _drawn(self, row: Row, here: bool) -> Strip:
        marked = row.key in self.marks
        cursor = "cursor" if self.has_focus else "blurred"
        style = self._style(*([cursor] if here else ["marked"] if marked else []))
        if here and self.has_focus and self.app.native_ansi_color:  # sixteen colours have no quiet background
            style = self.visual_style + Style(bold=True, reverse=True)
        gutter = "✓" if marked else "›" if here and self.has_focus else " "
        strip = self._strip(row_content(self.columns, self._widths, row, gutter), style)
        return strip.extend_cell_length(max(self.size.width, self.virtual_size.width), style.rich_style)

    def _style(self, *parts: str) -> Style:
        return sum(map(styles_for(self).part, parts), self.visual_style)

    def _strip(self, content: Content, style: Style) -> Strip:
        return strip_of(content, style, styles_for(self))

    def _ask_for(self, index: int) -> None:
        page, fetch, generation = self._rows.page_to_ask(index), self._rows.fetch, self._rows.generation
        if page is None or fetch is None:
            return

        def work() -> None:
            try:
                rows = fetch(page * PAGE, PAGE)
            except LemnisError as error:
                rows = [Row(f"error {page}", (f"✖ {told(error.problem)}",))]
            if not get_current_worker().is_cancelled:
                self.post_message(self.Fetched(generation, page * PAGE, rows))

        self.run_worker(work, group=f"table-{self.id}", thread=True, exit_on_error=False)

    def on_table_fetched(self, message: Fetched) -> None:
        if message.generation != self._rows.generation:
            return
        known = self.current
        self._rows.put(message.offset, message.rows, around=self.cursor)
        self._resize()
        self.refresh()
        if known is None and self.current is not None:
            self.post_message(self.Moved(self, self.key))

    def on_click(self, event: Click) -> None:
        if event.y == 0:
            return
        index = event.y - 1 + round(self.scroll_y)
        if index == self.cursor:
            self.action_open()
        elif index < self.total:
            self.cursor = index

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.cursor += 3

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.cursor -= 3
