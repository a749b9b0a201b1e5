"""A real terminal for tests: a program on a pty, every byte it wrote, and what a person would see of it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte

DEADLINE_SECONDS = 40.0
# What Textual writes: colours and styles, cursor addresses, erasing, modes, queries, and strings that it makes itself.
WHITELIST = re.compile(
    r"\x1b(?:\[[0-9;:]*m|\[[0-9;]*H|\[\??[0-9;]*[hl]|\[[0-9;]*[JKXABCD]|\[[?>=<]?[0-9;]*[cunqtp]|\[\?[0-9;]*\$p"
    r"|\]52;c;[A-Za-z0-9+/=]*\x07|\]0;Lemnis\x07|\]22;[a-z-]*\x07|P\+q[0-9A-F;]*\x1b\\|[78=>]|\[!p)"
)
MODES = re.compile(r"\x1b\[\?([0-9;]+)([hl])")


class Terminal:
    """Runs a command on a pseudo-terminal of a given size."""

    def __init__(self, command: Sequence[str], *, cwd: Path, columns: int = 80, lines: int = 24, **environment: str):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.Stream(self.screen)
        self.written = ""
        self._rest, self.cwd = b"", cwd
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            sized = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execvpe(command[0], list(command), sized | {"TERM": "xterm-256color"} | environment)
        self.before = termios.tcgetattr(self.master)

    def wait_for(self, seen: str | Callable[[], bool]) -> None:
        """Read until a text is on the screen or a condition holds."""
        met = (lambda: seen in self.text()) if isinstance(seen, str) else seen
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not met():
            if time.monotonic() > deadline:
                raise AssertionError(f"never seen: {seen}\n{self.text()}")
            self._read(0.1)

    def read(self, seconds: float = 0.01) -> None:
        """Take what was written, waiting so long for something."""
        self._read(seconds)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    @property
    def console(self) -> int:
        """The process of the console, the child of the launcher that was started."""
        return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the terminal, as a person who drags its edge does."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if columns and lines:
            self.screen.resize(lines, columns)

    def as_before(self) -> bool:
        """Say whether the terminal echoes and edits lines as it did before the program began."""
        return termios.tcgetattr(self.master) == self.before

    def end(self) -> int:
        """Wait until the program has ended and return its exit code (128 + n for a signal n)."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            self._read(0.05)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self._drain()
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"it did not end\n{self.text()}")

    def hang_up(self) -> None:
        """Close the terminal under the program."""
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        if self.master >= 0:
            os.close(self.master)

    def text(self) -> str:
        lines = (
            self.screen.buffer[row] for row in range(self.screen.lines)
        )  # `display` fails on half a wide character
        return "\n".join("".join(line[at].data for at in range(self.screen.columns)).rstrip() for line in lines)

    def modes_left_on(self) -> set[str]:
        """Return the private modes (mouse, alternate screen, paste …) that were switched on and not off again."""
        on: set[str] = set()
        for numbers, switch in MODES.findall(self.written):
            for number in numbers.split(";"):
                on.add(number) if switch == "h" else on.discard(number)
        return on - {"7", "25"}  # lines wrap and the cursor is shown: that is how it was

    def strange_sequences(self) -> list[str]:
        """Return what follows each ESC (and C1 control) that is none of Textual's own."""
        rest = WHITELIST.sub("", self.written)
        return re.findall(r"[\x1b\x80-\x9f].{0,12}", rest)

    def _drain(self) -> None:
        """Take what the program had written before it ended."""
        before = -1
        while before != len(self.written):
            before = len(self.written)
            self._read(0.05)

    def _read(self, seconds: float) -> None:
        if not select.select([self.master], [], [], seconds)[0]:
            return
        try:
            data = self._rest + os.read(self.master, 65536)
        except OSError:
            return
        cut = len(data)
        while cut and len(data) - cut < 3 and data[cut - 1] & 0xC0 == 0x80:
            cut -= 1
        if cut and data[cut - 1] & 0xC0 == 0xC0:
            cut -= 1
        else:
            cut = len(data)
        self._rest = data[cut:]
        text = data[:cut].decode("utf-8", "replace")
        self.written += text
        self.stream.feed(text)


def lemnis(*arguments: str) -> list[str]:
    """Return the command line of a console."""
    return [sys.executable, "-m", "lemnis.tui", *arguments]
