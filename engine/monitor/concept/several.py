"""Confidence-based performance estimation (CBPE) for several classes: what rows without labels will show. Pure."""

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import FLOOR, expected_calibration_error
from lemnis.engine.models.calibration import ProbabilityMap
from lemnis.engine.monitor.concept.figures import ends_of
from lemnis.engine.monitor.concept.influence import auc_influence, mean_covariance
from lemnis.engine.monitor.concept.records import Doubt, Figure, Figures

Values = NDArray[np.float64]
Places = NDArray[np.int64]


def doubt_of_classes(target: Values, score: Values, better: Values, blocks: Places) -> Doubt:
    """Return how far truth is from expectation.

    Args:
        target: Places of the classes, shape (n,).
        score: The model's probability of each class, shape (n, classes).
        better: The calibrated ones, by maps fitted on other rows, shape (n, classes).
        blocks: Block of each row, numbered from 0.
    """
    rows, place = target.size, target.astype(np.int64)
    outcomes = outcomes_of(better, score)
    missed = [table[np.arange(rows), place] - (better * table).sum(axis=1) for table in outcomes.values()]
    variance = mean_covariance(np.column_stack(missed), blocks).diagonal() * rows
    found = {name: float(value) for name, value in zip(outcomes, variance, strict=True)}
    own = own_variances(better, outcomes)
    turned_out = np.eye(score.shape[1], dtype=np.float64)[place]
    return Doubt(
        rows=rows,
        variance=found,
        effect={name: max(found[name] / own[name], 1.0) if own[name] else 1.0 for name in found},
        calibration_error=expected_calibration_error(turned_out.ravel(), better.ravel()),
    )


def outcomes_of(better: Values, score: Values) -> dict[str, Values]:
    """Return by figure what each row adds when it turns out to be of each class, shape (n, classes)."""
    rows, classes = score.shape
    squares = (score**2).sum(axis=1)[:, None]
    found: dict[str, Values] = {
        "log_loss": -np.log(np.clip(score, FLOOR, 1.0)),
        "brier": squares + 1 - 2 * score,
        "accuracy": np.eye(classes, dtype=np.float64)[score.argmax(axis=1)],
    }
    told = told_apart(better)
    if told:
        base, turns = np.zeros(rows), np.zeros((rows, classes))
        for place in told:
            weight, said = better[:, place], score[:, place]
            no, yes = (auc_influence(one, weight, said)[1] for one in (np.zeros(rows), np.ones(rows)))
            base += no / len(told)
            turns[:, place] = (yes - no) / len(told)
        found["roc_auc"] = base[:, None] + turns
    return found


def told_apart(weight: Values) -> list[int]:
    """Return the classes whose ROC AUC against all others is known: some rows are of them, and not all.

    Args:
        weight: How far each row is of each class, shape (n, classes).
    """
    share = weight.mean(axis=0)
    return [place for place in range(weight.shape[1]) if 0 < share[place] < 1]


def macro_auc(weight: Values, score: Values) -> float | None:
    """Return the mean over the classes of the ROC AUC of each against all others; None where fewer than two are there.

    Args:
        weight: 1 for the class that each row is of, 0 else; or the probability of each; shape (n, classes).
        score: The model's probability of each class, shape (n, classes).
    """
    told = told_apart(weight)
    if len(told) < 2:
        return None
    return float(np.mean([auc_influence(weight[:, place], weight[:, place], score[:, place])[0] for place in told]))


def own_variances(better: Values, outcomes: dict[str, Values]) -> dict[str, float]:
    """Return by figure the variance of one row whose class is drawn from its probabilities."""
    means = {name: (better * table).sum(axis=1) for name, table in outcomes.items()}
    return {
        name: float(((better * table**2).sum(axis=1) - means[name] ** 2).clip(0).mean())
        for name, table in outcomes.items()
    }


def estimated_classes(score: Values, calibration: ProbabilityMap, doubt: Doubt) -> Figures:
    """Return the figures that rows are expected to have once their classes are known, with 95 % intervals.

    The calibrated probabilities of a row say how likely each class is; a figure is its mean over what may turn out. It
    holds as long as the calibration does: concept drift breaks it.

    Args:
        score: The model's probability of each class, shape (n, classes); rows without an answer are left out.
        calibration: Its map for each class against all others.
        doubt: How far off such estimates were on held-out rows.

    Source: CBPE for several classes as in NannyML: each class calibrated against all others, macro ROC AUC.
    """
    score = score[np.isfinite(score).all(axis=1)]
    rows = len(score)
    if not rows:
        return Figures()
    better = calibration.many(score)
    outcomes = outcomes_of(better, score)
    expected = {name: float((better * outcomes[name]).sum(axis=1).mean()) for name in ("log_loss", "brier", "accuracy")}
    auc = macro_auc(better, score)
    expected = ({} if auc is None else {"roc_auc": auc}) | expected
    own = own_variances(better, outcomes)
    found = {
        name: Figure(value, *ends_of(name, value, doubt.error(name, own[name], rows), rows))
        for name, value in expected.items()
    }
    return Figures(rows=rows, found=found)
