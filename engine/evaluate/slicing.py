"""Slices of a model: its features cut into levels, searched on the rows that judge it, and told with their rows."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.clock import now_ms
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.evaluate.baselines import Ground
from lemnis.engine.evaluate.measure import FIRST_METRIC, Scored, measures
from lemnis.engine.evaluate.metrics import FLOOR
from lemnis.engine.evaluate.paired import Yardstick, none_if_nan
from lemnis.engine.evaluate.records import Importance
from lemnis.engine.evaluate.slices import LEAST_ROWS, LEAST_SHARE, Cut, Found, search
from lemnis.engine.evaluate.subject import Subject
from lemnis.engine.evaluate.verifications import Slice, Slices
from lemnis.engine.features.matrix import encode_table
from lemnis.engine.features.signature import Feature

Values = NDArray[np.float64]
Places = NDArray[np.int64]
BINS, VALUES, CATEGORIES = 6, 8, 20  # of one feature at most: bins, else distinct numbers, or categories
MOST_FEATURES, PAIRED = 200, 12  # the most important ones: looked at alone, and in pairs
LISTED_CATEGORIES = 50  # that a condition names
LOSSES = {"binary": "log loss", "multiclass": "log loss", "regression": "absolute error"}
NORMAL_95 = 1.959964  # half the width of a 95 % interval in standard errors


def slices_of(
    subject: Subject, ground: Ground, yardstick: Yardstick, importances: list[Importance], job_id: int | None
) -> Slices:
    """Return where the model is worse than elsewhere on the rows that judge it.

    Args:
        subject: The model.
        ground: The rows.
        yardstick: The model on the rows that judge it: knows which of them go together.
        importances: The features, the most important first.
        job_id: Who asks.
    """
    import pyarrow as pa

    judged = ground.all.where(ground.judged)
    matrix = encode_table(ground.rows.take(pa.array(ground.judged)), subject.signature)
    order = [subject.signature.names.index(one.feature) for one in importances][:MOST_FEATURES]
    cuts = [cut(subject.signature.features[place], matrix[:, place]) for place in order]
    loss = losses(judged, subject.signature.task)
    found, tested = search(loss, cuts, range(min(PAIRED, len(cuts))), yardstick.blocks)
    metric = FIRST_METRIC[subject.signature.task]
    span = judged_where(subject, ground.part)
    return Slices(
        run_id=subject.run_id,
        part=ground.part,
        rows=judged.target.size,
        loss_name=LOSSES[subject.signature.task],
        loss=float(loss.mean()),
        metric=metric,
        value=none_if_nan(measures(judged, yardstick.problem)[metric]),
        tested=tested,
        least_rows=int(np.ceil(max(LEAST_ROWS, LEAST_SHARE * loss.size))),
        blocks=yardstick.blocks_name,
        slices=[told(one, cuts, judged, yardstick, span) for one in found],
        at=now_ms(),
        job_id=job_id,
    )


def told(found: Found, cuts: list[Cut], judged: Scored, yardstick: Yardstick, span: str) -> Slice:
    """Return a slice as it is kept, with the task's first measure in it."""
    chosen = [(cuts[one], level) for one, level in zip(found.cuts, found.levels, strict=True)]
    inside = np.logical_and.reduce([one.level == level for one, level in chosen])
    wheres = [one.wheres[level] for one, level in chosen]
    value = measures(judged.where(inside), yardstick.problem)[FIRST_METRIC[yardstick.problem.task]]
    reach = NORMAL_95 * found.error
    return Slice(
        words=" and ".join(one.words[level] for one, level in chosen),
        where=" and ".join([*wheres, span]) if all(wheres) else "",
        rows=found.rows,
        share=found.rows / judged.target.size,
        loss=found.loss,
        rest=found.rest,
        low=found.loss - found.rest - reach,
        high=found.loss - found.rest + reach,
        q=found.q,
        value=none_if_nan(value),
    )


def losses(scored: Scored, task: str) -> Values:
    """Return what each row costs: minus the log of the probability given to what happened, or the absolute error."""
    if task == "regression":
        return np.abs(scored.score - scored.target)
    if scored.score.ndim == 2:
        given = scored.score[np.arange(scored.target.size), scored.target.astype(np.int64)]
    else:
        given = np.where(scored.target == 1, scored.score, 1 - scored.score)
    return -np.log(np.clip(given, FLOOR, 1 - FLOOR))


def judged_where(subject: Subject, part: str) -> str:
    """Return the SQL of the rows that judge: those of the part that have a target."""
    version, known = subject.version, f"{quote(subject.signature.target)} is not null"
    if not version.time or part not in version.split:
        return known
    span, name = version.split[part], quote(version.time)
    start, end = (np.datetime64(ms, "ms").astype(str) for ms in (span.start, span.end))
    return f"{name} >= {literal(start)} and {name} < {literal(end)} and {known}"


def cut(feature: Feature, column: Values) -> Cut:
    """Return one feature cut into levels: bins of a number, categories, and what has no value."""
    name = feature.name
    if feature.kind == "categorical":
        return cut_categories(feature, column)
    known = np.isfinite(column)
    values = np.unique(column[known])
    if feature.logical:
        level = np.where(known, column, 2).astype(np.int64)
        words, wheres = [f"{name} = false", f"{name} = true"], [f"not {quote(name)}", quote(name)]
    elif values.size <= VALUES:
        level = np.where(known, np.searchsorted(values, column), values.size).astype(np.int64)
        words = [f"{name} = {value:.6g}" for value in values]
        wheres = [f"{quote(name)} = {float(value)!r}" for value in values]
    else:
        return cut_number(name, column, known)
    return Cut([*words, f"{name} is missing"], [*wheres, f"{quote(feature.name)} is null"], level)


def cut_number(name: str, column: Values, known: NDArray[np.bool_]) -> Cut:
    """Return a number cut into bins of about equally many rows."""
    edges = np.unique(np.quantile(column[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    level = np.where(known, np.searchsorted(edges, column, side="right"), edges.size + 1).astype(np.int64)
    ends: list[float | None] = [None, *(float(edge) for edge in edges), None]
    words: list[str] = []
    wheres: list[str] = []
    for low, high in pairwise(ends):
        above = [] if low is None else [f"{quote(name)} >= {low!r}"]
        below = [f"{quote(name)} < {high!r}" if high is not None else f"{quote(name)} < 'inf'::double"]  # NaN is above
        wheres.append(" and ".join([*above, *below]))
        if low is None or high is None:
            words.append(f"{name} < {high:.6g}" if low is None else f"{name} ≥ {low:.6g}")
        else:
            words.append(f"{low:.6g} ≤ {name} < {high:.6g}")
    return Cut([*words, f"{name} is missing"], [*wheres, f"{quote(name)} is null"], level)


def cut_categories(feature: Feature, column: Values) -> Cut:
    """Return the commonest categories, and what is missing or was not seen in training."""
    name, known = feature.name, np.isfinite(column)
    counts = np.bincount(column[known].astype(np.int64), minlength=len(feature.categories))
    chosen: Places = np.argsort(-counts, kind="stable")[:CATEGORIES].astype(np.int64)
    place = np.full(len(feature.categories) + 1, -1)
    place[chosen] = np.arange(chosen.size)
    place[-1] = chosen.size
    level = place[np.where(known, column, len(feature.categories)).astype(np.int64)]
    texts = [feature.categories[int(at)] for at in chosen]
    listed = ", ".join(map(literal, feature.categories))
    unseen = (
        f"({quote(name)} is null or {quote(name)} not in ({listed}))"
        if feature.categories
        else f"{quote(feature.name)} is null"
    )
    return Cut(
        [*(f"{name} = {text}" for text in texts), f"{name} is missing or unseen"],
        [
            *(f"{quote(name)} = {literal(text)}" for text in texts),
            unseen if len(feature.categories) <= LISTED_CATEGORIES else "",
        ],
        level,
    )
