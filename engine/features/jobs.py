"""The work of ranking, as the worker does it: sample, suspect, measure over folds and seeds, associate, keep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lemnis.engine.clock import iso_utc, monotonic_s, now_ms
from lemnis.engine.config import Config, load_config
from lemnis.engine.data.versions import Column, Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.features import measuring
from lemnis.engine.features.associating import matrix_of
from lemnis.engine.features.clusters import representatives
from lemnis.engine.features.evidence import evidence_of, row_facts, single_scores, stamped_later
from lemnis.engine.features.folds import shuffled_folds, time_folds
from lemnis.engine.features.importance import IMPORTANCES, Alone, Worth
from lemnis.engine.features.leakage import LIMITS, Evidence, doubt, suspicion
from lemnis.engine.features.matrices import save_matrix
from lemnis.engine.features.matrix import encode_table, fit_signature, labelled
from lemnis.engine.features.measuring import FOLDS, REPEATS, ROUNDS, SEEDS, Plan
from lemnis.engine.features.records import FeatureScore, Matrix, Ranking, Spread
from lemnis.engine.features.sampling import read_sample
from lemnis.engine.features.scores import is_candidate, save_ranking
from lemnis.engine.features.stability import unstable
from lemnis.engine.features.suspects import suspect

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

SAMPLE_ROWS, FEWEST_ROWS = 60_000, 50
SPLIT_SEED = 1
Table = Any  # a pyarrow Table


def rank(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure what each column of a version is worth and which ones know the answer.

    Models that an interrupted ranking had finished under the same conditions are not trained again.

    Args:
        context: The job.
        arguments: ``version``: its id; None is the latest.

    Raises:
        BadInput: There is no target, no column to rank, or too few rows with a target.
    """
    started = monotonic_s()
    config = load_config(context.workspace.config)
    version = find_version(context.store, arguments.get("version"))
    columns, target = candidates(version, config), target_of(version, config)
    stamps = [
        c for c in version.columns if c.kind == "time" and c.role == "feature" and c.source not in ("", "derived")
    ]
    rows = read_sample(
        version,
        [column.name for column in [*columns, *stamps]] + [target],
        most=SAMPLE_ROWS,
        parts=known_parts(version),
        told=lambda share: context.progress(0.05 * share, "reading rows"),
    )
    plan = planned(rows, columns, version, config)
    task = plan.signature.task
    singles = single_scores(
        (plan.sample(fold, SEEDS[0]) for fold in range(FOLDS)),
        lambda fold, name: context.progress(0.05 + 0.1 * fold / FOLDS, f"{name} alone"),
    )
    facts = row_facts(rows, columns, target, config.features.after)
    evidence = evidence_of(facts, columns, stamped_later(rows, version, stamps), singles, task)
    evidence, places = suspect(context, plan.sample(FOLDS - 1, SEEDS[0]), evidence)
    plan = msgspec.structs.replace(plan, places=places)
    worths, reused = measuring.measure(
        context.store,
        plan,
        threads=context.cores,
        told=lambda share, words: context.progress(0.2 + 0.65 * share, words),
    )
    matrix = matrix_of(
        rows, version, columns, target, task, lambda share: context.progress(0.85 + 0.14 * share, "associations")
    )
    save_matrix(context.store, matrix, context.job_id)
    spread = dict(zip(places, measuring.spread_of(worths), strict=True))
    scores = scored(plan, evidence, spread, singles, matrix, len(rows))
    ranking = ranking_of(plan, worths, version, sample_rows=len(rows), reused=reused, started=started)
    save_ranking(context.store, ranking, scores, context.job_id)
    measuring.forget_others(context.store, version.id, plan.conditions)
    leaks = [found.name for found in scores if found.leakage]
    doubts = [found.name for found in scores if found.doubt]
    result = {"version": version.id, "columns": len(scores), "score": ranking.score, "reused": reused}
    return result | {"leaks": leaks, "doubts": doubts}


def ranking_of(
    plan: Plan, worths: Sequence[Worth], version: Version, *, sample_rows: int, reused: int, started: float
) -> Ranking:
    """Return how the columns were ranked."""
    return Ranking(
        version_id=version.id,
        skill=LIMITS[plan.signature.task].skill,
        score=float(np.mean([one.score for one in worths])),
        scores=[one.score for one in worths],
        folds=[fold.name for fold in plan.folds],
        seeds=len(SEEDS),
        blocked="time" if version.time else "rows",
        agreement=measuring.agreements(worths),
        sample_rows=sample_rows,
        train_rows=max(one.learn_rows for one in worths),
        judged_rows=max(one.judge_rows for one in worths),
        rounds=ROUNDS,
        repeats=REPEATS,
        seed=SEEDS[0],
        reused=reused,
        elapsed_ms=round((monotonic_s() - started) * 1000),
        computed_at=now_ms(),
    )


def target_of(version: Version, config: Config) -> str:
    """Return the target's name; raises BadInput if there is none."""
    target = config.problem.target or version.label
    if not target:
        raise BadInput("There is no target to rank columns by.", "Set problem.target in lemnis.toml.", "lemnis.toml")
    return version.column(target).name


def candidates(version: Version, config: Config) -> list[Column]:
    """Return the columns that could be features, in the version's order."""
    target = target_of(version, config)
    found = [column for column in version.columns if is_candidate(column) and column.name != target]
    if not found:
        raise BadInput(f"{version.title} has no column that could be a feature.", "Check the dataset's roles.")
    return found


def known_parts(version: Version) -> list[str]:
    """Return the parts of the split that features may be chosen on: all but the test rows, which judge models."""
    return [part for part in version.split if part != "test"]


def planned(rows: Table, columns: Sequence[Column], version: Version, config: Config) -> Plan:
    """Return the sample's rows that have a target, encoded, and their folds."""
    signature = fit_signature(
        rows,
        [column.name for column in columns],
        task=config.problem.task,
        target=target_of(version, config),
        threshold=config.problem.threshold,
    )
    known, target = labelled(rows, signature)
    if len(target) < FEWEST_ROWS * (FOLDS + 1):
        raise BadInput(
            f"{len(target):,} rows before the test span have a target: too few to rank columns.",
            f"Ranking needs at least {FEWEST_ROWS * (FOLDS + 1)}: {FOLDS + 1} blocks of {FEWEST_ROWS}.",
            version.title,
        )
    if version.time:
        folds = time_folds(len(target), FOLDS, block_names(known, version.time))
    else:
        folds = shuffled_folds(len(target), FOLDS, SPLIT_SEED)
    return Plan(
        version_id=version.id,
        signature=signature,
        matrix=encode_table(known, signature),
        target=target,
        folds=folds,
        places=list(range(len(columns))),
    )


def block_names(rows: Table, time: str) -> list[str]:
    """Return the days that each judging block spans."""
    moments: Any = pc.cast(rows.column(time), pa.timestamp("ms"), safe=False)
    numbers = moments.cast(pa.int64()).fill_null(0).to_numpy()
    blocks = np.array_split(numbers, FOLDS + 1)[1:]
    return [f"{iso_utc(int(block[0]))[:10]} to {iso_utc(int(block[-1]))[:10]}" for block in blocks]


def scored(
    plan: Plan,
    evidence: Sequence[Evidence],
    spread: dict[int, dict[str, Spread]],
    singles: Sequence[Sequence[Alone]],
    matrix: Matrix,
    rows: int,
) -> list[FeatureScore]:
    """Put together all that was measured, one record a column."""
    task, names = plan.signature.task, plan.signature.names
    top = max((found["permutation"].mean for found in spread.values()), default=0.0)
    worth = [worth_of(spread.get(place), evidence[place]) for place in range(len(names))]
    groups = matrix.groups[: len(names)]
    stands = representatives(groups, worth)
    found: list[FeatureScore] = []
    for place, feature in enumerate(plan.signature.features):
        judged = suspicion(evidence[place], task)
        importance = spread.get(place, {})
        measure, association = target_association(matrix, place)
        wavers = (
            unstable(importance["permutation"], importance["shap"], top=top, columns=len(spread), seeds=len(SEEDS))
            if importance
            else ""
        )
        found.append(
            FeatureScore(
                name=feature.name,
                kind="boolean" if feature.logical else feature.kind,
                missing=evidence[place].missing / max(1, rows),
                importance={name: importance[name] for name in IMPORTANCES if name in importance},
                unstable=wavers,
                association=association,
                method=measure,
                single=evidence[place].single,
                single_folds=[score.judged for score in singles[place]],
                learned=evidence[place].learned,
                leakage=judged.why,
                leakage_score=judged.score,
                doubt=doubt(evidence[place]).why,
                group=groups[place],
                representative=stands[place],
            )
        )
    return found


def worth_of(importance: dict[str, Spread] | None, evidence: Evidence) -> float:
    """Return what decides who stands for a group: the loss when shuffled; a suspect stands behind all honest ones."""
    if importance is None:
        return -1.0 + (evidence.single or 0.0) * 1e-3
    return importance["permutation"].mean


def target_association(matrix: Matrix, place: int) -> tuple[str, float | None]:
    """Return the measure that suits a column and the target, and its absolute value; None where it is not defined."""
    target = matrix.names.index(matrix.target)
    value = matrix.value("cramers_v" if not matrix.numbers[target] else "ratio", place, target)
    name = "Cramér's V" if not matrix.numbers[target] else "correlation ratio"
    if np.isnan(value):  # a number beside a number
        value, name = matrix.value("spearman", place, target), "Spearman"
    return name, None if np.isnan(value) else abs(value)
