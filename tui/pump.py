"""Pump: one thread that notices what moved in the store and tells the console; it touches no widget."""

import threading
from typing import TYPE_CHECKING

from lemnis.engine import Engine
from lemnis.tui.messages import TopicsMoved

if TYPE_CHECKING:
    from textual.app import App

PERIOD_SECONDS = 0.25  # how often the store is asked whether anybody has committed; costs no disk read


class Pump:
    """Follows the store's data version and, when it moves, its revisions by topic."""

    def __init__(self, engine: Engine, app: "App[None]") -> None:
        self.engine, self.app = engine, app
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        version, known = -1, self.engine.revisions()
        while not self._stopped.wait(PERIOD_SECONDS):
            now = self.engine.store.data_version()
            if now == version:
                continue
            version, seen = now, self.engine.revisions()
            moved = frozenset(topic for topic, n in seen.items() if known.get(topic) != n)
            known = seen
            if moved:
                self.app.post_message(TopicsMoved(moved))
