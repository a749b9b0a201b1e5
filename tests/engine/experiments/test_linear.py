"""The linear model as a function: finite for every row, one row as many, contributions that sum; fitted on odd data."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lemnis.engine.deploy.exports.score import Linear
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.fit import Rows
from lemnis.engine.experiments.fit_linear import fit_linear
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.models.linear import Effect, LinearModel, read_linear

weights = st.floats(-1e6, 1e6)
cells = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def models(draw: st.DrawFn) -> LinearModel:
    """Draw a model of a number, a category of three and a feature that says nothing."""
    outputs = draw(st.sampled_from([1, 3]))
    some = st.lists(weights, min_size=outputs, max_size=outputs)
    number = Effect(centre=draw(weights), slope=draw(some), base=draw(some), missing=draw(some))
    category = Effect(each=draw(st.lists(some, min_size=3, max_size=3)), missing=draw(some))
    link: Any = draw(st.sampled_from(["logistic", "identity"] if outputs == 1 else ["softmax"]))
    return LinearModel(link=link, bias=draw(some), effects=[number, category, Effect(missing=[0.0] * outputs)])


@given(models(), st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6))
def test_scores_are_finite_one_row_is_as_many_and_contributions_sum(
    model: LinearModel, rows: list[tuple[float, float, float]]
) -> None:
    matrix = np.array(rows)
    scores = model.predict(matrix)
    assert np.isfinite(scores).all()
    if model.link != "identity":
        assert (scores >= 0).all()
        assert (scores <= 1).all()
    singly = np.array([model.one(row) for row in matrix.tolist()]).reshape(scores.shape)
    assert singly == pytest.approx(scores, rel=1e-9, abs=1e-9)
    exported = Linear(model.text).predict(matrix).reshape(scores.shape)
    assert np.array_equal(exported, scores)
    parts = model.predict(matrix, pred_contrib=True).reshape(len(matrix), -1, 4)
    raw = model.predict(matrix, raw_score=True).reshape(len(matrix), -1)
    assert parts.sum(axis=2) == pytest.approx(raw, rel=1e-6, abs=1e-6)
    assert read_linear(model.text) == model


def signature(task: Any, *kinds: Any) -> Signature:
    classes = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"]}.get(task, [])
    features = [
        Feature(name=f"f{place}", kind=kind, categories=["x", "y"] if kind == "categorical" else [])
        for place, kind in enumerate(kinds)
    ]
    return Signature(features=features, task=task, target="y", classes=classes)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_data_that_say_nothing_or_far_too_much_still_give_a_model(task: str) -> None:
    rng = np.random.default_rng(3)
    target = rng.integers(0, 2, 60).astype(float)  # of three classes one has no row
    matrix = np.column_stack(
        [
            np.full(60, 7.0),  # always the same
            np.full(60, np.nan),  # never there
            np.where(rng.random(60) > 0.5, 1e308, -1e308) * (target - 0.5),
            np.where(rng.random(60) > 0.2, np.inf, 1.0),
            np.full(60, np.nan),  # a category that is never there
            rng.integers(0, 2, 60),
        ]
    )
    kinds = ("numeric",) * 4 + ("categorical",) * 2
    rows = Rows(np.asfortranarray(matrix), target)
    fitted = fit_linear(rows, rows, signature(task, *kinds), {"lambda_l2": 1.0}, constant=False)
    assert all(value is not None and np.isfinite(value) for value in fitted.metrics.values())
    model = read_linear(fitted.model)
    assert np.isfinite(model.predict(matrix)).all()
    assert np.isfinite(model.predict(np.full((2, 6), np.nan))).all()
    if task == "multiclass":
        assert model.predict(matrix)[:, 2].max() < 1e-6


def test_one_class_is_no_problem_to_be_learnt_and_no_penalty_is_allowed() -> None:
    matrix = np.arange(10.0)[:, None]
    with pytest.raises(BadInput, match="one class only"):
        fit_linear(Rows(matrix, np.ones(10)), None, signature("binary", "numeric"), {"lambda_l2": 1.0}, constant=False)
    target = np.array([0, 1] * 5, dtype=float)
    plain = fit_linear(Rows(matrix, target), None, signature("binary", "numeric"), {"lambda_l2": 0.0}, constant=False)
    held = fit_linear(Rows(matrix, target), None, signature("binary", "numeric"), {"lambda_l2": 1e6}, constant=False)
    slopes = [abs(read_linear(one.model).effects[0].slope[0]) for one in (plain, held)]
    assert slopes[0] > 100 * slopes[1]
