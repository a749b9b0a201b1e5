"""Pace: what is read again and again is read more rarely where the terminal is far away."""

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer

from lemnis.tui.terminal.app import TerminalApp


def pace(widget: MessagePump) -> int:
    """Return how many periods pass between two readings for a widget: 1 where the terminal is near."""
    app: object = widget.app  # pyright: ignore[reportUnknownVariableType]
    return app.rarer if isinstance(app, TerminalApp) else 1


def every(widget: MessagePump, seconds: float, read: Callable[[], object]) -> Timer:
    """Call a function on a period as long as a widget is there; on a slow link each so many periods only."""
    passed = 0

    def due() -> object:
        nonlocal passed
        passed += 1
        if passed < pace(widget):
            return None
        passed = 0
        return read()

    return widget.set_interval(seconds, due)
