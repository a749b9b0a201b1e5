"""Answers: what a worker's thread found, told in the order in which it was asked."""

from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec
from weakref import WeakKeyDictionary

from textual.dom import DOMNode
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

Found = ParamSpec("Found")
_latest: WeakKeyDictionary[DOMNode, dict[str, float]] = WeakKeyDictionary()  # by group: when it was asked what was told


def answer(tell: Callable[Found, object], /, *found: Found.args, **more: Found.kwargs) -> None:
    """Tell what the current worker found, unless what its group was asked later has been answered before.

    To cancel a worker does not end its thread: what was asked first may be found last. That is seen here, on the
    thread of the event loop, where no other answer can come between looking and telling. A worker that was merely
    asked again still tells: else whoever asks on a period, and more often than it is answered, would never hear.

    Args:
        tell: Called on the thread of the event loop, as long as the worker's node is there: `self.post_message`, or
            `self.call_later` with the method that draws.
        found: What it is called with.
        more: What it is called with by name.
    """
    worker = get_current_worker()  # pyright: ignore[reportUnknownVariableType]
    node, group, asked = worker.node, worker.group, worker._created_time  # pyright: ignore[reportPrivateUsage]

    def deliver() -> None:
        latest = _latest.setdefault(node, {})
        if node.is_running and asked >= latest.get(group, asked):
            latest[group] = asked
            tell(*found, **more)

    with suppress(RuntimeError):  # the console is being left, or the node has been
        loop = node.app._loop  # pyright: ignore[reportPrivateUsage]
        if loop is not None:
            loop.call_soon_threadsafe(deliver)
