"""The door of tracking: an MLflow server over this workspace's runs, for any framework's client."""

from typing import TYPE_CHECKING

from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.tracking.script import Wanted

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

    def create_token(self) -> str:
        """Make the server's token and return it, once."""
        from lemnis.engine.tracking import service

        return service.create_token(self.store)

    def log(self) -> str:
        """Return the end of the server's log."""
        from lemnis.engine.tracking.service import SERVICE

        return self.jobs.service_log(SERVICE)
