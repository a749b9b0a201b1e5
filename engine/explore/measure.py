"""Measures one Arrow column: every figure of its profile from one read and one sort."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace
from numpy.typing import NDArray

from lemnis.engine.explore import statistics
from lemnis.engine.explore.notes import column_notes
from lemnis.engine.explore.profile import CLASSES, TOP_VALUES, Histogram, Profile, TopValue

Array = Any  # pyarrow ships no types

DAY_MS = 86_400_000
TIME_STEPS_MS = (1, 1000, 60_000, 600_000, 3_600_000, 6 * 3_600_000, *(DAY_MS * days for days in (1, 2, 7, 14, 28, 91)))


class Classes(NamedTuple):
    """The label as a number per row: `codes` index `names`, -1 where the label is missing."""

    names: list[str]
    codes: NDArray[np.int32]


def label_classes(label: Array) -> Classes | None:
    """Return the classes of a label column, most frequent first; None when it has more than CLASSES values."""
    if pa.types.is_floating(label.type):
        label = pc.if_else(pc.is_nan(label), None, label)
    encoded = encoded_column(label)
    if not 1 < len(encoded.names) <= CLASSES:
        return None
    counts = np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(encoded.names))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    return Classes([encoded.names[place] for place in order], rank[encoded.codes])


def measure_column(column: Array, blank: Profile, classes: Classes | None = None) -> Profile:
    """Return the full profile of a column.

    Args:
        column: A pyarrow chunked array.
        blank: The profile that names it.
        classes: The label of the same rows, for histograms by class.
    """
    if blank.kind in ("numeric", "time"):
        return _measure_ordered(column, blank, classes)
    return _measure_categories(column, blank, classes)


def _measure_ordered(column: Array, blank: Profile, classes: Classes | None) -> Profile:
    """Measure numbers and times: one sort gives distinct values, quantiles, top values and the histogram."""
    values, present, usable = _numbers(column.combine_chunks())
    profile = replace(blank, missing=len(present) - int(present.sum()))
    ordered = np.sort(values)
    if len(ordered):
        codes = None if classes is None else classes.codes[usable]
        profile = _with_figures(profile, values, ordered, classes, codes)
    infinite = int(present.sum()) - len(values)
    return replace(profile, notes=column_notes(profile, infinite=infinite, shift=_shift(~present, classes)))


def _numbers(array: Array) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the finite values (times as epoch ms), and per row whether it has a value and whether a finite one."""
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.timestamp("ms", tz=getattr(array.type, "tz", None)), safe=False).cast(pa.int64())
    elif pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    present: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    values: NDArray[Any] = array.drop_null().to_numpy(zero_copy_only=False)
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return values, present, present
    present, usable = present.copy(), present.copy()
    usable[usable] = np.isfinite(values)
    present[present] = ~np.isnan(values)
    return values[np.isfinite(values)], present, usable


def _with_figures(
    profile: Profile,
    values: NDArray[Any],
    ordered: NDArray[Any],
    classes: Classes | None,
    codes: NDArray[np.int32] | None,
) -> Profile:
    """Add what sorted values tell."""
    time = profile.kind == "time"
    distinct, counts = statistics.sorted_runs(ordered)
    moments = statistics.moments(distinct, counts)
    repeated = len(distinct) < len(ordered)
    most: list[int] = np.argsort(-counts, kind="stable")[:TOP_VALUES].tolist() if repeated else []
    edges = statistics.histogram_edges(ordered, whole=values.dtype.kind in "iu", steps=TIME_STEPS_MS if time else ())
    clipped = statistics.sorted_histogram(ordered, edges)
    by_class: dict[str, list[int]] = {}
    if classes is not None and codes is not None:
        table = statistics.class_histogram(values, edges, codes, len(classes.names), clipped.counts)
        by_class = dict(zip(classes.names, table.tolist(), strict=True))
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
        histogram=Histogram(
            edges=edges.tolist(),
            counts=clipped.counts.tolist(),
            below=clipped.below,
            above=clipped.above,
            by_class=by_class,
        ),
    )


def _measure_categories(column: Array, blank: Profile, classes: Classes | None) -> Profile:
    """Measure text, booleans and whatever else can be written as text."""
    names, codes = encoded_column(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    shown = order[:TOP_VALUES]
    by_class: dict[str, list[int]] = {}
    if classes is not None:
        table = statistics.code_class_counts(codes, classes.codes, len(names), len(classes.names))
        by_class = dict(zip(classes.names, table[:, shown].tolist(), strict=True))
    labels = [names[int(place)] for place in shown]
    in_bins: list[int] = counts[shown].tolist()
    profile = replace(
        blank,
        missing=int((codes < 0).sum()),
        distinct=len(names),
        minimum=min(names, default=None),
        maximum=max(names, default=None),
        top=[TopValue(value=value, rows=rows) for value, rows in zip(labels, in_bins, strict=True)],
        histogram=Histogram(labels=labels, counts=in_bins, above=int(counts.sum()) - sum(in_bins), by_class=by_class),
    )
    return replace(profile, notes=column_notes(profile, shift=_shift(codes < 0, classes)))


def encoded_column(column: Array) -> Classes:
    """Return a column's distinct values as text and, per row, which of them it holds (-1 where missing)."""
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs: their text stands for them
            texts = [None if value is None else str(value) for value in column.to_pylist()]
            column = pa.chunked_array([pa.array(texts, pa.string())]).dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    indices = pc.fill_null(array.indices.cast(pa.int32()), -1)
    codes: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False)
    words: list[Any] = array.dictionary.to_pylist()
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(words)))
    if len(used) < len(words):  # a dictionary may hold values that no row uses
        rank = np.full(len(words) + 1, -1, dtype=np.int32)
        rank[used] = np.arange(len(used), dtype=np.int32)
        words, codes = [words[place] for place in used], rank[codes]
    return Classes([str(word).lower() if isinstance(word, bool) else str(word) for word in words], codes)


def _shift(missing: NDArray[np.bool_], classes: Classes | None) -> float:
    """Return how much the label's classes differ between rows without and with a value."""
    if classes is None or not missing.any():
        return 0.0
    labelled = classes.codes >= 0
    kinds = len(classes.names)
    without = np.bincount(classes.codes[missing & labelled], minlength=kinds)
    having = np.bincount(classes.codes[~missing & labelled], minlength=kinds)
    return statistics.total_variation(without, having)


def _text(value: Any, time: bool) -> str:
    """Return a NumPy number with all its digits, or an epoch in ms as an ISO date-time (UTC, without a zone)."""
    if not time:
        return str(value.item())
    return str(np.datetime64(int(value), "ms")).removesuffix(".000").replace("T", " ")


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
