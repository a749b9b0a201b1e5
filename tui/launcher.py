"""Launcher: a small parent that outlives the console and gives the terminal back as it was, however the console ends.

The console is its child: forked before anything is imported, so that this costs a millisecond and shares its memory.
"""

import os
import signal
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, TypeAlias

Modes: TypeAlias = list[Any]  # as termios has them: numbers, and a list of bytes
PR_SET_PDEATHSIG = 1
TAKING = ("-w", "--workspace", "--at")  # global options with a value of their own
OPENING = ("oncall", "demo", "open")  # commands that may end in the console
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
PATIENCE_S = 8  # for a console that was asked to leave
# Ends a string that was cut off, then all that a console switches on: mouse, focus, paste, pictures, keys, screen.
RESTORE = (
    b"\x1b\\\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2026l"
    b"\x1b[?2048l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)


def opens_console(arguments: Sequence[str]) -> bool:
    """Say whether these arguments may open the console on the terminal of this process."""
    words = [
        word
        for before, word in zip(("", *arguments), arguments, strict=False)
        if not word.startswith("-") and before not in TAKING
    ]
    undrawn = "TEXTUAL_DRIVER" in os.environ or "--linear" in arguments
    return not undrawn and (not words or words[0] in OPENING) and sys.stdin.isatty() and sys.stdout.isatty()


def launch() -> None:
    """Return in a child that is to be the console; the process that called ends with the child's exit code.

    That is 128 + n where signal n ended it.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    parent = os.getpid()
    child = os.fork()
    if child:
        os._exit(Launcher(child, terminal, before).wait())
    end_with(parent)


def end_with(parent: int) -> None:
    """Have the kernel ask this process to leave when its parent is gone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGTERM)


class Launcher:
    """The parent's part: passes signals on, stops and goes on with the console, and cleans up after it."""

    def __init__(self, child: int, terminal: int, before: Modes) -> None:
        self.child, self.terminal, self.before = child, terminal, before
        self.asked = 0  # the signal that asked it to leave

    def wait(self) -> int:
        """Wait for the console's end and return the exit code to end with."""
        for number in (*PASSED_ON, signal.SIGTSTP):
            signal.signal(number, self._pass_on)
        signal.signal(signal.SIGALRM, self._give_up)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # the terminal is put right even from the background
        while True:
            _, status = os.waitpid(self.child, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            self._stop()
        signal.alarm(0)
        if not os.WIFSIGNALED(status):
            if self._modes() not in (None, self.before):
                self.restore()
            return os.WEXITSTATUS(status)
        number = self.asked or os.WTERMSIG(status)  # one that did not leave in time was killed
        if number not in PASSED_ON or self._modes() != self.before:  # by one of those it ended before it drew
            self.restore()
            self._tell(f"error: The console was ended by {signal.Signals(number).name}; what runs goes on.")
            self._tell("  try: Run `lemnis` again: it opens where you were.")
        return 128 + number

    def restore(self) -> None:
        """Put the terminal back as it was, and forget what it sent meanwhile; does nothing where it is gone."""
        with suppress(OSError):
            os.write(2 if os.isatty(2) else 1, RESTORE)
        with suppress(termios.error):
            termios.tcsetattr(self.terminal, termios.TCSANOW, self.before)
            termios.tcflush(self.terminal, termios.TCIFLUSH)

    def _modes(self) -> Modes | None:
        try:
            return termios.tcgetattr(self.terminal)
        except termios.error:
            return None

    def _tell(self, words: str) -> None:
        with suppress(OSError):
            os.write(2, f"{words}\n".encode())

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.child, number)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        self._send(number)
        if number in PASSED_ON:
            self.asked = number
            signal.alarm(PATIENCE_S)

    def _give_up(self, *_: object) -> None:
        self._send(signal.SIGKILL)

    def _stop(self) -> None:
        """Stop with the console, so that the shell sees one job, and go on with it."""
        if self._modes() != self.before:
            self.restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        if os.waitid(os.P_PID, self.child, os.WCONTINUED | os.WNOHANG) is None:
            self._send(signal.SIGCONT)  # only this process was told to go on
