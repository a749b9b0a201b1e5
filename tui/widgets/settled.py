"""When nothing of a part of the screen is about to change: what its widgets told each other has been heard."""

from textual.widget import Widget


def settled(part: Widget) -> bool:
    """Say whether no message and no call waits at a widget or at any in it."""
    pumps = (part, *part.walk_children())
    return not any(
        pump.message_queue_size or pump._next_callbacks  # pyright: ignore[reportPrivateUsage]
        for pump in pumps
    )
