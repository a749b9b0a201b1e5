"""The walk: a console on a pseudo-terminal that is given scene after scene, looked at every few seconds."""

# pyright: basic

import json
import os
import re
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gauges import Sample, busy, descriptors, memory, threads
from scenes import HOME, SHELF, USUAL, Step, scenes
from support import until
from terminal import Terminal
from typed import ESCAPE

COUNTED = Path(__file__).with_name("counted.py")
WRONG = re.compile(r"Traceback \(most|This is a bug in Lemnis|error: The console was ended")
SHOWN = 2000  # characters of the output that are kept, in case that one of those words comes in two pieces
QUIET_S, PATIENCE_S, ESCAPE_S = 0.03, 0.3, 0.12  # a lone escape is told from a key with alt by the pause after it
ANSWER_S, HANDLED_S = 2.0, 5.0
HOMEWARD = 4  # times: on a busy machine an escape and the key after it come at once, as one with alt
TIMED = "jkjkjkjkjkjk"  # each moves the cursor, of however few runs
AT_HOME, SHELVED = re.compile(r"─ Runs \d"), re.compile(r"─ Runs .*(archived|deleted)")
TIMED_QUIET_S, SETTLED_S, REST_S = 0.08, 0.5, 4.5  # a console that is left in peace clears its garbage


class Fell(AssertionError):
    """The console ended, or said that something is wrong."""


class Walk:
    """One console that is walked through.

    Attributes:
        samples: What was seen of its process, one every few seconds.
        counts: The kinds of objects it kept, by each sample.
        pressed: How many keys it was given.
        console: Its process.
        done: How often each scene was played.
    """

    def __init__(self, workspace: Path, seed: int) -> None:
        self.samples: list[Sample] = []
        self.counts: list[dict[str, Any]] = []
        self.pressed, self.done, self.last, self.console = 0, Counter[str](), "", 0
        self.seed, self.began = seed, time.monotonic()
        handle, self.counted = tempfile.mkstemp(prefix="lemnis-soak-", suffix=".json")
        os.close(handle)
        command = [sys.executable, str(COUNTED), self.counted, "--debug", "--read-only", "-w", str(workspace)]
        columns, lines = USUAL
        self.terminal = Terminal(command, cwd=workspace, columns=columns, lines=lines)

    def go(self, seconds: float, every_s: float, told: Callable[[Sample], object]) -> None:
        """Play scenes for so long, each time from the first.

        Raises:
            Fell: The console ended or said that something is wrong; the message says after which keys.
        """
        self.terminal.wait_for("Palette")
        self.console = self.terminal.console
        self.began, due = time.monotonic(), 0.0
        for name, steps in scenes(self.seed):
            if self.elapsed_s >= due:
                self.samples.append(self.look())
                told(self.samples[-1])
                due = self.elapsed_s + every_s
            if self.elapsed_s >= seconds:
                break
            self.last = f"{name}:"
            for step in steps:
                self.take(step)
            self.done[name] += 1

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.began

    def take(self, step: Step) -> None:
        """Do one step and wait a moment for what it changes."""
        if step.size is not None:
            self.terminal.resize(*step.size)
        else:
            self.pressed, self.last = self.pressed + 1, f"{self.last} {step.keys!r}"
            self.press(step.keys)
        self.quiet(ESCAPE_S if step.keys == ESCAPE else QUIET_S, PATIENCE_S)
        self.check()
        self.handled()

    def press(self, keys: str) -> None:
        try:
            self.terminal.press(keys)
        except OSError:
            raise self.fell("The console is gone") from None

    def quiet(self, seconds: float, most_s: float) -> None:
        """Read until nothing was written for so long."""
        deadline = time.monotonic() + most_s
        while time.monotonic() < deadline and self.readable(seconds):
            before = len(self.terminal.written)
            self.terminal.read(0)
            if len(self.terminal.written) == before:
                break  # its end was closed

    def handled(self) -> None:
        """Wait until the console has done what it was asked for: keys that wait in line would be memory, too."""
        deadline = time.monotonic() + HANDLED_S
        while self.console and time.monotonic() < deadline and busy(self.console):
            self.quiet(QUIET_S, PATIENCE_S)
            self.check()

    def readable(self, seconds: float) -> bool:
        return bool(select.select([self.terminal.master], [], [], seconds)[0])

    def check(self) -> None:
        """Fail if the console ended or something on it is wrong."""
        terminal = self.terminal
        if wrong := WRONG.search(terminal.written):
            self.quiet(1.0, 5.0)  # all that is told of it
            raise self.fell(wrong[0])
        terminal.written = terminal.written[-SHOWN:]
        done, status = os.waitpid(terminal.pid, os.WNOHANG | os.WUNTRACED)
        if done and os.WIFSTOPPED(status):
            raise self.fell("The console was suspended")  # no shell would ever go on with it
        if done:
            raise self.fell(f"The console ended with {os.waitstatus_to_exitcode(status)}")

    def fell(self, why: str) -> Fell:
        said = f"{why} at {self.elapsed_s:.0f} s, seed {self.seed}, after {self.last}"
        return Fell(f"{said}\n{self.terminal.text()}")

    def look(self) -> Sample:
        """Go home and return how soon keys are answered there, and what the process holds."""
        home = self.go_home()
        keys = tuple(ms for key in TIMED if home and (ms := self.key_ms(key)) is not None)
        self.rest()
        pid = self.console
        pss, uss = memory(pid)  # before it counts: that takes megabytes, the more the more there is to count
        count = self.count()
        self.counts.append(count)
        return Sample(
            at_s=self.elapsed_s, pss=pss, uss=uss, threads=threads(pid), descriptors=descriptors(pid),
            tasks=count["tasks"], widgets=count["widgets"], keys_ms=keys,
        )  # fmt: skip

    def rest(self) -> None:
        """Press nothing for a moment, as a person who reads."""
        until = time.monotonic() + REST_S
        while (left := until - time.monotonic()) > 0:
            self.quiet(left, left)
        self.check()

    def go_home(self) -> bool:
        """Show the list of runs, from wherever the walk is; says whether that is seen."""
        self.last = "home:"
        self.take(Step(size=USUAL))
        for _ in range(HOMEWARD):
            for step in HOME:
                self.take(step)
            self.quiet(SETTLED_S, ANSWER_S * 2)  # the way home may lead through the past
            seen = self.terminal.text()
            if SHELVED.search(seen):
                self.take(Step(SHELF))
            elif AT_HOME.search(seen):
                return True
        return False

    def key_ms(self, key: str) -> float | None:
        """Return the time from a key to the first output after it; None where it changed nothing."""
        self.quiet(TIMED_QUIET_S, 1.0)
        at = time.monotonic()
        self.press(key)
        answered = self.readable(ANSWER_S)
        took = (time.monotonic() - at) * 1000
        self.quiet(QUIET_S, PATIENCE_S)
        self.check()
        return took if answered else None

    def count(self) -> dict[str, Any]:
        """Have the console count what it keeps."""
        before = os.stat(self.counted).st_ino
        try:
            os.kill(self.console, signal.SIGUSR2)
        except ProcessLookupError:
            self.quiet(QUIET_S, PATIENCE_S)
            raise self.fell("The console is gone") from None
        until(lambda: self.drained() and os.stat(self.counted).st_ino != before, 60)
        return json.loads(Path(self.counted).read_text())

    def drained(self) -> bool:
        """Read what was written, so that the console does not wait for its terminal; returns True."""
        self.quiet(0, PATIENCE_S)
        self.check()
        return True

    def leave(self) -> int:
        """Leave the console as a person does and return its exit code."""
        self.go_home()
        self.press("q")
        return self.terminal.end()

    def close(self) -> None:
        self.terminal.close()
        os.unlink(self.counted)
