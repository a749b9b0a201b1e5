"""The job `evaluate.pair`: scores held-out rows where that is not done yet, then tests runs against a baseline."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.clock import now_ms
from lemnis.engine.config import load_config
from lemnis.engine.errors import LemnisError, NotFound, StoreError
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.pairs import basis_of, known_significance, save_pair
from lemnis.engine.evaluate.records import Pair
from lemnis.engine.evaluate.subject import open_subject
from lemnis.engine.experiments.predictions import (
    Kept,
    Predictions,
    keep_predictions,
    kept_predictions,
    load_predictions,
)
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext


def pair(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Test runs against the first of them and keep what is found.

    Args:
        context: The job.
        arguments: ``runs``: ids, the baseline first; ``part``: validation, test, or empty for the first there is.

    Raises:
        NotFound: A run is not there.
        BadInput: The baseline has no model.
    """
    store = context.store
    runs = [int(run_id) for run_id in arguments["runs"]]
    part = str(arguments.get("part", ""))
    wanted = known_significance(store, runs, part)
    needed = [runs[0], *wanted.missing]
    unscored = [run_id for run_id in needed if run_id not in kept_predictions(store, needed)]
    failed: dict[int, str] = {}
    for done, run_id in enumerate(unscored):
        context.progress(0.5 * done / len(unscored), f"scoring held-out rows: run {run_id}")
        try:
            score(store, run_id, threads=context.cores)
        except LemnisError as error:
            if run_id == runs[0]:
                raise
            failed[run_id] = error.problem
    known = known_significance(store, runs, part)
    missing = [run_id for run_id in known.missing if run_id not in failed]
    tested = test_runs(context, runs[0], missing, known.part)
    return {"baseline": runs[0], "part": known.part, "tested": tested, "failed": failed}


def test_runs(context: "JobContext", baseline_id: int, run_ids: list[int], part: str) -> list[int]:
    """Test runs that were scored on the same rows as the baseline, keep each result, and return their ids."""
    if not run_ids:
        return []
    store = context.store
    problem = load_config(context.workspace.config).problem

    def tell(text: str) -> None:
        context.progress(0.5 + 0.5 * len(tested) / len(run_ids), text)

    tested: list[int] = []
    base = predictions(store, baseline_id, part, threads=context.cores)
    kept = kept_predictions(store, [baseline_id, *run_ids])
    tell(f"drawing {base.target.size:,} {part} rows again and again: the baseline")
    yardstick = Yardstick(
        Scored(target=base.target, score=base.score, time=base.time),
        problem,
        lambda: tell(f"testing {len(tested) + 1} of {len(run_ids)} runs on {base.target.size:,} {part} rows"),
    )
    for run_id in run_ids:
        other = predictions(store, run_id, part, threads=context.cores)
        scored = kept[run_id].parts[part]
        found = Pair(
            run_id=run_id,
            baseline_id=baseline_id,
            part=part,
            rows=scored.rows,
            of=scored.of,
            blocks=yardstick.blocks_name,
            block_count=yardstick.count,
            tests=yardstick.tests(other.score),
            at=now_ms(),
        )
        save_pair(store, found, basis_of(problem, kept, baseline_id, run_id))
        tested.append(run_id)
    return tested


def predictions(store: Store, run_id: int, part: str, *, threads: int) -> Predictions:
    """Return a run's predictions, made anew when their file is gone or was changed."""
    try:
        return load_predictions(store, kept_predictions(store, [run_id])[run_id], part)
    except (NotFound, StoreError):
        return load_predictions(store, score(store, run_id, threads=threads), part)


def score(store: Store, run_id: int, *, threads: int) -> Kept:
    """Score the held-out rows of a run by its model and keep the predictions."""
    subject = open_subject(store, run_id)
    return keep_predictions(store, run_id, subject.model, subject.signature, subject.version, threads=threads)
