"""What a column's values tell when they are in order, and what its words tell: figures, outliers, coverage."""

from typing import Any

import numpy as np
import pyarrow.compute as pc
from msgspec.structs import replace
from numpy.typing import NDArray

from lemnis.engine.explore import signals, statistics
from lemnis.engine.explore.ordering import Ordering
from lemnis.engine.explore.profile import (
    TOP_VALUES,
    Coverage,
    Extreme,
    Findings,
    Lengths,
    Outliers,
    Profile,
    Spellings,
    TopValue,
)
from lemnis.engine.explore.spellings import MOST_VALUES, alike
from lemnis.engine.explore.statistics import Counts, Ordered
from lemnis.engine.explore.texts import Encoded

DAY_MS = 86_400_000
TIME_STEPS_MS = (1, 1000, 60_000, 600_000, 3_600_000, 6 * 3_600_000, *(DAY_MS * days for days in (1, 2, 7, 14, 28, 91)))
UNIT_NAMES = {"m": "minute", "h": "hour", "D": "day", "W": "week", "M": "month", "Y": "year"}
EXTREMES, MOST_GAPS, MOST_SPELLINGS = 5, 5, 20


def with_figures(profile: Profile, ordered: Ordered) -> Profile:
    """Return a profile with what its values in order tell."""
    time = profile.kind == "time"
    distinct, counts = statistics.sorted_runs(ordered)
    moments = statistics.moments(ordered)
    most = largest(counts, TOP_VALUES) if len(distinct) < ordered.rows else []
    findings = profile.findings
    if time:
        findings = replace(findings, coverage=_coverage(distinct, counts))
    else:
        zero = np.zeros(1)
        negative, through = statistics.rows_below(ordered, zero)[0], statistics.rows_below(ordered, zero, through=True)
        findings = replace(
            findings, negative=int(negative), zeros=int(through[0] - negative), outliers=_outliers(ordered)
        )
    return replace(
        profile,
        distinct=len(distinct),
        minimum=_text(ordered.values[0], time),
        maximum=_text(ordered.values[-1], time),
        mean=None if time else _known(moments.mean),
        deviation=None if time else _known(moments.deviation),
        skewness=None if time else _known(moments.skewness),
        quantiles={str(share): statistics.sorted_quantile(ordered, share) for share in statistics.QUANTILES},
        top=[TopValue(value=_text(distinct[place], time), rows=int(counts[place])) for place in most],
        findings=findings,
    )


def largest(counts: Counts, many: int) -> list[int]:
    """Return the places of the largest counts, the largest first; of equal ones the first."""
    if len(counts) > 10 * many:
        least = np.partition(counts, len(counts) - many)[len(counts) - many]
        above, equal = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
        chosen = np.sort(np.concatenate((above, equal[: many - len(above)])))
    else:
        chosen = np.arange(len(counts))
    return chosen[np.argsort(-counts[chosen], kind="stable")][:many].tolist()


def _outliers(ordered: Ordered) -> list[Outliers]:
    """Return how many rows lie beyond the fences of each rule."""
    rules = (("IQR", signals.quartile_fences(ordered)), ("robust z", signals.robust_fences(ordered)))
    return [
        Outliers(rule=rule, low=float(fences.low), high=float(fences.high), below=fences.below, above=fences.above)
        for rule, fences in rules
        if fences is not None
    ]


def extremes_of(ordering: Ordering, ordered: Ordered, outliers: list[Outliers]) -> list[Extreme]:
    """Return the rows with the lowest and the highest values that a rule calls outliers, the farthest of each first."""
    found: list[Extreme] = []
    for above in (False, True):
        beyond = max(rule.above if above else rule.below for rule in outliers)
        if not beyond:
            continue
        many = min(EXTREMES, beyond)
        rows, values = ordering.beyond(ordered.at(ordered.rows - many if above else many - 1), above=above)
        for place in np.argsort(-values if above else values, kind="stable")[:many]:
            found.append(Extreme(value=float(values[place]), row=int(rows[place])))
    return found


def _coverage(distinct: NDArray[Any], counts: Counts) -> Coverage:
    """Return how rows are spread over time."""
    periods = signals.time_periods(distinct, counts)
    start = np.datetime64(periods.start, "ms").astype(f"datetime64[{periods.unit}]")

    def moment(place: int) -> int:
        return int((start + place).astype("datetime64[ms]").astype(np.int64))

    runs = signals.empty_runs(periods.counts)
    return Coverage(
        unit=UNIT_NAMES[periods.unit],
        start=periods.start,
        counts=periods.counts.tolist(),
        empty=int((periods.counts == 0).sum()),
        gaps=[(moment(first), moment(behind)) for first, behind in runs[:MOST_GAPS]],
    )


def text_findings(blank: Profile, encoded: Encoded) -> Findings:
    """Return lengths and spellings of text."""
    counts, words = encoded.counts[1:], encoded.words
    if blank.kind != "categorical" or not len(counts):
        return Findings()
    lengths = pc.utf8_length(words).to_numpy(zero_copy_only=False)
    empty = pc.equal(pc.utf8_trim_whitespace(words), "").to_numpy(zero_copy_only=False)
    found: list[Spellings] = []
    if len(counts) <= MOST_VALUES and len(counts) * 2 <= counts.sum():  # names and sentences are no categories
        rows = dict(zip(words.to_pylist(), counts.tolist(), strict=True))
        found = [
            Spellings(rule=rule, values=[TopValue(value=value, rows=rows[value]) for value in values])
            for rule, values in alike(rows)[:MOST_SPELLINGS]
        ]
    return Findings(
        lengths=Lengths(
            shortest=int(lengths.min()),
            longest=int(lengths.max()),
            mean=float(np.dot(lengths, counts) / counts.sum()),
            blank=int(counts[empty].sum()),
        ),
        spellings=found,
    )


def _text(value: Any, time: bool) -> str:
    """Return a NumPy number with all its digits, or an epoch in ms as an ISO date-time (UTC, without a zone)."""
    if not time:
        return str(value.item())
    return str(np.datetime64(int(value), "ms")).removesuffix(".000").replace("T", " ")


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
