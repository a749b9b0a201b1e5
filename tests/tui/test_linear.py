"""The tabs as plain lines: the same facts in reading order, without a terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import engine_at
from terminal import Terminal, lemnis

from lemnis.engine.clock import now_ms
from lemnis.tui.linear import plain

RUN = "insert into runs (id, name, state, why, created_at, started_at, ended_at) values (?, ?, 'finished', '', ?, ?, ?)"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    engine, at = engine_at(tmp_path / "ws"), now_ms()
    with engine.store.write() as db:
        for number in range(60):
            db.execute(RUN, [number + 1, f"run-{number}\x1b[31m", at, at, at + 1000])
    engine.store.close()
    return tmp_path / "ws"


def told(workspace: Path, *tabs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(lemnis("--linear", *tabs), check=False, cwd=workspace, capture_output=True, text=True)


def test_tabs_are_told_as_lines_in_the_order_that_was_asked(workspace: Path) -> None:
    done = told(workspace, "experiments", "data")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Experiments: ready. 60 finished runs"
    assert "# Runs 60 · 7 columns are equal: z shows them" in lines
    assert "state: finished; #: 60; name: run-59␛[31m; took: 1.0 s; age: " in done.stdout
    assert "and 10 more rows" in lines
    assert lines.index("Data: not started. no source is declared") > lines.index("and 10 more rows")
    assert "No source yet. Press v to look at one and add it." in lines
    assert not set(done.stdout) & set("\x1b│╭●▲✖")


def test_a_tab_that_is_none_is_refused(workspace: Path) -> None:
    done = told(workspace, "nothing")
    assert done.returncode == 2
    assert "There is no tab" in done.stderr


@pytest.mark.slow
def test_a_terminal_that_can_t_be_drawn_on_is_told_lines(workspace: Path) -> None:
    terminal = Terminal(lemnis("--read-only"), cwd=workspace, lines=500, TERM="dumb")
    try:
        assert terminal.end() == 0, terminal.text()
        assert "# Runs 60" in terminal.text()
        assert "\x1b" not in terminal.written
    finally:
        terminal.close()


def test_pictures_are_left_out_and_control_characters_are_not() -> None:
    assert plain("● finished  ⣿⣷ ━━─  x ≤ 3 ␛[0m – é") == "finished x ≤ 3 ␛[0m – é"


BROKEN = """
import sys
sys.argv = ["lemnis", "--linear", *sys.argv[1:]]
from lemnis.tui.stages.experiments.room import ExperimentsStage
def broken(self, *_): raise ValueError("[red]boom\\x1b[2J")
setattr(ExperimentsStage, "WHERE", broken)
from lemnis.tui.commands import main
main()
"""


@pytest.mark.parametrize("where", ["load", "show"])
def test_a_bug_is_a_sentence_that_names_the_file_which_says_where_it_happened(
    workspace: Path, tmp_path: Path, where: str
) -> None:
    command = [sys.executable, "-c", BROKEN.replace("WHERE", where), "experiments"]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = subprocess.run(command, check=False, cwd=workspace, capture_output=True, text=True, env=environment)
    assert done.returncode == 3
    assert done.stdout == ""
    problem, remedy = done.stderr.splitlines()
    assert problem == "error: This is a bug in Lemnis: ValueError: [red]boom␛[2J"
    (kept,) = (tmp_path / "state" / "lemnis" / "bugs").iterdir()
    assert str(kept) in remedy
    assert "in broken" in kept.read_text()
    assert done.stderr.count("Traceback") == 0
    shown = subprocess.run([*command, "--debug"], check=False, cwd=workspace, capture_output=True, text=True)
    assert "Traceback" in shown.stderr
