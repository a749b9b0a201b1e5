"""Streams of windows through the monitor's verdict, without a workspace: for its tests and its benchmark."""

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Monitor
from lemnis.engine.features.signature import Feature
from lemnis.engine.monitor.drift.calibration import calibrate
from lemnis.engine.monitor.drift.freeze import binned
from lemnis.engine.monitor.drift.seasons import count_encoded, seasons_of
from lemnis.engine.monitor.judge import Judged, judge_window
from lemnis.engine.monitor.measures import Measures
from lemnis.engine.monitor.policy import IMPORTANT_SHARE
from lemnis.engine.monitor.reference import NO_TIMES, Reference
from lemnis.engine.monitor.tally import Binning, Tally

Numbers = NDArray[np.float64]


def features_of(matrix: Numbers, categorical: Sequence[int], names: Sequence[str]) -> list[Feature]:
    """Describe the columns of an encoded matrix as a signature does."""
    found: list[Feature] = []
    for place, name in enumerate(names):
        column = matrix[:, place]
        if place in categorical:
            codes = [f"c{code:03}" for code in range(int(np.nanmax(column)) + 1)]
            found.append(Feature(name=name, kind="categorical", categories=codes))
        else:
            found.append(Feature(name=name, kind="numeric", low=float(column.min()), high=float(column.max())))
    return found


def reference_of(
    matrix: Numbers, categorical: Sequence[int], names: Sequence[str], moments: NDArray[np.int64] = NO_TIMES
) -> Reference:
    """Freeze a reference whose features all are important; rows are in order of time, `moments` if they have one."""
    importance = dict.fromkeys(names, max(1 / len(names), IMPORTANT_SHARE))
    binnings = binned(matrix, features_of(matrix, categorical, names), 10)
    judged, alarms = calibrate(binnings, [matrix], importance)
    seasons, hours, why = seasons_of(binnings, matrix, moments, importance)
    return Reference(
        model="m",
        version=1,
        dataset="d v1",
        rows=len(matrix),
        task="binary",
        threshold=0.5,
        binnings=judged,
        importance=importance,
        held_out="train",
        held_out_rows=0,
        false_alarms=alarms,
        seasons=seasons,
        hours=hours,
        unseasonal=why,
    )


def tally_of(binnings: Sequence[Binning], rows: Numbers) -> Tally:
    """Count the rows of an encoded matrix."""
    columns = {b.name: count_encoded(b, rows[:, place]) for place, b in enumerate(binnings)}
    return Tally(rows=len(rows), columns=columns)


def judge_stream(
    references: Reference | Iterable[Reference], windows: Iterable[Numbers], monitor: Monitor | None = None
) -> list[Judged]:
    """Judge windows that follow each other, against one reference or one each."""
    judged: list[Judged] = []
    each = repeat(references) if isinstance(references, Reference) else references
    for reference, rows in zip(each, windows, strict=False):
        earlier = [one.suspected for one in judged[-2:]]
        tally = tally_of(reference.binnings, rows)
        judged.append(
            judge_window(monitor or Monitor(), reference, tally, Measures(), [e for e in earlier if e is not None])
        )
    return judged
