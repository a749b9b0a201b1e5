"""Pump: one thread that notices what moved in the store and keeps the supervisor alive; it touches no widget."""

import threading
from collections.abc import Callable

from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import monotonic_s
from lemnis.engine.scratch import sweep_scratch
from lemnis.tui.language import N_
from lemnis.tui.messages import EngineSeen, LoopRead, TopicsMoved
from lemnis.tui.sentences import told

PERIOD_SECONDS = 0.25  # how often the store is asked whether anybody has committed; costs no disk read
QUIET_SECONDS = 1.0  # the same where nothing has moved for a while: what nobody changes wakes no processor
QUIET_AFTER_SECONDS = 15.0
LOOP_SECONDS = 1.0  # the loop's states are read at most this often
ENGINE_SECONDS = 3.0  # how often the supervisor is looked after
LIVE = ("queued", "preparing", "running")


class Pump:
    """Follows the store's data version and, when it moves, its revisions by topic.

    Attributes:
        supervise: Start the supervisor when it is down, so that what a person queues is worked on.
    """

    def __init__(self, engine: Engine, post: Callable[[Message], object], *, supervise: bool) -> None:
        self.engine, self.post, self.supervise = engine, post, supervise
        self._stopped = threading.Event()
        self._version, self._declared_at, self._known = -1, -1, dict[str, int]()
        self._loop_due = self._engine_due = 0.0
        self._moved_at = monotonic_s()
        self._loop_moved = True
        self._seen: EngineSeen | None = None
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does within a moment."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _run(self) -> None:
        sweep_scratch()  # what a console left that was killed
        while not self._stopped.is_set():
            try:
                self.look()
            except LemnisError as error:
                self._say(EngineSeen("down", f"{told(error.problem)} {told(error.remedy)}", 0, 0))
                self._stopped.wait(ENGINE_SECONDS)
            quiet = monotonic_s() - self._moved_at > QUIET_AFTER_SECONDS
            self._stopped.wait(QUIET_SECONDS if quiet else PERIOD_SECONDS)
        self.engine.store.close()

    def look(self) -> None:
        """Ask once what moved, and post it."""
        now = monotonic_s()
        moved = self._moved()
        if moved:
            self._loop_moved, self._moved_at = True, now
            self.post(TopicsMoved(moved))
        if self.engine.at is None and ("jobs" in moved or now >= self._engine_due):
            self._engine_due = now + ENGINE_SECONDS
            self._look_after_engine()
        if self._loop_moved and now >= self._loop_due:
            self._loop_moved, self._loop_due = False, now + LOOP_SECONDS
            self.post(LoopRead(tuple(self.engine.lifecycle.stages()), self._broken()))

    def _broken(self) -> str:
        try:
            self.engine.config()
        except LemnisError as error:
            return f"{error.place}: {told(error.problem)}"
        return ""

    def _declared(self) -> int:
        """Return when lemnis.toml was last written; a person may edit it anywhere."""
        try:
            return self.engine.workspace.config.stat().st_mtime_ns
        except OSError:
            return 0

    def _moved(self) -> frozenset[str]:
        declared = self._declared()
        if declared != self._declared_at:
            first, self._declared_at = self._declared_at == -1, declared
            if not first:
                return frozenset({"problem"})
        version = self.engine.store.data_version()
        if version == self._version:
            return frozenset()
        first, self._version = self._version == -1, version
        known, self._known = self._known, self.engine.revisions()
        return frozenset() if first else frozenset(t for t, n in self._known.items() if known.get(t) != n)

    def _look_after_engine(self) -> None:
        jobs = self.engine.jobs
        counts = {state: len(jobs.jobs(states=(state,))) for state in LIVE}
        try:
            status = jobs.ensure_supervisor() if self.supervise else jobs.status()
            state, why = status.state, "" if status.state == "up" else N_("nothing is worked on; `lemnis engine start`")
        except LemnisError as error:
            state, why = "failed", f"{told(error.problem)} {told(error.remedy)}"
        self._say(EngineSeen(state, why, counts["running"] + counts["preparing"], counts["queued"]))

    def _say(self, seen: EngineSeen) -> None:
        """Post the engine's state if it is another than before; an equal one would only redraw the same line."""
        if self._seen is None or seen.facts != self._seen.facts:
            self._seen = seen
            self.post(seen)
