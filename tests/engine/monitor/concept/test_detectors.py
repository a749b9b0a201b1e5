# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.monitor.concept.detectors import Adwin, Ddm, PageHinkley
from lemnis.engine.monitor.concept.losses import scale_of
from lemnis.engine.monitor.concept.records import Scale
from lemnis.engine.monitor.concept.stream import Stream

# What river 0.26.1 finds in the streams of `shifting`: ADWIN(), PageHinkley(delta=0.1, threshold=60, alpha=1,
# mode="up") of (x - 0.2) / 0.4, DDM(warning_threshold=3, drift_threshold=4).
RIVER = [
    ([3327, 6271], [3177], [3649]),
    ([3231, 6239], [3219], [4247]),
    ([3135, 6271], [3123], []),
    ([3327, 6335], [3290], [4274]),
]
HELD_OUT = Scale(mean=0.2, deviation=0.4)


def shifting(seed: int) -> np.ndarray:
    """Return misses: a share of 0.2, from row 3,000 on 0.35, from row 6,000 on 0.2 again."""
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.random(3000) < share for share in (0.2, 0.35, 0.2)]).astype(float)


def positions(detector, values, levels=("drift", "better")) -> list[int]:
    return [place for place, value in enumerate(values) if detector.update(value) in levels]


def taken(stream: Stream, misses: np.ndarray) -> list[tuple[str, str, int]]:
    return [(one.detector, one.level, one.row) for one in stream.take(enumerate(misses.tolist()))]


@pytest.mark.parametrize("seed", range(4))
def test_each_detector_finds_what_that_of_river_finds(seed: int) -> None:
    misses = shifting(seed)
    adwin, page_hinkley, ddm = RIVER[seed]
    assert positions(Adwin(), misses.tolist()) == adwin
    assert positions(PageHinkley(), ((misses - 0.2) / 0.4).tolist()) == page_hinkley
    assert positions(Ddm(least_misses=0), (misses > 0).tolist()) == ddm


@pytest.mark.parametrize("seed", range(4))
def test_a_rise_warns_first_then_two_detectors_make_it_a_drift_and_a_fall_ends_it(seed: int) -> None:
    stream = Stream.of(HELD_OUT)
    found = [(level, row) for detector, level, row in taken(stream, shifting(seed)) if detector == "concept"]
    found = [(level, row) for level, row in found if row > 3_000 and level != "stable"]
    assert [level for level, _ in found] == ["warning", "drift", "better"]
    (_, warned), (_, drifted), (_, better) = found
    assert 3_000 < warned < drifted < 3_500
    assert 6_000 < better < 6_500
    assert stream.state == "stable"


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(1, 1_200), max_size=3), st.integers(0, 3))
def test_a_stream_goes_on_from_its_kept_numbers_as_if_it_had_not_stopped(parts: list[int], seed: int) -> None:
    misses = shifting(seed)[2_500:4_000]
    whole = taken(Stream.of(HELD_OUT), misses)
    found, stream = [], Stream.of(HELD_OUT)
    for part in np.split(misses, np.minimum(np.cumsum(parts), misses.size).astype(int)):
        found += taken(stream, part)
        kept = msgspec.json.encode(stream)
        assert len(kept) < 4_000
        stream = msgspec.json.decode(kept, type=Stream)
    assert found == whole


def test_without_a_change_the_concept_does_not_drift() -> None:
    alarms = warnings = 0
    for seed in range(24):
        share = (0.05, 0.25, 0.5)[seed % 3]
        misses = (np.random.default_rng(seed).random(6_000) < share).astype(float)
        scale = Scale(mean=share, deviation=(share * (1 - share)) ** 0.5)
        found = taken(Stream.of(scale), misses)
        alarms += ("concept", "drift") in {one[:2] for one in found}
        warnings += ("concept", "warning") in {one[:2] for one in found}
    assert alarms == 0
    assert warnings <= 8


def test_bad_days_are_no_drift_when_the_held_out_rows_had_such_days_too() -> None:
    chance = np.random.default_rng(8)
    days = np.repeat(np.arange(60), 200)
    misses = (chance.random(12_000) < np.repeat(np.clip(chance.normal(0.3, 0.08, 60), 0, 1), 200)).astype(float)
    scale = scale_of(misses, days)
    assert 4 < scale.effect < 12
    later = (chance.random(12_000) < np.repeat(np.clip(chance.normal(0.3, 0.08, 60), 0, 1), 200)).astype(float)
    assert "drift" in {level for _, level, _ in taken(Stream.of(msgspec.structs.replace(scale, effect=1.0)), later)}
    stream = Stream.of(scale)
    assert "drift" not in {level for _, level, _ in taken(stream, later)}
    worse = (chance.random(12_000) < np.repeat(np.clip(chance.normal(0.45, 0.08, 60), 0, 1), 200)).astype(float)
    taken(stream, worse)
    assert stream.state == "drift"


def test_errors_of_a_number_drift_too() -> None:
    chance = np.random.default_rng(3)
    scale = scale_of(abs(chance.normal(0, 10, 5_000)), np.arange(5_000))
    assert scale.miss == pytest.approx(16.4, rel=0.1)
    stream = Stream.of(scale)
    assert "drift" not in {level for _, level, _ in taken(stream, abs(chance.normal(0, 10, 4_000)))}
    found = taken(stream, abs(chance.normal(0, 16, 4_000)))
    assert stream.state == "drift"
    assert next(row for detector, level, row in found if (detector, level) == ("concept", "drift")) < 4_700
    assert scale_of(np.array([np.nan]), np.array([0])) is None
