"""RunsTable: a table whose order is its owner's affair and of whose many rows only some are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.message import Message
from textual.strip import Strip

from lemnis.tui.widgets import Row, Table
from lemnis.tui.widgets.windows import PAGE


class RunsTable(Table):
    """Rows are shown in the order they are given in; the owner is told of the wanted one.

    Attributes:
        frozen: So many columns at the left stay where they are when the others move.
    """

    frozen = 0

    @dataclass
    class Folded(Message):
        """The person wants the group of a line unfolded, or folded."""

        key: str
        unfold: bool

    @property
    def on_group(self) -> bool:
        """Whether the cursor is on the line of a group."""
        return bool(self.key) and not self.key.isdecimal()

    def action_step(self, columns: int) -> None:
        if self.on_group:
            self.post_message(self.Folded(self.key, columns > 0))
        else:
            super().action_step(columns)

    def action_mark(self) -> None:
        if self.on_group:  # runs are marked, not groups
            self.cursor += 1
        else:
            super().action_mark()

    def freeze(self, columns: int) -> None:
        """Let the first columns stand still."""
        if columns != self.frozen:
            self.frozen = columns
            self._redraw()

    def action_sort(self, direction: str) -> None:
        if self.columns:
            self.sorted_by = (self.columns[self.column].name, direction == "down")
            self._resize()
            self.refresh()
            self.post_message(self.Sorted(self, *self.sorted_by))

    def show_part(
        self, total: int, fetch: Callable[[int, int], Sequence[Row]], *, offset: int, rows: Sequence[Row], at: int
    ) -> None:
        """Show a large result of which whole pages are read already.

        Args:
            total: How many rows there are.
            fetch: Reads more of them, as for `show_window`.
            offset: Where the rows that are read begin; a page's first.
            rows: These.
            at: Where the cursor's row is now; it stays as far from the top of the window as it was.
        """
        key, drawn, before = self.key, dict(self._rows.known), (self._widths, self.cursor, self.total)
        shown = self.cursor - round(self.scroll_y)
        self._given = []
        self._rows.open(total, fetch)
        self._rows.put(offset, rows, around=at)
        self._rows.asked = set(range(offset // PAGE, -(-(offset + len(rows)) // PAGE)))
        self._resize()
        at = max(0, min(at, total - 1))
        if at != self.cursor:
            self.set_reactive(Table.cursor, at)
            self.scroll_to(y=max(0, at - shown), animate=False)
        if self.key != key:
            self.post_message(self.Moved(self, self.key))
        if before != (self._widths, self.cursor, self.total):
            self.refresh()
            return
        top = round(self.scroll_y)
        for index in range(top, top + self.size.height):  # a live table sends only the lines that differ
            if self._rows.known.get(index) != drawn.get(index):
                self._refresh_row(index)

    @property
    def _still(self) -> int:
        """How wide what stands still is; nothing, where little else would have room."""
        width = 1 + sum(width + 2 for width in self._widths[: self.frozen])
        return width if self.frozen and width <= self.size.width // 2 else 0

    def watch_column(self) -> None:
        super().watch_column()
        left = 1 + sum(width + 2 for width in self._widths[: self.column])
        if self.column >= self.frozen and left < self.scroll_x + self._still:
            self.scroll_to(x=max(0, left - self._still), animate=False)

    def _header(self) -> Strip:
        return self._held(super()._header())

    def _line(self, index: int) -> Strip:
        return self._held(super()._line(index))

    def _held(self, strip: Strip) -> Strip:
        """Return a line in which what stands still is where the window begins."""
        x, still = round(self.scroll_x), self._still
        if not x or not still:
            return strip
        return Strip.join([strip.crop(0, x), strip.crop(0, still), strip.crop(x + still, strip.cell_length)])

    def _ordered(self, rows: list[Row]) -> list[Row]:
        return rows
