"""Measures one Arrow column: every figure of its profile from one read, put in order or counted once."""

from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from lemnis.engine.explore import signals, statistics
from lemnis.engine.explore.figures import TIME_STEPS_MS, extremes_of, largest, text_findings, with_figures
from lemnis.engine.explore.notes import column_notes
from lemnis.engine.explore.ordering import Ordering, Part, ordering_of
from lemnis.engine.explore.profile import TOP_VALUES, ClassFigures, Findings, Histogram, Profile, TopValue
from lemnis.engine.explore.statistics import Counts
from lemnis.engine.explore.target import Classes
from lemnis.engine.explore.texts import Encoded, encoded_column

Array = Any  # pyarrow ships no types


class Measured(NamedTuple):
    """A column's profile, and which of its rows are missing, packed eight a byte; None if no row is."""

    profile: Profile
    missing: NDArray[np.uint8] | None


class Beside(NamedTuple):
    """What a column is measured against: the classes of the same rows, and its profile in the version before."""

    classes: Classes | None = None
    before: Profile | None = None
    before_title: str = ""


class ByClass(NamedTuple):
    """Rows per class and bin, the missing ones last, shape (classes, bins + 1), and the mean of each class."""

    table: Counts
    means: list[float | None]


ALONE = Beside()


def measure_column(column: Array, blank: Profile, beside: Beside = ALONE) -> Measured:
    """Return the full profile of a column.

    Args:
        column: A pyarrow chunked array.
        blank: The profile that names it.
        beside: What it is measured against.
    """
    measure = _measure_ordered if blank.kind in ("numeric", "time") else _measure_categories
    profile, missing, by_class = measure(column, blank, beside)
    findings, shift = profile.findings, 0.0
    if beside.classes is not None and by_class is not None:
        gone = by_class.table[:, -1]
        shift = statistics.total_variation(gone, by_class.table[:, :-1].sum(axis=1)) if profile.missing else 0.0
        figures = [
            ClassFigures(name=name, rows=int(rows.sum()), missing=int(rows[-1]), mean=mean)
            for name, rows, mean in zip(beside.classes.names, by_class.table, by_class.means, strict=True)
        ]
        findings = replace(findings, classes=figures)
        if profile.role != "label":
            findings = replace(findings, association=signals.information_share(by_class.table))
    profile = replace(profile, findings=findings)
    marks = np.packbits(missing) if missing is not None else None
    return Measured(replace(profile, notes=column_notes(profile, shift=shift)), marks)


def _measure_ordered(
    column: Array, blank: Profile, beside: Beside
) -> tuple[Profile, NDArray[np.bool_] | None, ByClass | None]:
    """Measure numbers and times: their order gives distinct values, quantiles, top values and the histogram.

    Returns the profile, which rows are missing if any is, and the rows per class.
    """
    ordering = ordering_of(column)
    whole = ordering.part()
    missing = ordering.missing() if whole.missing else None
    profile = replace(blank, missing=whole.missing, findings=Findings(infinite=whole.infinite))
    edges = np.array([0.0, 1.0])
    if whole.ordered.rows:
        edges = statistics.histogram_edges(
            whole.ordered,
            whole=whole.ordered.values.dtype.kind in "iu",
            steps=TIME_STEPS_MS if profile.kind == "time" else (),
        )
    totals = _cells(whole, edges)
    by_class = _numbers_by_class(ordering, beside.classes, whole, edges) if beside.classes is not None else None
    if not whole.ordered.rows:
        return profile, missing, by_class
    profile = with_figures(profile, whole.ordered)
    if profile.exact and profile.findings.outliers:
        extremes = extremes_of(ordering, whole.ordered, profile.findings.outliers)
        profile = replace(profile, findings=replace(profile.findings, extremes=extremes))
    drawn = Histogram(
        edges=edges.tolist(),
        counts=totals[1:-2].tolist(),
        below=int(totals[0]),
        above=int(totals[-2]),
        by_class=_drawn(beside.classes, by_class, slice(1, -2)),
    )
    return _drifted(replace(profile, histogram=drawn), whole, beside), missing, by_class


def _cells(part: Part, edges: NDArray[np.float64]) -> Counts:
    """Return the rows below the edges, in each bin, above them, and without a value."""
    return np.append(statistics.with_outside(statistics.sorted_histogram(part.ordered, edges)), part.missing)


def _numbers_by_class(ordering: Ordering, classes: Classes, whole: Part, edges: NDArray[np.float64]) -> ByClass:
    """Return rows per class and bin; the first class, which has most rows, is what the others leave."""
    left, left_sum = _cells(whole, edges), _sum(whole)
    table, sums = np.zeros((len(classes.names), len(left)), dtype=np.int64), [0.0] * len(classes.names)
    for code, rows in classes.others:
        part = ordering.part(rows)
        counts, total = _cells(part, edges), _sum(part)
        left, left_sum = left - counts, left_sum - total
        if code > 0:
            table[code], sums[code] = counts, total
    table[0], sums[0] = left, left_sum
    held = table[:, :-1].sum(axis=1).tolist()
    means = [total / rows if rows and np.isfinite(total) else None for total, rows in zip(sums, held, strict=True)]
    return ByClass(table, means)


def _sum(part: Part) -> float:
    values, ends = part.ordered
    with np.errstate(over="ignore"):
        rows = None if ends is None else np.diff(ends, prepend=0)
        return statistics.mean_of(values, rows, part.ordered.rows) * part.ordered.rows if len(values) else 0.0


def _drawn(classes: Classes | None, by_class: ByClass | None, bins: "slice | list[int]") -> dict[str, list[int]]:
    if classes is None or by_class is None:
        return {}
    return dict(zip(classes.names, by_class.table[:, bins].tolist(), strict=True))


def _measure_categories(
    column: Array, blank: Profile, beside: Beside
) -> tuple[Profile, NDArray[np.bool_] | None, ByClass | None]:
    """Measure text, booleans and whatever else can be written as text; returns as `_measure_ordered`."""
    encoded = encoded_column(column)
    gone, counts = int(encoded.counts[0]), encoded.counts[1:]
    shown = largest(counts, TOP_VALUES)
    labels, in_bins = encoded.named(shown), counts[shown].tolist() if shown else list[int]()
    low, high = encoded.ends()
    by_class = _words_by_class(encoded, beside.classes, shown) if beside.classes is not None else None
    profile = replace(
        blank,
        missing=gone,
        distinct=len(counts),
        minimum=low,
        maximum=high,
        top=[TopValue(value=value, rows=rows) for value, rows in zip(labels, in_bins, strict=True)],
        histogram=Histogram(
            labels=labels,
            counts=in_bins,
            above=int(counts.sum()) - sum(in_bins),
            by_class=_drawn(beside.classes, by_class, slice(0, len(shown))),
        ),
        findings=text_findings(blank, encoded),
    )
    return _drifted_categories(profile, encoded, beside), encoded.cells == 0 if gone else None, by_class


def _words_by_class(encoded: Encoded, classes: Classes, shown: list[int]) -> ByClass:
    """Return rows per class and shown word, the rows of all other words, and those without a word."""
    width = len(encoded.counts)
    table, left = np.zeros((len(classes.names), width), dtype=np.int64), encoded.counts.copy()
    for code, rows in classes.others:
        counts = np.bincount(encoded.cells[rows], minlength=width)
        left -= counts
        if code > 0:
            table[code] = counts
    table[0] = left
    gone, kept = table[:, :1], table[:, np.array(shown, dtype=np.intp) + 1]
    rest = table.sum(axis=1, keepdims=True) - kept.sum(axis=1, keepdims=True) - gone
    return ByClass(np.hstack((kept, rest, gone)), [None] * len(classes.names))


def _drifted(profile: Profile, whole: Part, beside: Beside) -> Profile:
    """Add the PSI of numbers against the version before, over the bins that were drawn of that."""
    before = beside.before
    if before is None or not before.histogram.edges:
        return profile
    drawn = before.histogram
    now = statistics.with_outside(statistics.sorted_histogram(whole.ordered, np.array(drawn.edges)))
    return _with_drift(profile, [drawn.below, *drawn.counts, drawn.above], now.tolist(), beside)


def _drifted_categories(profile: Profile, encoded: Encoded, beside: Beside) -> Profile:
    """Add the PSI of categories against the version before, over its most frequent values and all others."""
    before = beside.before
    if before is None or not before.histogram.labels:
        return profile
    now = encoded.rows_of(before.histogram.labels)
    now.append(int(encoded.counts[1:].sum()) - sum(now))
    return _with_drift(profile, [*before.histogram.counts, before.histogram.above], now, beside)


def _with_drift(profile: Profile, before: list[int], now: list[int], beside: Beside) -> Profile:
    """Add the PSI between two countings, the missing rows being a bin of their own."""
    assert beside.before is not None
    psi, _ = signals.drift(np.array([*before, beside.before.missing]), np.array([*now, profile.missing]))
    return replace(profile, findings=replace(profile.findings, drift=psi, drift_from=beside.before_title))
