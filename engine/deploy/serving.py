"""What an endpoint answers with: one checked version in memory, and its exchange for another without a pause."""

import threading
from collections.abc import Callable

from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy import registry
from lemnis.engine.deploy.aliases import version_of
from lemnis.engine.deploy.endpoints import row_of
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.predictor import Predictor, load_predictor
from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Store

POLL_S = 0.25


class Served:
    """One version that has given its golden answers in this process."""

    def __init__(self, model: str, version: int, predictor: Predictor) -> None:
        self.model, self.version, self.predictor = model, version, predictor
        self.signature = predictor.signature
        self.since = now_ms()


def load_served(store: Store, model: str, number: int, *, cores: int) -> Served:
    """Check a version in the model box, load it here, and let it answer its golden rows here.

    Raises:
        NotFound: There is no such version.
        BadInput: It is damaged, or does not give its recorded answers.
    """
    version = registry.version(store, model, number)
    signature, golden = registry.signature_of(store, model, number), registry.golden_of(store, model, number)
    ask_model(version.path, version.sha256, signature, golden.rows, golden.answers)
    predictor = load_predictor(version.path, version.sha256, signature, cores=cores)
    wrong = predictor.self_test(golden)
    if wrong:
        raise LemnisError(f"In the server's process {wrong}.", "Register the run again.")
    return Served(model, number, predictor)


class Declared(Struct, frozen=True):
    """What an endpoint's process was started for; once the row says otherwise, it makes room for a new process."""

    name: str
    model: str
    alias: str
    host: str
    port: int


def declaration(store: Store, name: str) -> Declared:
    """Return what an endpoint is declared to be; raises NotFound."""
    row = row_of(store, name)
    return Declared(name, row["model"], row["alias"], row["host"], row["port"])


class Follower:
    """Follows an alias in a thread of its own and hands over each version that is fit to serve.

    A version that is not fit leaves the old one serving; the reason stands in the endpoint's `why` until the alias
    moves again.
    """

    def __init__(
        self,
        store: Store,
        declared: Declared,
        *,
        cores: int,
        hand_over: Callable[[Served], None],
        leave: Callable[[], None],
    ) -> None:
        """Take what to follow, what to do with a version that is ready, and how to end when the declaration changes."""
        self.store, self.declared = store, declared
        self._cores, self._hand_over, self._leave = cores, hand_over, leave
        self._serving: int | None = None
        self._seen_event = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="alias-follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _follow(self) -> None:
        seen = -1
        while not self._stop.is_set():
            try:
                moved = self.store.data_version()
                if moved != seen:
                    seen = moved
                    self.follow_once()
            except LemnisError as error:  # the store may be locked or the disk full: the next turn tries again
                print(f"{error.problem} {error.remedy}", flush=True)
                seen = -1
            self._stop.wait(POLL_S)

    def follow_once(self) -> None:
        """Look where the alias points; when it moved, make that version ready and hand it over."""
        model, alias = self.declared.model, self.declared.alias
        if declaration(self.store, self.declared.name) != self.declared:
            self._leave()
            return
        event = self.store.value("select max(id) from alias_events where model = ? and alias = ?", [model, alias])
        if event == self._seen_event:
            return
        self._seen_event = event
        wanted = version_of(self.store, model, alias)
        if wanted == self._serving and wanted is not None:
            self._tell("")
            return
        if wanted is None:
            self._tell(f"{model} has no {alias}; {self._still()}")
            return
        try:
            served = load_served(self.store, model, wanted, cores=self._cores)
        except LemnisError as error:
            self._tell(f"version {wanted} is not served: {error.problem} {self._still()}")
            return
        self._hand_over(served)
        self._serving = wanted
        self._tell("")

    def _still(self) -> str:
        return f"version {self._serving} goes on serving" if self._serving else "nothing is served"

    def _tell(self, why: str) -> None:
        if why:
            print(why, flush=True)
        with self.store.write() as db:
            db.execute(
                "update endpoints set serving_version = ?, ready = ?, why = ?, changed_at = ? where name = ?",
                [self._serving, int(self._serving is not None), why, now_ms(), self.declared.name],
            )
