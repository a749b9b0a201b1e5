"""What was verified of a run besides its measures: slices, perturbations, folds; kept and read, SQLite only."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from lemnis.engine.config import load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.runs import get_run
from lemnis.engine.store import Store
from lemnis.engine.text import safe

SCHEMES = ("k-fold", "time", "group")
MOST_FOLDS = 20
Kept = TypeVar("Kept", bound=Struct)
SAME = 1e-3  # share of rows that may be answered otherwise by a fault that should change nothing
KINDS: Mapping[str, str] = {  # of faults, each with the rule by which it passes
    "column absent": "refused",
    "no value": "loses at most the allowed",
    "unknown category": "loses at most the allowed",
    "unit × 1000": "refused, or loses at most the allowed",
    "time zone + 5 h": "refused, or loses at most the allowed",
    "columns shuffled": "every answer is the same",
    "float32": f"at most {SAME:.1%} of the rows are answered otherwise",
}


class Slice(Struct, frozen=True, kw_only=True):
    """Rows where the model is worse than elsewhere.

    Attributes:
        words: What they have in common.
        where: The SQL that finds them in the version; empty where there is none.
        share: Of the rows that were looked at.
        loss: Mean loss in it; `rest` of all other rows; `low` and `high` the 95 % interval of the difference.
        q: The share of false discoveries if this slice and all stronger ones are taken.
        value: The task's first measure in it.
    """

    words: str
    where: str
    rows: int
    share: float
    loss: float
    rest: float
    low: float
    high: float
    q: float
    value: float | None


class Slices(Struct, frozen=True, kw_only=True):
    """The slices of a run on one part, the largest loss in all first.

    Attributes:
        loss_name: What is lost a row; `loss` its mean.
        metric: The task's first measure; `value` over all rows.
        tested: Slices that had `least_rows` and were tested.
        blocks: What was counted together: days or rows.
    """

    run_id: int
    part: str
    rows: int
    loss_name: str
    loss: float
    metric: str
    value: float | None
    tested: int
    least_rows: int
    blocks: str
    slices: list[Slice]
    at: int
    job_id: int | None = None


class Perturbation(Struct, frozen=True, kw_only=True):
    """One fault put into requests, and what the serving path and the model made of it.

    Attributes:
        kind: The fault, a key of KINDS.
        feature: Where; empty for all features at once.
        refused: What the serving path said; empty if it took the rows.
        value: The task's first measure with the fault; None if refused.
        loss: How much poorer it is.
        changed: Share of rows that are answered otherwise (of numbers: by more than a tenth of their spread).
        passed: By the rule of its kind.
    """

    kind: str
    feature: str
    refused: str = ""
    value: float | None = None
    loss: float | None = None
    changed: float | None = None
    passed: bool


class Perturbations(Struct, frozen=True, kw_only=True):
    """The faults that were tried on a sample of the rows that judge a run.

    Attributes:
        metric: The task's first measure; `value` without a fault, `constant` of the constant answer.
        allowed: How much poorer it may get.
        features: How many were tried, of `of`.
    """

    run_id: int
    part: str
    rows: int
    metric: str
    value: float | None
    constant: float | None
    allowed: float
    features: int
    of: int
    tried: list[Perturbation]
    at: int
    job_id: int | None = None


class FoldResult(Struct, frozen=True, kw_only=True):
    """A model of the run's conditions that learned from some rows and was judged by others.

    Attributes:
        name: Which rows judged: ``2013-07``, ``part 2``, the groups.
        learned, judged: How many rows.
    """

    name: str
    learned: int
    judged: int
    metrics: dict[str, float | None]
    seconds: float


class Folds(Struct, frozen=True, kw_only=True):
    """A run's conditions trained again on folds.

    Attributes:
        scheme: k-fold, time or group; `column` what groups follow.
        parts: Whose rows were used.
        metric: The task's first measure; `mean` and `spread` (standard deviation) over the folds, `worst` the name of
            the poorest.
        rounds: Trees of each model; 1 where it is fitted in one go.
        of: How many folds were asked for: fewer results and it was stopped.
    """

    run_id: int
    scheme: str
    column: str
    parts: list[str]
    metric: str
    mean: float | None
    spread: float | None
    worst: str
    rounds: int
    folds: list[FoldResult]
    of: int
    seconds: float
    at: int
    job_id: int | None = None


def save_verification(store: Store, kind: str, found: "Slices | Perturbations | Folds") -> None:
    """Keep what was found in place of what was found before."""
    detail = msgspec.json.encode(found).decode()
    row = {"run_id": found.run_id, "kind": kind, "detail": detail, "at": found.at, "job_id": found.job_id}
    with store.write() as db:
        db.table("verifications").insert(row, replace=True)


def find_verification(store: Store, run_id: int, kind: str, as_type: type[Kept]) -> Kept | None:
    """Return what was found of a run; None before it was looked for."""
    detail = store.value("select detail from verifications where run_id = ? and kind = ?", [run_id, kind])
    return None if detail is None else msgspec.json.decode(detail, type=as_type)


def list_folds(store: Store, run_id: int) -> list[Folds]:
    """Return every scheme of folds that was tried with a run, the latest first."""
    rows = store.rows(
        "select detail from verifications where run_id = ? and kind like 'folds %' order by at desc", [run_id]
    )
    return [msgspec.json.decode(row["detail"], type=Folds) for row in rows]


def folds_job(store: Store, run_id: int, scheme: str, k: int, columns: Sequence[str]) -> dict[str, Any]:
    """Return the job that trains a run's conditions on folds, as `submit` takes it. Any: a job's fields.

    Raises:
        NotFound: There is no such run.
        BadInput: The scheme or number can't be used, the run has no model, or no group is declared.
    """
    run = get_run(store, run_id)
    if scheme not in SCHEMES or not 2 <= k <= MOST_FOLDS:
        raise BadInput(
            f"{safe(scheme, limit=40)} folds, {k} of them, can't be made.",
            f"Choose one of {', '.join(SCHEMES)}, and 2 to {MOST_FOLDS} folds.",
        )
    if run.uid is not None or not run.model_sha256:
        raise BadInput(f"Run {run_id} has no conditions to train again.", "Take a finished training of Lemnis.")
    chosen = list(columns) or (load_config(store.workspace.config).dataset.group if scheme == "group" else [])
    if scheme == "group" and not chosen:
        raise BadInput(
            "No column says which rows are of one group.", "Name it: group:COLUMN, or declare dataset.group."
        )
    return {
        "kind": "evaluate.folds",
        "title": f"{k} folds of run {run_id} by {scheme}",
        "arguments": {"run": run_id, "scheme": scheme, "k": k, "columns": chosen if scheme == "group" else []},
        "cores": run.cores,
        "memory_bytes": run.memory_bytes,
        "gpu": run.gpu,
    }
