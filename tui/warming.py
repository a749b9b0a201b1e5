"""Warming: once the first picture stands, the rooms of the other tabs are imported, so that a tab opens at once."""

import ctypes
import gc
import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress

from lemnis.tui.stages import StageInfo

PAUSE_S = 0.1  # between rooms: keys come first
PAUSED_LOOKS = 2  # at a person who types nothing, before garbage is let go of
MUCH = 5  # times that the garbage collector looked at its middle generation: some ten thousand new objects each
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # of mallopt(3)
LARGE_BYTES = 128 * 1024  # as glibc begins; by itself it goes on to 32 MiB
FIRST = "monitor"  # with its room imported, the screens of a person on call open after 16 ms of imports


def warm_rooms(rooms: Iterable[StageInfo], ready: Callable[[str], object], wanted: Callable[[], bool]) -> None:
    """Import rooms one by one in this thread, and say of each that it is ready; what can't be loaded is left out.

    What only a key opens, a dialog or a screen, is imported where it is opened: few are in a day.

    Args:
        rooms: Which.
        ready: Called with the room's name; may be called from any thread.
        wanted: Asked before each of them.
    """
    for room in sorted(rooms, key=lambda room: room.name != FIRST):
        if not wanted():
            return
        try:
            kind = room.load()
        except Exception:  # whoever opens its tab is told what is wrong
            continue
        if kind is not None:
            ready(room.name)
        time.sleep(PAUSE_S)


def heed_garbage() -> None:
    """Look for garbage from now on, but not among what the start has made."""
    gc.freeze()
    gc.enable()


def settle_memory() -> None:
    """Let go of what is not needed, and take the rest out of the garbage collector's sight.

    Looking through it again and again stopped the console 60 ms each time.
    """
    gc.unfreeze()
    clear_garbage()
    gc.freeze()


def clear_garbage() -> None:
    """Let go of what has come into the garbage collector's sight and is not needed, and of the heap's empty pages."""
    gc.collect()
    with c_library() as library:
        library.malloc_trim(0)


class Rest:
    """Says when to clear garbage: in a pause of the person who types, if much was made since that was last done.

    What was drawn and left would stay between what is needed, and the heaps would grow around it.
    """

    def __init__(self) -> None:
        self._heard = self._cleared = 0
        self._looks = self._made = 0

    def due(self, heard: int) -> bool:
        """Say so, asked at regular times and told how many keys there were so far."""
        self._looks = self._looks + 1 if heard == self._heard else 0
        self._heard = heard
        made = gc.get_stats()[1]["collections"]
        if self._looks < PAUSED_LOOKS or heard == self._cleared or made - self._made < MUCH:
            return False
        self._cleared, self._made = heard, made
        return True


def share_heap() -> None:
    """Have all threads to come take their memory from one heap of the C library, but for what is large.

    What is large would be given back only once all that was asked for after it is free too: the more there was of it
    once, the larger is what the C library puts among the rest.

    Each would keep a heap of its own, with megabytes that are free for nobody else; so would Arrow's pool, which then
    takes its memory from the C library too. What is started gets its environment from os.environ, without this.
    """
    os.putenv("ARROW_DEFAULT_MEMORY_POOL", "system")
    with c_library() as library:
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


@contextmanager
def c_library() -> Generator[ctypes.CDLL, None, None]:
    """Give the C library; what is not there, as outside of glibc, is not done."""
    with suppress(AttributeError, OSError):
        yield ctypes.CDLL(None)
