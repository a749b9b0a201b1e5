"""Top: the live panels of the machine alone, with or without a workspace."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.resources import HostSample, Process, ProcessTable
from lemnis.tui.actions import TABLE, actions, bindings, key_label
from lemnis.tui.language import _
from lemnis.tui.screens.help import Help
from lemnis.tui.sentences import told
from lemnis.tui.stages.resources.live.busiest import Busiest
from lemnis.tui.stages.resources.live.glance import Glance
from lemnis.tui.stages.resources.live.machine import Machine
from lemnis.tui.stages.resources.live.reading import Reading, Source, read
from lemnis.tui.stages.resources.live.watching import Watching, send_all
from lemnis.tui.stages.resources.pane import terminal_shape
from lemnis.tui.theme import SCREENS, SHEET, ThemedApp
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.table import Table
from lemnis.tui.widgets.text import Words

PERIOD_S = 1.0
NARROW, SHORT = 100, 30
HINT = "python and memory > 500 or cpu > 50"
SHOWN = ("tree", "own", "pause", "signal", "chart", "zoom_in", "zoom_out")


class Top(Watching, ThemedApp[None]):
    """CPU, memory, disk and network twice a second, GPUs and processes once."""

    CSS_PATH: ClassVar[list[str | Path]] = [SHEET, SCREENS, Path(__file__).with_name("pane.tcss")]  # type: ignore[assignment]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("resources"),
        Binding("q", "quit", "Leave"),
        Binding("slash", "filter", "Filter"),
        Binding("escape", "everything", "All"),
        Binding("question_mark", "help", "Help"),
    ]

    @dataclass
    class Read(Message):
        """One reading of the machine came back."""

        reading: Reading

    @dataclass
    class Failed(Message):
        """A reading failed, or a signal could not be sent."""

        error: LemnisError
        reading: bool

    @dataclass
    class Sent(Message):
        """A signal was sent."""

        words: str

    def __init__(self, reader: Source) -> None:
        super().__init__()
        self.reader, self._busy = reader, False
        self._glance = Glance(self, self.source, self.glanced)

    def compose(self) -> ComposeResult:
        yield Machine(terminal_shape(), id="live")
        yield Busiest(empty=_("Reading the process table …"), id="process-panel")
        yield PromptLine(id="filter")
        yield Words(hint(), id="hint")

    async def on_mount(self) -> None:
        self.look_again()
        self.set_interval(PERIOD_S, self.go_on)
        self.query_one(Table).focus()

    def go_on(self) -> None:
        """Read again, unless the picture stands still."""
        if self.paused_at is None:
            self.look_again()
        else:
            self.busiest().date(now_ms())

    def _read(self) -> None:
        try:
            message: Message = self.Read(read(self.reader, self.wish))
        except LemnisError as error:
            message = self.Failed(error, reading=True)
        self.post_message(message)

    def on_top_failed(self, message: Failed) -> None:
        if not self.screen_stack:
            return  # it is being left
        if not message.reading:
            self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)
            return
        self._busy = False
        self.busiest().footnote(_("stale: {problem}").format(problem=told(message.error.problem)), stale=True)

    def on_top_sent(self, message: Sent) -> None:
        self.tell(message.words)
        self.look_again()

    def on_top_read(self, message: Read) -> None:
        self._busy = False
        if not self.screen_stack:
            return  # it is being left
        if message.reading.wish != self.wish:
            self.look_again()
            return
        self.reading = message.reading
        self.machine().show(message.reading, [])
        self.busiest().show(message.reading, now_ms())
        if self.paused_at is None:
            self._glance.soon()

    # What the live panels ask of the app.

    def glanced(self, host: HostSample) -> None:
        if self.screen_stack:  # else it is being left
            super().glanced(host)

    def source(self) -> Source:
        return self.reader

    def machine(self) -> Machine:
        return self.screen_stack[0].query_one(Machine)

    def busiest(self) -> Busiest:
        return self.screen_stack[0].query_one(Busiest)

    def look_again(self) -> None:
        """Read the machine in a thread, unless the last reading still runs."""
        if not self._busy:
            self._busy = True
            self.run_worker(self._read, thread=True, exit_on_error=False, group="top")

    def tell(self, message: str, *, warn: bool = False) -> None:
        self.notify(message, severity="warning" if warn else "information", markup=False)

    def open_screen(self, screen: Any, then: Callable[[str | None], None]) -> None:  # Any: any screen that answers so
        self.push_screen(screen, then)

    def send(self, processes: list[Process], name: str) -> None:
        def work() -> None:
            try:
                message: Message = self.Sent(send_all(self.reader, processes, name))
            except LemnisError as error:
                message = self.Failed(error, reading=False)
            self.post_message(message)

        self.run_worker(work, thread=True, exit_on_error=False, group="signal")

    # Keys.

    def action_stop(self) -> None:
        """Here as `X`: jobs are stopped in the console."""
        self.action_signal()

    def action_help(self) -> None:
        self.push_screen(Help("resources", alone=True))

    def action_filter(self) -> None:
        self.query_one(PromptLine).open(self.wish.query, HINT)

    def action_everything(self) -> None:
        """Show all processes again."""
        self.wish = replace(self.wish, query="", own=False)
        self.look_again()

    @on(Table.Opened)
    def open_process(self) -> None:
        """Look at one process over time."""
        self.look_at(self.busiest().process, lambda run: None)

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        prompt = self.query_one(PromptLine)
        try:
            self.reader.matching(ProcessTable(at=0), message.text)
        except LemnisError as error:
            prompt.refuse(error)
            return
        self.wish = replace(self.wish, query=message.text)
        prompt.close()
        self.query_one(Table).focus()
        self.look_again()

    def on_prompt_line_typed(self, message: PromptLine.Typed) -> None:
        known = self.reading.known if self.reading is not None else ProcessTable(at=0)
        try:
            found = self.reader.matching(known, message.text)
        except LemnisError:
            return
        self.query_one(PromptLine).tell(
            _("{rows:,} of {rows2:,} processes").format(rows=len(found.rows), rows2=len(known.rows))
        )

    def on_prompt_line_left(self) -> None:
        self.query_one(Table).focus()


def hint() -> Content:
    """Return the keys that fit one line, the most used first."""
    named = {action.name: action for action in (*actions("resources"), *actions(TABLE))}
    parts: list[tuple[str, str] | str] = [(" q ", "$key"), f"{_('Leave')} ", (" / ", "$key"), f"{_('Filter')} "]
    for name in SHOWN:
        action = named[name]
        parts += [(f" {key_label(action.key).split()[0]} ", "$key"), f"{action.said} "]
    return Content.assemble(
        *parts, (" s S ", "$key"), f"{_('Sort')} ", (" enter ", "$key"), f"{_('Open')} ", (" ? ", "$key"), _("Help")
    )
