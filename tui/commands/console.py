"""Opening the console: `lemnis` alone, and what it asks where there is no workspace."""

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.errors import BadInput, NoWorkspace
from lemnis.engine.workspace import Workspace
from lemnis.tui.commands.session import Session
from lemnis.tui.language import speak
from lemnis.tui.launcher import end_with
from lemnis.tui.remembered import known_workspaces, remember

if TYPE_CHECKING:
    from lemnis.tui.address import Address

SLOW_FRAMES = "10"  # a second, over SSH
SLOWEST_FRAMES = "4"  # with --slow; chosen by itself where the terminal answers late


def open_console(
    session: Session,
    *,
    stage: str = "problem",
    oncall: bool = False,
    tour: bool = False,
    place: "Address | None" = None,
) -> int:
    """Run the console until it is left; returns the exit code.

    Args:
        session: What every command knows.
        stage: The stage to open first.
        oncall: Show the on-call view first.
        tour: Begin with the tour.
        place: What to show first, instead of the stage.

    Raises:
        BadInput: There is no terminal to draw on or to read keys from.
    """
    if in_browser():
        end_with(os.getppid())  # its input alone would not tell that the server is gone
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("The console needs a terminal.", "Use a command: `lemnis status`, or see `lemnis --help`.")
    if os.environ.get("TERM") == "dumb":  # it can't be drawn on
        from lemnis.tui.commands.linear import tell_tabs

        return tell_tabs(session, ())
    remote = bool(os.environ.get("SSH_TTY"))
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if session.slow:
        os.environ["TEXTUAL_FPS"] = SLOWEST_FRAMES
    if remote:
        os.environ.setdefault("TEXTUAL_FPS", SLOW_FRAMES)  # Textual reads it when it is imported
    speak(os.environ)
    try:
        engine = session.engine
    except NoWorkspace:
        if session.workspace is not None:
            raise
        return welcome(session)
    remember(engine.workspace.root)
    gc.disable()  # looking through what is imported and made now finds no garbage; the console goes on with it
    from lemnis.tui.app import Console
    from lemnis.tui.keys.declared import declared_keys, declared_theme
    from lemnis.tui.terminal.place import Keeper
    from lemnis.tui.warming import share_heap

    share_heap()
    engine.store.spare_memory()

    app = Console(
        engine,
        stage=stage,
        supervise=not session.read_only,
        debug=session.debug,
        oncall=oncall,
        place=place,
        keymap=declared_keys(),
    )
    app.mouse_on, app.tour_first, app.slow = not remote, tour, session.slow
    app.wear(declared_theme())
    keeper = Keeper(engine.workspace.root, os.environ)
    if stage == "problem" and not (session.at or tour or place):  # somebody who wishes to see something else sees that
        app.resume(keeper)
    app.run(mouse=not remote)
    code = app.return_code or 0
    keeper.close(forget=code == 0)
    return code


def in_browser() -> bool:
    """Say whether `lemnis web` draws this console."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def welcome(session: Session) -> int:
    """Ask what to do where there is no workspace, and do it."""
    from lemnis.tui.commands.group import run
    from lemnis.tui.keys.declared import declared_theme
    from lemnis.tui.screens.welcome import Welcome, data_files

    asked = Welcome(Path.cwd(), recent_workspaces())
    asked.wear(declared_theme())
    choice = asked.run()
    if choice is None or choice.kind == "leave":
        return asked.return_code or 0
    if choice.kind == "demo":
        return run(["demo", "--tour"])
    if choice.kind == "init":
        files = [str(path) for path in data_files(Path.cwd())]
        if code := run(["init", ".", *(part for file in files for part in ("--from", file))]):
            return code
    return open_console(Session(workspace=choice.folder, read_only=session.read_only, debug=session.debug))


def recent_workspaces() -> list[Path]:
    """Return the folders of the workspaces opened last that are still there, the last first."""
    folders = [Path(known.path) for known in known_workspaces()]
    return [folder for folder in folders if Workspace(folder).config.is_file()]
