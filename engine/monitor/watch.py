"""Service `monitor`: every two seconds it counts new rows and labels, advances the alerts and retrains on cause."""

import argparse
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import LemnisError
from lemnis.engine.monitor.alerting.advance import advance
from lemnis.engine.monitor.alerting.builtin import raise_aborted
from lemnis.engine.monitor.alerting.exposition import publish
from lemnis.engine.monitor.alerting.hand import hold_all
from lemnis.engine.monitor.alerting.minutes import count_minutes
from lemnis.engine.monitor.children import CHILDREN
from lemnis.engine.monitor.declared import LastGood
from lemnis.engine.monitor.drift.contrasting import wanted
from lemnis.engine.monitor.inspection import inspect_due
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining.ledger import act
from lemnis.engine.monitor.room import HEARTBEAT, Heartbeat, MonitorRoom
from lemnis.engine.monitor.windows import refresh, served_versions
from lemnis.engine.store import Store
from lemnis.engine.workspace import find_workspace

EVERY_S = 2.0
MINUTES_S = 15.0  # how often minutes are looked for that are over


class Watch:
    """Looks at one workspace again and again; what it knows is in the store, so it may die at any time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._declared = LastGood(store.workspace)
        self._counted_at = -MINUTES_S
        self.problem = ""

    def look(self) -> bool:
        """Bring windows, minutes and alerts up to date; return whether anything changed.

        An expected failure is remembered as `problem` and tried again at the next look.
        """
        self.problem = ""
        try:
            changed = self._look()
            self.problem = self._declared.problem
        except LemnisError as error:
            changed, self.problem = False, f"{error.problem} {error.place}".strip()
        beat = Heartbeat(at=now_ms(), problem=self.problem)
        with self.store.write("metrics") as db:
            row = {"name": HEARTBEAT, "at": beat.at, "sample": msgspec.json.encode(beat).decode()}
            db.table("latest").upsert(row, pk="name")
        return changed

    def inspect(self) -> None:
        """Start the inspections that are due, in processes of their own; what is refused is tried at the next look."""
        with suppress(LemnisError):
            inspect_due(self.store, now_ms())

    def _look(self) -> bool:
        declared = self._declared.reread()
        config = self._declared.config
        endpoints = refresh(self.store, config, apart=True)
        if declared:
            endpoints = endpoints | {served.endpoint for served in served_versions(self.store)}
        if monotonic_s() - self._counted_at >= MINUTES_S:
            self._counted_at = monotonic_s()
            endpoints = endpoints | count_minutes(self.store, now=now_ms(), problem=config.problem)
        for endpoint in endpoints:
            advance(self.store, config, endpoint, list_windows(self.store, endpoint))
            publish(self.store, endpoint, now=now_ms())
        if endpoints:
            self._ask_why()
        held = hold_all(self.store, now=now_ms())
        begun = act(self.store, config)
        return raise_aborted(self.store, config) + held + begun > 0 or bool(endpoints)

    def _ask_why(self) -> None:
        """Have a job find out what changed in windows that closed with drift."""
        room = MonitorRoom(self.store)
        for span in wanted(self.store):
            room.start_contrast(span)


def main() -> int:
    """Watch until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    watch = Watch(Store(find_workspace(parser.parse_args().workspace)))
    told = ""
    while not stop.is_set():
        watch.look()
        watch.inspect()
        if watch.problem != told:
            told = watch.problem
            print(told or "The problem is over.", flush=True)
        CHILDREN.reap()
        stop.wait(EVERY_S)
    CHILDREN.close()
    watch.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
