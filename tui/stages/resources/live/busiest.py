"""The processes as a panel: a table or a tree of them, with what was left out said in its border."""

from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType

from textual.app import ComposeResult
from textual.geometry import Region

from lemnis.engine.resources import Process
from lemnis.tui.format import age
from lemnis.tui.language import _
from lemnis.tui.stages.resources import rows
from lemnis.tui.stages.resources.live.machine import STALE_S
from lemnis.tui.stages.resources.live.reading import Reading
from lemnis.tui.stages.resources.live.tree import in_tree
from lemnis.tui.widgets.cells import Row
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table

SPARE = 40  # lines below the last process at most


class ProcessTable(Table):
    """A table that may keep its rows under their parents, whatever it is sorted by."""

    _room = 0  # lines there are to scroll over
    parents: dict[str, str] | None = None  # None for a flat table
    _before: Mapping[int, Row] = MappingProxyType({})  # rows as they were drawn, while others are put in

    def branch(self, parents: dict[str, str] | None) -> None:
        """Take who started whom, None for a flat table; show rows afterwards."""
        if parents != self.parents:
            self.parents, self._given = parents, []

    def _place(self, rows: list[Row]) -> None:
        self._before = dict(self._rows.known)
        super()._place(rows)
        self._before = {}

    def _refresh_row(self, index: int) -> None:
        """Draw a row again; of a row that is still the same process, only the columns that differ."""
        before, after = self._before.get(index), self._rows.known.get(index)
        if before is None or after is None or before.key != after.key or before == after:
            super()._refresh_row(index)
            return
        cells = zip(before.cells, after.cells, strict=False)
        changed = [place for place, (old, new) in enumerate(cells) if old != new]
        if changed:
            edges = [0, *accumulate(width + 2 for width in self._widths)]
            start, end = edges[changed[0]] - round(self.scroll_x), edges[changed[-1] + 1] - round(self.scroll_x)
            self.refresh(Region(start, index - round(self.scroll_y) + 1, end - start, 1))

    def _tall(self) -> int:
        """Return a height that stays while some processes come and go: each new one lays the whole screen out anew."""
        needed = super()._tall()
        if not needed <= self._room <= needed + SPARE:
            self._room = needed + SPARE // 2
        return self._room

    def _ordered(self, rows: list[Row]) -> list[Row]:
        if self.parents is None:
            return super()._ordered(rows)
        names = [column.name for column in self.columns]
        name, descending = self.sorted_by or ("cpu", True)
        return in_tree(rows, self.parents, names.index(name) if name in names else 0, descending=descending)


class Busiest(Panel):
    """Draws the processes of a reading."""

    def __init__(self, *, empty: str, id: str | None = None):
        super().__init__(_("Processes"), id=id)
        self.as_tree = False
        self.paused_at: int | None = None
        self._empty = empty
        self._reading: Reading | None = None

    def compose(self) -> ComposeResult:
        yield ProcessTable(*rows.PROCESS_COLUMNS, id="processes", empty=self._empty)

    @property
    def table(self) -> ProcessTable:
        return self.query_one(ProcessTable)

    def show(self, reading: Reading, now_ms: int) -> None:
        """Draw the processes of a reading; the cursor stays on its own."""
        self._reading = reading
        found = reading.processes
        pids = {process.pid: process.key for process in found.rows}
        table = self.table
        table.branch({one.key: pids.get(one.parent, "") for one in found.rows} if self.as_tree else None)
        if reading.wish.query or reading.wish.own:
            table.empty = _("No process is like that. Press {app.back} to see all.")
        absent = set[str]() if any(one.gpu_memory_bytes is not None for one in found.rows) else {"gpu"}
        absent |= set[str]() if any(one.owner for one in found.rows) else {"owner"}
        columns = rows.process_columns(self.app.size.width, absent=frozenset(absent))
        columns, cut = rows.only(rows.PROCESS_COLUMNS, [rows.process_row(one, found.at) for one in found.rows], columns)
        table.set_columns(columns)
        table.show(cut)
        self.retitle(
            _("Processes"), rows.processes_title(reading.known, found, tree=self.as_tree, wish=self._wanted(reading))
        )
        self.date(now_ms)

    def date(self, now_ms: int) -> None:
        """Say in the border how old the processes are, or that they stand still."""
        if self.paused_at is not None:
            self.footnote(
                _("paused {paused_at} ago, {{resources.pause}} goes on").format(paused_at=age(self.paused_at, now_ms))
            )
        elif self._reading is not None:
            self.dated(self._reading.processes.at, now_ms, STALE_S)

    @property
    def process(self) -> Process | None:
        """The process under the cursor."""
        return self._by_key(self.table.key)

    @property
    def marked(self) -> list[Process]:
        """The marked processes that are still there, or the one under the cursor."""
        found = [one for key in self.table.marks if (one := self._by_key(key)) is not None]
        return found or [one for one in [self.process] if one is not None]

    def _by_key(self, key: str) -> Process | None:
        known = self._reading.known.rows if self._reading is not None else []
        return next((one for one in known if one.key == key), None)

    @staticmethod
    def _wanted(reading: Reading) -> str:
        return " · ".join(
            [*([_("your own")] if reading.wish.own else []), *([reading.wish.query] if reading.wish.query else [])]
        )
