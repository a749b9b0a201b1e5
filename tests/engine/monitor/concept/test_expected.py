# pyright: basic
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false
# pyright: reportOperatorIssue=false, reportArgumentType=false

import numpy as np
import pytest

from lemnis.engine.config import Value
from lemnis.engine.evaluate.calibration import fit_map
from lemnis.engine.models.calibration import ProbabilityMap, mapped
from lemnis.engine.monitor.concept.direct import ERROR, direct_figures, fit_errors
from lemnis.engine.monitor.concept.expected import calibration_error, doubt_of, estimated_figures
from lemnis.engine.monitor.concept.figures import labelled_figures

WORTH = Value(true_positive=40, false_positive=-15)
NAMES = ("roc_auc", "log_loss", "brier", "accuracy", "value_per_1000")


def served(seed: int, rows: int, *, hard: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and the scores of a model that is too sure; `hard` moves rows to where it can't tell."""
    chance = np.random.default_rng(seed)
    true = chance.beta(1 + hard, 2 + hard, rows)
    score = true**2 / (true**2 + (1 - true) ** 2)
    return (chance.random(rows) < true).astype(np.float64), score


@pytest.fixture(scope="module")
def learnt():
    target, score = served(1, 12_000)
    half = np.arange(12_000) % 2 == 0
    better = np.empty(12_000)
    for inside in (half, ~half):
        better[inside] = mapped("isotonic", fit_map("isotonic", target[~inside], score[~inside]), score[inside])
    return fit_map("isotonic", target, score), doubt_of(target, score, better, 0.4, np.arange(12_000))


@pytest.mark.parametrize("hard", [0.0, 2.0])
def test_an_estimate_holds_what_the_labels_show_later_also_when_the_rows_are_others(learnt, hard: float) -> None:
    points, doubt = learnt
    inside = dict.fromkeys(NAMES, 0)
    for seed in range(100, 180):
        target, score = served(seed, 1_500, hard=hard)
        told = estimated_figures(score, points, 0.4, doubt)
        truth = labelled_figures("binary", target, score, 0.4, np.zeros(1_500, dtype=np.int64))
        for name in NAMES:
            figure, fact = told.named(name, WORTH), truth.named(name, WORTH)
            inside[name] += figure.low <= fact.value <= figure.high
    assert all(count >= 70 for count in inside.values()), inside


def test_a_concept_that_changes_is_not_seen_by_the_estimate_but_by_its_calibration(learnt) -> None:
    points, doubt = learnt
    target, score = served(5, 5_000)
    turned = np.where(np.random.default_rng(6).random(5_000) < 0.4, 1 - target, target)
    told = estimated_figures(score, points, 0.4, doubt).found["roc_auc"]
    truth = labelled_figures("binary", turned, score, 0.4, np.zeros(5_000, dtype=np.int64)).found["roc_auc"]
    assert truth.high < told.low
    calibration = ProbabilityMap(method="isotonic", points=points)
    assert calibration_error(target, score, calibration) < 0.03
    assert calibration_error(turned, score, calibration) > 0.1
    assert calibration_error(np.array([]), np.array([]), calibration) is None


def test_errors_of_a_number_are_estimated_where_they_grow() -> None:
    chance = np.random.default_rng(9)

    def rows(count: int, wide: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        spread = chance.uniform(0.5, wide, count)
        said = chance.normal(0, 1, count)
        return np.column_stack([spread, chance.normal(0, 1, count)]), said, abs(chance.normal(0, spread))

    matrix, said, error = rows(3_000, 3.0)
    text, doubt = fit_errors(matrix, said, error, np.arange(3_000))
    inside, means = 0, dict[float, float]()
    for wide in [1.0, 3.0] * 15:
        matrix, said, error = rows(1_000, wide)
        told = direct_figures(text, matrix, said, doubt).found[ERROR]
        inside += told.low <= error.mean() <= told.high
        means[wide] = told.value
    assert inside >= 26
    assert means[1.0] < 0.7 < 1.2 < means[3.0]
    assert direct_figures(text, np.zeros((1, 2)), np.array([np.nan]), doubt).rows == 0
