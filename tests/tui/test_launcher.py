"""However the console ends, stops or goes on: the terminal is as it was, and the exit code tells."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ends import ENDS, gone, opened, unheard
from storms import paged, resized
from support import engine_at, until
from terminal import Terminal

from lemnis.tui.launcher import opens_console


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    engine_at(tmp_path / "ws").store.close()
    return tmp_path / "ws"


@pytest.fixture
def terminal(workspace: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    found = opened(getattr(request, "param", ""), workspace)
    yield found
    found.close()


QUICK = ("SIGTERM", "SIGKILL", "window closed", "window closed, unheard")


@pytest.mark.parametrize(
    ("terminal", "kind"),
    [pytest.param(kind, kind, id=kind, marks=[] if kind in QUICK else pytest.mark.slow) for kind in ENDS],
    indirect=["terminal"],
)
def test_every_end_leaves_the_terminal_as_it_was(terminal: Terminal, kind: str) -> None:
    terminal.wait_for("Palette")
    ENDS[kind](terminal)


@pytest.mark.parametrize(("arguments", "seen"), [((), "leave"), (("resources", "top"), "CPU")])
def test_the_first_screen_and_top_end_with_their_terminal_too(
    arguments: tuple[str, ...], seen: str, tmp_path: Path
) -> None:
    opened = Terminal(unheard(*arguments), cwd=tmp_path)
    try:
        opened.wait_for(seen)
        gone(opened)
    finally:
        opened.close()


@pytest.mark.slow
def test_a_console_that_hangs_is_ended_all_the_same(terminal: Terminal) -> None:
    terminal.wait_for("Palette")
    os.kill(terminal.console, signal.SIGSTOP)
    until(lambda: state(terminal.pid) == "T")
    terminal.signal(signal.SIGTERM)
    terminal.signal(signal.SIGCONT)
    assert terminal.end() == 128 + signal.SIGTERM
    assert terminal.modes_left_on() == set()
    assert terminal.as_before()


@pytest.mark.parametrize("way", ["key", "job", pytest.param("launcher", marks=pytest.mark.slow)])
def test_a_console_is_suspended_and_goes_on_where_it_was(terminal: Terminal, way: str) -> None:
    def send(number: signal.Signals) -> None:
        os.killpg(terminal.pid, number) if way == "job" else terminal.signal(number)

    terminal.wait_for("Palette")
    terminal.press("6")
    terminal.wait_for("No runs")
    if way == "key":
        terminal.press("/")
        terminal.wait_for("for example")
        terminal.press("\x1a")
    else:
        send(signal.SIGTSTP)
    terminal.wait_for(lambda: state(terminal.pid) == "T")
    terminal.wait_for(lambda: terminal.modes_left_on() == set())
    assert terminal.as_before()
    terminal.screen.reset()
    send(signal.SIGCONT)
    terminal.wait_for("No runs")
    assert "1049" in terminal.modes_left_on()
    if way == "key":
        terminal.wait_for("for example")
        terminal.press("\x1b")
        terminal.wait_for("Palette")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.modes_left_on() == set()


@pytest.mark.slow
def test_sizes_change_in_a_storm(terminal: Terminal) -> None:
    terminal.wait_for("Palette")
    resized(terminal, 60)


@pytest.mark.slow
def test_hostile_names_are_only_text_and_stay_in_their_columns(tmp_path: Path) -> None:
    assert paged(tmp_path / "names", 60) == 60


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ([], True),
        (["-w", "flights", "--read-only"], True),
        (["--workspace=flights"], True),
        (["--at", "2h ago"], True),
        (["oncall"], True),
        (["status"], False),
        (["-w", "flights", "runs", "list"], False),
    ],
)
def test_the_launcher_is_for_the_console_alone(
    arguments: list[str], meant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert opens_console(arguments) == meant
