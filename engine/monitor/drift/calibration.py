"""The rule tried on past windows: thresholds per window size that hold their promise, and how often it still alarms.

A block bootstrap (Künsch 1989) whose blocks are as long as the windows: rows of a window follow each other in time as
live rows do, so that whatever binds them (trends, seasons, repeats) is in the null distribution too.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.distances import PSEUDO_COUNT, chi_square_quantile
from lemnis.engine.monitor.drift.chance import chi_square_survival, kolmogorov_survival
from lemnis.engine.monitor.drift.null import LEVEL, Null
from lemnis.engine.monitor.drift.scores import chi_square, coarse, is_nominal, kolmogorov_smirnov
from lemnis.engine.monitor.policy import IMPORTANT_SHARE, drifting, suspicions
from lemnis.engine.monitor.tally import Binning

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

SIZES = (200, 1_000, 5_000, 20_000)  # rows of a null window
RUN = 3  # windows that follow each other: what persistence looks at
RUNS = 100  # of each size
LEAST = 4  # the training rows hold at least so many windows, else their size tells nothing
KOLMOGOROV = {0.5: 0.8276, 0.99: 1.6276}  # quantiles of Kolmogorov's law


class FalseAlarms(msgspec.Struct, frozen=True, kw_only=True):
    """How often the rule alarmed on training rows whose runs it was not calibrated on.

    Attributes:
        rows: Of a window.
        runs: Runs of RUN consecutive windows that were judged.
        suspected: Of their windows, how many had an important feature suspected, as a share.
        alarmed: Runs that ended in `drift`.
    """

    rows: int
    runs: int
    suspected: float
    alarmed: int


class Measured(msgspec.Struct, frozen=True):
    """One feature's effects and statistics in the null windows of one size, shape (windows,), and its freedom."""

    effects: Numbers
    statistics: Numbers
    freedom: int


def calibrate(
    binnings: Sequence[Binning], stretches: Sequence[Numbers], importance: dict[str, float]
) -> tuple[list[Binning], list[FalseAlarms]]:
    """Return the binnings with what chance does to them, and how often the rule would have alarmed.

    Args:
        binnings: Of the features, in the order of the matrix's columns.
        stretches: Training rows in the order of time without gaps, one matrix a stretch, shape (rows, features).
        importance: Share of the model's gain by feature.
    """
    lengths = [len(stretch) for stretch in stretches]
    codes = [
        np.concatenate([codes_of(binning, stretch[:, place]) for stretch in stretches])
        for place, binning in enumerate(binnings)
    ]
    nulls: list[dict[str, list[float]]] = [{"rows": [], "windows": [], "effect": [], "inflation": []} for _ in codes]
    alarms: list[FalseAlarms] = []
    weighty = np.array([importance.get(binning.name, 1.0) >= IMPORTANT_SHARE for binning in binnings])
    for size in SIZES:
        if sum(lengths) < LEAST * size or max(lengths) < RUN * size:
            continue
        starts = starts_of(lengths, size)
        measured = [measure(binning, code, starts, size) for binning, code in zip(binnings, codes, strict=True)]
        for null, one in zip(nulls, measured, strict=True):
            effect, inflation = chance_of(one, slice(None))
            for name, value in (("rows", size), ("windows", len(starts)), ("effect", effect), ("inflation", inflation)):
                null[name].append(value)
        alarms.append(try_rule(measured, weighty, size))
    judged = [
        msgspec.structs.replace(binning, null=msgspec.convert(null, Null, strict=False)) if null["rows"] else binning
        for binning, null in zip(binnings, nulls, strict=True)
    ]
    return judged, alarms


def codes_of(binning: Binning, values: Numbers) -> Codes:
    """Return the place of each encoded value among the feature's counts."""
    last = len(binning.counts) - 1
    missing = np.isnan(values)
    if binning.kind != "categorical":
        places = np.searchsorted(np.array(binning.edges), values, side="right")
        return np.where(missing, last, places)
    own = {name: place for place, name in enumerate(binning.categories)}
    places = np.array([own.get(name, last - 1) for name in binning.known] or [last], np.int64)
    return np.where(missing, last, places[np.where(missing, 0, values).astype(np.int64)])


def starts_of(lengths: Sequence[int], size: int) -> NDArray[np.int64]:
    """Return where null windows start: runs of RUN that follow each other, evenly spread over the stretches."""
    ends = np.cumsum(lengths)
    long = [(end - length, end) for length, end in zip(lengths, ends, strict=True) if length >= RUN * size]
    share = -(-RUNS // len(long))
    firsts: list[NDArray[np.int64]] = [
        np.linspace(start, end - RUN * size, share).astype(np.int64) for start, end in long
    ]
    return (np.concatenate(firsts)[:, None] + np.arange(RUN) * size).ravel()


def measure(binning: Binning, codes: Codes, starts: NDArray[np.int64], size: int) -> Measured:
    """Return the scores of windows against the rest of the rows."""
    places = len(binning.counts)
    total = np.bincount(codes, minlength=places).astype(float)
    after = np.array([np.bincount(codes[start : start + size], minlength=places) for start in starts], float)
    before = total - after
    if not is_nominal(binning):
        effects, statistics = kolmogorov_smirnov(before, after)
        return Measured(effects, statistics, 0)
    statistics, freedom = chi_square(total, after)
    return Measured(distances_of(coarse(binning, before), coarse(binning, after)), statistics, freedom)


def distances_of(before: Numbers, after: Numbers) -> Numbers:
    """Return the Jensen–Shannon distance of counts, row by row, as `scores.scores_of` has it for one window."""
    used = before + after > 0
    shares = [np.where(used, counts + PSEUDO_COUNT, 0.0) for counts in (before, after)]
    p, q = (side / side.sum(axis=-1, keepdims=True) for side in shares)
    middle = np.where(used, (p + q) / 2, 1.0)
    terms = [np.where(used, side * np.log2(np.where(used, side, 1.0) / middle), 0.0) for side in (p, q)]
    return np.sqrt(np.clip((terms[0] + terms[1]).sum(axis=-1) / 2, 0.0, 1.0))


def chance_of(measured: Measured, which: slice | NDArray[np.bool_]) -> tuple[float, float]:
    """Return the effect that LEVEL of some windows stay below, and the inflation of their statistic."""
    statistics = measured.statistics[which]
    middle, far = (float(np.quantile(statistics, level)) for level in (0.5, LEVEL))
    expected = [
        chi_square_quantile(level, measured.freedom) if measured.freedom else KOLMOGOROV[level]
        for level in (0.5, LEVEL)
    ]
    effect = float(np.quantile(measured.effects[which], LEVEL))
    return effect, max(1.0, middle / expected[0], far / expected[1])


def try_rule(measured: Sequence[Measured], weighty: NDArray[np.bool_], size: int) -> FalseAlarms:
    """Return how often the rule alarms in runs whose neighbours alone have set its thresholds.

    The declared least effect is left out: it can only make alarms fewer.
    """
    windows = len(measured[0].effects)
    fold = np.arange(windows) // RUN % 2
    suspected = np.zeros((windows, len(measured)), bool)
    for held in (0, 1):
        thresholds = [chance_of(one, fold != held) for one in measured]
        for window in np.flatnonzero(fold == held):
            found = [
                (float(one.effects[window]), effect, tail(one, int(window), inflation))
                for one, (effect, inflation) in zip(measured, thresholds, strict=True)
            ]
            suspected[window] = [suspicion.suspected for suspicion in suspicions(found)]
    runs = suspected.reshape(-1, RUN, len(measured))
    alarmed = [any(drifting(feature.tolist()) for feature in run.T[weighty]) for run in runs]
    return FalseAlarms(
        rows=size,
        runs=len(runs),
        suspected=float(suspected[:, weighty].any(axis=1).mean()),
        alarmed=sum(alarmed),
    )


def tail(measured: Measured, window: int, inflation: float) -> float:
    """Return the p-value of one null window."""
    statistic = float(measured.statistics[window]) / inflation
    return chi_square_survival(statistic, measured.freedom) if measured.freedom else kolmogorov_survival(statistic)
