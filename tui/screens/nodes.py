"""Nodes: this machine and every worker of the Dask cluster: CPU, memory, GPU, what it offers and works on, live."""

import platform
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.resources import GpuReport, HostSample
from lemnis.engine.resources.nodes import Nodes, NodeWatch
from lemnis.tui import machines
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 1.0
STALE_S = 8.0


class NodesScreen(Dialog[None]):
    """Dismisses with nothing. A child process asks the scheduler; this screen looks at what it said last."""

    DEFAULT_CSS = """
    NodesScreen { background: $background; }
    NodesScreen #reason { height: auto; padding: 0 1; }
    NodesScreen #nodes-panel { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """What is known now."""

        host: HostSample
        gpus: GpuReport
        nodes: Nodes
        at: int

    @dataclass
    class Refused(Message):
        """This machine can't be read."""

        error: LemnisError

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self._watch: NodeWatch | None = None
        self._left, self._beginning = False, Lock()

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Words(id="reason")
        with Panel(_("Nodes"), id="nodes-panel"):
            yield Table(*machines.COLUMNS, id="nodes", empty=_("Reading …"))
        yield Words(Content.assemble((" esc ", "$key"), f" {_('back')}"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read)
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="nodes")
    def read(self) -> None:
        """Look at this machine and at what was heard of the others."""
        with self._beginning:  # a reading that takes longer than the period meets the next one
            if self._watch is None and not self._left:
                self._watch = NodeWatch(self.engine.workspace)
                if self._left:  # meanwhile
                    self._watch.close()
        watch = self._watch
        if watch is None:
            return
        try:
            room = self.engine.resources
            answer(self.post_message, self.Read(room.host(), room.gpus(), watch.latest(), self.engine.now_ms()))
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))

    def on_unmount(self) -> None:
        self._left = True
        if self._watch is not None:
            self.app.run_worker(self._watch.close, thread=True, exit_on_error=False, group="nodes-close")

    def on_nodes_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_nodes_screen_read(self, message: Read) -> None:
        found = message.nodes
        here = machines.this_machine(message.host, message.gpus, platform.node())
        columns, rows = machines.fitting(machines.node_rows(here, found), narrow=self.app.size.width < 100)
        table = self.query_one(Table)
        table.set_columns(columns)
        table.show(rows)
        self.query_one("#reason", Words).say(Content.styled(told(found.reason), "$warn") if found.reason else "")
        panel = self.query_one("#nodes-panel", Panel)
        panel.retitle(_("Nodes"), f"{1 + len(found.nodes)} · {found.address}".strip(" ·"))
        panel.dated(found.at, message.at, STALE_S)
