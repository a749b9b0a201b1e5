"""When nothing of a part of the screen is about to change: what its widgets told each other has been heard."""

from textual.widget import Widget


def settled(part: Widget) -> bool:
    """Say whether no message, no call and no new size waits at a widget or at any in it."""
    return not any(
        widget.message_queue_size or widget._next_callbacks or widget._layout_required  # pyright: ignore[reportPrivateUsage]
        for widget in (part, *part.walk_children(Widget))
    )
