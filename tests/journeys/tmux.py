"""A console in a real terminal: tmux holds it, keys go in, what is on the screen comes out."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

from support import until

ROOT = Path(__file__).parent.parent.parent


def lemnis(*arguments: str) -> list[str]:
    """Return the command line of `lemnis`."""
    return [sys.executable, "-m", "lemnis.tui", *arguments]


class Tmux:
    """One tmux session with one program."""

    def __init__(self, command: list[str], columns: int, rows: int) -> None:
        self.socket = f"lemnis-{uuid.uuid4().hex[:8]}"
        self.tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(ROOT), *command
        )
        self.tmux("set-option", "remain-on-exit", "on")

    def tmux(self, *arguments: str) -> str:
        # What the test runner says of its own screen must not reach a program that is to measure its terminal.
        environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
        done = subprocess.run(
            ["tmux", "-L", self.socket, *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            env=environment,
        )
        return done.stdout

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def shows(self, *texts: str, seconds: float = 30.0) -> str:
        """Wait until all the texts are on the screen at once, and return it."""

        def found() -> str:
            screen = self.screen()
            return screen if all(text in screen for text in texts) else ""

        try:
            return until(found, seconds)
        except AssertionError:
            raise AssertionError(f"never saw {texts} on:\n{self.screen()}") from None

    def pid(self) -> int:
        return int(self.tmux("list-panes", "-F", "#{pane_pid}"))

    def dead(self) -> bool:
        return self.tmux("list-panes", "-F", "#{pane_dead}").strip() == "1"

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)
