"""Runs: the record of one training with every condition, and reading them in pages straight from SQL."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from lemnis.engine.errors import NotFound
from lemnis.engine.jobs.states import ENDED, JobState
from lemnis.engine.store import Row, Store
from lemnis.engine.store.revisions import move_topic

if TYPE_CHECKING:
    from sqlite_utils import Database

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
READ = """select runs.*, coalesce(v.name || ' v' || v.number, '') as data_version,
            j.progress, coalesce(j.progress_text, '') as progress_text, coalesce(j.gpu, 0) as gpu,
            coalesce(e.name, '') as experiment
          from runs left join versions v on v.id = runs.version_id left join jobs j on j.id = runs.job_id
            left join experiments e on e.id = runs.experiment_id
          where runs.id in ({})"""


class Run(Struct, frozen=True, kw_only=True):
    """One training and its conditions.

    Attributes:
        why: Why it is in its state; always a sentence.
        data_version: The dataset version for people, such as ``flights v3``; `version_id` is its hash.
        algorithm: How it learns: gbdt, dart, rf, goss, extra_trees, linear_tree, linear or constant.
        group_name: What it was started together with, such as ``grid 3``; empty for a run of its own.
        feature_set_revision: Which choice of that set it was trained with; None for a list by hand.
        device_asked: What was asked for: auto, cpu, gpu or cuda. `device` is what it really trained on.
        executor: Where it trains: local or dask; `spread` over all workers of the cluster, else on one of them.
        gpu: Share of a GPU that its job holds, or held.
        rounds: How many were asked for; `rounds_done` how many there are, `best_round` the best on validation.
        progress, progress_text: Of its job: 0 to 1, and in words with the time that is left.
        metrics: The latest value by name, None for NaN; of the finished model once it is finished.
        reproduces: The run whose conditions it repeats.
        uid: How clients call a run that they log: 32 hexadecimal digits; None for a training of ours.
        experiment_id, experiment: MLflow's grouping of runs; 0 is what names none, and every training of ours.
        created_at, started_at, ended_at: Epoch ms.
    """

    id: int
    name: str
    state: JobState
    why: str
    job_id: int | None
    preset: str
    algorithm: str
    group_name: str = ""
    task: str
    target: str
    version_id: str | None
    data_version: str
    features: list[str]
    feature_set: str
    feature_set_revision: int | None
    problem_sha256: str
    seed: int | None
    device_asked: str
    device: str
    cores: float
    executor: str = "local"
    spread: bool = False
    cluster: dict[str, Any] = {}  # Any: facts of the cluster, see remote.site.Facts
    gpu: float = 0.0
    memory_bytes: int
    machine: dict[str, Any]  # Any: facts of the machine, texts and numbers
    code_version: str
    libraries: dict[str, str]
    rounds: int | None
    rounds_done: int
    progress: float | None
    progress_text: str
    best_round: int | None
    model_sha256: str | None
    reproduces: int | None
    note: str
    pinned: bool
    archived_at: int | None
    deleted_at: int | None
    uid: str | None = None
    experiment_id: int = 0
    experiment: str = ""
    user: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    params: dict[str, str]
    metrics: dict[str, float | None]
    tags: dict[str, str]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def set_reference(self) -> str:
        """The very choice of a feature set it was trained with: ``default@3``; empty for a list by hand."""
        return f"{self.feature_set}@{self.feature_set_revision}" if self.feature_set_revision else self.feature_set

    def duration_s(self, now_ms: int) -> float | None:
        """Return how long it trained, or has trained so far, in seconds; None before it started."""
        if self.started_at is None:
            return None
        end = self.ended_at if self.ended_at is not None and self.ended else now_ms
        return max(0, end - self.started_at) / 1000


class RunPage(Struct, frozen=True, kw_only=True):
    """Some of the runs that were asked for, and how many there are in all."""

    total: int
    runs: list[Run]


def get_run(store: Store, run_id: int) -> Run:
    """Return one run, deleted or not.

    Raises:
        NotFound: There is none with this id.
    """
    found = read_runs(store, [run_id])
    if not found:
        raise NotFound(f"There is no run {run_id}.", "List them with `lemnis runs list`.")
    return found[0]


def read_runs(store: Store, ids: Sequence[int]) -> list[Run]:
    """Return runs by number, in this order, with parameters, metrics and tags; one that does not exist is left out.

    Four queries, whatever their number.
    """
    rows = {int(row["id"]): row for row in store.rows(READ.format(", ".join("?" * len(ids))), ids)}
    params, metrics, tags = (pairs_of(store, table, ids) for table in ("run_params", "run_metrics", "run_tags"))
    return [run_in(rows[key], params[key], metrics[key], tags[key]) for key in ids if key in rows]


def pairs_of(store: Store, table: str, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return key and value by run; every run has an entry. Any: texts or numbers, as the table has them."""
    found: dict[int, dict[str, Any]] = {run_id: {} for run_id in ids}
    marks = ", ".join("?" * len(ids))
    for run_id, key, value in store.rows(f"select run_id, key, value from {table} where run_id in ({marks})", ids):
        found[run_id][key] = value  # by place: a Row looks names up one by one; by run and key, as the table is
    return found


def run_in(row: Row, params: dict[str, str], metrics: dict[str, float | None], tags: dict[str, str]) -> Run:
    """Return the run of one row."""
    # Any: columns of the row, which the record names and types again.
    values: dict[str, Any] = dict(zip(row.keys(), row, strict=True))
    values |= {name: msgspec.json.decode(row[name]) for name in ("features", "machine", "libraries", "cluster")}
    values |= {
        "pinned": bool(row["pinned"]),
        "spread": bool(row["spread"]),
        "params": params,
        "metrics": metrics,
        "tags": tags,
    }
    return Run(**values)


def as_text(value: object) -> str:
    """Return a parameter's value as it is stored: `true`, `0.1`, `gbdt`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_number(text: str) -> float | None:
    """Return the finite number that a stored text is, or None."""
    if not ((text.isascii() and text.isdigit()) or NUMBER.fullmatch(text)):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def insert_pairs(db: "Database", table: str, run_id: int, pairs: Iterable[tuple[str, object]]) -> None:
    """Add rows to the run_params of a run, or to its run_tags and replace those of the same names.

    The run is inserted in the same transaction, which says that runs have changed; for one that is there: `add_pairs`.
    """
    verb = "insert or replace" if table == "run_tags" else "insert"
    # sqlite-utils asks for a table's columns at every insert, which takes it longer than SQLite takes for the rows.
    db.conn.executemany(
        f"{verb} into {table} (run_id, key, value, number) values (?, ?, ?, ?)",
        [(run_id, key, text := as_text(value), as_number(text)) for key, value in pairs],
    )


def add_pairs(db: "Database", table: str, run_id: int, pairs: Iterable[tuple[str, object]]) -> None:
    """Give a run that is there already parameters or tags, as `insert_pairs` does."""
    insert_pairs(db, table, run_id, pairs)
    move_topic(db, "experiments")


def write_metrics(db: "Database", run_id: int, latest: Iterable[tuple[str, float | None, int]]) -> None:
    """Write what a training's metrics are now: key, value and step."""
    db.conn.executemany(
        "insert or replace into run_metrics (run_id, key, value, step) values (?, ?, ?, ?)",
        [(run_id, *one) for one in latest],
    )
    move_topic(db, "experiments")
