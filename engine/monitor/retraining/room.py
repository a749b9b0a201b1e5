"""RetrainingRoom: what the console and the commands may ask about retraining; reads are SQLite alone."""

from collections.abc import Sequence
from typing import get_args

from lemnis.engine.config import load_config, parse_window
from lemnis.engine.deploy import ModelVersion
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.retraining import ledger, plans, studied
from lemnis.engine.monitor.retraining.loop import loop_of
from lemnis.engine.monitor.retraining.records import Event, Loop, Queued, Retraining, Start, Study, StudyKind, Try, Way
from lemnis.engine.monitor.retraining.splits import judged_windows, served
from lemnis.engine.monitor.spans import Width
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

    def way(self, window: str = "", start: str = "full") -> Way:
        """Return how a challenger is to be trained; an empty window is the declared one. Raises BadInput."""
        for known in get_args(Start):
            if start == known:
                return Way(window=window or load_config(self.store.workspace.config).retraining.window, start=known)
        raise BadInput(
            f"A training does not start {start!r}.", f"Choose one of {', '.join(get_args(Start))}.", "--start"
        )

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

    def loop(self, endpoint: str = "", *, watching: str = "") -> Loop:
        """Return the loop of an endpoint, empty for the one that answered last; see `loop.loop_of`."""
        config = load_config(self.store.workspace.config)
        return loop_of(self.store, config, endpoint or self.usual_endpoint(), watching=watching)

    def start_curve(self, endpoint: str, who: str, windows: Sequence[str] = ()) -> Study:
        """Queue trainings on several choices of rows, judged on the same ones; see `plans.curve`."""
        name, champion = self._champion(endpoint)
        return self._begin("curve", name, champion, plans.curve(self.store, name, list(windows)), who)

    def start_warm(self, endpoint: str, who: str, window: str = "all") -> Study:
        """Queue full training, going on from the champion and refitting it; see `plans.warm`."""
        name, champion = self._champion(endpoint)
        return self._begin("warm", name, champion, plans.warm(self.store, name, window), who)

    def start_backtest(
        self, endpoint: str, who: str, *, every: Width = "month", spans: int = 6, window: str = "all"
    ) -> Study:
        """Queue one retraining for each of the latest spans, as if it had been done then; see `plans.backtest`."""
        name, champion = self._champion(endpoint)
        config = load_config(self.store.workspace.config)
        plan = plans.backtest(self.store, champion, config, every=every, spans=spans, window=window)
        return self._begin("backtest", name, champion, plan, who)

    def study(self, study_id: int) -> Study:
        """Return one study with what was tried so far; raises NotFound."""
        return studied.find(self.store, study_id)

    def studies(self, endpoint: str = "", limit: int = 20) -> list[Study]:
        """Return studies, newest first."""
        return studied.listed(self.store, endpoint, limit)

    def _champion(self, endpoint: str) -> tuple[str, ModelVersion]:
        name = endpoint or self.usual_endpoint()
        return name, served(self.store, name)

    def _begin(self, kind: StudyKind, endpoint: str, champion: ModelVersion, plan: list[Try], who: str) -> Study:
        made = studied.begin(self.store, kind, endpoint, (champion.model, champion.version), plan, who)
        JobsRoom(self.store).ensure_supervisor()
        return made
