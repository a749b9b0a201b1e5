"""The recorder's process: brings what all servers of a workspace have spooled into predictions.db.

`python -m lemnis.engine.deploy.recorder --workspace W`. One process writes for all servers: an insert costs a server
as much as its answer, and one writer needs no lock.
"""

import argparse
import gc
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.deploy.predictions import Entry, Logged, Owner, frames, owner_of, write_entries
from lemnis.engine.deploy.spool import read_frames, remove_if_left, spools
from lemnis.engine.errors import LemnisError, StoreError
from lemnis.engine.jobs.processes import hold_lock, step_back
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

SERVICE, MODULE = "recorder", "lemnis.engine.deploy.recorder"
PAUSE_S = 0.1
NICENESS = 10  # answers go first; a tenth of a busy core is left, and what waits there stands in the spools
COMPLAIN_S, LOOK_S = 60.0, 5.0
# What a busy server spools is brought in together, at most so much later: large batches cost the machine, and with it
# the server, less than small ones, and a rush that is over sooner costs it nothing.
HOLD_S, HOLD_BYTES, BUSY_BYTES = 5.0, 32 << 20, 20_000


class Recorder:
    """Reads spools and knows how far it has come, by predictions.db."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._owners: dict[str, Owner] = {}
        self._sizes: dict[str, int] = {}  # of the spools at the last turn
        self._held: dict[str, float] = {}  # since when what a spool has waits

    def record(self, *, hold: bool = False) -> int:
        """Bring in what has been spooled since the last time, and return how many frames that was.

        Args:
            hold: Leave what a busy server spools for up to HOLD_S.

        Raises:
            StoreError: The database takes nothing now; what was not brought in still stands in its spool.
        """
        return sum(self._bring(path) for path in spools(self.store.workspace) if not (hold and self._may_wait(path)))

    def _may_wait(self, path: Path) -> bool:
        """Say whether a spool grows fast, and neither long nor much of it waits."""
        size, now = path.stat().st_size, monotonic_s()
        grown = size - self._sizes.get(path.name, size)
        self._sizes[path.name] = size
        since = self._held.setdefault(path.name, now)
        if grown > BUSY_BYTES and now - since < HOLD_S and size - self._position(path) < HOLD_BYTES:
            return True
        del self._held[path.name]
        return False

    def _position(self, path: Path) -> int:
        """Return how far a spool is brought in."""
        sql = "select position from spools where name = ?"
        return self.store.value(sql, [path.name], name="predictions") or 0

    def _bring(self, path: Path) -> int:
        brought = 0
        position = self._position(path)
        while True:
            try:
                found = read_frames(path, position)
                decoded = frames.decode_lines(found)
            except (ValueError, msgspec.DecodeError) as error:  # a damaged file must not stop the others
                damaged = path.with_suffix(".damaged")
                path.rename(damaged)
                print(f"{damaged} can't be read from byte {position} on: {error}.", flush=True)
                return brought
            if not decoded:
                if remove_if_left(path, position):
                    for known in (self._owners, self._sizes):
                        known.pop(path.name, None)
                    with self.store.write("predictions") as db:
                        db.execute("delete from spools where name = ?", [path.name])
                return brought
            position += len(found)
            self._write(path, decoded, position)
            brought += len(decoded)

    def _write(self, path: Path, decoded: list[Logged | Owner | int], behind: int) -> None:
        owner = self._owners.get(path.name) or self._owner(path, decoded)
        entries: list[Logged] = [one for one in decoded if isinstance(one, Entry)]
        lost = sum(one for one in decoded if isinstance(one, int))
        with self.store.write("predictions") as db:
            write_entries(db.conn, owner.endpoint, owner.model, entries, lost)
            db.execute(
                "insert into spools values (?, ?) on conflict (name) do update set position = excluded.position",
                [path.name, behind],
            )

    def _owner(self, path: Path, decoded: list[Logged | Owner | int]) -> Owner:
        """Return whose spool it is: its first frame says so."""
        first = decoded[0]
        found = self._owners[path.name] = first if isinstance(first, Owner) else owner_of(path)
        return found


def main() -> int:
    """Record until SIGTERM, or until no endpoint is wanted any more and everything is recorded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    os.umask(0o077)
    step_back(NICENESS)
    store = Store(Workspace(parser.parse_args().workspace))
    lock = hold_lock(store.workspace.service_dir(SERVICE) / "alive.lock")
    if lock is None:
        print("already running", flush=True)
        return 0
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    gc.freeze()
    gc.disable()  # what a batch is made of has no cycles, and looking through it took as long as reading it
    recorder, complained_at, looked_at = Recorder(store), -COMPLAIN_S, monotonic_s()
    while True:
        last = stopping.is_set()
        try:
            recorder.record(hold=not last)
            if monotonic_s() - looked_at > LOOK_S:
                looked_at = monotonic_s()
                gc.collect()
                leave_if_unwanted(store)
        except StoreError as error:  # a full disk or a locked database: the next turn tries again
            if monotonic_s() - complained_at > COMPLAIN_S:
                complained_at = monotonic_s()
                print(f"{error.problem} {error.remedy}", flush=True)
        except LemnisError as error:
            print(f"{error.problem} {error.remedy}", file=sys.stderr, flush=True)
            return 1
        if last:
            return 0
        stopping.wait(PAUSE_S)


def leave_if_unwanted(store: Store) -> None:
    """Ask the supervisor to stop this service where no server is wanted and nothing is left to record."""
    if not spools(store.workspace):
        with store.write() as db:
            db.execute(
                """update services set wanted = 'down' where name = ? and wanted = 'up' and not exists
                     (select 1 from services where name like 'endpoint:%' and wanted = 'up')""",
                [SERVICE],
            )


if __name__ == "__main__":
    sys.exit(main())
