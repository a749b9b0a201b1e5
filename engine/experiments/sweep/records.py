"""What the sweeps tell: a sweep, its trials and what was done to it, read from their tables."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine.config import Preset
from lemnis.engine.errors import NotFound
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.experiments.sweep.expectation import Expectation
from lemnis.engine.experiments.sweep.goals import Constraint, Objective, best_of
from lemnis.engine.experiments.sweep.space import Dimension
from lemnis.engine.store import Row, Store
from lemnis.engine.text import safe

SweepState: TypeAlias = Literal["running", "paused", "finished", "failed"]
TrialState: TypeAlias = Literal["waiting", "running", "finished", "pruned", "failed"]
ENDED: tuple[TrialState, ...] = ("finished", "pruned", "failed")


class Start(Struct, frozen=True, kw_only=True):
    """What every trial starts from: all conditions but what varies, as they were when the sweep began.

    Attributes:
        features: A list by hand, or the name of a feature set with its revision.
        despite_checks: Why it is trained although a check of the data failed.
        gang: How many of the first trials start together; 0 for each as soon as it can.
    """

    preset: Preset
    task: Literal["binary", "multiclass", "regression"]
    target: str
    threshold: float
    features: list[str] | str
    problem_sha256: str
    despite_checks: str = ""
    gang: int = 0


class Insight(Struct, frozen=True, kw_only=True):
    """What the trials teach, measured by the job that drives the sweep.

    Attributes:
        ended: How many trials had ended then.
        importances: By parameter, largest first; they add up to 1. Empty while too few have finished.
        expectation: What 20 more trials may gain; None while too few ended, or with several objectives.
    """

    ended: int
    importances: dict[str, float] = {}
    expectation: Expectation | None = None


class Trial(Struct, frozen=True, kw_only=True):
    """One point of the space, and the run that tries it.

    Attributes:
        params: Of a waiting one only what was asked for; the sampler chooses the rest.
        values: In the order of the objectives; empty unless it is finished.
        missed: By how much each constraint is missed, 0 or less where it is kept; None where that is not known.
        last_round, last_value: Where a pruned one was ended, None if it told nothing.
        run_state, run_why, progress, progress_text, stopping: Of its run and that run's job.
        hosted: Whether it is trained on a cluster, waited for by the job that drives the sweep.
        enqueued_by: Who named the point; empty if the sampler did.
    """

    number: int
    state: TrialState
    why: str
    params: dict[str, Value]
    values: list[float]
    missed: list[float | None]
    last_round: int | None
    last_value: float | None
    run_id: int | None
    asked_to_stop: str
    enqueued_by: str
    created_at: int
    ended_at: int | None
    run_state: str = ""
    run_why: str = ""
    job_id: int | None = None
    attempts: int = 0
    stopping: bool = False
    hosted: bool = False
    progress: float | None = None
    progress_text: str = ""
    seconds: float | None = None

    @property
    def feasible(self) -> bool:
        """Whether it keeps to every constraint."""
        return all(missed is not None and missed <= 0 for missed in self.missed)


class Event(Struct, frozen=True, kw_only=True):
    """Something that a person, or the sweep by itself, did: when (epoch ms), who, what."""

    at: int
    user: str
    what: str


class Sweep(Struct, frozen=True, kw_only=True):
    """A search for better parameters.

    Attributes:
        trials: How many there are to be.
        declared, space: As it began, and as people have narrowed and frozen it since.
        timeout_s, spent_s: Time after which no trial is begun, None for none; how much of it has gone.
        counts: Trials by state.
        job_state, job_why: Of the job that drives it.
    """

    id: int
    name: str
    preset: str
    start: Start
    declared: list[Dimension]
    space: list[Dimension]
    sampler: str
    pruner: str
    objectives: list[Objective]
    constraints: list[Constraint]
    trials: int
    parallel: int
    timeout_s: float | None
    spent_s: float
    seed: int
    version_id: str
    data_version: str
    state: SweepState
    why: str
    job_id: int | None
    job_state: str
    job_why: str
    insight: Insight | None
    user: str
    created_at: int
    ended_at: int | None
    counts: dict[str, int]

    @property
    def at_once(self) -> str:
        """How many trials run at once at most, in words."""
        return f"{self.parallel} at once" if self.parallel else "as many at once as the cluster holds"

    @property
    def lanes(self) -> int:
        """How many trials run beside each other, as far as it is known."""
        return self.parallel or max(1, self.counts.get("running", 0))

    @property
    def executor(self) -> str:
        """Where its trials are trained: local or dask."""
        return self.start.preset.executor

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(self.counts.get(state, 0) for state in ENDED)

    @property
    def begun(self) -> int:
        """How many trials there are, waiting ones too."""
        return sum(self.counts.values())

    def best(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the best of its trials, or its Pareto front; see `goals.best_of`."""
        return best_of(self.objectives, [trial for trial in trials if trial.state == "finished"])


READ = """select s.*, v.name || ' v' || v.number as data_version, coalesce(j.state, '') as job_state,
            coalesce(j.why, '') as job_why,
            (select json_group_object(state, n) from
               (select state, count(*) as n from sweep_trials t where t.sweep_id = s.id group by state)) as counts
          from sweeps s join versions v on v.id = s.version_id left join jobs j on j.id = s.job_id"""
TRIALS = """select t.*, coalesce(r.state, '') as run_state, coalesce(r.why, '') as run_why, r.job_id,
              coalesce(j.attempts, 0) as attempts,
              coalesce(j.cancel_asked, 0) as stopping, coalesce(j.executor, '') = 'dask' as hosted,
              j.progress, coalesce(j.progress_text, '') as progress_text,
              (select value from run_metrics m where m.run_id = t.run_id and m.key = 'train_seconds') as seconds
            from sweep_trials t left join runs r on r.id = t.run_id left join jobs j on j.id = r.job_id
            where t.sweep_id = ?"""
JSON = {
    "start": Start,
    "declared": list[Dimension],
    "space": list[Dimension],
    "objectives": list[Objective],
    "constraints": list[Constraint],
    "counts": dict[str, int],
}


def read_sweeps(store: Store) -> list[Sweep]:
    """Return all sweeps, the newest first."""
    return [sweep_in(row) for row in store.rows(f"{READ} order by s.id desc")]


def get_sweep(store: Store, name: str | int) -> Sweep:
    """Return a sweep by its name or number.

    Raises:
        NotFound: There is none.
    """
    row = store.row(f"{READ} where s.name = ?", [name]) if isinstance(name, str) else None
    if row is None and str(name).isdecimal():
        row = store.row(f"{READ} where s.id = ?", [int(name)])
    if row is None:
        raise NotFound(f"There is no sweep {safe(name, limit=60)!r}.", "List them with `lemnis sweeps list`.")
    return sweep_in(row)


def sweep_in(row: Row) -> Sweep:
    """Return the sweep of one row."""
    # Any: columns of the row, which the record names and types again.
    values: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    values |= {name: msgspec.json.decode(row[name], type=kind) for name, kind in JSON.items()}
    values["insight"] = msgspec.json.decode(row["insight"], type=Insight) if row["insight"] else None
    return Sweep(**values)


def read_trials(store: Store, sweep_id: int, *, open_only: bool = False) -> list[Trial]:
    """Return the trials of a sweep in their order, or only those that have not ended."""
    which = " and t.state in ('waiting', 'running')" if open_only else ""
    return [trial_in(row) for row in store.rows(f"{TRIALS}{which} order by t.number", [sweep_id])]


def get_trial(store: Store, sweep: Sweep, number: int) -> Trial:
    """Return one trial; raises NotFound."""
    row = store.row(f"{TRIALS} and t.number = ?", [sweep.id, number])
    if row is None:
        raise NotFound(
            f"Sweep {sweep.name} has no trial {number}.", f"List them with `lemnis sweeps show {sweep.name}`."
        )
    return trial_in(row)


def trial_in(row: Row) -> Trial:
    """Return the trial of one row."""
    return Trial(
        params=msgspec.json.decode(row["params"], type=dict[str, Value]),
        values=msgspec.json.decode(row["vals"], type=list[float]),
        missed=msgspec.json.decode(row["missed"], type=list[float | None]),
        stopping=bool(row["stopping"]),
        hosted=bool(row["hosted"]),
        **{name: row[name] for name in PLAIN},
    )


PLAIN = tuple(
    name for name in Trial.__struct_fields__ if name not in ("params", "values", "missed", "stopping", "hosted")
)


def read_events(store: Store, sweep_id: int, limit: int = 200) -> list[Event]:
    """Return what was done to a sweep, the newest first."""
    rows = store.rows(
        "select at, user, what from sweep_events where sweep_id = ? order by id desc limit ?", [sweep_id, limit]
    )
    return [Event(at=row["at"], user=row["user"], what=row["what"]) for row in rows]
