"""Copying in a real tmux and a real GNU screen: what was copied is on the outer terminal's clipboard, exactly.

And in tmux's buffer.
"""

import base64
import re
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engine_at
from terminal import Terminal, lemnis

from lemnis.engine.clock import now_ms

pytestmark = pytest.mark.slow
in_tmux = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
in_screen = pytest.mark.skipif(not shutil.which("screen"), reason="GNU screen is not installed")
NAME = 'naïve [bold] "a\\b" 한글 $HOME'
CLIPBOARD = re.compile(r"\x1b\]52;[a-z]*;([A-Za-z0-9+/=]+)(?:\x07|\x1b\\)")
RUN = "insert into runs (id, name, state, why, created_at, started_at, ended_at) values (?, ?, 'finished', '', ?, ?, ?)"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return with_runs(tmp_path / "ws", [NAME])


def with_runs(folder: Path, names: list[str]) -> Path:
    """Return the folder of a new workspace with runs of these names, the newest first."""
    engine, at = engine_at(folder), now_ms()
    with engine.store.write() as db:
        for number, name in enumerate(reversed(names), 1):
            db.execute(RUN, [number, name, at + number - 1, at + number - 1, at + number])
    engine.store.close()
    return folder


class Servers:
    """tmux servers of a test's own, each with its settings."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = folder, list[str]()

    def command(self, inside: list[str], *settings: str) -> tuple[str, list[str]]:
        """Return the name of a new server and the command that starts a program in it."""
        name = f"lemnis-{uuid.uuid4().hex[:8]}"
        self.names.append(name)
        file = self.folder / name
        file.write_text("".join(f"set -g {setting}\n" for setting in ("default-terminal tmux-256color", *settings)))
        return name, ["env", "-u", "TMUX", "tmux", "-u", "-L", name, "-f", str(file), "new-session", shlex.join(inside)]

    def buffer(self, name: str) -> str:
        """Return what `tmux show-buffer` prints; empty where there is none."""
        shown = subprocess.run(["tmux", "-L", name, "show-buffer"], capture_output=True, check=False, timeout=20)
        return shown.stdout.decode()

    def close(self) -> None:
        for name in self.names:
            subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False, timeout=20)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    made = Servers(tmp_path)
    yield made
    made.close()


def copied(terminal: Terminal, *keys: str, said: str, kind: str = "c") -> None:
    """Open the runs, go to the newest one's name, and copy."""
    terminal.wait_for("Problem")
    terminal.press("6")
    terminal.wait_for("naïve")
    for key in (*keys, "y"):
        terminal.press(key)
        terminal.read(0.1)
    terminal.wait_for("Markdown")
    terminal.press(kind)
    terminal.wait_for(said)


def clipboards(terminal: Terminal) -> list[str]:
    """Return all that was put on the outer terminal's clipboard."""
    return [base64.b64decode(found).decode() for found in CLIPBOARD.findall(terminal.written)]


TO_NAME = ("l", "l")


@in_tmux
@pytest.mark.parametrize(("clipboard", "passthrough"), [("on", "off"), ("off", "on"), ("on", "on")])
def test_a_cell_comes_through_tmux_exactly(workspace: Path, servers: Servers, clipboard: str, passthrough: str) -> None:
    settings = (f"set-clipboard {clipboard}", f"allow-passthrough {passthrough}")
    name, command = servers.command(lemnis("--read-only"), *settings)
    terminal = Terminal(command, cwd=workspace, columns=120, lines=40)
    try:
        copied(terminal, *TO_NAME, said="Copied the cell")
        terminal.wait_for(lambda: bool(clipboards(terminal)))
        assert set(clipboards(terminal)) == {NAME}
        assert servers.buffer(name) == (NAME if clipboard == "on" else "")
    finally:
        terminal.close()


@in_tmux
def test_a_cell_comes_through_tmux_in_tmux(workspace: Path, servers: Servers) -> None:
    inner, command = servers.command(lemnis("--read-only"), "set-clipboard on", "status off")
    outer, command = servers.command(command, "set-clipboard on")
    terminal = Terminal(command, cwd=workspace, columns=120, lines=40)
    try:
        copied(terminal, *TO_NAME, said="Copied the cell")
        terminal.wait_for(lambda: bool(clipboards(terminal)))
        assert set(clipboards(terminal)) == {NAME}
        assert servers.buffer(inner) == servers.buffer(outer) == NAME
    finally:
        terminal.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[list[str]]:
    """The command that starts a program in GNU screen."""
    (tmp_path / "sockets").mkdir(mode=0o700)
    inside = ["env", "-u", "TMUX", "-u", "STY", f"SCREENDIR={tmp_path / 'sockets'}", "screen"]
    yield [*inside, "-U", "-c", "/dev/null", "-S", "copying"]
    subprocess.run([*inside, "-S", "copying", "-X", "quit"], capture_output=True, check=False, timeout=20)


@in_screen
@pytest.mark.parametrize(("kind", "said", "runs"), [("c", "Copied the cell", 1), ("l", "Copied the column", 60)])
def test_what_is_copied_comes_through_screen_exactly(
    tmp_path: Path, screen: list[str], kind: str, said: str, runs: int
) -> None:
    names = [f"{NAME} {number}" for number in range(runs)]  # of 60, several strings of what screen lets through
    root = with_runs(tmp_path / "ws", names)
    terminal = Terminal([*screen, *lemnis("--read-only")], cwd=root, columns=120, lines=40, LANG="C.UTF-8")
    try:
        copied(terminal, *TO_NAME, kind=kind, said=said)
        terminal.wait_for(lambda: bool(clipboards(terminal)))
        (text,) = clipboards(terminal)
        assert [line for line in text.splitlines() if line != "name"] == names
    finally:
        terminal.close()
