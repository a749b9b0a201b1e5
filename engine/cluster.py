"""The Dask cluster that lemnis.toml names: reaching it, what its workers offer, what they say, and losing it."""

import importlib
import importlib.util
import queue
import socket
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Cluster
from lemnis.engine.errors import BadInput, LemnisError, Unavailable
from lemnis.engine.text import safe

REACH_S = 3.0  # for a sign of life of the scheduler's port
CONNECT_S = 8.0  # for a connection to the scheduler, and for the loss of one to be final
NO_WORKER_S = 60.0  # how long a training waits for a worker that could take it
CORES = "lemnis-cores"  # Dask resource that workers may declare; else a training takes one of a worker's threads
INSTALL = "Install it with: pip install 'lemnis[dask]'"


class ClusterGone(Unavailable):
    """The scheduler answers no more; what was in training there is lost and can begin again."""

    code = "cluster_gone"


class NoWorker(Unavailable):
    """The cluster has no worker at all, for now."""

    code = "no_worker"


class Worker(Struct, frozen=True, kw_only=True):
    """One worker of a cluster: its threads, and the Dask resources that it declares."""

    address: str
    threads: int
    resources: dict[str, float]


def check_reachable(declared: Cluster, root: Path) -> None:
    """Make sure that something listens at the scheduler's address, without a word of Dask's protocol; within seconds.

    Args:
        declared: The cluster.
        root: What relative paths of TLS files start from.

    Raises:
        BadInput: No cluster is declared, or a file of its TLS can't be read.
        Unavailable: Dask is not installed here, or nothing listens.
    """
    if not declared.address:
        raise BadInput(
            "The executor dask needs a cluster, and none is declared.",
            'Add [cluster] with address = "tcp://HOST:8786".',
            "lemnis.toml",
        )
    if importlib.util.find_spec("distributed") is None:
        raise Unavailable("The executor dask needs the package distributed, which is not installed.", INSTALL)
    for name, path in tls_files(declared, root).items():
        try:
            path.open("rb").close()
        except OSError as error:
            raise BadInput(
                f"The TLS file {safe(str(path), limit=200)} can't be read: {error.strerror}.",
                f"Mend {name} in [cluster].",
                "lemnis.toml [cluster]",
            ) from None
    parts = urlsplit(declared.address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=REACH_S).close()
    except (OSError, ValueError) as error:
        raise _unreachable(declared.address, str(getattr(error, "strerror", None) or error)) from None


def tls_files(declared: Cluster, root: Path) -> dict[str, Path]:
    """Return the TLS files of a cluster by their names in [cluster]; none where it is reached without TLS."""
    if not declared.address.startswith("tls://"):
        return {}
    return {"ca": root / declared.ca, "certificate": root / declared.certificate, "key": root / declared.key}


class ClusterClient:
    """A connection to a scheduler, for any number of threads.

    What tasks report comes as messages of one topic, each with the id of what it belongs to.
    """

    def __init__(self, declared: Cluster, root: Path) -> None:
        """Connect.

        Args:
            declared: The cluster.
            root: What relative paths of TLS files start from.

        Raises:
            BadInput, Unavailable: See `check_reachable`; or what listens is no Dask scheduler, or its certificate is
                of another authority.
        """
        check_reachable(declared, root)
        self.declared, self.address, self.topic = declared, declared.address, f"lemnis-{uuid.uuid4().hex}"
        dask: Any = importlib.import_module("distributed")  # Any: it is typed in part
        security = _security(tls_files(declared, root))
        try:
            self.client = dask.Client(
                self.address, timeout=CONNECT_S, set_as_default=False, security=security, name="lemnis"
            )
        except (OSError, ValueError, TypeError) as error:
            if security is not None and "certificate" in str(error):
                raise Unavailable(
                    f"The certificate of the scheduler at {self.address} is not signed by the authority in ca.",
                    "Name in ca of [cluster] the certificate of who signed it.",
                    "lemnis.toml [cluster]",
                ) from None
            raise _unreachable(self.address, f"{error}") from None
        self._boxes: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self._silent_since: float | None = None
        self.client.subscribe_topic(self.topic, self._deliver)

    def close(self) -> None:
        """Leave; the scheduler forgets what this connection has asked for, and workers stop it."""
        with suppress(Exception):  # it may be gone
            self.client.close(timeout=2.0)

    @contextmanager
    def mailbox(self, name: str) -> "Generator[queue.SimpleQueue[dict[str, Any]], None, None]":
        """Yield the queue of messages with this id. Any: JSON values."""
        self._boxes[name] = queue.SimpleQueue()
        try:
            yield self._boxes[name]
        finally:
            del self._boxes[name]

    def check(self) -> None:
        """Make sure that the scheduler is still there.

        Raises:
            ClusterGone: It has not been for CONNECT_S.
        """
        if self.client.status == "running":
            self._silent_since = None
            return
        now = monotonic_s()
        self._silent_since = self._silent_since or now
        if self.client.status == "closed" or now - self._silent_since > CONNECT_S:
            raise self._gone()

    @contextmanager
    def kept(self) -> Generator[None, None, None]:
        """A block in which whatever Dask raises because its scheduler has gone becomes ClusterGone."""
        try:
            yield
        except LemnisError:
            raise
        except Exception:
            if self.client.status != "running":
                raise self._gone() from None
            raise

    def forget(self, futures: Sequence[Any]) -> None:
        """Let go of what was submitted; workers end what they have begun of it. Any: Futures of Dask."""
        if self.client.status == "running":
            with suppress(Exception):  # it may close in this moment, which ends them too
                self.client.cancel(list(futures), force=True)

    def workers(self) -> list[Worker]:
        """Return the workers that are there now, by address; none when the scheduler does not answer."""
        found: dict[str, Any] = {}
        if self.client.status == "running":
            with suppress(Exception):  # it may close in this moment; `check` says so when it stays so
                found = self.client.scheduler_info(n_workers=-1).get("workers", {})
        return [
            Worker(address=address, threads=int(one["nthreads"]), resources=dict(one.get("resources") or {}))
            for address, one in sorted(found.items())
        ]

    def wanted(self, cores: int, device: str) -> dict[str, float]:
        """Return the Dask resources that a training asks of its worker: cores, a GPU, and what is declared."""
        asked: dict[str, float] = {"GPU": 1.0} if device in ("gpu", "cuda") else {}
        if any(CORES in worker.resources for worker in self.workers()):
            asked[CORES] = float(cores)
        return asked | dict(self.declared.resources)

    def fitting(self, wanted: Mapping[str, float]) -> list[Worker]:
        """Return the workers that could ever take a training.

        Raises:
            NoWorker: There is none at all.
            Unavailable: There is none that could.
            ClusterGone: The scheduler has gone.
        """
        while self.client.status != "running":
            self.check()
            sleep(0.1)
        workers = self.workers()
        found = [one for one in workers if all(one.resources.get(name, 0) >= much for name, much in wanted.items())]
        if found:
            return found
        if not workers:
            raise NoWorker(
                f"The Dask cluster at {self.address} has no worker.", f"Start one: dask worker {self.address}"
            )
        raise Unavailable(
            f"No worker of {self.address} offers {amounts(wanted)}; the best of them offers "
            f"{amounts(max((one.resources for one in workers), key=lambda has: has.get(next(iter(wanted)), 0)))}.",
            f'Start workers with --resources "{" ".join(f"{name}={much:g}" for name, much in wanted.items())}", '
            "or ask for less.",
        )

    def capacity(self, wanted: Mapping[str, float]) -> int:
        """Return how many trainings the workers hold at once; each takes a thread of its worker too."""
        return sum(
            min([one.threads, *(int(one.resources.get(name, 0) / much) for name, much in wanted.items())])
            for one in self.workers()
        )

    def _gone(self) -> ClusterGone:
        return ClusterGone(
            f"The Dask scheduler at {self.address} has gone.", "Start it again, then let this go on.", "[cluster]"
        )

    def _deliver(self, event: tuple[float, dict[str, Any]]) -> None:
        box = self._boxes.get(str(event[1].get("id")))
        if box is not None:
            box.put(event[1])


def amounts(resources: Mapping[str, float]) -> str:
    """Return resources for people: ``GPU 0.5, lemnis-cores 4``."""
    return ", ".join(f"{name} {much:g}" for name, much in sorted(resources.items())) or "no resources"


def cluster_words(declared: Cluster, root: Path) -> str:
    """Return what the cluster offers now in one line; raises what connecting to it raises."""
    connected = ClusterClient(declared, root)
    try:
        workers = connected.workers()
    finally:
        connected.close()
    if not workers:
        raise LemnisError(
            f"{declared.address} answers and has no worker.", f"Start one: dask worker {declared.address}"
        )
    total: dict[str, float] = {}
    for worker in workers:
        for name, much in worker.resources.items():
            total[name] = total.get(name, 0.0) + much
    count = f"{len(workers)} worker{'s' if len(workers) > 1 else ''}"
    return f"{declared.address}: {count}, {sum(one.threads for one in workers)} threads, {amounts(total)}"


def _security(files: Mapping[str, Path]) -> Any:
    """Return what Dask connects by TLS with, None without files; raises BadInput. Any: distributed is typed in part."""
    if not files:
        return None
    dask: Any = importlib.import_module("distributed")
    try:
        made = dask.Security(
            require_encryption=True,
            tls_ca_file=str(files["ca"]),
            tls_client_cert=str(files["certificate"]),
            tls_client_key=str(files["key"]),
        )
        made.get_connection_args("client")  # reads them
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The TLS files of the cluster can't be used: {error}.",
            "Mend ca, certificate and key in [cluster]: PEM files, of which the key fits the certificate.",
            "lemnis.toml [cluster]",
        ) from None
    return made


def _unreachable(address: str, why: str) -> Unavailable:
    return Unavailable(
        f"No Dask scheduler answers at {address}: {why}.",
        "Start one with `dask scheduler`, or mend address in [cluster].",
        "lemnis.toml [cluster]",
    )
