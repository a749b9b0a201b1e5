# pyright: basic

"""The verdict on streams whose drift is known: none, a burst of one window, or a shift that stays.

The benchmark bench_drift.py does the same with a thousand windows of four sizes, beside other tools.
"""

import numpy as np
import pytest
from bench.null_rows import CATEGORICAL, NAMES, STICKY, null_windows
from drifting import judge_stream, reference_of

from lemnis.engine.monitor.reference import Reference

ROWS = 1_000


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of(null_windows(1, 1, 20_000)[0], CATEGORICAL, NAMES)


def test_without_drift_hardly_a_window_is_suspected_and_none_alarms(reference: Reference) -> None:
    verdicts = [one.window["verdict"] for one in judge_stream(reference, list(null_windows(2, 100, ROWS)))]
    assert verdicts.count("drift") == 0
    assert verdicts.count("watch") <= 3


def test_a_burst_in_one_window_is_watched_and_a_shift_that_stays_alarms_at_its_second(reference: Reference) -> None:
    windows = null_windows(3, 24, ROWS)
    for place in (3, 9, 15):
        windows[place, :, 0] += 1.0
    windows[20:, :, 0] += 0.3
    judged = judge_stream(reference, list(windows))
    verdicts = [one.window["verdict"] for one in judged]
    assert [verdicts[place] for place in (3, 9, 15)] == ["watch"] * 3
    assert verdicts[20:22] == ["watch", "drift"]
    assert "drift" not in verdicts[:20]
    assert judged[21].window["why"] == "f00 drifted; the rule alarmed in 0 of 100 runs of past windows"


def test_rows_that_follow_on_raise_the_bound_and_are_no_alarm() -> None:
    sticky = reference_of(null_windows(4, 1, 20_000, STICKY)[0], CATEGORICAL, NAMES)
    alone = np.mean([binning.null.at(ROWS)[1] for binning in sticky.binnings if binning.null])
    assert alone > 1.5
    verdicts = [one.window["verdict"] for one in judge_stream(sticky, list(null_windows(5, 60, ROWS, STICKY)))]
    assert verdicts.count("drift") == 0
    assert all(found.alarmed <= found.runs * 0.05 for found in sticky.false_alarms)
