"""Editing lemnis.toml, or another text, in the person's own editor, and what is said of it afterwards."""

import os
import shlex
import subprocess
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from textual.app import SuspendNotSupported

from lemnis.engine import Engine, LemnisError
from lemnis.engine.jobs import user_name
from lemnis.tui.language import _
from lemnis.tui.sentences import told


def editor() -> list[str]:
    """Return the command of $VISUAL, $EDITOR, or vi."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


def edit(path: Path, terminal: AbstractContextManager[None] | None = None) -> str:
    """Run the editor on a file until it is left, within what lends it the terminal; returns a sentence if it failed."""
    command = editor()
    try:
        with terminal or nullcontext():
            code = subprocess.run([*command, str(path)], check=False).returncode
    except SuspendNotSupported:
        return _("The editor needs a terminal, which a browser is not: edit it by a command or in a file.")
    except OSError as error:
        return _("{command} can't be run: {strerror}. Set $EDITOR.").format(command=command[0], strerror=error.strerror)
    return _("{command} ended with exit code {code}.").format(command=command[0], code=code) if code else ""


def edited(text: str, terminal: AbstractContextManager[None] | None = None, *, suffix: str) -> tuple[str, str]:
    """Return a text as it is after the editor was left, and a sentence if that did not work."""
    with tempfile.TemporaryDirectory(prefix="lemnis-") as folder:
        path = Path(folder) / f"text{suffix}"
        path.write_text(text, "utf-8")
        problem = edit(path, terminal)
        try:
            return path.read_text("utf-8").strip(), problem
        except (OSError, UnicodeDecodeError):
            return text, problem or _("What the editor left is no UTF-8 text.")


def checked(engine: Engine) -> tuple[str, bool]:
    """Read lemnis.toml and record it if it changed; returns what to tell and whether it is good. Blocks."""
    try:
        engine.config()
        recorded = engine.problem.record(user_name(), "edited in the console")
    except LemnisError as error:
        return f"{error.place}: {told(error.problem)} {told(error.remedy)}".removeprefix(": "), False
    return (_("lemnis.toml is good; the change is recorded.") if recorded else _("lemnis.toml is unchanged.")), True
