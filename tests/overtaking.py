"""Calls of the engine that overtake each other: each waits in its thread, and a test chooses which ends first."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from support import until

T = TypeVar("T")
MOST_S = 20.0


class Held(ThreadPoolExecutor):
    """The threads of workers that are begun from now on, in which a call is held until it is let go.

    Attributes:
        begun: What calls that have begun are about.
        ended: What those are about whose worker has ended since, also where it was cancelled meanwhile.
        failed: What such workers have raised.
    """

    def __init__(self) -> None:
        super().__init__(8)
        self.begun, self.ended = set[Hashable](), set[Hashable]()
        self.failed: list[Exception] = []
        self._doors = defaultdict[Hashable, threading.Event](threading.Event)
        self._here = threading.local()
        asyncio.get_running_loop().set_default_executor(self)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # Any: whatever fn takes
        return super().submit(self._work, fn, *args, **kwargs)

    def _work(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        self._here.about = []
        try:
            return fn(*args, **kwargs)
        except Exception as error:
            self.failed.append(error)
            raise
        finally:
            self.ended.update(self._here.about)

    def wait(self, about: Hashable) -> None:
        """Wait, in a worker's thread, until what is about this is let go."""
        self._here.about.append(about)
        self.begun.add(about)
        assert self._doors[about].wait(MOST_S)

    def meet(self, about: Hashable) -> None:
        """Wait until what is about this has begun."""
        until(lambda: about in self.begun)

    def end(self, about: Hashable) -> None:
        """Let go of what is about this, and wait until its worker has ended; the event loop hears of it afterwards."""
        self._doors[about].set()
        until(lambda: about in self.ended)
