"""The part of the console that deals with its terminal: signals, the mouse, a crash."""

import asyncio
import os
import signal
import sys

from lemnis.tui.terminal.driver import TerminalDriver
from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets.bars import FactLine

LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class TerminalApp(ThemedApp[None]):
    """An app on the terminal of this process.

    Attributes:
        mouse_on: Whether the mouse is reported; off, the terminal itself selects text.
        debug_crash: Show the traceback of a crash.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mouse_on, self.debug_crash = True, False
        if "TEXTUAL_DRIVER" not in os.environ:  # a browser's page is drawn by another one
            self.driver_class = TerminalDriver

    def heed_signals(self) -> None:
        """Leave on the signals that ask for it, with 128 + n as the exit code."""
        if not self.is_headless:
            for number in LEAVING:
                asyncio.get_running_loop().add_signal_handler(number, self.leave, 128 + number)

    def leave(self, code: int) -> None:
        """Leave with an exit code; the terminal is restored on the way out."""
        self.exit(return_code=code)

    def _handle_exception(self, error: Exception) -> None:
        """End on what went wrong, unless that is because the console is being left: nothing can be mounted then."""
        if not self._exit or self.is_headless or self.debug_crash:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End on a bug: the traceback for those who asked for it, a sentence for everybody else."""
        error = sys.exc_info()[1]
        if self.debug_crash or self.is_headless or error is None:
            super()._fatal_error()
            return
        from rich.text import Text

        said = f"error: This is a bug in Lemnis: {type(error).__name__}: {error}"
        self.panic(Text(f"{said}\n  try: Run again with --debug and report it."))

    def action_mouse(self) -> None:
        """Turn mouse reports on or off; off, the terminal itself selects text."""
        self.mouse_on = not self.mouse_on
        driver = self._driver
        if driver is not None:
            switch = "_enable_mouse_support" if self.mouse_on else "_disable_mouse_support"
            driver._mouse = True  # pyright: ignore[reportAttributeAccessIssue, reportPrivateUsage]
            getattr(driver, switch, lambda: None)()
        self.query_one(FactLine).mouse_off = not self.mouse_on
        self.notify("The mouse is on." if self.mouse_on else "The mouse is off: select text with it.", markup=False)
