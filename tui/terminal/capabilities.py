"""Capabilities: what the terminal does, as its entry in terminfo says."""

from collections.abc import Mapping

ERASE = b"\x1b[%p1%dX"  # so many cells, and the cursor stays


def erases(environment: Mapping[str, str]) -> bool:
    """Say whether the terminal erases cells in the background's colour; only the first that is asked for is looked up.

    Args:
        environment: TERM names the terminal. tmux does, whatever its entry says; screen within tmux sets STY.
    """
    name = environment.get("TERM", "")
    inmost = bool(environment.get("TMUX")) and not environment.get("STY")
    if name.startswith("tmux") or (name.startswith("screen") and inmost):
        return True
    try:
        import curses
    except ImportError:  # a Python without it
        return False
    try:
        curses.setupterm(name, 1)
    except curses.error:  # no entry
        return False
    return curses.tigetflag("bce") > 0 and curses.tigetstr("ech") == ERASE
