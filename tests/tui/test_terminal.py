import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal, lemnis
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.engine.workspace import create_workspace
from lemnis.tui.stages import STAGES

STAGE_TITLES = [stage.title for stage in STAGES]
HOSTILE = [
    "model[v2]",
    "[/etc/passwd]",
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[10A",
    "\x9b31mred\x9d0;x\x9c",
    "\u202eevil\u2066",
    "nul\x00line\nfeed\r",
    "[bold",
    "tail\\",
    "\x1bP$q\x1b\\",
]
# A console that waits for its first picture however slow this machine is; two parts of it come after so many seconds.
PATIENT = """
import sys, time
sys.argv = ["lemnis", "--read-only"]
from lemnis.tui import commands
launch = commands.launch
def late(kind, name, seconds):
    read = getattr(kind, name)
    def read_late(self):
        time.sleep(seconds)
        return read(self)
    setattr(kind, name, read_late)
def launched():
    launch()
    import lemnis.tui.app
    from lemnis.engine.lifecycle import Lifecycle
    from lemnis.tui.stages.problem.room import ProblemStage
    lemnis.tui.app.HELD_S = 60.0
    late(Lifecycle, "stages", LOOP_S)
    late(ProblemStage, "_plan_in_thread", PLAN_S)
commands.launch = launched
commands.main()
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace whose folder, problem and queue are named by somebody with bad intentions."""
    folder = tmp_path / "work[v2]\x1b]0;owned\x07"
    engine = Engine(create_workspace(folder, '[problem]\ntitle = "[red]\\u001b[2J\\u202e[/x]"\nquestion = "[/] ?"\n'))
    for name in HOSTILE:
        engine.jobs.submit("jobs.selftest", name, {})
    engine.store.close()
    return folder


@pytest.fixture
def terminal(workspace: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    opened = Terminal(lemnis("--read-only", *getattr(request, "param", ())), cwd=workspace)
    yield opened
    opened.close()


def test_no_escape_from_data_reaches_the_terminal(terminal: Terminal) -> None:
    terminal.wait_for("Problem")
    for key, title in zip("1234567890", STAGE_TITLES, strict=True):
        terminal.press(key)
        terminal.wait_for(lambda title=title: f" {title} " in terminal.text().splitlines()[1])
    terminal.press("o")
    terminal.wait_for(lambda: "Nothing is served" in terminal.text() and "Palette" not in terminal.text())
    terminal.press("\x1b")
    terminal.wait_for("Palette")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.strange_sequences() == []
    assert "owned" not in terminal.screen.title


def test_brackets_are_shown_as_they_are(terminal: Terminal) -> None:
    terminal.wait_for("work[v2]␛]0;owned␇")


def test_leaving_is_exit_code_0_and_a_clean_terminal(terminal: Terminal) -> None:
    terminal.wait_for("Palette")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.modes_left_on() == set()


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_is_an_exit_code_and_a_sentence_and_a_traceback_only_when_asked(workspace: Path, debug: bool) -> None:
    script = (
        "from lemnis.tui.app import Console\n"
        "def broken(self): raise ValueError('[red]boom')\n"
        "Console.action_help = broken\n"
        "import sys; sys.argv = ['lemnis', '--read-only'] + (['--debug'] if DEBUG else [])\n"
        "from lemnis.tui.commands import main; main()\n"
    ).replace("DEBUG", str(debug))
    terminal = Terminal([sys.executable, "-c", script], cwd=workspace, columns=120, lines=60)
    try:
        terminal.wait_for("Palette")
        terminal.press("?")
        assert terminal.end() == 1
        assert terminal.modes_left_on() == set()
        assert "[red]boom" in terminal.text()
        assert ("Traceback" in terminal.text()) == debug
    finally:
        terminal.close()


def test_nothing_is_written_while_nothing_changes(terminal: Terminal) -> None:
    terminal.wait_for("Palette")
    quiet: list[int] = []

    def still() -> bool:
        quiet.append(len(terminal.written))
        return len(quiet) > 20 and quiet[-1] == quiet[-20]

    terminal.wait_for(still)


@pytest.mark.parametrize(("loop_s", "plan_s"), [(0.2, 0.8), (0.8, 0.2)])
def test_the_first_picture_is_complete(workspace: Path, loop_s: float, plan_s: float) -> None:
    size = {"COLUMNS": "120", "LINES": "40"}  # pytest-xdist has others for its workers
    console = f"LOOP_S, PLAN_S = {loop_s}, {plan_s}\n{PATIENT}"
    terminal = Terminal([sys.executable, "-c", console], cwd=workspace, columns=120, lines=40, SSH_TTY="here", **size)
    try:
        terminal.wait_for("Palette")  # the last line
        assert "reading" not in terminal.written.lower()
        assert all(said in terminal.text() for said in ("not started", "engine ○", "no training was measured"))
    finally:
        terminal.close()


def test_what_something_else_wrote_on_the_terminal_is_drawn_over_when_asked(terminal: Terminal) -> None:
    terminal.wait_for("Palette")
    terminal.screen.erase_in_display(2)
    assert "Acquisition plan" not in terminal.text()
    terminal.press("\x0c")
    terminal.wait_for("Acquisition plan")
    terminal.wait_for("Palette")


def test_over_ssh_the_mouse_is_left_to_the_terminal(workspace: Path) -> None:
    terminal = Terminal(lemnis("--read-only"), cwd=workspace, SSH_TTY="/dev/pts/9")
    try:
        terminal.wait_for("Palette")
        assert "\x1b[?1003h" not in terminal.written
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_without_a_workspace_the_first_screen_offers_the_demo_init_and_leaving(tmp_path: Path) -> None:
    (tmp_path / "planes.csv").write_text("tailnum,late\nN1,0\nN2,1\n")
    terminal = Terminal(lemnis(), cwd=tmp_path)
    try:
        terminal.wait_for("planes.csv")
        assert "demo" in terminal.text() or "flights" in terminal.text()
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_a_switch_of_the_tab_sends_at_most_8_kb(tmp_path: Path) -> None:
    whole_engine(tmp_path / "flights").store.close()
    colours = {"COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    terminal = Terminal(lemnis("--read-only"), cwd=tmp_path / "flights", columns=120, lines=40, **colours)
    try:
        sent: dict[str, int] = {}
        for stage in [*STAGES, *STAGES]:  # once each has been seen
            quiet(terminal)
            before = len(terminal.written)
            terminal.press(stage.key)
            terminal.wait_for(lambda title=stage.title: f" {title} " in terminal.text().splitlines()[1])
            quiet(terminal)
            sent[stage.name] = len(terminal.written[before:].encode())
        assert {name: size for name, size in sent.items() if size > 8000} == {}
    finally:
        terminal.close()


def quiet(terminal: Terminal) -> None:
    """Read until nothing comes for a moment."""
    before = -1
    while before != len(terminal.written):
        before = len(terminal.written)
        terminal.read(0.2)
