"""A cluster as trainings use it: one connection, the rows that are sent once, and what is told of lost workers."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from lemnis.engine.cluster import ClusterClient
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import NotFound
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.remote.order import Piece
from lemnis.engine.experiments.runs import Run
from lemnis.engine.features.signature import Signature
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.store import Store


class Facts(Struct, kw_only=True):
    """What is on record of where a run was trained; JSON in its column `cluster`.

    Attributes:
        workers: Those that trained it, the one that told its rounds first.
        resources: Dask resources that it held of each.
        machines: Addresses that LightGBM's own network used, if there were several workers.
        events: What became of workers meanwhile, in sentences.
    """

    scheduler: str
    workers: list[str] = []
    resources: dict[str, float] = {}
    machines: list[str] = []
    events: list[str] = []


class Training(Struct, frozen=True, kw_only=True):
    """One training that is to be done elsewhere.

    Attributes:
        what: How its events call it: ``trial 7``, ``the training``.
        parameters: Complete; `num_threads` is of each worker.
    """

    context: JobContext
    run: Run
    version: Version
    signature: Signature
    parameters: dict[str, Value | list[str]]
    early_stopping: int
    what: str

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        return [*self.signature.names, self.signature.target]


class Site:
    """What the trainings of one process share, each in a thread of its own."""

    def __init__(
        self, cluster: ClusterClient, *, shared: bool = True, on_event: Callable[[str], None] | None = None
    ) -> None:
        """Use a connection.

        Args:
            cluster: The connection.
            on_event: Is told what becomes of workers, besides the run's own record.
            shared: Whether workers see the workspace's files; they are asked, and found not to, at the first training.
        """
        self.cluster, self.shared, self.on_event = cluster, shared, on_event
        self._lock = threading.Lock()
        self._pieces: dict[tuple[str, str, int], list[Piece]] = {}
        self._signatures: dict[tuple[str, ...], Signature] = {}
        self._sent: dict[tuple[str, ...], Any] = {}  # Any: a Future of Dask

    def signature(self, version: Version, run: Run, threshold: float) -> Signature:
        """Return the signature of a run's features, learnt once."""
        from lemnis.engine.experiments.remote.pieces import signature_of

        key = (version.id, run.task, run.target, str(threshold), *run.features)
        with self._lock:
            if key not in self._signatures:
                self._signatures[key] = signature_of(
                    version, run.features, task=run.task, target=run.target, threshold=threshold
                )
            return self._signatures[key]

    def pieces(self, version: Version, name: str, count: int = 1) -> list[Piece]:
        """Return a part of the split in pieces; empty when there is no such part."""
        from lemnis.engine.experiments.remote.pieces import pieces_of

        key = (version.id, name, count)
        with self._lock:
            if key not in self._pieces:
                try:
                    self._pieces[key] = pieces_of(version, name, count)
                except NotFound:
                    if name == "train":
                        raise
                    self._pieces[key] = []
            return self._pieces[key]

    def sent(self, piece: Piece, columns: Sequence[str]) -> Any:
        """Return the rows of a piece as a Future of Dask that holds a Parquet file; sent once. Any: a Future."""
        from lemnis.engine.experiments.remote.pieces import packed

        key = (piece.path, str(piece.rows), str(piece.span), *columns)
        with self._lock:
            if key not in self._sent or self._sent[key].status != "finished":
                self._sent[key] = self.cluster.client.scatter(packed(piece, columns), hash=False)
            return self._sent[key]


def keep_facts(store: Store, run_id: int, facts: Facts) -> None:
    """Record where a run is trained."""
    with store.write() as db:
        db.execute("update runs set cluster = ? where id = ?", [msgspec.json.encode(facts).decode(), run_id])


class Notes:
    """The facts of one run, recorded as they become known."""

    def __init__(self, store: Store, run_id: int, scheduler: str, also: Callable[[str], None] | None = None) -> None:
        """Begin an empty record; `also` is told every event."""
        self._store, self._run_id, self._also = store, run_id, also
        self.facts = Facts(scheduler=scheduler)

    def put(self, **facts: Any) -> None:
        """Replace some facts. Any: of the kinds that `Facts` has."""
        for name, value in facts.items():
            setattr(self.facts, name, value)
        keep_facts(self._store, self._run_id, self.facts)

    def event(self, what: str) -> None:
        """Record what became of a worker."""
        print(what, flush=True)
        self.put(events=[*self.facts.events, what])
        if self._also is not None:
            self._also(what)

    def conditions(self, machine: dict[str, Any], libraries: dict[str, str]) -> None:
        """Record the machine and the libraries that train. Any: JSON values."""
        row = {"machine": msgspec.json.encode(machine).decode(), "libraries": msgspec.json.encode(libraries).decode()}
        with self._store.write() as db:
            db.table("runs").update(self._run_id, row)
