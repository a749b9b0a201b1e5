"""What columns are worth to a quick model: LightGBM on bounded rows and rounds, seeded and deterministic."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.features.association import category_codes, group_scores, quantile_codes
from lemnis.engine.features.signature import Feature, Signature

Values = NDArray[np.float64]

SHAP_ROWS = 2_000
PARAMETERS: dict[str, Any] = {  # Any: numbers, texts and truth values
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "bagging_fraction": 0.8,  # the seed draws rows and columns, or it would change nothing
    "bagging_freq": 1,
    "feature_fraction": 0.8,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


class Sample(Struct, frozen=True, kw_only=True):
    """Rows to learn from and later rows to judge by, encoded by one signature; targets are known in all of them."""

    signature: Signature
    learn: Values
    learn_target: Values
    judge: Values
    judge_target: Values


class Worth(Struct, frozen=True, kw_only=True):
    """What one model says of its columns, each a list in their order; `score` is the model's on the judged rows.

    Attributes:
        gain: Share of all gain in training, 0..1.
        split: Share of all splits, 0..1.
        permutation: What shuffling the column costs the score, mean of the repeats.
        shap: Mean |contribution| on judged rows, in units of the raw score (log odds for classes); the sum over the
            classes if there are several.
    """

    score: float
    gain: list[float]
    split: list[float]
    permutation: list[float]
    shap: list[float]
    learn_rows: int
    judge_rows: int


IMPORTANCES = {"permutation": "shuffled", "shap": "SHAP", "gain": "gain", "split": "split"}  # by name, for people


def skill(target: Values, predicted: Values, signature: Signature) -> float:
    """Score predictions: ROC AUC (of each class against the rest, averaged, for several), R² for regression.

    Returns:
        0.5 is worth nothing and 1 perfect for classes; 0 and 1 for numbers. Worse than nothing counts as nothing.
    """
    import sklearn.metrics

    metrics: Any = sklearn.metrics  # typed in part
    if signature.task == "regression":
        return max(0.0, float(metrics.r2_score(target, predicted)))
    columns = predicted.reshape(target.size, -1)
    first = 1 if len(signature.classes) == 2 else 0
    scores = [
        float(metrics.roc_auc_score(target == place, columns[:, place - first]))
        for place in range(first, first + columns.shape[1])
        if 0 < (target == place).sum() < target.size
    ]
    return max(0.5, float(np.mean(scores))) if scores else 0.5


def codes_of(values: Values, feature: Feature) -> NDArray[np.int64]:
    """Return a column of the matrix as bins or categories."""
    return category_codes(values) if feature.kind == "categorical" else quantile_codes(values)


class Alone(Struct, frozen=True, kw_only=True):
    """Scores of a prediction from one column alone: on the rows it learned from, and on others."""

    learned: float
    judged: float


def alone(sample: Sample, place: int) -> Alone:
    """Return the scores of a prediction from one column alone, learned on earlier and judged on later rows."""
    rows = sample.learn_target.size
    codes = codes_of(np.concatenate([sample.learn[:, place], sample.judge[:, place]]), sample.signature.features[place])
    learn, judge = codes[:rows], codes[rows:]

    def scores(asked: NDArray[np.int64]) -> Values:
        classes = len(sample.signature.classes)
        if classes <= 2:
            return group_scores(learn, sample.learn_target, asked)
        each = [group_scores(learn, (sample.learn_target == c).astype(float), asked) for c in range(classes)]
        return np.column_stack(each)

    return Alone(
        learned=skill(sample.learn_target, scores(learn), sample.signature),
        judged=skill(sample.judge_target, scores(judge), sample.signature),
    )


def quick_model(sample: Sample, places: Sequence[int], *, rounds: int, seed: int, threads: int) -> Any:
    """Train a LightGBM model on some columns of the sample; the same arguments give the same model."""
    from lemnis.engine.trees import lightgbm as lgb

    signature = sample.signature
    chosen = list(places)
    several = {"objective": "multiclass", "num_class": len(signature.classes)}
    objective = {"binary": {"objective": "binary"}, "multiclass": several, "regression": {"objective": "regression"}}
    data = lgb.Dataset(
        np.ascontiguousarray(sample.learn[:, chosen]),
        sample.learn_target,
        feature_name=[f"f{place}" for place in chosen],
        categorical_feature=[at for at, place in enumerate(chosen) if place in set(signature.categorical)],
        free_raw_data=True,
    )
    return lgb.train(PARAMETERS | objective[signature.task] | {"seed": seed, "num_threads": threads}, data, rounds)


def score_of(sample: Sample, places: Sequence[int], *, rounds: int, seed: int, threads: int) -> float:
    """Return the score of a model of these columns on the judged rows."""
    if not places:
        return 0.0 if sample.signature.task == "regression" else 0.5
    model = quick_model(sample, places, rounds=rounds, seed=seed, threads=threads)
    judged = np.ascontiguousarray(sample.judge[:, list(places)])
    return skill(sample.judge_target, predicted(model, judged, threads), sample.signature)


def worth(
    sample: Sample,
    places: Sequence[int],
    *,
    rounds: int,
    repeats: int,
    seed: int,
    threads: int,
    told: Callable[[float], None] = lambda share: None,
) -> Worth:
    """Train a model of some columns and measure each one's gain, splits, contributions and what shuffling it costs.

    Args:
        sample: The rows.
        places: Columns of the matrix, at least one.
        rounds: Trees of the model.
        repeats: Times each column is shuffled.
        seed: Of the model and the shuffling.
        threads: Of LightGBM.
        told: Called with the share of the work done, 0..1.

    Source: L. Breiman, Random forests, Machine Learning 45 (2001) 5-32 (shuffling); S. Lundberg et al., From local
        explanations to global understanding with explainable AI for trees, Nature MI 2 (2020) 56-67 (contributions).
    """
    model = quick_model(sample, places, rounds=rounds, seed=seed, threads=threads)
    judged = np.ascontiguousarray(sample.judge[:, list(places)])
    base = skill(sample.judge_target, predicted(model, judged, threads), sample.signature)
    gain = np.asarray(model.feature_importance("gain"), dtype=np.float64)
    split = np.asarray(model.feature_importance("split"), dtype=np.float64)
    losses = shuffled_losses(
        model,
        judged,
        lambda scores: base - skill(sample.judge_target, scores, sample.signature),
        repeats=repeats,
        seed=seed,
        threads=threads,
        told=told,
    )
    return Worth(
        score=base,
        gain=(gain / (gain.sum() or 1.0)).tolist(),
        split=(split / (split.sum() or 1.0)).tolist(),
        permutation=losses.tolist(),
        shap=contributions(model, judged[:: max(1, -(-len(judged) // SHAP_ROWS))], threads),
        learn_rows=sample.learn_target.size,
        judge_rows=sample.judge_target.size,
    )


def shuffled_losses(
    model: Any,
    rows: Values,
    loss: Callable[[Values], float],
    *,
    repeats: int,
    seed: int,
    threads: int,
    told: Callable[[float], None] = lambda share: None,
) -> Values:
    """Return what shuffling each column costs, mean of the repeats; columns that no split looks at cost nothing.

    Args:
        model: A LightGBM booster. Any: lightgbm is typed in part.
        rows: What it answers, in C order; each column is as it was afterwards.
        loss: Of the answers to shuffled rows against those to the rows as they are.
        repeats: Times each column is shuffled.
        seed: Of the shuffling.
        threads: Of LightGBM.
        told: Called with the share of the work done, 0..1.
    """
    random = np.random.default_rng(seed)
    losses = np.zeros(rows.shape[1])
    for at in np.flatnonzero(model.feature_importance("split")):
        told(at / rows.shape[1])
        kept = rows[:, at].copy()
        for _ in range(repeats):
            rows[:, at] = random.permutation(kept)
            losses[at] += loss(predicted(model, rows, threads)) / repeats
        rows[:, at] = kept
    return losses


def predicted(model: Any, rows: Values, threads: int) -> Values:
    """Return the model's scores. Any: lightgbm is typed in part."""
    return np.asarray(model.predict(rows, num_threads=threads))


def contributions(model: Any, rows: Values, threads: int) -> list[float]:
    """Return each column's mean |SHAP value| over some rows, in units of the raw score; summed over classes."""
    found = np.asarray(model.predict(rows, pred_contrib=True, num_threads=threads))
    return np.abs(found).reshape(len(rows), -1, rows.shape[1] + 1).mean(0).sum(0)[:-1].tolist()
