"""A look at what moves fast, half-way between two readings of everything: the machine is drawn twice a second."""

import asyncio
from collections.abc import Callable

from textual.app import App
from textual.timer import Timer
from textual.widget import Widget

from lemnis.engine import LemnisError
from lemnis.engine.resources import HostSample
from lemnis.tui.stages.resources.live.reading import Source
from lemnis.tui.terminal.pace import pace

HALF_S = 0.5


class Glance:
    """Looks once after each full reading, in a thread; never where the link is slow."""

    def __init__(self, holder: "Widget | App[None]", source: Callable[[], Source], show: Callable[[HostSample], None]):
        """Take who holds the panels, who reads the machine, and what draws a reading on the UI thread."""
        self._holder, self._source, self._show = holder, source, show
        self._timer: Timer | None = None

    def soon(self) -> None:
        """Look in half a second; a look that was still due is left out."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if pace(self._holder) == 1:
            self._timer = self._holder.set_timer(HALF_S, self._look)

    def _look(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._read)  # a worker would cost more than the look

    def _read(self) -> None:
        try:
            now = self._source().now()
        except LemnisError:
            return  # the next full reading says what is wrong
        self._holder.call_later(self._show, now)
