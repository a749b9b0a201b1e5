"""Pace: what is read again and again is read more rarely where the terminal is far away."""

from collections.abc import Callable

from textual.app import App
from textual.timer import Timer
from textual.widget import Widget

from lemnis.tui.terminal.app import TerminalApp


def pace(app: "App[object]") -> int:
    """Return how many periods pass between two readings: 1 where the terminal is near."""
    return app.rarer if isinstance(app, TerminalApp) else 1


def every(widget: Widget, seconds: float, read: Callable[[], object]) -> Timer:
    """Call a function on a period as long as a widget is there; on a slow link each so many periods only."""
    passed = 0

    def due() -> object:
        nonlocal passed
        passed += 1
        if passed < pace(widget.app):
            return None
        passed = 0
        return read()

    return widget.set_interval(seconds, due)
