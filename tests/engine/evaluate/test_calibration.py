"""Calibration: bins and the Brier score taken apart, maps that undo a known fault, and offers that must be earned."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Problem
from lemnis.engine.evaluate.baselines import Ground
from lemnis.engine.evaluate.calibrating import calibration_of
from lemnis.engine.evaluate.calibration import METHODS, fit_map, fitted, reliability
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.models.calibration import logistic, mapped, tempered

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


def of_three_classes(rows: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return drawn classes, and their true probabilities made too sure (above 1) or too unsure."""
    random = np.random.default_rng(11)
    odds = random.normal([0.8, 0.0, -0.8], 1.2, (rows, 3))
    true = np.exp(odds) / np.exp(odds).sum(1, keepdims=True)
    target = (random.random(rows)[:, None] > true.cumsum(1)[:, :2]).sum(1).astype(float)
    return target, tempered(true, 1 / sharpness)


@pytest.mark.parametrize("sharpness", [2.5, 1.0, 0.4])
def test_temperature_finds_how_much_too_sure_probabilities_of_several_classes_are(sharpness: float) -> None:
    target, said = of_three_classes(40_000, sharpness)
    made = fitted("temperature", target, said)
    assert made.points[0][0] == pytest.approx(sharpness, rel=0.03)
    assert (made.many(said).argmax(1) == said.argmax(1)).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.sampled_from(METHODS["multiclass"]), st.integers(2, 5))
def test_better_probabilities_of_classes_are_probabilities_and_one_row_is_mapped_as_many_are(
    seed: int, method: str, classes: int
) -> None:
    random = np.random.default_rng(seed)
    said = random.dirichlet(np.full(classes + 1, 0.3), 120)  # the last class never happened
    target = random.integers(0, classes, 120).astype(float)
    made = fitted(method, target, said)  # type: ignore[arg-type]
    better = made.many(said)
    assert ((better >= 0) & (better <= 1)).all()
    assert better.sum(1) == pytest.approx(1)
    assert [made.row(row) for row in said.tolist()] == [pytest.approx(row, abs=1e-12) for row in better.tolist()]


@pytest.mark.parametrize(("sharpness", "wins"), [(1.0, False), (2.2, True)])
def test_a_map_of_classes_is_offered_only_where_they_were_too_sure_and_each_class_is_judged(
    sharpness: float, wins: bool
) -> None:
    target, said = of_three_classes(8000, sharpness)
    everything = Scored(target=target, score=said, time=np.arange(target.size) * DAY_MS // 100)
    ground = Ground(
        rows=None, all=everything, learned=np.arange(0), validation=np.arange(4000), judged=np.arange(4000, 8000),
        part="test", has_train=True,
    )  # fmt: skip
    yardstick = Yardstick(everything.where(ground.judged), Problem(task="multiclass"))
    found = calibration_of(ground, yardstick, ["a", "b", "c"])
    assert found is not None
    assert [(one.method, one.wins) for one in found.maps] == [("temperature", wins), ("isotonic", wins)]
    assert list(found.classes) == ["a", "b", "c"]
    answered = sum(one.was * one.rows for one in found.reliability.bins) / 4000
    assert answered == pytest.approx((said[4000:].argmax(1) == target[4000:]).mean())
    happened = {name: sum(one.was * one.rows for one in of.bins) for name, of in found.classes.items()}
    assert happened == {name: pytest.approx((target[4000:] == place).sum()) for place, name in enumerate("abc")}
    assert (found.reliability.ece > 0.05) is wins
