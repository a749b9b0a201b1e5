"""The processes as a panel: a table or a tree of them, with what was left out said in its border."""

from textual.app import ComposeResult

from lemnis.engine.resources import Process
from lemnis.tui.format import age
from lemnis.tui.stages.resources import rows
from lemnis.tui.stages.resources.live.machine import STALE_S
from lemnis.tui.stages.resources.live.reading import Reading
from lemnis.tui.stages.resources.live.tree import in_tree
from lemnis.tui.widgets.cells import Row
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table


class ProcessTable(Table):
    """A table that may keep its rows under their parents, whatever it is sorted by."""

    parents: dict[str, str] | None = None  # None for a flat table

    def branch(self, parents: dict[str, str] | None) -> None:
        """Take who started whom, None for a flat table; show rows afterwards."""
        if parents != self.parents:
            self.parents, self._given = parents, []

    def _ordered(self, rows: list[Row]) -> list[Row]:
        if self.parents is None:
            return super()._ordered(rows)
        names = [column.name for column in self.columns]
        name, descending = self.sorted_by or ("cpu", True)
        return in_tree(rows, self.parents, names.index(name) if name in names else 0, descending=descending)


class Busiest(Panel):
    """Draws the processes of a reading."""

    def __init__(self, *, empty: str, id: str | None = None):
        super().__init__("Processes", id=id)
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
            table.empty = "No process is like that. Press esc to see all."
        holds_gpu = any(one.gpu_memory_bytes is not None for one in found.rows)
        columns = rows.process_columns(self.app.screen.size.width, gpu=holds_gpu)
        columns, cut = rows.only(rows.PROCESS_COLUMNS, [rows.process_row(one, found.at) for one in found.rows], columns)
        table.set_columns(columns)
        table.show(cut)
        self.retitle(
            "Processes", rows.processes_title(reading.known, found, tree=self.as_tree, wish=self._wanted(reading))
        )
        self.date(now_ms)

    def date(self, now_ms: int) -> None:
        """Say in the border how old the processes are, or that they stand still."""
        if self.paused_at is not None:
            self.footnote(f"paused {age(self.paused_at, now_ms)} ago, p goes on")
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
            [*(["your own"] if reading.wish.own else []), *([reading.wish.query] if reading.wish.query else [])]
        )
