"""What the keys of the live panels do, in the tab and in `top` alike."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lemnis.engine import LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.resources import HostSample, Process
from lemnis.tui.language import _
from lemnis.tui.stages.resources.live.busiest import Busiest
from lemnis.tui.stages.resources.live.machine import Machine
from lemnis.tui.stages.resources.live.past import SPANS
from lemnis.tui.stages.resources.live.reading import Reading, Source, Wish

if TYPE_CHECKING:
    from lemnis.tui.stages.resources.live.closeup import Closeup
    from lemnis.tui.stages.resources.live.signals import SignalMenu


class Watching:
    """The part of a stage or an app that holds live panels.

    Attributes:
        wish: What a person wants to see.
        reading: What is shown; None before the first.
        paused_at: Since when it stands still, epoch ms; None while it moves.
    """

    wish: Wish = Wish()
    reading: Reading | None = None
    paused_at: int | None = None

    # What a holder defines.

    def source(self) -> Source:
        """Return who reads the machine."""
        raise NotImplementedError

    def machine(self) -> Machine:
        """Return the panels of the machine."""
        raise NotImplementedError

    def busiest(self) -> Busiest:
        """Return the panel of the processes."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Read the machine anew soon, also while paused."""
        raise NotImplementedError

    def tell(self, message: str, *, warn: bool = False) -> None:
        """Say something in passing."""
        raise NotImplementedError

    def open_screen(self, screen: "Closeup | SignalMenu", then: Callable[[str | None], None]) -> None:
        """Show a screen over the panels, and call `then` with what it was left with."""
        raise NotImplementedError

    def send(self, processes: list[Process], name: str) -> None:
        """Send a signal to processes in a thread, and say how that went."""
        raise NotImplementedError

    def glanced(self, host: HostSample) -> None:
        """Draw what the machine does half-way between two readings, unless the picture stands still."""
        if self.paused_at is None:
            self.machine().glance(host)

    # Keys.

    def action_zoom_in(self) -> None:
        """Look at a shorter time."""
        self._zoom(-1)

    def action_zoom_out(self) -> None:
        """Look at a longer time."""
        self._zoom(+1)

    def _zoom(self, step: int) -> None:
        place = SPANS.index(self.wish.span) + step
        if 0 <= place < len(SPANS):
            self.wish = replace(self.wish, span=SPANS[place])
            self.look_again()

    def action_chart(self) -> None:
        """Draw the next group of figures."""
        self.machine().turn()

    def action_tree(self) -> None:
        """Show the processes under their parents, or flat."""
        panel = self.busiest()
        panel.as_tree = not panel.as_tree
        self._draw_processes()

    def action_own(self) -> None:
        """Show the person's own processes alone, or all."""
        self.wish = replace(self.wish, own=not self.wish.own)
        self.look_again()

    def action_pause(self) -> None:
        """Let the picture stand still, or go on."""
        self.paused_at = now_ms() if self.paused_at is None else None
        self.busiest().paused_at = self.paused_at
        self.busiest().date(now_ms())
        if self.paused_at is None:
            self.look_again()

    def action_signal(self) -> None:
        """Ask which signal the marked processes, or the one under the cursor, shall get."""
        from lemnis.tui.stages.resources.live.signals import SignalMenu

        processes = self.busiest().marked
        if not processes:
            self.tell(_("No process is under the cursor."), warn=True)
            return

        def answered(name: str | None) -> None:
            if name:
                self.send(processes, name)

        self.open_screen(SignalMenu(processes), answered)

    def look_at(self, process: Process | None, then: Callable[[str | None], None]) -> None:
        """Show one process over time; `then` gets what a person asked for there: a run's number, or nothing."""
        from lemnis.tui.stages.resources.live.closeup import Closeup

        if process is None:
            return
        self.open_screen(Closeup(self.source(), process, self.machine().shape), then)

    def _draw_processes(self) -> None:
        if self.reading is not None:
            self.busiest().show(self.reading, now_ms())


def send_all(source: Source, processes: list[Process], name: str) -> str:
    """Send a signal to processes and return what to say about it.

    Raises:
        LemnisError: The first that could not be sent; those before it were.
    """
    gone: list[LemnisError] = []
    for process in processes:
        try:
            source.signal(process.pid, process.started_ticks, name)
        except LemnisError as error:
            gone.append(error)
    if gone:
        raise gone[0]
    who = (
        _("process {pid}").format(pid=processes[0].pid)
        if len(processes) == 1
        else _("{processes} processes").format(processes=len(processes))
    )
    return _("SIG{name} was sent to {who}.").format(name=name, who=who)
