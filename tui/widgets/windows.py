"""Rows by position, all given at once or read a page at a time, with only the pages around the cursor kept. Pure."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from lemnis.tui.widgets.cells import Row

Fetch: TypeAlias = Callable[[int, int], Sequence[Row]]

PAGE = 100  # rows fetched at once
PAGES_KEPT = 20


class Rows(Struct):
    """The rows a table knows; `generation` tells what was asked before the last change from what was asked after."""

    total: int = 0
    known: dict[int, Row] = field(default_factory=dict[int, Row])
    fetch: Fetch | None = None
    generation: int = 0
    asked: set[int] = field(default_factory=set[int])

    def give(self, rows: Sequence[Row]) -> None:
        """Take these rows as the whole."""
        self.total, self.known, self.fetch, self.asked = len(rows), dict(enumerate(rows)), None, set()
        self.generation += 1

    def open(self, total: int, fetch: Fetch) -> None:
        """Take `total` rows that ``fetch(offset, limit)`` reads."""
        self.total, self.known, self.fetch, self.asked = total, {}, fetch, set()
        self.generation += 1

    def page_to_ask(self, index: int) -> int | None:
        """Return the page to read for a row, once; None if it was asked for, or nothing is to be read."""
        page = index // PAGE
        if self.fetch is None or page in self.asked:
            return None
        self.asked.add(page)
        return page

    def put(self, offset: int, rows: Sequence[Row], *, around: int) -> None:
        """Keep a page that was read, and forget those far from the row `around` when there are many."""
        if len(self.known) > PAGE * PAGES_KEPT:
            near = range(around // PAGE - PAGES_KEPT // 2, around // PAGE + PAGES_KEPT // 2 + 1)
            self.known = {index: row for index, row in self.known.items() if index // PAGE in near}
            self.asked = {page for page in self.asked if page in near}
        self.known |= {offset + number: row for number, row in enumerate(rows)}

    def first(self, count: int) -> list[Row]:
        """Return some known rows, to measure columns by."""
        return [row for _, row in zip(range(count), self.known.values(), strict=False)]

    def position(self, key: str) -> int | None:
        """Return where the row with this key is, if it is known."""
        return next((index for index, row in self.known.items() if row.key == key), None)

    def in_order(self) -> list[Row]:
        """Return the known rows from the first to the last."""
        return [self.known[index] for index in sorted(self.known)]
