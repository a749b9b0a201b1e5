"""Top: the live view of the machine alone, with or without a workspace."""

from dataclasses import dataclass
from typing import Protocol

from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Static

from lemnis.engine import LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.resources import GpuReport, HostSample, ProcessTable
from lemnis.tui.stages.resources import lines, rows
from lemnis.tui.stages.resources.pane import Lines
from lemnis.tui.theme import SHEET, ThemedApp
from lemnis.tui.widgets.panel import Panel
from lemnis.tui.widgets.table import Table

PERIOD_S = 1.0
KEPT = 600  # readings of past in this view
CORE_LINES = 8
NARROW = 100
PAST = (
    "cpu_percent", "memory_percent", "disk_read_bytes_per_s", "disk_write_bytes_per_s",
    "net_received_bytes_per_s", "net_sent_bytes_per_s",
)  # fmt: skip


class Source(Protocol):
    """Whoever can read the machine: the workspace's room, or this process."""

    def host(self) -> HostSample: ...
    def processes(self) -> ProcessTable: ...
    def gpus(self) -> GpuReport: ...


class Top(ThemedApp[None]):
    """CPU, memory, disk, network, GPUs and processes, once a second."""

    CSS_PATH = [SHEET]
    CSS = "#cpu, #machine, #gpu { height: auto; } Lines { padding: 0 1; } #hint { height: 1; color: $muted; }"
    BINDINGS = [Binding("q", "quit", "Leave")]

    @dataclass
    class Read(Message):
        """One reading of the machine came back."""

        host: HostSample
        gpus: GpuReport
        processes: ProcessTable

    @dataclass
    class Failed(Message):
        """A reading failed."""

        error: LemnisError

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source, self._busy = source, False
        self.past: dict[str, list[float | None]] = {name: [] for name in PAST}

    def compose(self) -> ComposeResult:
        with Panel("CPU", id="cpu"):
            yield Lines(id="cores")
            yield Lines(id="cpu-line")
        with Panel("Machine", id="machine"):
            yield Lines(id="lines")
        with Panel("GPU", id="gpu"):
            yield Lines(id="gpus")
        with Panel("Processes", id="busiest"):
            yield Table(*rows.PROCESS_COLUMNS, id="processes", empty="Reading the process table …")
        yield Static(" q Leave   j k Move   h l Column   s S Sort", id="hint", markup=False)

    async def on_mount(self) -> None:
        self.read_machine()
        self.set_interval(PERIOD_S, self.read_machine)
        self.query_one(Table).focus()

    def read_machine(self) -> None:
        """Read the machine in a thread, unless the last reading still runs."""
        if not self._busy:
            self._busy = True
            self.run_worker(self._read, thread=True, exit_on_error=False, group="top")

    def _read(self) -> None:
        try:
            message: Message = self.Read(self.source.host(), self.source.gpus(), self.source.processes())
        except LemnisError as error:
            message = self.Failed(error)
        self.post_message(message)

    def on_top_failed(self, message: Failed) -> None:
        self._busy = False
        self.query_one("#machine", Panel).footnote(f"stale: {message.error.problem}")

    def on_top_read(self, message: Read) -> None:
        self._busy = False
        host, gpus, processes, past = message.host, message.gpus, message.processes, self.past
        for name, values in past.items():
            values.append(getattr(host, name))
            del values[:-KEPT]
        at = now_ms()
        owners = {process.pid: process.owner for process in processes.rows if process.owner}
        self.query_one("#cores", Lines).show(lambda width: lines.core_lines(host.core_percents, width, CORE_LINES))
        self.query_one("#cpu-line", Lines).show(lambda width: [lines.cpu_line(host)])
        self.query_one("#lines", Lines).show(lambda width: lines.brief_lines(host, gpus, past, width)[:-1])
        self.query_one("#gpus", Lines).show(lambda width: lines.gpu_lines(gpus, owners, width, at))
        self.query_one("#cpu", Panel).retitle("CPU", lines.cpu_title(host))
        self.query_one("#machine", Panel).dated(host.at, at, 3 * PERIOD_S)
        self.query_one("#busiest", Panel).retitle("Processes", rows.processes_title(processes))
        columns, found = rows.PROCESS_COLUMNS, [rows.process_row(process, at) for process in processes.rows]
        table = self.query_one(Table)
        if self.size.width < NARROW:
            columns, found = rows.only(columns, found, rows.NARROW_PROCESSES)
        table.set_columns(columns)
        table.show(found)
