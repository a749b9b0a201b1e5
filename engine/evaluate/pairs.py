"""Runs against a baseline on the same held-out rows: what was found, kept and read, SQLite only."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Problem, load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.records import LEVEL, Pair, Significance
from lemnis.engine.experiments.runs import Run, get_run
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.experiments.predictions import Kept

METHOD = 1  # raised when a test computes something else, so that what was kept before is not shown


def known_significance(store: Store, run_ids: Sequence[int], part: str = "") -> Significance:
    """Return what is known of runs against the first of them; nothing is computed.

    Args:
        store: The workspace's state.
        run_ids: The baseline, then the others.
        part: validation or test; empty for validation rows if there are some, so that test rows stay unseen.

    Raises:
        NotFound: A run does not exist.
        BadInput: There is no such part.
    """
    from lemnis.engine.experiments.predictions import HELD_OUT, kept_predictions

    if part not in ("", *HELD_OUT):
        raise BadInput(f"Runs can't be compared on {part} rows.", f"Choose one of {', '.join(HELD_OUT)}.")
    baseline, *others = [get_run(store, run_id) for run_id in run_ids]
    kept = kept_predictions(store, run_ids)
    known = kept.get(baseline.id)
    parts = [name for name in HELD_OUT if known is not None and name in known.parts]
    chosen = part or next(iter(parts), "")
    settings = load_config(store.workspace.config).problem
    pairs: dict[int, Pair] = {}
    refused: dict[int, str] = {}
    missing: list[int] = []
    for run in others:
        why = refusal(baseline, run) or rows_differ(baseline, run, chosen, kept)
        if why:
            refused[run.id] = why
            continue
        found = saved_pair(store, run.id, baseline.id, chosen, basis_of(settings, kept, baseline.id, run.id))
        if found is None:
            missing.append(run.id)
        else:
            pairs[run.id] = found
    return Significance(
        baseline_id=baseline.id,
        part=chosen,
        parts=parts,
        pairs=adjusted(pairs, missing=len(missing)),
        refused=refused,
        missing=missing,
        warning=warning(len(pairs)),
    )


def refusal(baseline: Run, run: Run) -> str:
    """Return why two runs can't be tested against each other whatever their rows; empty if they can."""
    for who, one in (("the baseline", baseline), ("it", run)):
        if one.model_sha256 is None:
            return f"{who} has no model: {one.state}"
    if (run.task, run.target) != (baseline.task, baseline.target):
        return f"it foretells {run.target} ({run.task}), the baseline {baseline.target} ({baseline.task})"
    return ""


def rows_differ(baseline: Run, run: Run, part: str, kept: "dict[int, Kept]") -> str:
    """Return why the scored rows of two runs are not the same; empty if they are or one was not scored yet."""
    if baseline.id not in kept or run.id not in kept:
        return ""
    first, second = (kept[one.id].parts.get(part) for one in (baseline, run))
    for one, found in ((baseline, first), (run, second)):
        if found is None:
            return f"{one.data_version} has no {part or 'validation or test'} rows with a target"
    if first is not None and second is not None and first.rows_sha256 != second.rows_sha256:
        if baseline.version_id == run.version_id:
            return f"other {part} rows of {run.data_version}: their classes are not the same"
        return f"other rows: the {part} rows of {baseline.data_version} and {run.data_version} are not the same"
    return ""


def basis_of(problem: Problem, kept: "dict[int, Kept]", *run_ids: int) -> str:
    """Return a hash of everything a pair follows from; empty if a run was not scored yet."""
    if any(run_id not in kept for run_id in run_ids):
        return ""
    files = [kept[run_id].sha256 for run_id in run_ids]
    settings = [problem.task, problem.threshold, msgspec.to_builtins(problem.value)]
    return hashlib.sha256(msgspec.json.encode([METHOD, files, settings])).hexdigest()


def saved_pair(store: Store, run_id: int, baseline_id: int, part: str, basis: str) -> Pair | None:
    """Return what was found of two runs, None if that was not on this basis."""
    detail = store.value(
        "select detail from run_pairs where run_id = ? and baseline_id = ? and part = ? and basis = ?",
        [run_id, baseline_id, part, basis],
    )
    return None if detail is None else msgspec.json.decode(detail, type=Pair)


def save_pair(store: Store, pair: Pair, basis: str) -> None:
    """Keep what was found in place of what was found before."""
    row = {"run_id": pair.run_id, "baseline_id": pair.baseline_id, "part": pair.part, "basis": basis, "at": now_ms()}
    with store.write() as db:
        db.table("run_pairs").insert(row | {"detail": msgspec.json.encode(pair).decode()}, replace=True)


def adjusted(pairs: dict[int, Pair], *, missing: int) -> dict[int, Pair]:
    """Return pairs with p adjusted by Holm: of each measure, over the runs; those still missing count with p = 1."""
    from lemnis.engine.evaluate.significance import holm

    metrics = {test.metric for pair in pairs.values() for test in pair.tests}
    found: dict[tuple[int, str], float | None] = {}
    for metric in metrics:
        p = {run: next((test.p for test in pair.tests if test.metric == metric), None) for run, pair in pairs.items()}
        values = holm([*p.values(), *[1.0] * missing])
        found |= {(run, metric): value for run, value in zip(p, values, strict=False)}
    replace = msgspec.structs.replace
    return {
        run: replace(pair, tests=[replace(test, adjusted=found[run, test.metric]) for test in pair.tests])
        for run, pair in pairs.items()
    }


def warning(comparisons: int) -> str:
    """Return what a reader must know when several runs are compared with one baseline."""
    if comparisons < 2:
        return ""
    chance = 1 - (1 - LEVEL) ** comparisons
    return (
        f"{comparisons} runs are tested at once: if none differed, one of them would still have p < 0.05 by chance in"
        f" up to {chance:.0%} of such comparisons, so p is adjusted by Holm. The winner's lead is overstated: judge it"
        " again on rows that chose nothing."
    )
