"""Service `monitor`: every two seconds it counts new predictions and labels and advances the alerts."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Config, load_config
from lemnis.engine.errors import ConfigError, LemnisError
from lemnis.engine.monitor.alerts import advance
from lemnis.engine.monitor.concept.children import CHILDREN
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.rollouts import raise_aborted
from lemnis.engine.monitor.room import HEARTBEAT, Heartbeat
from lemnis.engine.monitor.windows import refresh, served_versions
from lemnis.engine.store import Store
from lemnis.engine.workspace import find_workspace

EVERY_S = 2.0


class Watch:
    """Looks at one workspace again and again; what it knows is in the store, so it may die at any time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._config: Config | None = None
        self._config_modified = 0
        self._seen = -1
        self.problem = ""

    def look(self) -> bool:
        """Bring windows and alerts up to date; return whether anything changed.

        An expected failure is remembered as `problem` and tried again at the next look.
        """
        self.problem = ""
        try:
            changed = self._look()
        except LemnisError as error:
            changed, self.problem = False, f"{error.problem} {error.place}".strip()
        beat = Heartbeat(at=now_ms(), problem=self.problem)
        with self.store.write("metrics") as db:
            row = {"name": HEARTBEAT, "at": beat.at, "sample": msgspec.json.encode(beat).decode()}
            db.table("latest").upsert(row, pk="name")
        return changed

    def _look(self) -> bool:
        declared = self._declared()
        changed = refresh(self.store, self._config or Config(), apart=True)
        endpoints = {served.endpoint for served in served_versions(self.store)} if declared else changed
        for endpoint in endpoints:
            windows = list_windows(self.store, endpoint)
            advance(self.store, self._config or Config(), endpoint, windows)
        return raise_aborted(self.store) > 0 or bool(endpoints)

    def _declared(self) -> bool:
        """Read lemnis.toml if it changed and say whether it did; a bad one is a problem, the last good one stays."""
        path = self.store.workspace.config
        modified = path.stat().st_mtime_ns if path.exists() else 0
        if self._config is not None and modified == self._config_modified:
            return False
        try:
            self._config, self._config_modified = load_config(path), modified
        except ConfigError as error:
            if self._config is None:
                raise
            self.problem = f"{error.problem} {error.place}".strip()
            return False
        return True


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
        if watch.problem != told:
            told = watch.problem
            print(told or "The problem is over.", flush=True)
        stop.wait(EVERY_S)
    CHILDREN.close()
    watch.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
