"""RetrainingRoom: what the console and the commands may ask about retraining; reads are SQLite alone."""

from lemnis.engine.config import load_config, parse_window
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining import ledger
from lemnis.engine.monitor.retraining.records import Event, Queued, Retraining, Way
from lemnis.engine.monitor.retraining.splits import judged_windows, served
from lemnis.engine.store import Store


class RetrainingRoom:
    """Retrainings of one workspace: begun by the policy in the watch, or by a person here."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def start(self, endpoint: str, who: str, reason: str, way: Way | None = None) -> Retraining:
        """Queue a retraining of the model an endpoint serves, and return it.

        Args:
            endpoint: Empty for the one that answered last.
            who: Who wants it.
            reason: Why; kept with it.
            way: Which rows, and from what it begins; None for what [retraining] declares.

        Raises:
            NotFound: The endpoint serves nothing.
            BadInput: Too few windows have their labels, the choice of rows means none, or one is under way.
        """
        config = load_config(self.store.workspace.config)
        chosen = endpoint or self.usual_endpoint()
        served(self.store, chosen)
        judged_windows(list_windows(self.store, chosen))
        wanted = way or Way(window=config.retraining.window)
        try:
            parse_window(wanted.window)
        except ValueError as error:
            raise BadInput(f"{error}.", "Write for example --window last:90d.", "--window") from None
        for one in self.retrainings(chosen, limit=1):
            if one.live:
                remedy = f"Wait for it, or stop it: `lemnis jobs cancel {one.job_id}`."
                raise BadInput(f"A retraining of {chosen} is under way already.", remedy, f"job {one.job_id}")
        made = ledger.ask(self.store, chosen, config, who=who, reason=reason, way=wanted)
        JobsRoom(self.store).ensure_supervisor()
        return made

    def usual_endpoint(self) -> str:
        """Return the endpoint that answered last; raises NotFound."""
        name = self.store.value("select endpoint from monitor_cursors order by arrived_at desc limit 1")
        if name is None:
            raise NotFound("Nothing was served yet.", "Deploy a model first: `lemnis deploy MODEL@champion`.")
        return str(name)

    def retraining(self, retraining_id: int) -> Retraining:
        """Return one retraining; raises NotFound."""
        return ledger.find(self.store, retraining_id)

    def retrainings(self, endpoint: str = "", limit: int = 50) -> list[Retraining]:
        """Return retrainings, newest first."""
        return ledger.listed(self.store, endpoint, limit)

    def queue(self) -> list[Queued]:
        """Return what the policy would do now about each cause; nothing is begun. Raises ConfigError."""
        return ledger.queue(self.store, load_config(self.store.workspace.config))

    def events(self, endpoint: str = "", limit: int = 200) -> list[Event]:
        """Return what was decided, newest first: who, when and why."""
        return ledger.events(self.store, endpoint, limit)
