"""A terminal program measured where a person sits: through an OpenSSH server on loopback and tmux.

Bytes and times are those of the SSH client's terminal; processor time and memory are the program's own processes.
"""

import os
import random
import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pty_probe import Program

SIZE = (120, 40)
TMUX = """set -g default-terminal tmux-256color
set -g terminal-features xterm*:RGB
set -g status off
set -s escape-time 0
"""
SETTLED_S, KEY_QUIET_S, RESTLESS_S, GIVE_UP_S = 1.0, 0.15, 2.5, 40.0


@dataclass(frozen=True, slots=True)
class Idle:
    """What a program did while nobody typed."""

    bytes_per_s: float
    cpu_percent: float


class Remote:
    """One connection with a shell in tmux, in which a program is started."""

    def __init__(self, ssh: Sequence[str], home: Path) -> None:
        """Connect; what programs keep for a person goes to `home`."""
        self.socket = f"bench-{uuid.uuid4().hex[:8]}"
        (home / "tmux.conf").write_text(TMUX)
        places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("STATE", "CONFIG", "DATA", "CACHE")}
        environment = {"COLORTERM": "truecolor", "LANG": "C.UTF-8", "HOME": str(home), **places}
        # `env` keeps what the server says of the connection: a program may ask whether it is far away.
        tmux = ["tmux", "-L", self.socket, "-f", str(home / "tmux.conf"), "new-session", "sh"]
        words = ["cd", str(home), "&&", "exec", "env", *(f"{name}={shlex.quote(v)}" for name, v in environment.items())]
        self.client = Program([*ssh, " ".join([*words, *tmux])], SIZE)
        self.client.see(["[$#] "])
        pane = ["tmux", "-L", self.socket, "list-panes", "-F", "#{pane_pid}"]
        self.shell = int(subprocess.run(pane, capture_output=True, text=True, check=True).stdout)

    def close(self) -> None:
        """End the program and the connection."""
        for pid in self.pids():
            os.kill(pid, 15)
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)
        self.client.close()

    def start(self, command: Sequence[str], wanted: Sequence[str], settled_s: float = SETTLED_S) -> tuple[float, int]:
        """Type a command; returns the milliseconds to its complete picture, and the bytes sent until then.

        Complete is the last change of the screen's text before nothing was drawn for so long.
        """
        line = " ".join(shlex.quote(word) for word in command)
        os.write(self.client.terminal, line.encode())
        self.client.quiet(0.3, time.monotonic(), RESTLESS_S)
        self.client.screen()
        first = len(self.client.chunks)
        return self._after(first, "\r", lambda text: all(word in text for word in wanted), settled_s)

    def press(self, keys: str, shows: Callable[[str], bool], settled_s: float = 0.4) -> tuple[float, int]:
        """Press keys when all is quiet; returns the milliseconds to the complete picture, and the bytes of it."""
        self.client.quiet(settled_s, time.monotonic(), RESTLESS_S)
        self.client.screen()
        return self._after(len(self.client.chunks), keys, shows, settled_s)

    def _after(self, first: int, keys: str, shows: Callable[[str], bool], settled_s: float) -> tuple[float, int]:
        pressed = time.monotonic()
        os.write(self.client.terminal, keys.encode())
        changed_s, sent, before, place = pressed, 0, self.client.shown(), first
        while True:  # nothing is emulated before it is quiet: that would take the program's processor
            self.client.quiet(settled_s, time.monotonic(), RESTLESS_S)
            while place < len(self.client.chunks):
                at, data = self.client.chunks[place]
                place += 1
                self.client.feed(data)
                self.client.skip(place)
                shown = self.client.shown()
                if shown != before:
                    before, changed_s = shown, at
                    sent = sum(len(piece) for _, piece in self.client.chunks[first:place])
            if shows(before) and time.monotonic() - changed_s >= settled_s:
                return (changed_s - pressed) * 1000, sent
            if self.client.ended.is_set() or time.monotonic() - pressed > GIVE_UP_S:
                raise RuntimeError(f"{keys!r} never showed what was wanted on:\n{before}")

    def key_ms(self, key: str) -> float:
        """Press a key when all is quiet, and return the time to the first output after it."""
        self.client.quiet(KEY_QUIET_S, time.monotonic(), RESTLESS_S)
        time.sleep(random.uniform(0.01, 0.05))
        pressed, before = time.monotonic(), len(self.client.chunks)
        os.write(self.client.terminal, key.encode())
        while len(self.client.chunks) == before:
            if time.monotonic() - pressed > 2:
                raise RuntimeError(f"{key!r} changed nothing on:\n{self.client.screen()}")
            time.sleep(0.0005)
        return (self.client.chunks[before][0] - pressed) * 1000

    def idle(self, seconds: float) -> Idle:
        """Return what was sent and used without a key for so long."""
        before, cpu, at = len(self.client.chunks), self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        elapsed, cpu = time.monotonic() - at, self.cpu_s() - cpu
        sent = sum(len(data) for _, data in self.client.chunks[before:])
        return Idle(sent / elapsed, 100 * cpu / elapsed)

    def pids(self) -> list[int]:
        """Return the program's processes: the shell's descendants that sit at its terminal."""
        found, left = list[int](), [self.shell]
        while left:
            for task in Path(f"/proc/{left.pop()}/task").glob("*/children"):
                children = [int(word) for word in task.read_text().split()]
                found += children
                left += children
        return found

    def cpu_s(self) -> float:
        """Return the processor time of the program's threads so far."""
        tasks = [task for pid in self.pids() for task in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def pss_mib(self) -> float:
        """Return the memory of the program's processes, a shared page by its share."""
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in self.pids()]
        return sum(int(line.split()[1]) for lines in rollups for line in lines if line.startswith("Pss:")) / 1024
