"""What an endpoint's process answers with: checked versions in memory, exchanged for one another without a pause."""

import gc
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Protocol, TypedDict

from msgspec import Struct

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.deploy import registry
from lemnis.engine.deploy.endpoints import row_of
from lemnis.engine.deploy.modelbox import ask_model, reader_of
from lemnis.engine.deploy.predictor import Predictor, load_predictor
from lemnis.engine.deploy.records import Golden
from lemnis.engine.deploy.rollout import events, splits, workers
from lemnis.engine.deploy.rollout.records import EventKind, Split
from lemnis.engine.errors import LemnisError
from lemnis.engine.store import Row, Store

COLLECT_AFTER = 50_000  # objects that may be left over before the youngest are looked through
POLL_S = 0.02  # so that a rollback answers within hundredths of a second; a look costs some microseconds


class VersionFacts(TypedDict):
    """What the documents of a version have in common."""

    model: str
    version: int
    platform: str


class Served:
    """One version that has given its golden answers in this process."""

    def __init__(self, model: str, version: int, predictor: Predictor, golden: Golden) -> None:
        self.model, self.version, self.predictor, self.golden = model, version, predictor, golden
        self.signature = predictor.signature
        self.since = now_ms()

    @property
    def facts(self) -> VersionFacts:
        """What a client is told of it by name."""
        return {"model": self.model, "version": self.version, "platform": self.predictor.platform}

    def again(self) -> "Served":
        """Return the same version in memory with row buffers of its own, so that it can be asked beside this one."""
        return Served(self.model, self.version, self.predictor.again(), self.golden)


def load_served(store: Store, model: str, number: int, *, cores: int) -> Served:
    """Check a version, load it here, and let it answer its golden rows here.

    A file is loaded in the model box first, unless these very bytes have passed there with this version of what reads
    them: the hash is checked again before they are loaded.

    Raises:
        NotFound: There is no such version.
        BadInput: It is damaged, or does not give its recorded answers.
    """
    file = registry.file_of(store, model, number)
    signature, golden = registry.signature_of(store, model, number), registry.golden_of(store, model, number)
    if not file.path.exists() or file.boxed != reader_of(file.path):
        ask_model(file.path, file.sha256, signature, golden.rows, golden.answers)
    predictor = load_predictor(file.path, file.sha256, signature, cores=cores)
    wrong = predictor.self_test(golden)
    if wrong:
        raise LemnisError(f"In the server's process {wrong}.", "Register the run again.")
    return Served(model, number, predictor, golden)


def settle_memory() -> None:
    """Take what is loaded out of the garbage collector's sight, and let it look seldom: requests leave no cycles.

    Looking through all of LightGBM and NumPy took as long as a hundred answers, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


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


class Answers(Protocol):
    """What answers requests: takes the version to answer with, and the split between it and another."""

    def serve(self, served: Served) -> None: ...

    def share(self, split: Split | None, challenger: Served | None) -> None: ...


class Follower:
    """Follows an alias, and the endpoint's split, in a thread of its own; hands over what is fit to serve.

    A version that is not fit leaves the old one serving; the reason stands in the endpoint's `why` until the alias
    moves again. The version before stays loaded: each change drills the way back by asking it its golden rows again.
    The workers of an endpoint change one after another.
    """

    def __init__(
        self,
        store: Store,
        declared: Declared,
        answers: Answers,
        leave: Callable[[], None],
        *,
        worker: int = 1,
        cores: int = 1,
    ) -> None:
        """Take what to follow, what answers, and how to end when the declaration changes."""
        self.store, self.declared = store, declared
        self._answers, self._leave, self._worker, self._cores = answers, leave, worker, cores
        self._serving: Served | None = None
        self._standby: Served | None = None
        self._challenger: Served | None = None
        self._seen_event = -1
        self._seen_split: Split | None = None
        self.ready = threading.Event()
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
        """Look where the alias points and what the split is; when one moved, make that so."""
        if declaration(self.store, self.declared.name) != self.declared:
            self._leave()
            return
        self._follow_split()  # first: what an abort ends does not wait for a version that is being loaded
        self._follow_alias()
        self._follow_split()

    def _follow_alias(self) -> None:
        model, alias = self.declared.model, self.declared.alias
        event = self.store.row(
            "select * from alias_events where model = ? and alias = ? order by id desc limit 1", [model, alias]
        )
        number = event["id"] if event is not None else 0
        if number == self._seen_event:
            return
        if event is None or event["version"] is None:
            self._tell(f"{model} has no {alias}; {self._still()}", event=number)
        elif self._serving is not None and event["version"] == self._serving.version:
            self._tell("", event=number)
        else:
            self._change(event)
        self._seen_event = number

    def _change(self, event: Row) -> None:
        """Serve the version of an alias event when it is this worker's turn and the version is fit."""
        name, number = self.declared.name, event["version"]
        with workers.turn(self.store.workspace, name) if self._serving else nullcontext():
            began = monotonic_s()
            if self._serving is not None:
                refused = workers.refusal_by_others(self.store, name, self._worker, event["id"])
                if refused:
                    self._tell(refused, event=event["id"])
                    return
            try:
                served = self._loaded(number)
            except LemnisError as error:
                why = f"version {number} is not served: {error.problem} {self._still()}"
                self._record("refuse", event, number, why, monotonic_s() - began)
                self._tell(why, event=event["id"])
                return
            before = self._swap(served, event)
        if before is not None:
            self._drill(before, event)

    def _loaded(self, number: int) -> Served:
        """Return a version that is in memory already, or load it; raises as `load_served`."""
        for kept in (self._standby, self._challenger):
            if kept is not None and kept.version == number:
                return kept
        return load_served(self.store, self.declared.model, number, cores=self._cores)

    def _swap(self, served: Served, event: Row) -> Served | None:
        """Answer with a version from now on; return the one before."""
        before, self._serving = self._serving, served
        if before is None:
            settle_memory()
        self._answers.serve(served)
        self._challenger = None
        self.ready.set()
        if before is None:
            self._tell("", event=event["id"])
            return None
        swap_ms = max(0, now_ms() - event["at"])
        with self.store.write():  # one commit: the next worker waits for it
            self._tell("", event=event["id"], swap_ms=swap_ms)
            self._record("swap", event, served.version, f"{event['kind']}: {event['why']}", swap_ms / 1000)
        return before

    def _drill(self, before: Served, event: Row) -> None:
        """Ask the version before its golden rows again, and keep it loaded when it answers as it should."""
        began = monotonic_s()
        standby = before.again()
        wrong = standby.predictor.self_test(standby.golden)
        took = monotonic_s() - began
        self._standby = None if wrong else standby
        said = wrong or f"version {standby.version} gave its golden answers again and stays loaded"
        with self.store.write():
            self._tell("", standby=None if wrong else standby.version, drill=wrong, drill_ms=round(took * 1000, 2))
            self._record("drill", event, standby.version, said, took)

    def _follow_split(self) -> None:
        split = splits.running(self.store, self.declared.name)
        serving = self._serving.version if self._serving else None
        if split is not None and (split.mode != "canary" or split.champion != serving):
            split = None
        if split == self._seen_split:
            return
        if split is None:
            self._answers.share(None, None)  # the challenger stays loaded: it may be what the alias names next
            self._seen_split = None
            workers.tell(self.store, self.declared.name, self._worker, challenger=None)
            return
        try:
            if self._challenger is None or self._challenger.version != split.challenger:
                self._challenger = self._loaded(split.challenger)
        except LemnisError as error:
            why = f"version {split.challenger} is not fit to serve: {error.problem}"
            splits.end(self.store, split.id, "aborted", who="lemnis", why=why)
            return
        self._answers.share(split, self._challenger)
        self._seen_split = split
        workers.tell(self.store, self.declared.name, self._worker, challenger=split.challenger)

    def _still(self) -> str:
        return f"version {self._serving.version} goes on serving" if self._serving else "nothing is served"

    def _record(self, kind: EventKind, event: Row, version: int, why: str, took_s: float) -> None:
        with self.store.write() as db:
            events.record(
                db,
                self.declared.name,
                kind,
                who=event["who"],
                why=why,
                worker=self._worker,
                version=version,
                took_ms=round(took_s * 1000, 2),
            )

    def _tell(self, why: str, **facts: object) -> None:
        if why:
            print(why, flush=True)
        serving = self._serving.version if self._serving else None
        told = {"version": serving, "ready": int(serving is not None), "why": why, **facts}
        workers.tell(self.store, self.declared.name, self._worker, **told)
