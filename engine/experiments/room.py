"""ExperimentsRoom: what the other rooms and the console may ask of the runs; nothing is trained in this process."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lemnis.engine import remembered
from lemnis.engine.config import Preset, View, load_config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import marks, views
from lemnis.engine.experiments.advisor import Advisor
from lemnis.engine.experiments.compare import Comparison, compare_runs
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.points import SPOOL, Curve, last_point_at, read_curves, read_spool
from lemnis.engine.experiments.runs import Run, RunPage, get_run, read_runs
from lemnis.engine.experiments.search import Search, Shelf, all_of, count_of, page_of, read_search, value_in
from lemnis.engine.jobs import Job, JobsRoom, user_name
from lemnis.engine.query import Completion
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.experiments.code import CodeDiff
    from lemnis.engine.experiments.grid import Grids
    from lemnis.engine.experiments.grouping import Groups
    from lemnis.engine.experiments.predictions import Gain
    from lemnis.engine.features.signature import Signature


MOST_COMPARED = 20
T = TypeVar("T")


class ExperimentsRoom:
    """Runs of one workspace. Starting queues a job; nothing is trained in this process."""

    def __init__(self, store: Store, champion: Callable[[], int | None] = lambda: None) -> None:
        """Open the room.

        Args:
            store: The workspace's.
            champion: Says which run is the champion, for queries that compare with it.
        """
        self.store, self.champion = store, champion

    def presets(self) -> dict[str, Preset]:
        """Return the declared presets by name."""
        return load_config(self.store.workspace.config).presets

    def start(
        self,
        preset: str | None = None,
        *,
        overrides: Mapping[str, Value] | None = None,
        version: str | int | None = None,
        features: Sequence[str] | str | None = None,
        device: str | None = None,
        name: str = "",
        user: str = "",
        despite_checks: str = "",
    ) -> int:
        """Queue a training and return the run's id; the supervisor trains it when it fits.

        Args:
            preset: A [presets.NAME] of lemnis.toml; None for `default`.
            overrides: Values that replace the preset's: rounds, early_stopping, seed, cores, memory, or any
                parameter of LightGBM.
            version: Dataset version by number or id prefix; None for the latest.
            features: Column names, or the name of a feature set; None for the preset's, else the declared one.
            device: auto, cpu, gpu (OpenCL) or cuda, instead of the preset's.
            name: What to call the run; by default the preset and what was overridden.
            user: Who starts it; by default who the system says.
            despite_checks: Why it is trained although a check of the data failed; kept with the run.

        Raises:
            NotFound: There is no such preset, version, feature set or column.
            BadInput: A value is not accepted, or the problem has no target.
            ChecksFailed: The data fail a check that nobody waives, and no reason is given.
        """
        from lemnis.engine.experiments import start
        from lemnis.engine.problem import ProblemRoom

        chosen = {**(overrides or {}), **({"device": device} if device else {})}
        return start.start_run(
            self.store,
            load_config(self.store.workspace.config),
            preset,
            overrides=chosen,
            version=version,
            features=features,
            name=name,
            user=user or user_name(),
            problem_sha256=ProblemRoom(self.store).problem_sha256(),
            despite_checks=despite_checks,
        )

    @property
    def advisor(self) -> Advisor:
        """On which device to train, tried with the data themselves."""
        return Advisor(self.store)

    @property
    def grids(self) -> "Grids":
        """Many runs at once: every combination of versions, algorithms and values."""
        from lemnis.engine.experiments.grid import Grids

        return Grids(self.store)

    @property
    def groups(self) -> "Groups":
        """Runs by what they have in common."""
        from lemnis.engine.experiments.grouping import Groups

        return Groups(self.store, self._value_of)

    def reproduce(self, run_id: int, *, user: str = "") -> int:
        """Queue a run under the very conditions of another and return its id.

        When it has finished its tag `reproduction` is `identical` if the model files are, `within tolerance` if every
        validation metric is within 0.1 %, else `differs`; its tag `reproduction_why` says why.
        """
        from lemnis.engine.experiments import start

        threshold = load_config(self.store.workspace.config).problem.threshold
        return start.repeat_run(self.store, get_run(self.store, run_id), user=user or user_name(), threshold=threshold)

    def start_ablation(
        self, features: Sequence[str], *, parent: int | None = None, version: str | int | None = None, user: str = ""
    ) -> int:
        """Queue the same training without some features and return the run's id.

        When both models are there, the difference on later rows is measured with an interval by a job of its own and
        stands in `EvaluateRoom.ablations`.

        Args:
            features: What to leave out, together.
            parent: The run to leave them out of; None for the baseline, else the latest run of the version that has
                them, else a new run of the default preset.
            version: Dataset version when no parent is named; None for the latest.
            user: Who starts it; by default who the system says.

        Raises:
            NotFound: There is no such run or version, or the run was trained without one of the features.
            BadInput: No feature would be left.
        """
        from lemnis.engine.experiments import ablation

        threshold = load_config(self.store.workspace.config).problem.threshold
        whole = ablation.find_parent(self.store, features, version) if parent is None else get_run(self.store, parent)
        if whole is None:
            from lemnis.engine.features import FeaturesRoom

            offered = FeaturesRoom(self.store).feature_set(version=version)
            for name in features:
                if name not in offered.features:
                    remedy = "Keep it in the set, or name a run that was trained with it."
                    raise NotFound(f"{name} is not in set {offered.name}, and no run was trained with it.", remedy)
            whole = get_run(self.store, self.start(version=version, user=user))
        return ablation.ablate_run(self.store, whole, features, user=user or user_name(), threshold=threshold)

    def cancel(self, run_id: int) -> Job:
        """Ask a run to stop: at once if it waits, at the next round if it trains; its checkpoint stays.

        Raises:
            BadInput: It has ended, or a client logs it, which alone can stop it.
        """
        return JobsRoom(self.store).cancel(self._job_of(run_id))

    def resume(self, run_id: int) -> Job:
        """Queue a failed, cancelled or lost run again; it goes on from its checkpoint.

        Raises:
            BadInput: It is finished or has not ended.
        """
        return JobsRoom(self.store).retry(self._job_of(run_id))

    def run(self, run_id: int) -> Run:
        """Return one run; raises NotFound."""
        return get_run(self.store, run_id)

    def search(
        self,
        query: str = "",
        sort: str = "",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
        *,
        shelf: Shelf = "active",
    ) -> RunPage:
        """Return a page of runs, and how many there are in all.

        Args:
            query: In the query language; empty for all.
            sort: A field such as `metrics.auc`; runs without it come last. Empty: newest first.
            descending: Largest first.
            limit: How many at most.
            offset: How many to leave out at the front.
            shelf: `active`, or the `archived` or `deleted` runs instead.

        Raises:
            QueryError: The query or the sort field can't be read; it names the column.
        """
        asked = self._asked(query, sort, descending, shelf)
        runs = read_runs(self.store, page_of(self.store, asked, limit, offset))
        return RunPage(total=count_of(self.store, asked), runs=runs)

    def page(
        self,
        query: str = "",
        sort: str = "",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
        *,
        shelf: Shelf = "active",
    ) -> list[Run]:
        """Return what `search` finds, without counting all; raises QueryError."""
        asked = self._asked(query, sort, descending, shelf)
        return read_runs(self.store, page_of(self.store, asked, limit, offset))

    def count(self, query: str = "", *, shelf: Shelf = "active") -> int:
        """Return how many runs a query finds; raises QueryError."""
        return count_of(self.store, self._asked(query, "", True, shelf))

    def numbers(
        self, query: str = "", sort: str = "", descending: bool = True, *, shelf: Shelf = "active"
    ) -> Sequence[int]:
        """Return the numbers of all runs a query finds, in order; raises QueryError. `runs` reads some of them."""
        return all_of(self.store, self._asked(query, sort, descending, shelf))

    def runs(self, ids: Sequence[int]) -> list[Run]:
        """Return runs by number, in this order; one that does not exist is left out."""
        return read_runs(self.store, ids)

    def keys(self, family: str) -> list[str]:
        """Return the names of all `metrics`, `params` or `tags` that a run has, in order."""
        from lemnis.engine.experiments import names

        return names.keys_of(self.store, family)

    def complete(self, text: str) -> Completion:
        """Return what may stand at the end of a query that is being typed."""
        from lemnis.engine.experiments import names

        return names.completed(self.store, text)

    def views(self) -> dict[str, View]:
        """Return the saved views by name; raises ConfigError."""
        return views.views_of(self.store)

    def view(self, name: str) -> View:
        """Return a saved view; raises NotFound."""
        return views.view_of(self.store, name)

    def save_view(self, name: str, view: View, who: str) -> bool:
        """Declare a view in lemnis.toml, comments kept; return whether it differs. Raises BadInput, QueryError."""
        return views.save_view(self.store, name, view, who)

    def remove_view(self, name: str, who: str) -> bool:
        """Take a view out of lemnis.toml; raises NotFound. Return whether the file differs."""
        return views.remove_view(self.store, name, who)

    def recall(self, what: str, kind: type[T], usual: T) -> T:
        """Return what this person's console remembers of the runs here, such as chosen columns; else the usual."""
        return remembered.recall(self.store, user_name(), f"runs.{what}", kind, usual)

    def remember(self, what: str, value: object) -> None:
        """Keep something for this person's next console; read-only, nothing is kept."""
        remembered.remember(self.store, user_name(), f"runs.{what}", value)

    def baseline(self) -> Run | None:
        """Return the pinned run, None if there is none."""
        run_id = self.store.value("select id from runs where pinned and +deleted_at is null limit 1")
        return None if run_id is None else get_run(self.store, run_id)

    def curve(self, run_id: int, keys: Sequence[str] | None = None, points: int = 400) -> dict[str, Curve]:
        """Return (round, value) by metric, down-sampled to about `points` each with first, last and extremes kept."""
        curves = read_curves(self.store, run_id, keys, points)
        for key, step, _, value in read_spool(self.store.workspace.run_dir(run_id) / SPOOL):
            if value is not None and (keys is None or key in keys):
                curves[key] = sorted({**dict(curves.get(key, [])), step: value}.items())
        return curves

    def last_point_at(self, run_id: int) -> int | None:
        """Return when a run's newest point was taken, epoch ms; None if it has none."""
        return last_point_at(self.store, run_id)

    def compare(self, run_ids: Sequence[int], baseline: int | None = None) -> Comparison:
        """Return runs side by side, the baseline first.

        Args:
            run_ids: Two or more.
            baseline: The run whose metrics the deltas refer to; by default the pinned one if it is among them,
                else the first.

        Raises:
            NotFound: One does not exist.
            BadInput: There are fewer than two, or too many.
        """
        ids: list[int] = list(dict.fromkeys([*([] if baseline is None else [baseline]), *run_ids]))
        if not 2 <= len(ids) <= MOST_COMPARED:
            raise BadInput(
                f"{len(ids)} runs can't be compared; 2 to {MOST_COMPARED} can.", "Mark them with space, then press c."
            )
        runs = [get_run(self.store, run_id) for run_id in ids]
        if baseline is None:
            runs.sort(key=lambda run: not run.pinned)  # the others stay in their order
        return compare_runs(runs)

    def code_diff(self, before: Run, after: Run) -> "CodeDiff":
        """Return how the code differs between the commits that two runs were trained with; asks git."""
        from lemnis.engine.experiments.code import code_diff

        return code_diff(self.store.workspace.root, before.code_version, after.code_version)

    def gains(self, run_ids: Sequence[int]) -> "dict[int, list[Gain]]":
        """Return what each feature gained in training, largest first, for the runs of which that was kept."""
        from lemnis.engine.experiments.predictions import kept_predictions

        return {run_id: kept.gains for run_id, kept in kept_predictions(self.store, run_ids).items()}

    def tag(self, run_id: int, key: str, value: str = "") -> None:
        """Give a run a tag."""
        marks.tag_run(self.store, run_id, key, value)

    def untag(self, run_id: int, key: str) -> None:
        """Take a tag away."""
        marks.untag_run(self.store, run_id, key)

    def note(self, run_id: int, note: str) -> None:
        """Replace a run's note."""
        marks.note_run(self.store, run_id, note)

    def pin(self, run_id: int | None) -> None:
        """Make a run the baseline; None for none."""
        marks.pin_run(self.store, run_id)

    def archive(self, run_ids: Sequence[int]) -> int:
        """Put ended runs aside; `unarchive` brings them back. Return how many were moved."""
        return marks.archive_runs(self.store, run_ids)

    def unarchive(self, run_ids: Sequence[int]) -> int:
        """Bring archived runs back. Return how many were moved."""
        return marks.archive_runs(self.store, run_ids, archived=False)

    def delete(self, run_ids: Sequence[int]) -> int:
        """Hide ended runs; `restore` brings them back. Return how many were hidden."""
        return marks.delete_runs(self.store, run_ids)

    def restore(self, run_ids: Sequence[int]) -> int:
        """Bring deleted runs back. Return how many were."""
        return marks.restore_runs(self.store, run_ids)

    def log(self, run_id: int, limit_bytes: int = 65_536) -> str:
        """Return the end of a run's log."""
        run = get_run(self.store, run_id)
        return "" if run.job_id is None else JobsRoom(self.store).log(run.job_id, limit_bytes)

    def model_path(self, run_id: int) -> Path:
        """Return the model file of a finished run.

        Raises:
            NotFound: The run has no model.
        """
        run = get_run(self.store, run_id)
        if run.model_sha256 is None:
            raise NotFound(f"Run {run_id} has no model: it is {run.state}.", "Choose a finished run.", f"run {run_id}")
        return self.store.workspace.run_dir(run_id) / "model.txt"

    def signature(self, run_id: int) -> "Signature":
        """Return what the run's model takes and answers.

        Raises:
            NotFound: The run has no signature yet.
        """
        from lemnis.engine.features.signature import Signature

        get_run(self.store, run_id)
        return Signature.load(self.store.workspace.run_dir(run_id) / "signature.json")

    def _asked(self, query: str, sort: str, descending: bool, shelf: Shelf) -> Search:
        now = self.store.now_ms()
        return read_search(query, sort, descending=descending, shelf=shelf, ask=self._value_of, now_ms=now)

    def _value_of(self, who: str, family: str, key: str) -> float | str | None:
        """Return what the champion or the baseline has in a field."""
        pinned = "select id from runs where pinned and +deleted_at is null limit 1"
        run_id = self.champion() if who == "champion" else self.store.value(pinned)
        return None if run_id is None else value_in(self.store, run_id, family, key)

    def _job_of(self, run_id: int) -> int:
        run = get_run(self.store, run_id)
        if run.job_id is None:
            raise BadInput(f"Run {run_id} was not started here.", "Only runs with a job can be stopped or resumed.")
        return run.job_id
