"""What tells a window's rows from training rows: a classifier learns to, and says by which features. LightGBM."""

# LightGBM's types are partial; what this file returns is known.
# pyright: reportUnknownMemberType=false

import msgspec
import numpy as np
from numpy.typing import NDArray

from lemnis.engine.evaluate.metrics import roc_auc
from lemnis.engine.monitor.drift.found import Share

Numbers = NDArray[np.float64]

FOLDS = 5
ROUNDS = 40
PARAMETERS = {
    "objective": "binary",
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "learning_rate": 0.1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "verbosity": -1,
}


class Told(msgspec.Struct, frozen=True):
    """Out-of-fold answers on the window's rows, shape (rows,), contributions, shape (rows, features), and the AUC."""

    auc: float
    scores: Numbers
    contributions: Numbers


def tell_apart(before: Numbers, after: Numbers, categorical: list[int]) -> Told:
    """Learn to tell two matrices' rows apart, fold by fold, and answer for the rows that were left out.

    Args:
        before: Training rows, shape (n, features).
        after: Rows of the window, shape (m, features).
        categorical: Columns that hold category codes.
    """
    import lightgbm

    rows = np.vstack([before, after])
    target = np.repeat([0.0, 1.0], [len(before), len(after)])
    fold = np.random.default_rng(1).permutation(len(rows)) % FOLDS
    scores, contributions = np.zeros(len(rows)), np.zeros(rows.shape)
    for held in range(FOLDS):
        learnt, asked = fold != held, fold == held
        data = lightgbm.Dataset(rows[learnt], target[learnt], categorical_feature=categorical)
        model = lightgbm.train(PARAMETERS, data, num_boost_round=ROUNDS)
        parts = np.asarray(model.predict(rows[asked], pred_contrib=True, num_threads=1), dtype=np.float64)
        contributions[asked] = parts[:, :-1]
        scores[asked] = 1 / (1 + np.exp(-parts.sum(axis=1)))
    return Told(roc_auc(target, scores), scores[len(before) :], contributions[len(before) :])


def shares_of(told: Told, names: list[str]) -> list[Share]:
    """Return every feature's share of the mean absolute contributions, largest first."""
    weight = np.abs(told.contributions).mean(axis=0)
    parts = (weight / max(float(weight.sum()), 1e-12)).tolist()
    return sorted((Share(name, part) for name, part in zip(names, parts, strict=True)), key=lambda one: -one.share)
