"""Fitting the baselines: scikit-learn's logistic or ridge regression, or one constant, as a `LinearModel`."""

# scikit-learn and SciPy are typed in part: what comes from them is unknown to the checker, what is returned is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.clock import monotonic_s
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.fit import Fitted, Rows, sampled
from lemnis.engine.experiments.parameters import TASKS, Value, metric_name
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.models.linear import Effect, LinearModel

Values = NDArray[np.float64]
MOST_STEPS = 2000  # of the solver; some dozens are usual
LEAST_SHARE = 1e-15  # of a class, so that its logarithm is finite
LINKS: dict[str, Literal["logistic", "softmax", "identity"]] = {
    "binary": "logistic",
    "multiclass": "softmax",
    "regression": "identity",
}


class Block(Struct, frozen=True, kw_only=True):
    """The columns of the design matrix that stand for one feature.

    Attributes:
        centre, scale: Mean and standard deviation of a number's known values.
        levels: Categories that training rows have, by their place in the signature.
        columns: How many there are, the one for missing values, if there is one, the last.
        gaps: Training has rows with and rows without a value.
    """

    feature: Feature
    centre: float = 0.0
    scale: float = 0.0
    levels: list[int] = []
    columns: int = 0
    gaps: bool = False


def fit_linear(
    train: Rows,
    validation: Rows | None,
    signature: Signature,
    parameters: Mapping[str, Value],
    *,
    constant: bool,
    cores: int = 1,
) -> Fitted:
    """Fit a linear model, or a constant, in one go, and measure it as LightGBM measures its rounds.

    Numbers are standardised and their missing values become the mean and a column of their own; each category that
    training saw is a column, and so is a missing one. The same rows and cores give the same model, bit for bit.

    Args:
        train: Rows to learn from.
        validation: Rows to measure on; None for none.
        signature: What the columns of the matrices are.
        parameters: ``lambda_l2``: weight of the squared coefficients beside the summed loss; ``centre`` of a constant
            number: mean or median.
        constant: Whether features are left aside.
        cores: Threads.

    Raises:
        BadInput: The training rows have one class only.
    """
    from threadpoolctl import threadpool_limits

    began = monotonic_s()
    if constant:
        model = constant_model(train.target, signature, median=parameters.get("centre") == "median")
    else:
        with threadpool_limits(cores), warnings.catch_warnings(record=True) as told:
            model = linear_model(train, signature, float(parameters["lambda_l2"]))
        for warning in told:
            print(f"warning: {str(warning.message).strip().splitlines()[0]}", flush=True)
    seconds = monotonic_s() - began
    metrics: dict[str, float | None] = {}
    for name, rows in (("train", sampled(train)), ("validation", validation)):
        if rows is not None:
            found = watched(signature.task, rows.target, model.predict(rows.matrix))
            metrics |= {metric_name(name, metric): value for metric, value in found.items()}
    return Fitted(model=model.text, rounds_done=1, best_round=None, metrics=metrics, seconds=seconds)


def constant_model(target: Values, signature: Signature, *, median: bool = False) -> LinearModel:
    """Return the model that gives every row the classes' shares in training, or the mean or median of the target."""
    if signature.task == "regression":
        bias = [float(np.median(target) if median else target.mean())]
    else:
        share = np.bincount(target.astype(np.int64), minlength=len(signature.classes)) / len(target)
        share = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
        bias = np.log(share).tolist() if len(share) > 2 or signature.task == "multiclass" else [logit(share[-1])]
    nothing = Effect(missing=[0.0] * len(bias))
    return LinearModel(link=LINKS[signature.task], bias=bias, effects=[nothing] * len(signature.features))


def logit(share: float) -> float:
    """Return the logarithm of a share's odds."""
    return float(np.log(share) - np.log1p(-share))


def linear_model(train: Rows, signature: Signature, penalty: float) -> LinearModel:
    """Fit the coefficients and return them as what each feature adds."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression, Ridge

    blocks = [described(feature, train.matrix[:, place]) for place, feature in enumerate(signature.features)]
    design = sparse.hstack(
        [columns_of(block, train.matrix[:, place]) for place, block in enumerate(blocks)], format="csr"
    )
    if signature.task == "regression":
        solver = Ridge(alpha=penalty, solver="sparse_cg", tol=1e-8, max_iter=MOST_STEPS).fit(design, train.target)
        weights, bias = np.atleast_2d(solver.coef_), np.atleast_1d(solver.intercept_)
    else:
        classes = np.unique(train.target)
        if len(classes) < 2:
            raise BadInput("The training rows have one class only.", "Check the target and the split.", "training")
        strength = 1 / penalty if penalty else np.inf
        solver = LogisticRegression(C=strength, tol=1e-6, max_iter=MOST_STEPS).fit(design, train.target)
        weights, bias = spread(solver.coef_, solver.intercept_, classes, signature)
        print(f"solved in {int(np.max(np.asarray(solver.n_iter_)))} steps, {weights.shape[1]} columns", flush=True)
    effects: list[Effect] = []
    start = 0
    for place, block in enumerate(blocks):
        effect, mean = effect_of(block, weights[:, start : start + block.columns], train.matrix[:, place])
        effects.append(effect)
        bias = bias + mean
        start += block.columns
    return LinearModel(link=LINKS[signature.task], bias=bias.tolist(), effects=effects)


def spread(weights: Values, bias: Values, classes: Values, signature: Signature) -> tuple[Values, Values]:
    """Return coefficients with a row for every class of the signature; one that training lacks is as good as never."""
    if signature.task == "binary":
        return weights, bias
    if len(classes) == 2:  # one row for the second of them
        weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    wide, offsets = np.zeros((len(signature.classes), weights.shape[1])), np.full(len(signature.classes), -700.0)
    wide[classes.astype(np.int64)], offsets[classes.astype(np.int64)] = weights, bias
    return wide, offsets


def described(feature: Feature, column: Values) -> Block:
    """Return which columns one feature becomes."""
    known = np.isfinite(column)
    gaps = bool(known.any() and not known.all())
    if feature.kind == "categorical":
        levels = np.unique(column[known]).astype(int).tolist()
        return Block(feature=feature, levels=levels, columns=len(levels) + gaps, gaps=gaps)
    centre = scale = 0.0
    if known.any():
        largest = float(np.abs(column[known]).max()) or 1.0
        small = column[known] / largest  # so that squares stay finite
        centre, scale = float(small.mean()) * largest, float(small.std()) * largest
    if scale <= 1e-12 * abs(centre):
        scale = 0.0  # the same number in every row says nothing
    return Block(feature=feature, centre=centre, scale=scale, columns=(scale > 0) + gaps, gaps=gaps)


def columns_of(block: Block, column: Values) -> Any:
    """Return the columns of one feature as a sparse matrix. Any: SciPy is typed in part."""
    from scipy import sparse

    known = np.isfinite(column)
    parts: list[Any] = []
    if block.levels:
        rows = np.flatnonzero(known)
        places = np.searchsorted(block.levels, column[known].astype(np.int64))
        shape = (len(column), len(block.levels))
        parts.append(sparse.csr_matrix((np.ones(len(rows)), (rows, places)), shape=shape))
    elif block.scale:
        away = np.where(known, (column - block.centre) / block.scale, 0.0)
        parts.append(sparse.csr_matrix(away[:, None]))
    if block.gaps:
        parts.append(sparse.csr_matrix((~known).astype(np.float64)[:, None]))
    return sparse.hstack(parts, format="csr") if parts else sparse.csr_matrix((len(column), 0))


def effect_of(block: Block, weights: Values, column: Values) -> tuple[Effect, Values]:
    """Return what one feature adds around its mean over the training rows, and that mean, shape (outputs,).

    Args:
        block: Its columns.
        weights: Their coefficients, shape (outputs, columns).
        column: Its training values.
    """
    known = np.isfinite(column)
    nothing = np.zeros(len(weights))
    missing = weights[:, -1] if block.gaps else None
    each, slope = np.zeros((0, len(weights))), nothing
    values = np.zeros((len(column), len(weights)))
    if block.levels:
        each = np.full((len(block.feature.categories), len(weights)), np.nan)
        each[block.levels] = weights[:, : len(block.levels)].T
        values[known] = each[column[known].astype(np.int64)]
    elif block.scale:
        slope = weights[:, 0] / block.scale
        values[known] = slope * (column[known] - block.centre)[:, None]
    if missing is not None:
        values[~known] = missing
    mean = values.mean(axis=0)
    missing = nothing if missing is None else missing - mean  # never missing in training: like an average row
    each = np.where(np.isnan(each), missing, each - mean)  # a category without a row is as good as unknown
    effect = Effect(
        centre=block.centre,
        slope=[] if block.feature.kind == "categorical" else slope.tolist(),
        base=[] if block.feature.kind == "categorical" else (-mean).tolist(),
        each=each.tolist(),
        missing=missing.tolist(),
        gain=float(values.var(axis=0).sum()),
    )
    return effect, mean


def watched(task: str, target: Values, scores: Values) -> dict[str, float | None]:
    """Return the metrics that LightGBM tells of each round, by its names; None where one is not defined."""
    from sklearn.metrics import log_loss, roc_auc_score

    if task == "regression":
        apart = scores - target
        found: list[float | None] = [float(np.sqrt(np.mean(apart**2))), float(np.abs(apart).mean())]
    elif task == "binary":
        both = len(np.unique(target)) == 2
        area = float(roc_auc_score(target, scores)) if both else None
        found = [area, float(log_loss(target, np.clip(scores, LEAST_SHARE, 1 - LEAST_SHARE), labels=[0, 1]))]
    else:
        given = scores[np.arange(len(target)), target.astype(np.int64)]
        loss = float(-np.log(np.clip(given, LEAST_SHARE, 1)).mean())
        found = [loss, float(np.mean(scores.argmax(axis=1) != target))]
    return dict(zip(TASKS[task].metrics, found, strict=True))
