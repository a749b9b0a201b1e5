"""Runs that clients log: made, filled in batches and ended by calls from outside, not by a training of ours."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments.points import add_points
from lemnis.engine.experiments.runs import Run, add_pairs, get_run, insert_pairs
from lemnis.engine.jobs.states import ENDED, JobState
from lemnis.engine.store import Store
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database

KIND = "mlflow"  # in place of the algorithm of a training
RUN_NAME, NOTE = "mlflow.runName", "mlflow.note.content"  # tags that are fields of a run
WHY: Mapping[JobState, str] = {
    "queued": "its client has announced it",
    "running": "its client logs it",
    "finished": "finished",
    "failed": "its client says that it failed",
    "cancelled": "its client says that it was stopped",
}
LATEST = """insert into run_metrics (run_id, key, value, step, at) values (?, ?, ?, ?, ?)
    on conflict (run_id, key) do update set value = excluded.value, step = excluded.step, at = excluded.at
    where (excluded.step, excluded.at, coalesce(excluded.value, -9e999))
       >= (run_metrics.step, coalesce(run_metrics.at, 0), coalesce(run_metrics.value, -9e999))"""
NEW = """insert into runs (uid, name, algorithm, experiment_id, user, state, why, job_id, note, created_at, started_at,
           ended_at, deleted_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class Logged(NamedTuple):
    """One value of a metric; None is NaN."""

    key: str
    step: int
    at: int
    value: float | None


class Announced(Struct, frozen=True, kw_only=True):
    """A run as a client announces it, with what is known of it by then; times are epoch ms."""

    uid: str = ""
    name: str = ""
    experiment_id: int = 0
    user: str = ""
    state: JobState = "running"
    started_at: int | None = None
    ended_at: int | None = None
    deleted_at: int | None = None
    params: dict[str, str] = {}
    metrics: Sequence[Logged] = ()
    tags: dict[str, str] = {}


def uid_of(run: Run) -> str:
    """Return what a client calls a run: 32 hexadecimal digits; of a training of ours they are its number."""
    return run.uid or f"{run.id:032x}"


def find_run(store: Store, uid: str) -> Run:
    """Return the run that a client calls so, deleted or not.

    Raises:
        NotFound: There is none.
    """
    number: int | None = store.value("select id from runs where uid = ?", [uid])
    if number is None and len(uid) == 32 and uid.startswith("0" * 16):
        try:
            number = store.value("select id from runs where uid is null and id = ?", [int(uid, 16)])
        except (ValueError, OverflowError):
            number = None
    if number is None:
        raise NotFound(f"There is no run {safe(uid, limit=80)!r}.", "Ask for one that a search has found.")
    return get_run(store, number)


def announce(store: Store, run: Announced, *, job_id: int | None = None) -> int:
    """Store a run and return its number.

    Raises:
        NotFound: There is no such experiment.
        BadInput: The experiment is deleted.
    """
    with store.write() as db:
        row = db.conn.execute("select name, deleted_at from experiments where id = ?", (run.experiment_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no experiment {run.experiment_id}.", "Make it first.")
        if row["deleted_at"] is not None:
            raise BadInput(f"Experiment {safe(row['name'])} is deleted.", "Restore it first.")
        run_id = insert(db, run, job_id=job_id)
    if run.metrics:
        add_points(store, run_id, run.metrics)
    return run_id


def insert(db: "Database", run: Announced, *, job_id: int | None = None) -> int:
    """Store a run of an experiment that exists, without its curves, and return its number."""
    now, uid = now_ms(), run.uid or secrets.token_hex(16)
    name = run.name or run.tags.get(RUN_NAME) or f"run {uid[:8]}"
    created_at = now if run.started_at is None else run.started_at
    values = (
        *(uid, name, KIND, run.experiment_id, run.user, run.state, WHY.get(run.state, run.state), job_id),
        *(run.tags.get(NOTE, ""), created_at, run.started_at, run.ended_at, run.deleted_at),
    )
    run_id = int(db.conn.execute(NEW, values).lastrowid or 0)
    insert_pairs(db, "run_params", run_id, run.params.items())
    write_logged(db, run_id, run.metrics)
    insert_pairs(db, "run_tags", run_id, plain_tags({**run.tags, RUN_NAME: name}).items())
    return run_id


def write_logged(db: "Database", run_id: int, metrics: Iterable[Logged]) -> None:
    """Write what a run's metrics are now, where it was not logged later already; the caller says that runs changed."""
    db.conn.executemany(LATEST, [(run_id, one.key, one.value, one.step, one.at) for one in metrics])


def writable(run: Run) -> Run:
    """Return a run that a client may fill.

    Raises:
        BadInput: It was trained here, or is deleted.
    """
    if run.uid is None:
        raise BadInput(
            f"Run {run.id} was trained by Lemnis: its parameters and metrics are what its training recorded.",
            "Give it tags, or start a run of your own.",
        )
    return standing(run)


def standing(run: Run) -> Run:
    """Return a run that is not deleted; raises BadInput."""
    if run.deleted_at is not None:
        raise BadInput(f"Run {uid_of(run)} is deleted.", "Restore it first.")
    return run


def log_batch(
    store: Store,
    run: Run,
    *,
    metrics: Sequence[Logged] = (),
    params: Iterable[tuple[str, str]] = (),
    tags: Iterable[tuple[str, str]] = (),
) -> None:
    """Write what a client says of a run: everything, or nothing if a parameter has another value already.

    Raises:
        BadInput: A parameter would change.
    """
    given = agreed(run, params)
    if metrics:
        add_points(store, run.id, [(metric.key, metric.step, metric.at, metric.value) for metric in metrics])
    with store.write() as db:
        add_pairs(db, "run_params", run.id, ((k, v) for k, v in given.items() if run.params.get(k) != v))
        write_logged(db, run.id, metrics)
        write_tags(store, run.id, dict(tags))


def agreed(run: Run, params: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters by name; raises BadInput if one has two values."""
    given: dict[str, str] = {}
    for key, value in params:
        before = given.get(key, run.params.get(key, value))
        if before != value:
            raise BadInput(
                f"Parameter {safe(key, limit=80)} of run {uid_of(run)} is {safe(before, limit=80)!r} and can't become "
                f"{safe(value, limit=80)!r}.",
                "Log it under another name, or in another run.",
            )
        given[key] = value
    return given


def write_tags(store: Store, run_id: int, tags: Mapping[str, str]) -> None:
    """Give a run tags; those that are its name and its note become that too."""
    with store.write() as db:
        add_pairs(db, "run_tags", run_id, plain_tags(tags).items())
        if tags.get(RUN_NAME):
            db.execute("update runs set name = ? where id = ?", [tags[RUN_NAME], run_id])
        if NOTE in tags:
            db.execute("update runs set note = ? where id = ?", [tags[NOTE], run_id])


def plain_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are kept as such; the note is the run's note."""
    return {key: value for key, value in tags.items() if key != NOTE}


def remove_tag(store: Store, run: Run, key: str) -> None:
    """Take a tag of a run away; raises NotFound."""
    if key not in run.tags and not (key == NOTE and run.note):
        raise NotFound(f"Run {uid_of(run)} has no tag {safe(key, limit=80)!r}.", "See its tags.")
    with store.write() as db:
        db.execute("delete from run_tags where run_id = ? and key = ?", [run.id, key])
        if key == NOTE:
            db.execute("update runs set note = '' where id = ?", [run.id])


def move(
    store: Store, run: Run, *, state: JobState | None = None, ended_at: int | None = None, name: str = "", why: str = ""
) -> Run:
    """Write another state or name of a run and return it; the state of a run that a job works on is the job's."""
    with store.write() as db:
        if name:
            write_tags(store, run.id, {RUN_NAME: name})
        if state is not None and run.job_id is None:
            end = (now_ms() if ended_at is None else ended_at) if state in ENDED else None
            db.execute(
                """update runs set state = ?, why = ?, ended_at = ?,
                     started_at = case when ? = 'queued' then started_at else coalesce(started_at, ?) end
                   where id = ?""",
                [state, why or WHY[state], end, state, now_ms(), run.id],
            )
    return get_run(store, run.id)
