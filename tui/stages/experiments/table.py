"""RunsTable: a table whose order is its owner's affair and of whose many rows only some are read."""

from collections.abc import Callable, Sequence

from lemnis.tui.widgets import Row, Table
from lemnis.tui.widgets.windows import PAGE


class RunsTable(Table):
    """Rows are shown in the order they are given in; the owner is told of the wanted one."""

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

    def _ordered(self, rows: list[Row]) -> list[Row]:
        return rows
