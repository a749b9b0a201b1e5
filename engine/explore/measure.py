"""Measures one Arrow column: every figure of its profile from one read and one sort."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec.structs import replace
from numpy.typing import NDArray

from lemnis.engine.explore import signals, statistics
from lemnis.engine.explore.notes import column_notes
from lemnis.engine.explore.profile import (
    TOP_VALUES,
    Coverage,
    Findings,
    Histogram,
    Lengths,
    Outliers,
    Profile,
    Spellings,
    TopValue,
)
from lemnis.engine.explore.spellings import alike
from lemnis.engine.explore.target import Array, Classes, encoded_column

DAY_MS = 86_400_000
TIME_STEPS_MS = (1, 1000, 60_000, 600_000, 3_600_000, 6 * 3_600_000, *(DAY_MS * days for days in (1, 2, 7, 14, 28, 91)))
UNIT_NAMES = {"m": "minute", "h": "hour", "D": "day", "W": "week", "M": "month", "Y": "year"}
EXAMPLES, MOST_GAPS, MOST_SPELLINGS = 3, 5, 20


class Measured(NamedTuple):
    """A column's profile, and which of its rows are missing, packed eight a byte; None if no row is."""

    profile: Profile
    missing: NDArray[np.uint8] | None


class Beside(NamedTuple):
    """What a column is measured against: the label of the same rows, and its profile in the version before."""

    classes: Classes | None = None
    before: Profile | None = None
    before_title: str = ""


ALONE = Beside()


def measure_column(column: Array, blank: Profile, beside: Beside = ALONE) -> Measured:
    """Return the full profile of a column.

    Args:
        column: A pyarrow chunked array.
        blank: The profile that names it.
        beside: What it is measured against.
    """
    if blank.kind in ("numeric", "time"):
        profile, missing, whole = _measure_ordered(column, blank, beside)
    else:
        profile, missing, whole = _measure_categories(column, blank, beside)
    gone = int(missing.sum())
    shift = _shift(missing, beside.classes) if gone else 0.0
    findings = profile.findings
    if beside.classes is not None and profile.role != "label":
        without = _class_counts(beside.classes, missing) if gone else np.zeros(len(beside.classes.names), dtype=int)
        table = np.column_stack((whole, without))
        findings = replace(findings, association=signals.information_share(table))
    profile = replace(profile, findings=findings)
    return Measured(replace(profile, notes=column_notes(profile, shift=shift)), np.packbits(missing) if gone else None)


def _measure_ordered(
    column: Array, blank: Profile, beside: Beside
) -> tuple[Profile, NDArray[np.bool_], NDArray[np.int64]]:
    """Measure numbers and times: one sort gives distinct values, quantiles, top values and the histogram.

    Returns the profile, which rows are missing, and the rows per class and bin.
    """
    values, present, usable = _numbers(column.combine_chunks())
    missing = ~present
    profile = replace(blank, missing=int(missing.sum()))
    infinite = len(present) - profile.missing - len(values)
    profile = replace(profile, findings=Findings(infinite=infinite))
    if not len(values):
        return profile, missing, np.zeros((len(beside.classes.names) if beside.classes else 0, 1), dtype=np.int64)
    ordered = np.sort(values)
    edges = statistics.histogram_edges(
        ordered, whole=values.dtype.kind in "iu", steps=TIME_STEPS_MS if profile.kind == "time" else ()
    )
    totals = statistics.with_outside(statistics.sorted_histogram(ordered, edges))
    table = np.zeros((0, len(totals)), dtype=np.int64)
    if beside.classes is not None:
        codes = beside.classes.codes if len(values) == len(present) else beside.classes.codes[usable]
        table = statistics.class_histogram(values, edges, codes, len(beside.classes.names), totals)
    profile = _with_figures(profile, ordered, beside.before)
    drawn = Histogram(
        edges=edges.tolist(),
        counts=totals[1:-1].tolist(),
        below=int(totals[0]),
        above=int(totals[-1]),
        by_class=_by_class(beside.classes, table[:, 1:-1]),
    )
    return _drifted(replace(profile, histogram=drawn), ordered, beside), missing, table


def _by_class(classes: Classes | None, table: NDArray[np.int64]) -> dict[str, list[int]]:
    return {} if classes is None or not classes.drawn else dict(zip(classes.names, table.tolist(), strict=True))


def _numbers(array: Array) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the finite values (times as epoch ms), and per row whether it has a value and whether a finite one."""
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.timestamp("ms", tz=getattr(array.type, "tz", None)), safe=False).cast(pa.int64())
    elif pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    if array.null_count:
        present: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
        values: NDArray[Any] = array.drop_null().to_numpy(zero_copy_only=False)
    else:
        present, values = np.ones(len(array), dtype=np.bool_), array.to_numpy(zero_copy_only=False)
    if values.dtype.kind != "f":
        return values, present, present
    finite = np.isfinite(values)
    if finite.all():
        return values, present, present
    present, usable = present.copy(), present.copy()
    usable[usable] = finite
    present[present] = ~np.isnan(values)
    return values[finite], present, usable


def _with_figures(profile: Profile, ordered: NDArray[Any], before: Profile | None) -> Profile:
    """Add what sorted values tell."""
    time = profile.kind == "time"
    distinct, counts = statistics.sorted_runs(ordered)
    moments = statistics.moments(distinct, counts)
    repeated = len(distinct) < len(ordered)
    most: list[int] = _largest(counts, TOP_VALUES) if repeated else []
    findings = profile.findings
    if time:
        findings = replace(findings, coverage=_coverage(distinct, counts))
    else:
        negative, positive = np.searchsorted(ordered, 0), np.searchsorted(ordered, 0, side="right")
        findings = replace(
            findings, negative=int(negative), zeros=int(positive - negative), outliers=_outliers(ordered)
        )
    return replace(
        profile,
        distinct=len(distinct),
        minimum=_text(ordered[0], time),
        maximum=_text(ordered[-1], time),
        mean=None if time else _known(moments.mean),
        deviation=None if time else _known(moments.deviation),
        skewness=None if time else _known(moments.skewness),
        quantiles={str(share): statistics.sorted_quantile(ordered, share) for share in statistics.QUANTILES},
        top=[TopValue(value=_text(distinct[place], time), rows=int(counts[place])) for place in most],
        findings=findings,
    )


def _largest(counts: NDArray[np.int64], many: int) -> list[int]:
    """Return the places of the largest counts, the largest first; of equal ones the first."""
    if len(counts) > 10 * many:
        least = np.partition(counts, len(counts) - many)[len(counts) - many]
        above, equal = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
        chosen = np.sort(np.concatenate((above, equal[: many - len(above)])))
    else:
        chosen = np.arange(len(counts))
    return chosen[np.argsort(-counts[chosen], kind="stable")][:many].tolist()


def _outliers(ordered: NDArray[Any]) -> list[Outliers]:
    """Return what lies beyond the fences of each rule, with the farthest values."""
    found: list[Outliers] = []
    for rule, fences in (("IQR", signals.quartile_fences(ordered)), ("robust z", signals.robust_fences(ordered))):
        if fences is None:
            continue
        far = [*ordered[: min(EXAMPLES, fences.below)], *ordered[len(ordered) - min(EXAMPLES, fences.above) :]]
        found.append(
            Outliers(
                rule=rule,
                low=float(fences.low),
                high=float(fences.high),
                below=fences.below,
                above=fences.above,
                examples=[float(value) for value in far],
            )
        )
    return found


def _coverage(distinct: NDArray[Any], counts: NDArray[np.int64]) -> Coverage:
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


def _measure_categories(
    column: Array, blank: Profile, beside: Beside
) -> tuple[Profile, NDArray[np.bool_], NDArray[np.int64]]:
    """Measure text, booleans and whatever else can be written as text; returns as `_measure_ordered`."""
    names, codes, _ = encoded_column(column)
    missing = codes < 0
    counts = np.bincount(codes if not missing.any() else codes[~missing], minlength=len(names))
    shown = _largest(counts, TOP_VALUES)
    table = np.zeros((0, len(names)), dtype=np.int64)
    if beside.classes is not None:
        table = statistics.code_class_counts(codes, beside.classes.codes, len(names), len(beside.classes.names))
    labels = [names[int(place)] for place in shown]
    in_bins: list[int] = counts[shown].tolist() if shown else []
    profile = replace(
        blank,
        missing=int(missing.sum()),
        distinct=len(names),
        minimum=min(names, default=None),
        maximum=max(names, default=None),
        top=[TopValue(value=value, rows=rows) for value, rows in zip(labels, in_bins, strict=True)],
        histogram=Histogram(
            labels=labels,
            counts=in_bins,
            above=int(counts.sum()) - sum(in_bins),
            by_class=_by_class(beside.classes, table[:, shown]),
        ),
        findings=_text_findings(blank, names, counts),
    )
    kept = shown[:TOP_VALUES]
    rest = table.sum(axis=1, keepdims=True) - table[:, kept].sum(axis=1, keepdims=True)
    return _drifted_categories(profile, names, counts, beside), missing, np.hstack((table[:, kept], rest))


def _text_findings(blank: Profile, names: list[str], counts: NDArray[np.int64]) -> Findings:
    """Return lengths and spellings of text."""
    if blank.kind != "categorical" or not names:
        return Findings()
    lengths = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
    blank_rows = sum(int(rows) for name, rows in zip(names, counts, strict=True) if not name.strip())
    found: list[Spellings] = []
    if len(names) * 2 <= counts.sum():  # names and sentences are no categories
        rows = dict(zip(names, counts.tolist(), strict=True))
        found = [
            Spellings(rule=rule, values=[TopValue(value=value, rows=rows[value]) for value in values])
            for rule, values in alike(rows)[:MOST_SPELLINGS]
        ]
    return Findings(
        lengths=Lengths(
            shortest=int(lengths.min()),
            longest=int(lengths.max()),
            mean=float(np.dot(lengths, counts) / counts.sum()),
            blank=blank_rows,
        ),
        spellings=found,
    )


def _drifted(profile: Profile, ordered: NDArray[Any], beside: Beside) -> Profile:
    """Add the PSI of numbers against the version before, over the bins that were drawn of that."""
    before = beside.before
    if before is None or not before.histogram.edges:
        return profile
    drawn = before.histogram
    now = statistics.with_outside(statistics.sorted_histogram(ordered, np.array(drawn.edges)))
    return _with_drift(profile, [drawn.below, *drawn.counts, drawn.above], now.tolist(), beside)


def _drifted_categories(profile: Profile, names: list[str], counts: NDArray[np.int64], beside: Beside) -> Profile:
    """Add the PSI of categories against the version before, over its most frequent values and all others."""
    before = beside.before
    if before is None or not before.histogram.labels:
        return profile
    rows = dict(zip(names, counts.tolist(), strict=True))
    now = [rows.get(label, 0) for label in before.histogram.labels]
    now.append(int(counts.sum()) - sum(now))
    return _with_drift(profile, [*before.histogram.counts, before.histogram.above], now, beside)


def _with_drift(profile: Profile, before: list[int], now: list[int], beside: Beside) -> Profile:
    """Add the PSI between two countings, the missing rows being a bin of their own."""
    assert beside.before is not None
    psi, _ = signals.drift(np.array([*before, beside.before.missing]), np.array([*now, profile.missing]))
    return replace(profile, findings=replace(profile.findings, drift=psi, drift_from=beside.before_title))


def _class_counts(classes: Classes, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    codes = classes.codes[rows]
    return np.bincount(codes[codes >= 0], minlength=len(classes.names))


def _shift(missing: NDArray[np.bool_], classes: Classes | None) -> float:
    """Return how much the label's classes differ between rows without and with a value."""
    if classes is None:
        return 0.0
    without = _class_counts(classes, missing)
    having = np.bincount(classes.codes[classes.codes >= 0], minlength=len(classes.names)) - without
    return statistics.total_variation(without, having)


def _text(value: Any, time: bool) -> str:
    """Return a NumPy number with all its digits, or an epoch in ms as an ISO date-time (UTC, without a zone)."""
    if not time:
        return str(value.item())
    return str(np.datetime64(int(value), "ms")).removesuffix(".000").replace("T", " ")


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
