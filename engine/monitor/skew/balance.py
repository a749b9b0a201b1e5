"""Shares of classes, answers and segments against training: intervals, chance and verdict. Pure."""

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from lemnis.engine.monitor.drift.chance import benjamini_hochberg
from lemnis.engine.monitor.policy import SIGNIFICANT
from lemnis.engine.monitor.records import PREDICTION, Verdict
from lemnis.engine.monitor.skew.records import Kind, ShareSkew
from lemnis.engine.monitor.tally import Binning, Tally

Z = NormalDist().inv_cdf(0.975)
HALF = 0.5  # of the declared effect: from here on a share is watched
RATIO = 2.0  # … or where a segment has become so many times as large or small and MANY rows are concerned
MANY = 30


def wilson(count: int, rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, within [0, 1]; of no rows all of it.

    Source: Wilson (1927).
    """
    if rows <= 0:
        return 0.0, 1.0
    share, bent = count / rows, 1 + Z * Z / rows
    centre = (share + Z * Z / (2 * rows)) / bent
    reach = Z * math.sqrt(share * (1 - share) / rows + Z * Z / (4 * rows * rows)) / bent
    return max(0.0, min(centre - reach, share)), min(1.0, max(centre + reach, share))


def chance_of(count: int, rows: int, other: int, others: int) -> float:
    """Return the chance that two shares of one population differ so much: the two-proportion z test, two-sided."""
    if not rows or not others:
        return 1.0
    pooled = (count + other) / (rows + others)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / others))
    if spread == 0.0:
        return 1.0
    return math.erfc(abs(count / rows - other / others) / spread / math.sqrt(2))


def shares_of(kind: Kind, column: str, before: Mapping[str, int], now: Mapping[str, int]) -> list[ShareSkew]:
    """Return the share of each value, unjudged.

    Args:
        kind: What the values are.
        column: Of the feature, target or group.
        before: Training rows of each value.
        now: Rows of each value.
    """
    known, rows = sum(before.values()), sum(now.values())
    if not known or not rows:
        return []
    found: list[ShareSkew] = []
    values = list(dict.fromkeys([*before, *now]))
    for value in values[1:] if len(values) == 2 else values:  # of two shares, one says what the other does
        count, other = now.get(value, 0), before.get(value, 0)
        low, high = wilson(count, rows)
        found.append(
            ShareSkew(
                kind=kind,
                column=column,
                value=value,
                reference=other / known,
                reference_rows=known,
                share=count / rows,
                low=low,
                high=high,
                rows=rows,
                p=chance_of(count, rows, other, known),
            )
        )
    return found


def segments(binnings: Sequence[Binning], tally: Tally) -> list[ShareSkew]:
    """Return the share of each main value of the categorical and logical features, among rows that have a value."""
    found: list[ShareSkew] = []
    for binning in binnings:
        column = tally.columns.get(binning.name)
        if column is None or not (binning.kind == "categorical" or binning.logical):
            continue
        labels = binning.labels[:-1]
        before = dict(zip(labels, binning.counts, strict=False))
        now = dict(zip(labels, column.counts, strict=False))
        found += shares_of("segment", binning.name, before, now)
    return found


def answers(binning: Binning, tally: Tally, classes: Sequence[str], threshold: float) -> list[ShareSkew]:
    """Return the share of each answer: of two classes by the threshold, else of the likeliest class.

    Args:
        binning: Of the prediction, over the held-out rows; its cells say where the threshold lies to a cell.
        tally: Of the rows of now.
        classes: Of the target; fewer than two give nothing.
        threshold: From which score an answer is the second of two classes.
    """
    if len(classes) < 2:
        return []
    if len(classes) > 2:
        column = tally.columns.get(PREDICTION)
        now = column.counts[:-1] if column else []
        pairs = (dict(zip(classes, counts, strict=False)) for counts in (binning.counts[:-1], now))
        return shares_of("answer", PREDICTION, *pairs)
    known, below = sum(binning.counts[:-1]), rows_below(binning, threshold)
    before = {classes[0]: below, classes[1]: known - below}
    return shares_of(
        "answer", PREDICTION, before, {classes[0]: tally.scored - tally.positives, classes[1]: tally.positives}
    )


def most_skewed(shares: Sequence[ShareSkew]) -> ShareSkew | None:
    """Return the share that moved most beyond chance; None where none did.

    Args:
        shares: Unjudged.
    """
    adjusted = benjamini_hochberg([one.p for one in shares])
    moved = [one for one, p in zip(shares, adjusted, strict=True) if p <= SIGNIFICANT]
    return max(moved, key=lambda one: abs(one.moved), default=None)


def rows_below(binning: Binning, threshold: float) -> int:
    """Return how many of the held-out rows scored below a threshold, evenly spread within the cell it lies in."""
    if binning.low is None or binning.high is None:
        return 0
    ends = np.maximum.accumulate(np.array([binning.low, *binning.edges, binning.high]))
    counts = np.concatenate([[0.0], np.cumsum(np.array(binning.counts[:-1], float))])
    return round(float(np.interp(threshold, ends, counts)))


def judged(shares: Sequence[ShareSkew], effect: float) -> list[ShareSkew]:
    """Return shares with p adjusted over all of them and a verdict, those out of balance first.

    `drift` from a difference of `effect` on, `watch` from half of it, or where a segment doubled or halved; each only
    where its adjusted p is at most SIGNIFICANT.
    """
    adjusted = benjamini_hochberg([one.p for one in shares])
    found = [
        msgspec.structs.replace(one, p_adjusted=p, verdict=verdict_of(one, p, effect))
        for one, p in zip(shares, adjusted, strict=True)
    ]
    return sorted(found, key=lambda one: (one.verdict == "ok", one.verdict != "drift", -abs(one.moved), one.column))


def verdict_of(one: ShareSkew, p: float, effect: float) -> Verdict:
    """Return what one share's difference amounts to."""
    if p > SIGNIFICANT:
        return "ok"
    if abs(one.moved) >= effect:
        return "drift"
    bent = max(one.share, one.reference) >= RATIO * min(one.share, one.reference)
    many = max(one.share, one.reference) * one.rows >= MANY
    return "watch" if abs(one.moved) >= effect * HALF or (bent and many) else "ok"
