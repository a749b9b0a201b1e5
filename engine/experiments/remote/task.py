"""A training as one task of Dask: submitted with its resources, followed round by round, begun again when lost."""

import math
import queue
import uuid
from contextlib import suppress
from typing import Any

import msgspec

from lemnis.engine.clock import monotonic_s
from lemnis.engine.cluster import CONNECT_S, NO_WORKER_S, ClusterGone, NoWorker
from lemnis.engine.errors import Cancelled, LemnisError, Unavailable
from lemnis.engine.experiments.fit import Fitted
from lemnis.engine.experiments.points import SPOOL, forget_points
from lemnis.engine.experiments.recorder import Recorder
from lemnis.engine.experiments.remote.order import Order, Outcome, refused
from lemnis.engine.experiments.remote.site import Notes, Site, Training

WAIT_S = 0.2
LOOK_S = 1.0  # how often it is looked whether the worker is still there
MOST_SUBMISSIONS = 3  # of one training that the cluster forgets


class Watched:
    """Takes the messages of one training; its recorder begins anew whenever the training does."""

    def __init__(self, training: Training, notes: Notes) -> None:
        self.training, self.notes = training, notes
        self.recorder: Recorder | None = None
        self.attempt = self.worker = ""
        self.began: dict[str, set[str]] = {}  # attempts by worker

    def take(self, message: dict[str, Any]) -> None:
        """Take one message. Any: JSON values."""
        if message["kind"] == "began":
            self.began.setdefault(message["worker_address"], set()).add(message["attempt"])
            if message["tells"] and message["attempt"] != self.attempt:
                self.begin(message)
        elif message["attempt"] == self.attempt and self.recorder is not None:
            for line in message["lines"]:
                print(line, flush=True)
            self.keep(message["rounds"])

    def begin(self, message: dict[str, Any]) -> None:
        """Begin a curve: the first, or once more on another worker."""
        if self.attempt:
            done = self.recorder.told.done if self.recorder else 0
            self.notes.event(
                f"worker {self.worker} left at round {done}; "
                f"{self.training.what} begins again on {message['worker_address']}"
            )
        self.close()
        context, run = self.training.context, self.training.run
        forget_points(context.store, run.id, context.workspace.run_dir(run.id) / SPOOL)
        self.attempt, self.worker = message["attempt"], message["worker_address"]
        if not run.spread:
            self.notes.put(workers=[self.worker])
        self.notes.conditions(message["machine"], message["libraries"])
        self.recorder = Recorder(
            context, run, early_stopping=self.training.early_stopping, checkpoint_every_s=math.inf
        )  # fmt: skip

    def keep(self, rounds: list[Any]) -> None:
        """Keep those rounds that are new."""
        if self.recorder is None:
            return
        for step, values in rounds:
            if step > self.recorder.told.done:
                self.recorder.keep(step, values)

    def finish(self, outcome: Outcome) -> Fitted:
        """Return what was trained, after the rounds that no message brought.

        Raises:
            LemnisError: Nothing was trained; it says why.
        """
        if outcome.fault is not None:
            raise refused(outcome.fault)
        self.keep(list(outcome.told))
        return Fitted(
            model=outcome.model,
            rounds_done=outcome.rounds_done,
            best_round=outcome.best_round,
            metrics=outcome.metrics,
            seconds=outcome.seconds,
            peak_mib=outcome.peak_mib,
        )

    def close(self) -> None:
        """Write what is left."""
        if self.recorder is not None:
            self.recorder.close()
            self.recorder = None


def fit_as_task(training: Training, site: Site, notes: Notes) -> Fitted:
    """Train a run on one worker, and return what came of it.

    Raises:
        BadInput, Unavailable: LightGBM or the worker refuses it, or no worker can ever take it.
        ClusterGone: The scheduler has gone.
        Cancelled: The job was asked to stop.
    """
    wanted = site.cluster.wanted(int(str(training.parameters["num_threads"])), str(training.parameters["device_type"]))
    with suppress(NoWorker):  # one may come
        site.cluster.fitting(wanted)
    notes.put(resources=wanted)
    watched = Watched(training, notes)
    try:
        for _ in range(MOST_SUBMISSIONS):
            shared = site.shared
            outcome = submit_and_follow(watched, site, wanted, shared=shared)
            if outcome is None:
                continue
            if outcome.fault is not None and outcome.fault.code == "missing" and shared:
                site.shared, watched.attempt = False, ""
                print("workers do not see the workspace's files: its rows are sent", flush=True)
                continue
            return watched.finish(outcome)
    finally:
        watched.close()
    raise Unavailable(
        f"The cluster forgot this training {MOST_SUBMISSIONS} times.", "Look at the scheduler's log.", "[cluster]"
    )


def submit_and_follow(watched: Watched, site: Site, wanted: dict[str, float], *, shared: bool) -> Outcome | None:
    """Submit a training and take its messages to its end; None when the cluster forgot it."""
    from lemnis.engine.experiments.remote.carrier import carry

    training, cluster = watched.training, site.cluster
    train = site.pieces(training.version, "train")[0]
    validation = next(iter(site.pieces(training.version, "validation")), None)
    held = {"train": train} | ({"validation": validation} if validation is not None else {})
    sent = {} if shared else {name: site.sent(piece, training.columns) for name, piece in held.items()}
    order = Order(
        id=uuid.uuid4().hex,
        topic=cluster.topic,
        signature=training.signature,
        parameters=training.parameters,
        rounds=training.run.rounds or 1,
        early_stopping=training.early_stopping,
        train=train,
        validation=validation,
        sent=tuple(sent),
    )
    with cluster.mailbox(order.id) as box:
        key = f"lemnis-run-{training.run.id}-{order.id}"
        future = cluster.client.submit(carry, msgspec.json.encode(order), sent, resources=wanted, pure=False, key=key)
        try:
            return follow(watched, site, wanted, future, box)
        finally:
            cluster.forget([future])


def follow(
    watched: Watched, site: Site, wanted: dict[str, float], future: Any, box: "queue.SimpleQueue[dict[str, Any]]"
) -> Outcome | None:
    """Take messages until a Future has ended, and return its outcome. Any: a Future of Dask."""
    context, cluster = watched.training.context, site.cluster
    looked_at = without = monotonic_s()
    while True:
        drain(watched, box)
        if context.cancelled():
            raise Cancelled(context.stop_reason)
        cluster.check()
        if future.status == "finished":
            drain(watched, box)
            return msgspec.json.decode(future.result(timeout=CONNECT_S), type=Outcome)
        if future.status == "error":
            raise explained(future.exception(timeout=CONNECT_S), cluster.address)
        if future.status in ("cancelled", "lost"):
            if cluster.client.status == "running":
                return None
            context.stop.wait(WAIT_S)
            continue
        now = monotonic_s()
        if now - looked_at >= LOOK_S:
            looked_at = now
            workers = {one.address for one in cluster.workers()}
            if watched.worker in workers:
                without = now
            else:
                gone = f"worker {watched.worker} left; " if watched.worker else ""
                context.progress(None, f"{gone}waits for a worker of {cluster.address}")
                if workers and could(cluster, wanted):
                    without = now
            if now - without > NO_WORKER_S:
                left = f"Worker {watched.worker} left, and no other" if watched.worker else "No worker"
                raise Unavailable(
                    f"{left} of {cluster.address} could take {watched.training.what} for {NO_WORKER_S:.0f} s.",
                    f"Start one: dask worker {cluster.address}",
                )


def could(cluster: Any, wanted: dict[str, float]) -> bool:
    """Say whether a worker that is there could take a training. Any: a ClusterClient."""
    try:
        cluster.fitting(wanted)
    except ClusterGone:
        raise
    except Unavailable:
        return False
    return True


def drain(watched: Watched, box: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Take the messages that are there, or that come in a moment."""
    try:
        watched.take(box.get(timeout=WAIT_S))
        while True:
            watched.take(box.get_nowait())
    except queue.Empty:
        return


def explained(error: BaseException | None, address: str) -> LemnisError:
    """Turn what Dask says of a task that failed into an error for a person."""
    kind = type(error).__name__
    if isinstance(error, LemnisError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return Unavailable(
            f"A worker of {address} has no {error.name or 'lemnis'} installed.",
            "Install there what is here: pip install 'lemnis[dask]'.",
        )
    if kind == "KilledWorker":
        return Unavailable(
            f"Every worker that began this died: {error}.", "Look at the memory of the workers, and their logs."
        )
    first = next(iter(str(error).splitlines()), "")[:300]
    return Unavailable(f"The cluster could not do it: {kind}: {first}.", "Look at the worker's log.", address)
