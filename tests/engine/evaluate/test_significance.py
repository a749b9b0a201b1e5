"""Significance: DeLong against its definition and against drawing rows, sums against measures, false alarms, Holm."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.config import Problem
from lemnis.engine.config.problem import Value
from lemnis.engine.evaluate.measure import Scored
from lemnis.engine.evaluate.metrics import binary_metrics, multiclass_metrics, regression_metrics, roc_auc
from lemnis.engine.evaluate.paired import Yardstick
from lemnis.engine.evaluate.records import PairedTest
from lemnis.engine.evaluate.significance import (
    auc_covariance,
    bootstrap_error,
    draws,
    holm,
    judged,
    mean_auc_error,
    merged,
    placements,
)
from lemnis.engine.evaluate.sums import average_precision, block_sums, measures_of

DAY = 86_400_000
VALUE = {"true_positive": 5.0, "false_positive": -2.0, "false_negative": -1.0}
classes = st.integers(2, 4)


def two_models(random: np.random.Generator, rows: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return a target and the scores of two models that see it equally well, shape (2, rows), with ties."""
    target = (random.random(rows) < 0.4).astype(float)
    shared = target + random.normal(size=rows)
    scores = 1 / (1 + np.exp(-(shared + noise * random.normal(size=(2, rows)))))
    return target, scores.round(2)


def delong_by_definition(target: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """O(n·m): every positive against every negative, as DeLong, DeLong and Clarke-Pearson write it."""
    wins: list[np.ndarray] = []
    for score in scores:
        above = score[target == 1][:, None] - score[target == 0][None, :]
        wins.append((above > 0) + 0.5 * (above == 0))
    v10, v01 = np.stack([w.mean(1) for w in wins]), np.stack([w.mean(0) for w in wins])
    return v10.mean(1), np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]


@given(st.integers(0, 10_000), st.integers(12, 80))
def test_delong_is_what_its_definition_says_ties_included(seed: int, rows: int) -> None:
    target, scores = two_models(np.random.default_rng(seed), rows)
    if not 2 <= target.sum() <= rows - 2:
        return
    placed = np.stack([placements(target, score) for score in scores])
    auc, spread = auc_covariance(target, placed)
    expected, by_definition = delong_by_definition(target, scores)
    np.testing.assert_allclose(auc, expected)
    np.testing.assert_allclose(spread, by_definition, atol=1e-15)
    assert auc[0] == pytest.approx(roc_auc(target, scores[0]))
    # One row a block is DeLong again, but for what rows of the two classes have in common, which is nothing.
    np.testing.assert_allclose(auc_covariance(target, placed, np.arange(rows))[1], by_definition, atol=1e-15)


def test_delong_agrees_with_drawing_rows_and_with_drawing_days() -> None:
    random = np.random.default_rng(5)
    target, scores = two_models(random, 1500)
    days = np.arange(1500) // 30
    target = np.where(random.random(50)[days] < 0.3, 1.0, target)  # days go together
    placed = np.stack([placements(target, score) for score in scores])
    for blocks, given_blocks in ((np.arange(1500), None), (days, days)):
        _, spread = auc_covariance(target, placed, given_blocks)
        error = np.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1])
        changes = [
            roc_auc(target, scores[1], times[blocks]) - roc_auc(target, scores[0], times[blocks])
            for times in draws(int(blocks.max()) + 1, repeats=400)
        ]
        assert error == pytest.approx(np.std(changes), rel=0.15)
        several = mean_auc_error([target], [(placed[0], placed[1])], blocks)
        assert several == pytest.approx(error, rel=0.05)


@settings(max_examples=25)
@given(st.integers(0, 10_000), classes, st.integers(1, 6))
def test_sums_over_blocks_give_the_measures_of_weighted_rows(seed: int, count: int, parts: int) -> None:
    random = np.random.default_rng(seed)
    blocks = random.integers(0, parts, 60)
    blocks[:parts] = np.arange(parts)
    times = draws(parts, repeats=3, seed=seed)
    probability = random.dirichlet(np.ones(count), 60)
    target, number = random.integers(0, count, 60).astype(float), random.normal(50, 3, 60)
    yes = (target > 0).astype(float)
    for task, truth, score in (
        ("binary", yes, probability[:, 0].round(2)), ("multiclass", target, probability),
        ("regression", number, number + random.normal(size=60)),
    ):  # fmt: skip
        drawn = times @ block_sums(truth, score, task, 0.4, blocks)
        found = measures_of(drawn, task, VALUE)
        for repeat, weights in enumerate(times[:, blocks]):
            if task == "binary":
                expected = binary_metrics(truth, score, 0.4, VALUE, weights)
            elif task == "multiclass":
                expected = multiclass_metrics(truth, score, weights)
            else:
                expected = regression_metrics(truth, score, weights)
            for name, values in found.items():
                assert values[repeat] == pytest.approx(expected[name], rel=1e-9, abs=1e-12, nan_ok=True), (task, name)
            if task == "binary":
                precision = average_precision(truth, score, blocks, times)
                assert precision[repeat] == pytest.approx(expected["pr_auc"], nan_ok=True)


def judge(base: Scored, score: np.ndarray, task: str) -> dict[str, PairedTest]:
    problem = Problem(task=task, threshold=0.5, value=Value(true_positive=5.0, false_positive=-2.0))  # type: ignore[arg-type]
    return {test.metric: test for test in Yardstick(base, problem).tests(score)}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_better_model_is_found_and_a_copy_is_identical(task: str) -> None:
    random = np.random.default_rng(1)
    rows, time = 900, np.arange(900) * DAY // 20
    if task == "regression":
        target = random.normal(size=rows)
        poor, good = target + random.normal(size=rows), target + 0.5 * random.normal(size=rows)
    else:
        target = random.integers(0, 3 if task == "multiclass" else 2, rows).astype(float)
        sure = np.eye(3)[target.astype(int)]
        poor, good = (
            np.exp(pull * sure + random.normal(size=(rows, 3))) for pull in (1.0, 3.0)
        )  # fmt: skip
        poor, good = (raw / raw.sum(1, keepdims=True) for raw in (poor, good))
        if task == "binary":
            poor, good = (raw[:, 1] / raw[:, :2].sum(1) for raw in (poor, good))
    base = Scored(target=target, score=poor, time=time)
    found = judge(base, good, task)
    main = found["rmse" if task == "regression" else "roc_auc"]
    assert main.better
    assert main.p is not None
    assert main.p < 0.001
    assert main.low is not None
    assert main.high is not None
    assert main.delta is not None
    assert main.low < main.delta < main.high
    assert main.low * main.high > 0
    assert (
        main.method
        == {"binary": "DeLong", "multiclass": "infinitesimal jackknife", "regression": "paired bootstrap"}[task]
    )
    for test in judge(base, poor.copy(), task).values():
        if test.method:
            assert (test.delta, test.low, test.high, test.p) == (0, 0, 0, 1)


def test_one_class_alone_or_a_single_row_is_no_test_and_no_crash() -> None:
    for target in (np.ones(20), np.zeros(1), np.array([0.0, 1.0, 1.0])):
        score = np.linspace(0.1, 0.9, target.size)
        found = judge(Scored(target=target, score=score, time=None), score[::-1].copy(), "binary")
        assert found["roc_auc"].p is None


@pytest.mark.slow
@pytest.mark.parametrize("days", [0, 12])
def test_equal_models_are_told_apart_in_about_one_of_twenty(days: int) -> None:
    """Both models see the truth through noise of their own, so no measure truly differs; days share a mood."""
    random = np.random.default_rng(17)
    rounds, rows = 160, 120
    alarms: dict[str, int] = {}
    for _ in range(rounds):
        mood = np.repeat(random.normal(size=max(1, days)), rows // max(1, days)) if days else np.zeros(rows)
        target = (random.normal(size=rows) + mood > 0).astype(float)
        shared = target + mood
        score = 1 / (
            1
            + np.exp(
                -(
                    shared
                    + random.normal(size=(2, rows))
                    + (random.normal(size=(2, days)).repeat(rows // days, 1) if days else 0)
                )
            )
        )
        time = np.arange(rows) * days * DAY // rows if days else None
        found = judge(Scored(target=target, score=score[0], time=time), score[1], "binary")
        for name in ("roc_auc", "log_loss", "brier"):
            p = found[name].p
            assert p is not None
            alarms[name] = alarms.get(name, 0) + (p < 0.05)
    for name, count in alarms.items():
        assert 0.005 <= count / rounds <= 0.105, (name, count)  # 5 % and three standard errors; 2.5 to 4.8 % in 1,000


def test_an_interval_excludes_zero_exactly_when_p_is_below_five_percent() -> None:
    for delta, count in itertools.product((0.1, 1.9, 2.0, 2.1, 3.0), (2, 9, 1000)):
        low, high, p = judged(delta, 1.0, count)
        assert (low > 0) == (p < 0.05)
        assert high - delta == pytest.approx(delta - low)
        assert judged(-delta, 1.0, count) == pytest.approx((-high, -low, p))
    assert judged(0.0, 0.0, 10) == (0.0, 0.0, 1.0)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_lowers_keeps_the_order_and_ignores_what_is_missing(found: list[float]) -> None:
    adjusted = holm(found)
    assert all(p <= (a or 0) <= 1 for p, a in zip(found, adjusted, strict=True))
    assert [a for _, a in sorted(zip(found, adjusted, strict=True))] == sorted(a for a in adjusted if a is not None)
    assert holm([*found, None])[:-1] == adjusted
    if found:
        assert min(a for a in adjusted if a is not None) == pytest.approx(min(1.0, len(found) * min(found)))


def test_holm_is_what_its_paper_says() -> None:
    assert holm([0.01, 0.04, 0.03, None]) == pytest.approx([0.03, 0.06, 0.06, None])


def test_many_blocks_are_merged_with_neighbours_and_the_error_stays_right() -> None:
    values = np.random.default_rng(3).normal(size=9_000)
    blocks = merged(np.arange(9_000), 500)
    assert np.unique(blocks).tolist() == list(range(500))
    sums = np.bincount(blocks, values)
    error = bootstrap_error(draws(500) @ sums / 9_000, 500)
    assert error == pytest.approx(values.std() / np.sqrt(9_000), rel=0.1)
