"""Streams of windows through the monitor's verdict, without a workspace: for its tests and its benchmark."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.config import Monitor
from lemnis.engine.features.signature import Feature
from lemnis.engine.monitor.drift.calibration import calibrate, codes_of
from lemnis.engine.monitor.drift.freeze import binned
from lemnis.engine.monitor.judge import Judged, judge_window
from lemnis.engine.monitor.measures import Measures
from lemnis.engine.monitor.policy import IMPORTANT_SHARE
from lemnis.engine.monitor.reference import Reference
from lemnis.engine.monitor.tally import Binning, Column, Tally, count_numbers

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


def reference_of(matrix: Numbers, categorical: Sequence[int], names: Sequence[str]) -> Reference:
    """Freeze a reference whose features all are important; rows are in order of time."""
    importance = dict.fromkeys(names, max(1 / len(names), IMPORTANT_SHARE))
    binnings = binned(matrix, features_of(matrix, categorical, names), 10)
    judged, alarms = calibrate(binnings, [matrix], importance)
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
    )


def tally_of(binnings: Sequence[Binning], rows: Numbers) -> Tally:
    """Count the rows of an encoded matrix."""
    columns = {b.name: column_of(b, rows[:, place]) for place, b in enumerate(binnings)}
    return Tally(rows=len(rows), columns=columns)


def column_of(binning: Binning, values: Numbers) -> Column:
    """Count one encoded column."""
    if binning.kind != "categorical":
        return count_numbers(binning, values)
    known = np.where(values < len(binning.known), values, np.nan)
    return Column(counts=np.bincount(codes_of(binning, known), minlength=len(binning.counts)).tolist())


def judge_stream(reference: Reference, windows: Iterable[Numbers], monitor: Monitor | None = None) -> list[Judged]:
    """Judge windows that follow each other."""
    judged: list[Judged] = []
    for rows in windows:
        earlier = [one.suspected for one in judged[-2:]]
        tally = tally_of(reference.binnings, rows)
        judged.append(
            judge_window(monitor or Monitor(), reference, tally, Measures(), [e for e in earlier if e is not None])
        )
    return judged
