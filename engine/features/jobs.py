"""The work of ranking, as the worker does it: sample, suspect, model, shuffle, keep."""

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.config import Config, load_config
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Column, Version, find_version
from lemnis.engine.errors import BadInput
from lemnis.engine.features.association import category_codes, correlation_ratio, cramers_v, quantile_codes
from lemnis.engine.features.importance import Sample, Worth, codes_of, score_of, single_skill, worth
from lemnis.engine.features.leakage import LIMITS, Evidence, suspicion
from lemnis.engine.features.matrix import encode_table, fit_signature, labelled
from lemnis.engine.features.records import FeatureScore, Pair, Ranking
from lemnis.engine.features.scores import is_candidate, save_ranking

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

LEARN_ROWS, JUDGE_ROWS, PAIR_ROWS = 30_000, 15_000, 10_000
MOST_PAIRED = 80  # columns; pairs grow with the square
ROUNDS, REPEATS, SEED = 40, 3, 1
MOST_EXPLAINED = 8  # suspects for which it is measured what adding them gives
Table = Any  # a pyarrow Table


def rank(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure what each column of a version is worth and which ones know the answer.

    Args:
        context: The job.
        arguments: ``version``: its id; None is the latest.

    Raises:
        BadInput: There is no target, no column to rank, or too few rows with a target.
    """
    started = monotonic_s()
    config = load_config(context.workspace.config)
    version = find_version(context.store, arguments.get("version"))
    columns = candidates(version, config)
    context.progress(0.02, "reading rows")
    learn, judge = parts(version, [column.name for column in columns], target_of(version, config))
    sample = draw(learn, judge, columns, version, config)
    evidence = evidence_of(context, sample, learn, judge, config)
    judged, measured, places = suspect(context, sample, evidence)
    context.progress(0.92, "associations")
    scores = [
        score(sample, place, evidence[place], judged[place], learn, judge, measured, places)
        for place in range(len(columns))
    ]
    ranking = Ranking(
        version_id=version.id,
        skill=LIMITS[sample.signature.task].skill,
        score=measured.score,
        train_rows=sample.learn_target.size,
        judged_rows=sample.judge_target.size,
        rounds=ROUNDS,
        repeats=REPEATS,
        seed=SEED,
        elapsed_ms=round((monotonic_s() - started) * 1000),
        computed_at=now_ms(),
    )
    save_ranking(context.store, ranking, scores, pairs(sample), context.job_id)
    leaks = [found.name for found in scores if found.leakage]
    return {"version": version.id, "columns": len(scores), "score": measured.score, "leaks": leaks}


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


def parts(version: Version, names: list[str], target: str) -> tuple[Table, Table]:
    """Return earlier rows to learn from and later rows to judge by; without a split, 70 % and 30 % in their order."""
    judging = next((part for part in ("validation", "test") if part in version.split), "")
    if "train" in version.split and judging:
        return read_table(version, [*names, target], "train"), read_table(version, [*names, target], judging)
    everything = read_table(version, [*names, target])
    cut = everything.num_rows * 7 // 10
    return everything.slice(0, cut), everything.slice(cut)


def draw(learn: Table, judge: Table, columns: list[Column], version: Version, config: Config) -> Sample:
    """Return a bounded, seeded sample of the rows that have a target."""
    signature = fit_signature(
        learn,
        [column.name for column in columns],
        task=config.problem.task,
        target=target_of(version, config),
        threshold=config.problem.threshold,
    )
    random = np.random.default_rng(SEED)

    def some(rows: Table, most: int) -> tuple[Any, Any]:
        known, target = labelled(rows, signature)
        if len(target) > most:
            chosen = np.sort(random.choice(len(target), most, replace=False))
            known, target = known.take(pa.array(chosen)), target[chosen]
        return encode_table(known, signature), target

    learned, learned_target = some(learn, LEARN_ROWS)
    judged, judged_target = some(judge, JUDGE_ROWS)
    if min(len(learned_target), len(judged_target)) < 50:
        raise BadInput(
            f"{len(learned_target)} and {len(judged_target)} rows have a target: too few to rank columns.",
            "Rank needs at least 50 rows with a target to learn from and 50 later ones.",
        )
    return Sample(
        signature=signature,
        learn=learned,
        learn_target=learned_target,
        judge=judged,
        judge_target=judged_target,
    )


def evidence_of(context: "JobContext", sample: Sample, learn: Table, judge: Table, config: Config) -> list[Evidence]:
    """Gather what speaks for a leak before any model is trained, one record a column."""
    target = sample.signature.target
    no_target = [pc.is_null(rows.column(target)) for rows in (learn, judge)]
    limits = LIMITS[sample.signature.task]
    found: list[Evidence] = []
    for place, name in enumerate(sample.signature.names):
        context.progress(0.05 + 0.25 * place / len(sample.signature.names), f"{name} alone")
        absent = [pc.is_null(rows.column(name)) for rows in (learn, judge)]
        both = [pc.and_(a, b) for a, b in zip(absent, no_target, strict=True)]
        found.append(
            Evidence(
                declared=name in config.features.after,
                missing=count(absent),
                target_missing=count(no_target),
                both_missing=count(both),
                single=single_skill(sample, place),
            )
        )
    honest = [
        one.single
        for one in found
        if one.single is not None and one.single < limits.single and not suspicion(one, sample.signature.task).why
    ]
    best = max(honest, default=0.0 if sample.signature.task == "regression" else 0.5)
    return [replaced(one, best_other=best) for one in found]


def count(masks: list[Any]) -> int:
    """Return how many values of some truth columns are true."""
    return sum(int(pc.sum(mask).as_py() or 0) for mask in masks)


def replaced(evidence: Evidence, **changes: Any) -> Evidence:
    """Return the evidence with some fields changed. Any: each field has its own type."""
    fields = {name: getattr(evidence, name) for name in Evidence.__struct_fields__}
    return Evidence(**(fields | changes))


def suspect(context: "JobContext", sample: Sample, evidence: list[Evidence]) -> tuple[list[Any], Worth, list[int]]:
    """Judge every column and rank those that are not suspected.

    A column may give itself away only beside others: what lifts the others' model by a jump is taken out, and the
    rest is ranked again.

    Returns:
        The suspicion of each column, the worth of the clean ones, and their places.
    """
    task = sample.signature.task
    options = {"rounds": ROUNDS, "seed": SEED, "threads": context.cores}

    def clean() -> list[int]:
        found = [place for place, one in enumerate(evidence) if not suspicion(one, task).why]
        if not found:
            raise BadInput("Every column is suspected to know the answer.", "Offer columns known beforehand.")
        return found

    def told(share: float) -> None:
        context.progress(0.3 + 0.5 * share, "shuffling columns")

    measured, places = worth(sample, clean(), repeats=REPEATS, told=told, **options), clean()
    while found := jumping(sample, places, measured, options):
        for place, (without, along) in found.items():
            evidence[place] = replaced(evidence[place], without=without, along=along)
        measured, places = worth(sample, clean(), repeats=REPEATS, told=told, **options), clean()
    suspects = [place for place in range(len(evidence)) if place not in places][:MOST_EXPLAINED]
    for place in suspects:
        if evidence[place].along is None:
            context.progress(0.85, f"what {sample.signature.names[place]} would add")
            along = score_of(sample, [*places, place], **options)
            evidence[place] = replaced(evidence[place], without=measured.score, along=along)
    return [suspicion(one, task) for one in evidence], measured, places


def jumping(
    sample: Sample, places: list[int], measured: Worth, options: dict[str, Any]
) -> dict[int, tuple[float, float]]:
    """Return columns that each alone lift the model of the weaker columns by a jump, with both scores.

    The strong columns are taken out together, as two leaks that say the same hide each other one at a time.
    """
    limits = LIMITS[sample.signature.task]
    order = sorted(range(len(places)), key=lambda at: -measured.permutation[at])
    strong = [places[at] for at in order if measured.permutation[at] >= limits.jump][:MOST_EXPLAINED]
    if not strong or measured.score < limits.single:
        return {}
    weak = [place for place in places if place not in strong]
    without = score_of(sample, weak, **options)
    lifted = {place: (without, score_of(sample, [*weak, place], **options)) for place in strong}
    return {
        place: scores
        for place, scores in lifted.items()
        if suspicion(Evidence(without=scores[0], along=scores[1]), sample.signature.task).why
    }


def score(
    sample: Sample,
    place: int,
    evidence: Evidence,
    judged: Any,
    learn: Table,
    judge: Table,
    measured: Worth,
    places: list[int],
) -> FeatureScore:
    """Put together all that was measured of one column."""
    feature = sample.signature.features[place]
    at = places.index(place) if place in places else None
    total = sum(measured.gain) or 1.0
    codes = codes_of(sample.learn[:, place], feature)
    regression = sample.signature.task == "regression"
    association = (
        correlation_ratio(codes, sample.learn_target)
        if regression
        else cramers_v(codes, sample.learn_target.astype(np.int64))
    )
    return FeatureScore(
        name=feature.name,
        kind="boolean" if feature.logical else feature.kind,
        missing=evidence.missing / max(1, learn.num_rows + judge.num_rows),
        gain=measured.gain[at] if at is not None else None,
        gain_share=measured.gain[at] / total if at is not None else None,
        splits=measured.splits[at] if at is not None else None,
        permutation=measured.permutation[at] if at is not None else None,
        permutation_deviation=measured.deviation[at] if at is not None else None,
        association=association,
        method="correlation ratio" if regression else "Cramér's V",
        single=evidence.single,
        leakage=judged.why,
        leakage_score=judged.score,
    )


def pairs(sample: Sample) -> list[Pair]:
    """Return the association of each two columns on some rows, strongest first."""
    features = sample.signature.features[:MOST_PAIRED]
    codes = [
        category_codes(sample.learn[:PAIR_ROWS, place], 32)
        if feature.kind == "categorical"
        else quantile_codes(sample.learn[:PAIR_ROWS, place])
        for place, feature in enumerate(features)
    ]
    found = [
        Pair(first=features[a].name, second=features[b].name, association=cramers_v(codes[a], codes[b]))
        for a, b in combinations(range(len(features)), 2)
    ]
    return sorted(found, key=lambda pair: -pair.association)
