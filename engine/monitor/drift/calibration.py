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
GOLDEN = 0.618  # steps of the golden section fill a stretch evenly, however many they are
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
    """One feature's effects, statistics and their freedom in the null windows of one size, each of shape (windows,)."""

    effects: Numbers
    statistics: Numbers
    freedom: NDArray[np.int64]


def calibrate(
    binnings: Sequence[Binning], stretches: Sequence[Numbers], importance: dict[str, float], *, apart: bool = False
) -> tuple[list[Binning], list[FalseAlarms]]:
    """Return the binnings with what chance does to them, and how often the rule would have alarmed.

    Args:
        binnings: Of the features, in the order of the matrix's columns.
        stretches: Training rows in the order of time without gaps, one matrix a stretch, shape (rows, features).
        importance: Share of the model's gain by feature.
        apart: Each stretch has rows of another kind (those of one hour of the week): a window is compared with the rest
            of its own stretch.
    """
    lengths = [len(stretch) for stretch in stretches]
    ends = np.cumsum(lengths)
    wholes = list(zip(ends - lengths, ends, strict=True)) if apart else [(0, int(sum(lengths)))]
    codes = [
        np.concatenate([codes_of(binning, stretch[:, place]) for stretch in stretches])
        for place, binning in enumerate(binnings)
    ]
    nulls: list[dict[str, list[float]]] = [{"rows": [], "windows": [], "effect": [], "inflation": []} for _ in codes]
    alarms: list[FalseAlarms] = []
    weighty = np.array([importance.get(binning.name, 1.0) >= IMPORTANT_SHARE for binning in binnings])
    for size in SIZES:
        least = (LEAST if apart else RUN) * size
        if sum(lengths) < LEAST * size or max(lengths) < least:
            continue
        starts = starts_of(lengths, size, least)
        measured = [measure(binning, code, starts, size, wholes) for binning, code in zip(binnings, codes, strict=True)]
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


def starts_of(lengths: Sequence[int], size: int, least: int) -> NDArray[np.int64]:
    """Return where null windows start: runs of RUN that follow each other, evenly spread over the long stretches.

    Args:
        lengths: Rows of the stretches.
        size: Rows of a window.
        least: Rows of a stretch that is long enough.
    """
    ends = np.cumsum(lengths)
    long = [(end - length, end - RUN * size) for length, end in zip(lengths, ends, strict=True) if length >= least]
    share = -(-RUNS // len(long))
    firsts: list[NDArray[np.int64]] = [
        np.linspace(start, end, share).astype(np.int64)
        if share > 1
        else np.array([start + int((end - start) * (place * GOLDEN % 1))])  # not the first rows of every stretch
        for place, (start, end) in enumerate(long)
    ]
    return (np.concatenate(firsts)[:, None] + np.arange(RUN) * size).ravel()


def measure(
    binning: Binning, codes: Codes, starts: NDArray[np.int64], size: int, wholes: Sequence[tuple[int, int]]
) -> Measured:
    """Return the scores of windows against the rest of the rows of the whole they lie in, wholes in order."""
    found = [
        measure_within(binning, codes[start:end], inside - start, size)
        for start, end in wholes
        if (inside := starts[(starts >= start) & (starts < end)]).size
    ]
    return Measured(
        np.concatenate([one.effects for one in found]),
        np.concatenate([one.statistics for one in found]),
        np.concatenate([one.freedom for one in found]),
    )


def measure_within(binning: Binning, codes: Codes, starts: NDArray[np.int64], size: int) -> Measured:
    """Return the scores of windows against the rest of the rows."""
    places = len(binning.counts)
    total = np.bincount(codes, minlength=places).astype(float)
    after = np.array([np.bincount(codes[start : start + size], minlength=places) for start in starts], float)
    before = total - after
    if not is_nominal(binning):
        effects, statistics = kolmogorov_smirnov(before, after)
        return Measured(effects, statistics, np.zeros(len(starts), np.int64))
    statistics, freedom = chi_square(total, after)
    effects = distances_of(coarse(binning, before), coarse(binning, after))
    return Measured(effects, statistics, np.full(len(starts), freedom))


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
    kinds, which_kind = np.unique(measured.freedom[which], return_inverse=True)
    inflation = 1.0
    for level in (0.5, LEVEL):
        expected = [chi_square_quantile(level, int(kind)) if kind else KOLMOGOROV[level] for kind in kinds]
        ratios = measured.statistics[which] / np.array(expected)[which_kind]
        inflation = max(inflation, float(np.quantile(ratios, level)))
    return float(np.quantile(measured.effects[which], LEVEL)), inflation


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
    freedom = int(measured.freedom[window])
    return chi_square_survival(statistic, freedom) if freedom else kolmogorov_survival(statistic)
