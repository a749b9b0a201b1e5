"""A terminal program measured from outside: start to a complete picture, key to paint, and what it sends when idle."""

import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Sequence

import pyte

COLUMNS, ROWS = 160, 48
QUIET_S = 0.3  # without output for so long, a picture is complete
KEY_QUIET_S = 0.06
GIVE_UP_S = 30.0
ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[c": b"\x1b[?62;22c"}


class Program:
    """One program on a pseudo-terminal; a thread stamps its output, so that emulating it delays no stamp."""

    def __init__(self, command: Sequence[str], size: tuple[int, int] = (COLUMNS, ROWS)) -> None:
        """Start a program on a terminal of so many columns and rows."""
        self.columns, self.rows = size
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        for name in ("NO_COLOR", "SSH_TTY", "TMUX", "COLUMNS", "LINES"):
            environment.pop(name, None)
        self.started_s = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
            os.execvpe(command[0], list(command), environment)
        self.chunks: list[tuple[float, bytes]] = []
        self.ended = threading.Event()
        self._read = 0
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self._screen)
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        while True:
            try:
                select.select([self.terminal], [], [])
                data = os.read(self.terminal, 1 << 18)
            except OSError:
                data = b""
            if not data:
                break
            self.chunks.append((time.monotonic(), data))
            for question, answer in ANSWERS.items():  # without answers a program may wait for a time-out
                if question in data:
                    os.write(self.terminal, answer)
        self.ended.set()

    def screen(self) -> str:
        """Return what is on the screen now."""
        new, self._read = self.chunks[self._read :], len(self.chunks)
        for _, data in new:
            self._stream.feed(data)
        lines = (self._screen.buffer[y] for y in range(self.rows))  # `display` fails on half of a wide character
        return "\n".join("".join(line[x].data for x in range(self.columns)) for line in lines)

    def feed(self, data: bytes) -> None:
        """Emulate some output."""
        self._stream.feed(data)

    def shown(self) -> str:
        """Return what the emulated screen shows, whatever came since."""
        return "\n".join(self._screen.display)

    def skip(self, chunks: int) -> None:
        """Count so many pieces of output as emulated."""
        self._read = chunks

    def last_s(self) -> float:
        return self.chunks[-1][0] if self.chunks else self.started_s

    def quiet(self, seconds: float, since: float, most_s: float = float("inf")) -> None:
        """Wait until nothing was written for so long; at most so long, for a program whose cursor blinks."""
        until = time.monotonic() + most_s
        while time.monotonic() - max(self.last_s(), since) < seconds and not self.ended.is_set():
            if time.monotonic() > until:
                return
            time.sleep(0.005)

    def see(self, wanted: Sequence[str]) -> None:
        """Wait until the screen shows something for all the wanted patterns."""
        asked = time.monotonic()
        while not all(re.search(pattern, self.screen()) for pattern in wanted):
            if self.ended.is_set() or time.monotonic() - asked > GIVE_UP_S:
                raise RuntimeError(f"never saw {wanted} on:\n{self.screen()}")
            time.sleep(0.01)

    def complete_ms(self, wanted: Sequence[str]) -> float:
        """Return the time from the start to the last change of a screen that shows all the wanted words."""
        self.see([re.escape(word) for word in wanted])
        self.quiet(QUIET_S, time.monotonic())
        return (self.last_s() - self.started_s) * 1000

    def key_ms(self, key: str) -> float:
        """Press a key when all is quiet, and return the time to the first output after it."""
        self.quiet(KEY_QUIET_S, time.monotonic())
        time.sleep(random.uniform(0.01, 0.05))
        pressed, before = time.monotonic(), len(self.chunks)
        os.write(self.terminal, key.encode())
        while len(self.chunks) == before:
            if time.monotonic() - pressed > 2:
                raise RuntimeError(f"{key!r} changed nothing on:\n{self.screen()}")
            time.sleep(0.0005)
        return (self.chunks[before][0] - pressed) * 1000

    def idle(self, seconds: float) -> tuple[float, float]:
        """Return bytes a second written, and percent of a core used, without a key for so long."""
        before, cpu, at = len(self.chunks), self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - at
        written = sum(len(data) for _, data in self.chunks[before:])
        return written / elapsed, 100 * (self.cpu_s() - cpu) / elapsed

    def cpu_s(self) -> float:
        """Return the CPU time of all the program's threads, and of its children's, so far."""
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
        return total / 1e9

    def pids(self) -> list[int]:
        """Return the program's process and its children."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as file:
            return [self.pid, *map(int, file.read().split())]

    def close(self) -> None:
        """End the program."""
        if not self.ended.is_set():
            os.kill(self.pid, signal.SIGTERM)
            if not self.ended.wait(3):
                os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)
