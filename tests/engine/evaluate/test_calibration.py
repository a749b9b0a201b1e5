"""Calibration: bins and the Brier score taken apart, maps that undo a known fault, and offers that must be earned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Problem
from lemnis.engine.evaluate.baselines import Ground
from lemnis.engine.evaluate.calibrating import calibration_of
from lemnis.engine.evaluate.calibration import fit_map, reliability
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.models.calibration import logistic, mapped

DAY_MS = 86_400_000
answers = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=80)


@settings(deadline=None, max_examples=50)
@given(answers)
def test_the_brier_score_is_what_its_three_parts_make_where_a_bin_holds_one_probability(
    rows: list[tuple[int, int]],
) -> None:
    target, score = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    score = np.floor(score / 5) / 4  # five values: each gets a bin of its own, however rows are spread
    found = reliability(target, score, np.arange(target.size), bins=200)
    assert found.brier == pytest.approx(found.off - found.apart + found.spread)
    assert sum(one.rows for one in found.bins) == target.size
    assert found.ece == pytest.approx(sum(abs(one.said - one.was) * one.rows for one in found.bins) / target.size)
    assert all(
        one.low <= one.was + 1e-9 and one.was <= one.high + 1e-9 for one in found.bins if one.rows == target.size
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from(["isotonic", "platt"]))
def test_a_map_never_changes_the_order_of_two_rows_and_never_says_for_certain(seed: int, method: str) -> None:
    random = np.random.default_rng(seed)
    score = random.random(200)
    target = (random.random(200) < score).astype(float)
    target[:2] = [0, 1]
    points = fit_map(method, target, score)
    made = mapped(method, points, np.linspace(0, 1, 50))
    assert (np.diff(made) >= -1e-12).all()
    assert ((made > 0) & (made < 1)).all()


def test_platt_finds_the_line_in_the_log_odds_that_spoilt_the_probabilities() -> None:
    random = np.random.default_rng(3)
    odds = random.normal(0, 1.5, 60_000)
    target = (random.random(odds.size) < logistic(odds)).astype(float)
    slope, offset = fit_map("platt", target, logistic(2 * odds + 0.5))[0]
    assert (slope, offset) == (pytest.approx(0.5, abs=0.02), pytest.approx(-0.25, abs=0.03))


@pytest.mark.parametrize(("spoilt", "wins"), [(False, False), (True, True)])
def test_a_map_is_offered_only_where_probabilities_were_wrong(spoilt: bool, wins: bool) -> None:
    random = np.random.default_rng(5)
    odds = random.normal(-1, 1.2, 8000)
    target = (random.random(odds.size) < logistic(odds)).astype(float)
    score = logistic(odds * 1.8 + 0.7) if spoilt else logistic(odds)
    everything = Scored(target=target, score=score, time=np.arange(odds.size) * DAY_MS // 100)
    ground = Ground(
        rows=None, all=everything, learned=np.arange(0), validation=np.arange(4000), judged=np.arange(4000, 8000),
        part="test", has_train=True,
    )  # fmt: skip
    found = calibration_of(ground, Yardstick(everything.where(ground.judged), Problem(task="binary")))
    assert found is not None
    assert found.blocks == "days"
    assert [one.wins for one in found.maps] == [wins, wins]
    without = calibration_of(
        Ground(
            rows=None, all=everything, learned=np.arange(0), validation=np.arange(0), judged=ground.judged, part="test",
            has_train=True,
        ),
        Yardstick(everything.where(ground.judged), Problem(task="binary")),
    )  # fmt: skip
    assert without is not None
    assert (without.maps, without.why[:16]) == ([], "no map is fitted")
