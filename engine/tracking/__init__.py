"""The door of tracking: an MLflow server over this workspace's runs, for any framework's client."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.deploy import ModelVersion
    from lemnis.engine.tracking.clients import ClientVersion
    from lemnis.engine.tracking.script import Wanted
    from lemnis.engine.tracking.transfer.records import Brought

__all__ = ["TrackingRoom"]


class TrackingRoom:
    """Keeps the tracking server up, and says where it is."""

    def __init__(self, store: Store) -> None:
        self.store, self.jobs = store, JobsRoom(store)

    def url(self) -> str:
        """Return where the server answers, empty while it does not run."""
        from lemnis.engine.tracking import service

        return service.url(self.jobs)

    def start(self, host: str = "", port: int = 0) -> str:
        """Keep the server up, and return its address once it answers.

        Args:
            host: The address to listen at; empty for the one it had, at first loopback. Any other needs a token.
            port: 0 for the one it had, at first a free one.

        Raises:
            Unavailable: It can't start, or the address needs a token.
        """
        from lemnis.engine.tracking import service

        service.declare(self.store, self.jobs, host, port)
        self.jobs.ensure_supervisor()
        return service.wait(self.store, self.jobs)

    def run(self, wanted: "Wanted") -> int:
        """Queue a command as a run and return the run's number. See `script.start`."""
        from lemnis.engine.tracking import script

        run_id = script.start(self.store, self.jobs, wanted)
        self.jobs.ensure_supervisor()
        return run_id

    def import_runs(
        self, place: str, artifacts: Path | None = None, tell: "Callable[[Brought], None]" = lambda _: None
    ) -> "Brought":
        """Bring the runs of an MLflow store in, each once; return what came.

        Args:
            place: An `mlruns` folder, a SQLite file, or a server's address.
            artifacts: Where the artifacts of a SQLite store are that went through its server.
            tell: Called after every run.

        Raises:
            NotFound: There is nothing at this place.
            BadInput: It is no store of MLflow's, or holds what can't be read.
            Unavailable: The server does not answer, or PyYAML is missing.
        """
        from lemnis.engine.tracking.transfer.bring import bring_in
        from lemnis.engine.tracking.transfer.place import source_of

        source = source_of(place, artifacts)
        try:
            return bring_in(self.store, source, tell)
        finally:
            source.close()

    def export_runs(
        self, place: Path, run_ids: Sequence[int], tell: "Callable[[Brought], None]" = lambda _: None
    ) -> "Brought":
        """Write runs as a new `mlruns` folder: parameters, every point, tags, notes, inputs and artifacts.

        Raises:
            BadInput: The folder is not empty or can't be written.
        """
        from lemnis.engine.tracking.transfer.write import write_folder

        return write_folder(self.store, place, run_ids, tell)

    def send_runs(
        self, url: str, run_ids: Sequence[int], tell: "Callable[[Brought], None]" = lambda _: None
    ) -> "Brought":
        """Send runs to an MLflow server, with their models and the registry, each once. See `transfer.send`."""
        from lemnis.engine.tracking.transfer.send import send_to

        return send_to(self.store, url, run_ids, tell)

    def client_versions(self) -> "list[ClientVersion]":
        """Return the model versions that MLflow's clients have registered, by name and newest first."""
        from lemnis.engine.tracking import clients

        return clients.client_versions(self.store)

    def adopt(self, name: str, version: int, model: str, who: str, why: str) -> "ModelVersion":
        """Make a LightGBM model that a client registered a version of Lemnis. See `adopting.adopt`."""
        from lemnis.engine.tracking import adopting

        return adopting.adopt(self.store, name, version, model, who=who, why=why)

    def create_token(self) -> str:
        """Make the server's token and return it, once."""
        from lemnis.engine.tracking import service

        return service.create_token(self.store)

    def log(self) -> str:
        """Return the end of the server's log."""
        from lemnis.engine.tracking.service import SERVICE

        return self.jobs.service_log(SERVICE)
