"""Bugs: what a person is told of an error that nobody expected, and the file that keeps where it happened."""

import hashlib
import os
import platform
import traceback
from pathlib import Path

from lemnis.engine import LemnisError, __version__
from lemnis.engine.text import safe
from lemnis.tui.remembered import state_file

KEPT = 20  # files, the newest


class Bug(LemnisError):
    """An error that nobody expected; its cause is that error."""


def unexpected(error: BaseException) -> Bug:
    """Return a bug as something a person can read and report, with the file that says where it happened."""
    path = keep(error)
    where = f"Report it with {path}, or run" if path else "Report it; run"
    told = Bug(
        f"This is a bug in Lemnis: {type(error).__name__}: {safe(error, limit=300)}",
        f"{where} again with --debug to see where it happened.",
    )
    told.__cause__ = error
    return told


def keep(error: BaseException, folder: Path | None = None) -> Path | None:
    """Write where an error happened into a file, one for each place; returns its path, None where that is impossible.

    The file says what the traceback says, without the values of any variable.
    """
    folder = folder or state_file(os.environ).with_name("bugs")
    told = "".join(traceback.format_exception(error))
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    name = hashlib.blake2b(repr((type(error).__name__, frames[-1:])).encode(), digest_size=4).hexdigest()
    about = f"Lemnis {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{name}.txt"
        path.write_text(about + told, "utf-8", "backslashreplace")
        for old in sorted(folder.glob("*.txt"), key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink()
    except OSError:
        return None
    return path
