"""Copying out of a terminal: OSC 52 through tmux and screen, within a size every terminal takes, else a file."""

import base64
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

LIMIT_BYTES = 74_994  # encoded; what terminals that bound OSC 52 at 100,000 bytes still take
WITHOUT = ("dumb", "linux", "vt100", "vt220")  # terminals that have no clipboard
SCREEN_CHUNK = 700  # screen passes strings of at most 768 bytes through


def osc52(text: str, environment: Mapping[str, str]) -> str | None:
    """Return the bytes that put a text on the clipboard of the terminal a person sits at; None if it can't take it.

    Args:
        text: What to copy.
        environment: TMUX and TERM say what is between us and that terminal.
    """
    if environment.get("TERM", "") in WITHOUT and not environment.get("TMUX"):
        return None
    encoded = base64.b64encode(text.encode()).decode()
    if len(encoded) > LIMIT_BYTES:
        return None
    plain = f"\x1b]52;c;{encoded}\x07"
    if environment.get("TMUX"):
        # Both: tmux with set-clipboard takes the plain one, with allow-passthrough the wrapped one.
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("TERM", "").startswith("screen"):
        parts = [plain[start : start + SCREEN_CHUNK] for start in range(0, len(plain), SCREEN_CHUNK)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return plain


def save_copy(text: str, folder: Path) -> Path:
    """Write a text that is too long for the terminal into a file that only its owner reads, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="copy-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)
