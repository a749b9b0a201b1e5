"""A gate is judged on the bound of what was measured, and says why."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.evaluate.gates import judge
from lemnis.engine.evaluate.intervals import blocks_of, bootstrap_intervals
from lemnis.engine.evaluate.metrics import roc_auc

numbers = st.floats(-100, 100)


def gate(observed: float | None, interval: tuple[float, float] | None, **bound: float):
    bounds = {"least": None, "most": None} | bound
    return judge("roc_auc", "test", observed=observed, interval=interval, rows=1000, **bounds)


def test_it_passes_when_even_the_unfavourable_end_keeps_the_rule() -> None:
    found = gate(0.72, (0.70, 0.74), least=0.70)
    assert found.verdict == "pass"
    assert found.why == "Even the unfavourable end of its 95 % interval, 0.7, keeps >= 0.7."


def test_it_fails_when_even_the_favourable_end_breaks_the_rule() -> None:
    assert gate(0.60, (0.58, 0.62), least=0.70).verdict == "fail"
    assert gate(0.60, (0.58, 0.62), most=0.50).verdict == "fail"


def test_it_needs_more_rows_when_the_interval_holds_both_sides() -> None:
    found = gate(0.71, (0.68, 0.74), least=0.70)
    assert found.verdict == "not enough data"
    assert found.rows_needed == pytest.approx(9000, abs=1)
    assert "9,00" in found.why


def test_a_measure_without_an_interval_is_judged_by_itself() -> None:
    assert gate(4.9, None, most=5.0).verdict == "pass"
    assert gate(5.1, None, most=5.0).verdict == "fail"


def test_what_was_not_measured_never_passes() -> None:
    assert gate(None, None, least=0.0).verdict == "not enough data"
    assert gate(math.nan, None, most=9.0).verdict == "not enough data"


@given(numbers, numbers, numbers, numbers, st.booleans())
def test_a_pass_and_a_fail_are_never_contradicted_by_the_interval(
    observed: float, below: float, above: float, bound: float, least: bool
) -> None:
    low, high = observed - abs(below), observed + abs(above)
    found = gate(observed, (low, high), **({"least": bound} if least else {"most": bound}))
    kept = [(value >= bound) if least else (value <= bound) for value in (low, observed, high)]
    assert (found.verdict == "pass") == all(kept)
    assert (found.verdict == "fail") == (not any(kept))
    assert found.why


def test_the_same_seed_draws_the_same_interval_and_it_holds_the_measure() -> None:
    random = np.random.default_rng(2)
    target = random.integers(0, 2, 2000).astype(float)
    score = random.random(2000) + 0.3 * target
    rows, _ = blocks_of(None, 2000)

    def measure(weight: np.ndarray) -> dict[str, float]:
        return {"roc_auc": roc_auc(target, score, weight)}

    first = bootstrap_intervals(measure, rows, seed=5)
    assert first == bootstrap_intervals(measure, rows, seed=5)
    low, high = first["roc_auc"]
    assert low < roc_auc(target, score) < high
    assert high - low < 0.06


def test_rows_of_a_day_that_go_together_widen_the_interval() -> None:
    random = np.random.default_rng(4)
    day = np.repeat(np.arange(30), 100)
    target = (random.random(3000) < 0.2 + 0.6 * (day % 2)).astype(float)

    def measure(weight: np.ndarray) -> dict[str, float]:
        return {"share": float((weight * target).sum() / weight.sum())}

    days, word = blocks_of(day, 3000)
    assert word == "days"
    by_day = np.diff(bootstrap_intervals(measure, days)["share"])[0]
    by_row = np.diff(bootstrap_intervals(measure, blocks_of(None, 3000)[0])["share"])[0]
    assert by_day > 3 * by_row


def test_a_few_days_are_too_few_to_draw_from() -> None:
    assert blocks_of(np.array([1, 1, 2]), 3)[1] == "rows"


def test_a_measure_that_is_often_undefined_has_no_interval() -> None:
    assert bootstrap_intervals(lambda weight: {"x": math.nan}, np.arange(10)) == {}
