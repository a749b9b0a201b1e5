"""The work of verifying, as the worker does it: score every later row once, measure, judge, explain."""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from lemnis.engine.clock import now_ms
from lemnis.engine.config import Config, Criterion, load_config
from lemnis.engine.data.duck import read_table
from lemnis.engine.evaluate.baselines import Ground, baselines
from lemnis.engine.evaluate.calibrating import calibration_of
from lemnis.engine.evaluate.explain import explain_rows, explainable, importances, telling_rows
from lemnis.engine.evaluate.gates import Gate, judge
from lemnis.engine.evaluate.interpretation.jobs import sampled_contributions, save_swarms
from lemnis.engine.evaluate.measure import Scored, by_month, evaluate_part, worst_month
from lemnis.engine.evaluate.metrics import HIGHER_IS_BETTER
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.perturbing import perturbations_of
from lemnis.engine.evaluate.records import Evaluation, Explanation, Speed
from lemnis.engine.evaluate.results import save_explanation, save_results
from lemnis.engine.evaluate.slicing import slices_of
from lemnis.engine.evaluate.speed import measure_speed
from lemnis.engine.evaluate.subject import (
    Subject,
    find_row,
    open_subject,
    part_members,
    predict,
    targets,
    thinned,
    times,
)
from lemnis.engine.evaluate.verifications import save_verification

if TYPE_CHECKING:
    from lemnis.engine.jobs.context import JobContext

TRAIN_ROWS = 50_000  # of the training part: enough for the gap between what was learned and what holds
SPEED_ROWS = 20_000
Table = Any  # a pyarrow Table


def evaluate(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Measure a run's model on every part and month, time it, and judge the problem's criteria.

    Args:
        context: The job.
        arguments: ``run``: its id.

    Raises:
        NotFound: There is no such run, or its files are gone.
        BadInput: It has no model, or its version no rows with a target.
    """
    config = load_config(context.workspace.config)
    context.progress(0.01, "loading the model")
    subject = open_subject(context.store, int(arguments["run"]))
    evaluations, ground = measure_parts(context, subject, config)
    numbers = ground.judged
    held_out = ground.rows.take(pa.array(numbers))
    context.progress(0.68, "drawing the rows that judge again and again")
    yardstick = Yardstick(
        ground.all.where(ground.judged), config.problem, lambda: context.progress(0.7, "measuring the baselines")
    )
    beside = baselines(context.store, subject, ground, config.dataset, yardstick, threads=context.cores)
    context.progress(0.72, "fitting calibration maps and judging them")
    calibrated = calibration_of(ground, yardstick, subject.signature.classes)
    context.progress(0.75, "timing single rows and a batch")
    speed = measure_speed(subject, held_out.slice(0, SPEED_ROWS), cores=context.cores)
    context.progress(0.85, "contributions of the features")
    matrix, parts = sampled_contributions(subject, held_out, threads=context.cores)
    weights = importances(subject, parts)
    telling = explain_telling(context, subject, held_out, numbers)
    evaluations[-1] = msgspec.structs.replace(evaluations[-1], speed=speed, baselines=beside, calibrated=calibrated)
    gates = judge_criteria(config.problem.criteria, evaluations)
    save_results(context.store, subject.run_id, evaluations, gates, weights, telling, context.job_id)
    save_swarms(context, subject, evaluations[-1].part, matrix, parts)
    context.progress(0.92, "searching slices where the model is worse")
    slices = slices_of(subject, ground, yardstick, weights, context.job_id)
    save_verification(context.store, "slices", slices)
    context.progress(0.95, "putting faults into requests")
    faults = perturbations_of(
        subject, ground, config.problem, weights, threads=context.cores, job_id=context.job_id,
        told=lambda: context.progress(0.95, "putting faults into requests"),
    )  # fmt: skip
    save_verification(context.store, "perturbations", faults)
    last = evaluations[-1]
    return {
        "run": subject.run_id,
        "part": last.part,
        "metrics": last.metrics,
        "gates": [{"metric": gate.metric, "verdict": gate.verdict} for gate in gates],
    }


def measure_parts(context: "JobContext", subject: Subject, config: Config) -> tuple[list[Evaluation], Ground]:
    """Score and measure each part; the last one also gets the months after training.

    Returns:
        The evaluations, and all rows with what was judged last.
    """
    group = [name for name in config.dataset.group if name in {column.name for column in subject.version.columns}]
    rows: Table = read_table(subject.version, list(dict.fromkeys([*subject.columns, *group])))
    target, time = targets(subject, rows), times(subject, rows)
    known = ~np.isnan(target)
    members, spans = part_members(subject, known, time)
    learned = members.get("train", np.flatnonzero(known))
    if "train" in members:
        members["train"] = thinned(members["train"], TRAIN_ROWS)
    learned_until = max((spans[part].end for part in ("train",) if part in spans), default=0)
    later = np.flatnonzero(known & (time >= learned_until)) if time is not None and spans else np.zeros(0, np.int64)
    needed = np.unique(np.concatenate([*members.values(), later]))
    context.progress(0.05, f"scoring {needed.size:,} rows")
    score = scatter(predict(subject, rows.take(pa.array(needed)), threads=context.cores), needed, rows.num_rows)
    everything = Scored(target=target, score=score, time=time)
    found: list[Evaluation] = []
    for done, (part, places) in enumerate(members.items()):
        context.progress(0.4 + 0.25 * done / len(members), f"measuring the {part} rows")
        scored = everything.where(places)
        found.append(evaluate_part(subject, part, scored, config.problem, intervals=part != "train", now=now_ms()))
    context.progress(0.65, "measuring each later month")
    months = by_month(subject, everything.where(later), config.problem) if later.size else []
    worst = worst_month(months, config.problem.task)
    found[-1] = msgspec.structs.replace(found[-1], months=months, worst_month=worst)
    part = found[-1].part
    return found, Ground(
        rows=rows,
        all=everything,
        learned=learned,
        validation=members.get("validation", np.zeros(0, np.int64)),
        judged=members[part],
        part=part,
        has_train="train" in members,
    )


def scatter(scores: Any, places: Any, rows: int) -> Any:
    """Return scores at their places among all rows, NaN elsewhere."""
    spread = np.full((rows, *scores.shape[1:]), np.nan)
    spread[places] = scores
    return spread


def explain_telling(context: "JobContext", subject: Subject, rows: Table, numbers: Any) -> list[Explanation]:
    """Explain the rows where the model is most wrong and most right; none where it does not tell contributions."""
    if not explainable(subject):
        print("no row is explained: LightGBM computes no contributions of linear trees", flush=True)
        return []
    score = predict(subject, rows, threads=context.cores)
    chosen = telling_rows(targets(subject, rows), score, subject.signature.task)
    places = np.array([place for place, _ in chosen], dtype=np.int64)
    kinds = [kind for _, kind in chosen]
    return explain_rows(subject, rows.take(pa.array(places)), numbers[places], kinds, threads=context.cores)


def judge_criteria(criteria: list[Criterion], evaluations: list[Evaluation]) -> list[Gate]:
    """Judge every criterion of the problem on the part it names."""
    return [judge_one(criterion, evaluations) for criterion in criteria]


def judge_one(criterion: Criterion, evaluations: list[Evaluation]) -> Gate:
    """Judge one criterion: a measure of its part, a speed, ``METRIC_gap`` to training, or ``worst_month_METRIC``."""
    part = next((one for one in evaluations if one.part == criterion.on), None)
    last = evaluations[-1]
    observed: float | None = None
    interval: tuple[float, float] | None = None
    rows, reason = 0, f"The version has no {criterion.on} rows."
    metric = criterion.metric
    if part is not None:
        rows, reason = part.rows, f"There is no measure named {metric}; known: {', '.join(part.metrics)}."
        observed = part.metrics.get(metric)
        if metric in part.intervals:
            interval = (part.intervals[metric][0], part.intervals[metric][1])
        if metric.endswith("_gap"):
            observed = gap(metric.removesuffix("_gap"), evaluations[0], part)
    if metric in Speed.__struct_fields__ and last.speed is not None:
        observed = float(getattr(last.speed, metric))
    if metric.startswith("worst_month_"):
        worst = next((month for month in last.months if month.name == last.worst_month), None)
        if worst is not None:
            observed, rows = worst.metrics.get(metric.removeprefix("worst_month_")), worst.rows
    return judge(
        metric,
        criterion.on,
        least=criterion.min,
        most=criterion.max,
        observed=observed,
        interval=interval,
        rows=rows,
        reason=reason,
    )


def gap(metric: str, learned: Evaluation, held_out: Evaluation) -> float | None:
    """Return how much poorer a measure is on held-out rows than on those of training; negative when it is better."""
    before, after = learned.metrics.get(metric), held_out.metrics.get(metric)
    if before is None or after is None or learned.part != "train":
        return None
    return before - after if metric in HIGHER_IS_BETTER else after - before


def explain(context: "JobContext", arguments: dict[str, Any]) -> dict[str, Any]:
    """Explain one row by its key and keep the explanation.

    Args:
        context: The job.
        arguments: ``run``: its id; ``key``: the row's key, or # and its number in the version.

    Returns:
        The explanation as JSON has it.

    Raises:
        NotFound: There is no such run or row.
        BadInput: The run has no model.
    """
    context.progress(0.1, "loading the model")
    subject = open_subject(context.store, int(arguments["run"]))
    context.progress(0.5, "finding the row")
    row, number = find_row(subject, str(arguments["key"]))
    explanation = explain_rows(subject, row, np.array([number]), ["asked"], threads=context.cores)[0]
    save_explanation(context.store, explanation)
    return msgspec.to_builtins(explanation)
