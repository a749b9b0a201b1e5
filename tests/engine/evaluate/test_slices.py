"""Slices: what is planted is found and told once, what is chance is not, and the tests are what they say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lemnis.engine import Engine
from lemnis.engine.data.duck import open_duck
from lemnis.engine.evaluate.jobs import evaluate
from lemnis.engine.evaluate.slices import Cut, discoveries, search
from lemnis.engine.evaluate.slices import tested as judged
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]


def cut(name: str, level: np.ndarray) -> Cut:
    count = int(level.max()) + 1
    return Cut([f"{name} = {place}" for place in range(count)], [""] * count, level)


def test_with_one_row_a_block_a_slice_is_tested_as_by_welch() -> None:
    random = np.random.default_rng(1)
    loss, level = random.gamma(1.0, 1.0, 400), random.integers(0, 2, 400)
    found = judged(loss, level, 2, np.arange(400))
    welch: Any = stats.ttest_ind(loss[level == 1], loss[level == 0], equal_var=False)
    assert (found.loss[1] - found.rest[1]) / found.error[1] == pytest.approx(welch.statistic, rel=0.01)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_discoveries_are_those_of_benjamini_and_hochberg(p: list[float]) -> None:
    assert discoveries(np.array(p)) == pytest.approx(stats.false_discovery_control(p))


def test_a_planted_slice_is_found_and_its_pairs_say_nothing_new() -> None:
    random = np.random.default_rng(2)
    first, second, third = (random.integers(0, 4, 6000) for _ in range(3))
    loss = random.gamma(1.0, 1.0, 6000) + 0.8 * (first == 2) + 1.5 * ((second == 1) & (third == 3))
    cuts = [cut("a", first), cut("b", second), cut("c", third)]
    found, count = search(loss, cuts, range(3), np.arange(6000))
    assert count == 12 + 48
    named = [" and ".join(cuts[one].words[level] for one, level in zip(x.cuts, x.levels, strict=True)) for x in found]
    assert {"a = 2", "b = 1 and c = 3"} <= set(named)
    assert all(one.loss > one.rest and one.q <= 0.05 for one in found)


def test_of_pure_chance_hardly_ever_a_slice_is_told_and_rows_of_a_day_are_no_independent_witnesses() -> None:
    random = np.random.default_rng(3)
    told = 0
    for _ in range(40):
        day = np.repeat(np.arange(30), 40)
        loss = random.gamma(1.0, 1.0, day.size) + random.normal(0, 1.0, 30)[day]  # bad days are bad for all
        weather = random.integers(0, 4, 30)[day]  # the same for all rows of a day
        told += bool(
            search(loss, [cut("weather", weather), cut("x", random.integers(0, 4, day.size))], range(2), day)[0]
        )
    assert told <= 6  # 5 % is allowed; clustered errors of 30 days are a little optimistic


def test_a_slice_leads_to_its_very_rows(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    evaluate(JobContext.for_test(engine.store), {"run": run_id})
    found = engine.evaluate.slices(run_id)
    assert found is not None
    assert found.tested > 10
    assert found.slices
    with open_duck(views={"data": engine.data.version(None).file}) as duck:
        for one in found.slices:
            query = f"select count(*) from data where {one.where}"
            assert duck.execute(query).fetchone() == (one.rows,), one.words
