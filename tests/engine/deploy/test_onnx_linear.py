"""Linear models as ONNX: any of them answers as it does here, for numbers, categories, no value and unknown texts."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.deploy.exports import forms
from lemnis.engine.deploy.exports.graph import onnx_answers, onnx_model
from lemnis.engine.deploy.exports.subject import Subject
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.records import Golden, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.models.calibration import ProbabilityMap
from lemnis.engine.models.linear import Effect, LinearModel

FEATURES = [
    Feature(name="small", kind="numeric", nullable=True),
    Feature(name="place ü", kind="categorical", categories=["", "a", "b b", "ü"]),
    Feature(name="moment", kind="numeric"),
    Feature(name="never", kind="categorical"),
    Feature(name="open", kind="numeric", logical=True),
    Feature(name="empty", kind="numeric"),
]
TASKS: dict[str, tuple[Any, Any, int]] = {
    "binary": ("binary", "logistic", 1),
    "multiclass": ("multiclass", "softmax", 3),
    "regression": ("regression", "identity", 1),
}


def linear(seed: int, task: str, **more: Any) -> tuple[LinearModel, Signature]:
    """Return a model of FEATURES with effects of any size, and its signature."""
    chance = np.random.default_rng(seed)
    kind, link, outputs = TASKS[task]

    def some(size: float = 1.0) -> list[float]:
        return (chance.normal(size=outputs) * size).tolist()

    effects = [
        Effect(centre=0.1, slope=some(), base=some(), missing=some()),
        Effect(each=[some() for _ in range(3 + seed % 2)], missing=some()),  # one that training did not have
        Effect(centre=1.6e9, slope=some(1e-4), base=some(), missing=some()),
        Effect(missing=some()),
        Effect(centre=0.5, slope=some(), base=some(), missing=some()),
        Effect(missing=some()),
    ]
    classes = [] if task == "regression" else ["no", "yes", "maybe"][: max(2, outputs)]
    signature = Signature(features=FEATURES, task=kind, target="y", classes=classes, threshold=0.37, **more)
    return LinearModel(link=link, bias=some(), effects=effects), signature


def real(seed: int, count: int = 300) -> np.ndarray[Any, Any]:
    chance = np.random.default_rng(seed)
    numbers = (chance.normal(size=count), 1.6e9 + chance.random(count) * 1e4, chance.integers(0, 2, count))
    rows = np.column_stack([numbers[0], chance.integers(0, 4, count), numbers[1], np.full(count, np.nan), numbers[2],
                            chance.normal(size=count)])  # fmt: skip
    rows[chance.random(rows.shape) < 0.1] = np.nan
    return rows


def subject_of(model: LinearModel, signature: Signature, rows: np.ndarray[Any, Any], text: str = "") -> Subject:
    version = ModelVersion(
        model="m", version=1, run_id=1, run_name="", sha256="0" * 64, path=Path(), bytes=1, threshold=0.37,
        golden_rows=0, verdict="pass", aliases=[], who="", why="", created_at=1,
    )  # fmt: skip
    return Subject(
        version=version, signature=signature, golden=Golden(rows=[], answers=[]), text=text or model.text,
        predictor=Predictor(model, signature), integers=frozenset(), rows=rows,
    )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(list(TASKS)))
def test_any_linear_model_answers_alike_whatever_it_is_asked(seed: int, task: str) -> None:
    model, signature = linear(seed, task)
    strange = [
        {"small": None, "place ü": "never seen", "moment": 1e300, "never": "x", "open": None, "empty": 7},
        {"small": -1e300, "place ü": None, "moment": None, "never": None, "open": True, "empty": None},
        {"small": 0, "place ü": "", "moment": 0, "never": "", "open": False, "empty": 1},
    ]
    asked = np.vstack([real(seed, 20), encode_rows(strange, signature), np.full((1, 6), np.inf)])
    asked[-1, [1, 3]] = np.nan
    scores, labels = onnx_answers(onnx_model(model, signature, {}), signature, asked)
    wanted = Predictor(model, signature).many(asked)
    np.testing.assert_allclose(scores, wanted, rtol=1e-12, atol=1e-12)
    assert len(labels) == (0 if task == "regression" else len(asked))


@pytest.mark.parametrize(
    ("task", "kept"),
    [
        ("regression", None),
        ("binary", ProbabilityMap(method="platt", points=[[1.3, -0.2]])),
        ("multiclass", ProbabilityMap(method="temperature", points=[[1.7]])),
    ],
)
@pytest.mark.parametrize("float32", [False, True])
def test_an_export_is_compared_row_by_row_and_every_value_is_moved(
    task: str, kept: ProbabilityMap | None, float32: bool, tmp_path: Path
) -> None:
    model, signature = linear(1, task, calibration=kept or msgspec.UNSET)
    rows = real(1)
    if float32:
        rows[:, 2] = rows[:, 2].astype(np.float32)
    outcome = forms.write_onnx(tmp_path, subject_of(model, signature, rows), float32=float32, against="some rows")
    assert outcome.checked.rows == len(rows) + 4 * 6 + 5 + 1
    assert outcome.checked.against == "some rows, 30 with one value moved"
    assert outcome.checked.farthest < (1e-5 if float32 else 1e-12)
    assert outcome.warnings == []


def test_an_export_that_answers_otherwise_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    model, signature = linear(2, "regression")
    steep = msgspec.structs.replace(model.effects[2], slope=[5.0])
    other = msgspec.structs.replace(model, effects=[*model.effects[:2], steep, *model.effects[3:]])
    subject = subject_of(other, signature, real(2))
    with pytest.raises(BadInput, match=r"rows otherwise: up to .* away") as refused:
        forms.write_onnx(tmp_path, subject, float32=True)  # the moment's digits are lost
    assert "double inputs" in refused.value.remedy
    with pytest.raises(BadInput, match=r"rows otherwise"):
        forms.write_onnx(tmp_path, subject_of(other, signature, real(2), text=model.text))
    assert not list(tmp_path.iterdir())
