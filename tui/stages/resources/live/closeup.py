"""One process over time: its CPU, memory, threads and disk, and everything else the kernel tells of it."""

from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from lemnis.engine import LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.errors import NotFound
from lemnis.engine.resources import Process, ProcessDetail
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.resources.live.graph import Shape
from lemnis.tui.stages.resources.live.one import Point, detail_lines, keys_line, point_between, point_lines
from lemnis.tui.stages.resources.live.reading import Source
from lemnis.tui.stages.resources.live.signals import SignalMenu
from lemnis.tui.stages.resources.pane import Filled, Lines
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.panel import Panel

PERIOD_S = 1.0
KEPT = 600  # readings
STALE_S = 5
ENDED = ("Z", "X")  # states of a process that is gone but for its number


class Closeup(Dialog[str]):
    """Dismisses with the number of the run the process works for if a person asked for it, or an empty string."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave('')", "Back", show=False),
        Binding("r", "run", "Its run", show=False),
        Binding("x,X", "signal", "Signal", show=False),
    ]

    @dataclass
    class Read(Message):
        """A reading came back; `failed` says why there is none."""

        detail: ProcessDetail | None
        failed: LemnisError | None = None

    def __init__(self, source: Source, process: Process, shape: Shape) -> None:
        super().__init__(classes="closeup")
        self.source, self.process = source, process
        self.shape: Shape = shape
        self.detail: ProcessDetail | None = None
        self.points: deque[Point] = deque(maxlen=KEPT)
        self.ended_at: int | None = None
        self._reading = False

    def compose(self) -> ComposeResult:
        with Panel(_("Process {pid}").format(pid=self.process.pid), id="one"):
            yield Lines(id="one-facts")
        with Panel(_("Over time"), id="one-past"):
            yield Filled(id="one-graphs")
        yield Lines(id="one-keys")

    def on_mount(self) -> None:
        self.query_one("#one", Panel).retitle(_("Process {pid}").format(pid=self.process.pid), self.process.name)
        self.query_one("#one-keys", Lines).show(lambda width: [keys_line(run=self.process.run_id)])
        self.look()
        every(self, PERIOD_S, self.look)

    def look(self) -> None:
        """Read the process in a thread, unless the last reading still runs or it has ended."""
        if not self._reading and self.ended_at is None:
            self._reading = True
            self.run_worker(self._look_in_thread, thread=True, exit_on_error=False, group="closeup")

    def _look_in_thread(self) -> None:
        try:
            message = self.Read(self.source.process(self.process.pid, self.process.started_ticks))
        except LemnisError as error:
            message = self.Read(None, error)
        self.post_message(message)

    def on_closeup_read(self, message: Read) -> None:
        self._reading = False
        panel, detail = self.query_one("#one-past", Panel), message.detail
        if isinstance(message.failed, NotFound) or (detail is not None and detail.process.state in ENDED):
            self.ended_at = now_ms()
            panel.footnote(_("ended: this is what was seen of it"))
        elif message.failed is not None:
            panel.footnote(_("stale: {problem}").format(problem=told(message.failed.problem)), stale=True)
        elif detail is not None:
            self.points.append(point_between(self.detail, detail))
            self.detail = detail
            panel.dated(detail.at, now_ms(), STALE_S)
        if self.detail is not None:
            self._draw(self.detail)

    def _draw(self, detail: ProcessDetail) -> None:
        points, shape, at = list(self.points), self.shape, now_ms()
        self.query_one("#one-facts", Lines).show(lambda width: detail_lines(detail, width, at))
        self.query_one("#one-graphs", Filled).fill(
            lambda width, height: point_lines(points, width, height, shape=shape)
        )

    def action_leave(self, answer: str) -> None:
        self.dismiss(answer)

    def action_run(self) -> None:
        if self.process.run_id is not None:
            self.dismiss(str(self.process.run_id))

    def action_signal(self) -> None:
        def answered(name: str | None) -> None:
            if name:
                self.run_worker(lambda: self._send(name), thread=True, exit_on_error=False, group="signal")

        if self.ended_at is None:
            self.app.push_screen(SignalMenu([self.process]), answered)

    def _send(self, name: str) -> None:
        try:
            self.source.signal(self.process.pid, self.process.started_ticks, name)
        except LemnisError as error:
            self.app.call_later(self.notify, error.problem, severity="error", markup=False)
        else:
            self.app.call_later(
                self.notify,
                _("SIG{name} was sent to process {pid}.").format(name=name, pid=self.process.pid),
                markup=False,
            )
