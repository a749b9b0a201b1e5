"""One training over all workers of a cluster, by `lightgbm.dask`: each learns from its own rows."""

import queue
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import numpy as np

from lemnis.engine.clock import monotonic_s
from lemnis.engine.cluster import NO_WORKER_S, ClusterClient, NoWorker, Worker
from lemnis.engine.errors import Cancelled, LemnisError, Unavailable
from lemnis.engine.experiments.fit import Fitted
from lemnis.engine.experiments.remote.order import Order, Outcome, Piece
from lemnis.engine.experiments.remote.share import Share
from lemnis.engine.experiments.remote.site import Notes, Site, Training
from lemnis.engine.experiments.remote.task import Watched, drain, explained

LOOK_S = 1.0
SETTLE_S = 5.0  # how long a nanny has to bring its worker back before a training begins again without it
MOST_LOSSES = 1  # of workers in one training: after more it fails
FEW_MINUTES = 2  # LightGBM's own limit for workers to find each other


class WorkerLeft(LemnisError):
    """A worker of the training is gone; the others would wait for it for ever."""

    code = "worker_left"


def fit_spread(training: Training, site: Site, notes: Notes) -> Fitted:
    """Train a run by all workers that could, and return what came of it.

    When a worker leaves, the training begins again with those that are there; when that happens twice it fails.

    Raises:
        BadInput, Unavailable: LightGBM refuses it, or there is no worker for it, or too many were lost.
        ClusterGone: The scheduler has gone.
        Cancelled: The job was asked to stop.
    """
    watched, lost = Watched(training, notes), 0
    try:
        while True:
            crew = gather_crew(training, site)
            notes.put(workers=[one.address for one in crew], machines=[])
            try:
                outcome = train_together(watched, site, notes, crew)
            except WorkerLeft as left:
                done = watched.recorder.told.done if watched.recorder else 0
                watched.close()
                watched.attempt = ""
                lost += 1
                if lost > MOST_LOSSES:
                    notes.event(f"{left.problem} at round {done}; the training is given up")
                    raise Unavailable(
                        f"{left.problem} at round {done}, for the second time.",
                        "Look at the workers' logs, then retry.",
                    ) from None
                notes.event(f"{left.problem} at round {done}; the training begins again with those that are there")
                training.context.stop.wait(SETTLE_S)
                continue
            if outcome.fault is not None and outcome.fault.code == "missing" and site.shared:
                site.shared, watched.attempt = False, ""
                print("workers do not see the workspace's files: its rows are sent", flush=True)
                continue
            return watched.finish(outcome)
    finally:
        watched.close()


def gather_crew(training: Training, site: Site) -> list[Worker]:
    """Return the workers that take part, waiting a while if there is none now.

    Raises:
        Unavailable: There is none that could.
        Cancelled: The job was asked to stop.
    """
    parameters, context = training.parameters, training.context
    until = monotonic_s() + NO_WORKER_S
    while True:
        context.progress(None, f"looking for workers of {site.cluster.address}")
        wanted = site.cluster.wanted(int(str(parameters["num_threads"])), str(parameters["device_type"]))
        try:
            return site.cluster.fitting(wanted)
        except NoWorker:
            if monotonic_s() > until:
                raise
        if context.stop.wait(LOOK_S):
            raise Cancelled(context.stop_reason)


def train_together(watched: Watched, site: Site, notes: Notes, workers: Sequence[Worker]) -> Outcome:
    """Train by these workers; raises WorkerLeft when one of them is gone."""
    from lemnis.engine.trees import lightgbm

    training, cluster = watched.training, site.cluster
    pieces = site.pieces(training.version, "train", len(workers))
    validation = next(iter(site.pieces(training.version, "validation")), None)
    shared, parameters = site.shared, dict(training.parameters)
    threads = int(str(parameters.pop("num_threads")))
    wanted = cluster.wanted(threads, str(parameters["device_type"]))
    notes.put(resources=wanted)
    order = Order(
        id=uuid.uuid4().hex,
        topic=cluster.topic,
        signature=training.signature,
        parameters={},
        rounds=training.run.rounds or 1,
        early_stopping=training.early_stopping,
        validation=validation,
    )
    training.context.progress(None, "workers get ready")
    rows = parts_of(site, pieces, training.columns, sent=not shared)
    with cluster.mailbox(order.id) as box, cluster.client.as_current():
        crew = Crew(watched, cluster, box, [one.address for one in workers][: len(pieces)], threads, wanted)
        # Any: its types ask for a Client and a model of scikit-learn's shape, and a little of both is used. Its public
        # faces are such models; this is what they do.
        together = cast(Any, lightgbm.dask)._train
        try:
            found: Any = together(
                client=crew,
                data=Collection([part["data"] for part in rows]),
                label=Collection([part["label"] for part in rows]),
                params={**parameters, "time_out": FEW_MINUTES},
                model_factory=Share,
                order=msgspec.json.encode(order),
                pieces=[msgspec.json.encode(piece) for piece in pieces],
                validation=site.sent(validation, training.columns) if validation is not None and not shared else b"",
                sent=not shared,
            )
        finally:
            crew.dismiss()
        drain(watched, box)
    return msgspec.json.decode(found.outcome, type=Outcome)


def parts_of(site: Site, pieces: Sequence[Piece], columns: Sequence[str], *, sent: bool) -> list[dict[str, Any]]:
    """Return what each worker is given: its piece's number as label, and the rows if they are sent. Any: arrays."""
    from lemnis.engine.experiments.remote.pieces import packed

    return [
        {
            "data": np.frombuffer(packed(piece, columns), np.uint8) if sent else np.empty(0, np.uint8),
            "label": np.array([number], np.int64),
        }
        for number, piece in enumerate(pieces)
    ]


class Collection:
    """Parts as `lightgbm.dask` takes them."""

    def __init__(self, parts: list[Any]) -> None:  # Any: arrays
        self.parts = parts

    def to_delayed(self) -> list[Any]:
        """Return the parts. Any: arrays."""
        return self.parts


class Crew:
    """The workers of one training, as `lightgbm.dask` sees a client: every part stays where it is put.

    While it waits it takes messages, and looks whether the job is to stop and every worker is still there. Any, in the
    signatures: what Dask has no types for.
    """

    def __init__(
        self,
        watched: Watched,
        cluster: ClusterClient,
        box: "queue.SimpleQueue[dict[str, Any]]",
        workers: Sequence[str],
        threads: int,
        wanted: Mapping[str, float],
    ) -> None:
        self.watched, self.cluster, self.client, self.box = watched, cluster, cluster.client, box
        self.workers, self.threads, self.wanted = list(workers), threads, dict(wanted)
        self._futures: list[Any] = []
        self._homes: dict[str, list[str]] = {}  # where what a Future holds is, by its key

    def compute(self, parts: Sequence[Any]) -> list[Any]:
        """Put one part on each worker."""
        made = [
            self.client.compute(part, workers=[worker], allow_other_workers=False)
            for part, worker in zip(parts, self.workers, strict=True)
        ]
        self._futures += made
        self.wait(made)
        return made

    def who_has(self, futures: Sequence[Any]) -> dict[str, list[str]]:
        """Return where each part is."""
        return {future.key: [worker] for future, worker in zip(futures, self.workers, strict=True)}

    def ncores(self) -> dict[str, int]:
        """Return the threads that LightGBM is to use on each worker."""
        return dict.fromkeys(self.workers, self.threads)

    def submit(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Submit a task to the worker it is meant for, or to the one that has what it is made of."""
        if "workers" not in options:
            homes = [self._homes[one.key] for one in arguments if getattr(one, "key", None) in self._homes]
            options |= {"workers": homes[0] if homes else self.workers[:1], "allow_other_workers": False}
        if "machines" in options:
            self.watched.notes.put(machines=str(options["machines"]).split(","))
            options["resources"] = self.wanted
        future = self.client.submit(function, *arguments, **options)
        self._homes[future.key] = options["workers"]
        self._futures.append(future)
        return future

    def gather(self, futures: Any) -> Any:
        """Wait for tasks, and return what they are."""
        self.wait(list(getattr(futures, "values", lambda: futures)()))
        return self.client.gather(futures)

    def wait(self, futures: Sequence[Any]) -> None:
        """Wait until all tasks have ended well.

        Raises:
            WorkerLeft: A worker is gone.
            ClusterGone, Cancelled, LemnisError: The scheduler is gone; the job is to stop; a task failed.
        """
        looked_at = monotonic_s()
        context = self.watched.training.context
        while not all(future.status == "finished" for future in futures):
            self.take()
            if context.cancelled():
                raise Cancelled(context.stop_reason)
            self.cluster.check()
            failed = next((future for future in futures if future.status == "error"), None)
            if failed is not None:
                self.look()  # what a worker's death leaves behind is no fault of its own
                raise explained(failed.exception(), self.cluster.address)
            if monotonic_s() - looked_at >= LOOK_S:
                looked_at = monotonic_s()
                self.look()

    def take(self) -> None:
        """Take the messages that are there; a share that begins for the second time was lost in between."""
        drain(self.watched, self.box)
        seen = self.watched.began
        for worker, attempts in seen.items():
            if len(attempts) > 1:
                seen.clear()
                raise WorkerLeft(f"worker {worker} died and came back")

    def look(self) -> None:
        """Make sure that every worker is still there."""
        there = {one.address for one in self.cluster.workers()}
        gone = [one for one in self.workers if one not in there]
        if gone and self.client.status == "running":
            raise WorkerLeft(f"worker {', '.join(gone)} left")

    def dismiss(self) -> None:
        """Let go of all that was submitted; workers end what they have in training."""
        self.cluster.forget(self._futures)
        self.watched.began.clear()
