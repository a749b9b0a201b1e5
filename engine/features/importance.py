"""What columns are worth to a quick model: LightGBM on bounded rows and rounds, seeded and deterministic."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.features.association import category_codes, group_scores, quantile_codes
from lemnis.engine.features.signature import Feature, Signature

Values = NDArray[np.float64]

PARAMETERS: dict[str, Any] = {  # Any: numbers, texts and truth values
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
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
    """What one model says of its columns, each a list in their order; `score` is the model's on the judged rows."""

    score: float
    gain: list[float]
    splits: list[int]
    permutation: list[float]
    deviation: list[float]


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


def single_skill(sample: Sample, place: int) -> float:
    """Return the score of a prediction from one column alone, learned on earlier and judged on later rows."""
    rows = sample.learn_target.size
    codes = codes_of(np.concatenate([sample.learn[:, place], sample.judge[:, place]]), sample.signature.features[place])
    learn, judge = codes[:rows], codes[rows:]
    classes = len(sample.signature.classes)
    if classes <= 2:
        return skill(sample.judge_target, group_scores(learn, sample.learn_target, judge), sample.signature)
    scores = [group_scores(learn, (sample.learn_target == c).astype(float), judge) for c in range(classes)]
    return skill(sample.judge_target, np.column_stack(scores), sample.signature)


def quick_model(sample: Sample, places: Sequence[int], *, rounds: int, seed: int, threads: int) -> Any:
    """Train a LightGBM model on some columns of the sample; the same arguments give the same model."""
    import lightgbm as lgb

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
    return skill(
        sample.judge_target, model.predict(np.ascontiguousarray(sample.judge[:, list(places)])), sample.signature
    )


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
    """Train a model of some columns and measure each one's gain and what shuffling it costs.

    Args:
        sample: The rows.
        places: Columns of the matrix, at least one.
        rounds: Trees of the model.
        repeats: Times each column is shuffled.
        seed: Of the model and the shuffling.
        threads: Of LightGBM.
        told: Called with the share of the work done, 0..1.
    """
    model = quick_model(sample, places, rounds=rounds, seed=seed, threads=threads)
    judged = np.ascontiguousarray(sample.judge[:, list(places)])
    base = skill(sample.judge_target, model.predict(judged), sample.signature)
    random = np.random.default_rng(seed)
    gain: list[float] = model.feature_importance("gain").tolist()
    losses = np.zeros((len(places), repeats))
    for at in range(len(places)):
        told(at / len(places))
        if not gain[at]:
            continue  # no split looks at it, so shuffling changes nothing
        kept = judged[:, at].copy()
        for repeat in range(repeats):
            judged[:, at] = random.permutation(kept)
            losses[at, repeat] = base - skill(sample.judge_target, model.predict(judged), sample.signature)
        judged[:, at] = kept
    return Worth(
        score=base,
        gain=gain,
        splits=model.feature_importance("split").tolist(),
        permutation=losses.mean(1).tolist(),
        deviation=losses.std(1).tolist(),
    )
