"""A LightGBM text that a client registered becomes a version of Lemnis; nothing else of a client does."""

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from registered import mlmodel, register
from support import engine_at

from lemnis.engine.deploy.registry import golden_of
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows

BOOSTER = "    data: model.lgb\n    model_class: lightgbm.basic.Booster\n"
COLUMNS = [{"type": "double", "name": "far away"}, {"type": "string", "name": "carrier"}]


@pytest.fixture(scope="module")
def text() -> bytes:
    chance = np.random.default_rng(1)
    rows = np.column_stack([chance.random(400) * 50, chance.integers(0, 3, 400)])
    target = (rows[:, 0] > 20) ^ (rows[:, 1] == 1)
    data = lightgbm.Dataset(rows, target, categorical_feature=[1])
    own: dict[str, Any] = {"objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
    booster = lightgbm.train(own, data, 5)
    return booster.model_to_string().replace("pandas_categorical:null", 'pandas_categorical:[["AA","B6","ü"]]').encode()


def signed(columns: list[dict[str, str]]) -> str:
    return f"{BOOSTER}signature:\n  inputs: '{json.dumps(columns)}'\n"


def test_a_lightgbm_model_with_a_signature_is_taken_over_and_answers(tmp_path: Path, text: bytes) -> None:
    engine = engine_at(tmp_path / "w")
    register(engine, "late flights", {"MLmodel": mlmodel("lightgbm", signed(COLUMNS)), "model.lgb": text})
    assert "models adopt" in engine.tracking.client_versions()[0].why
    made = engine.tracking.adopt("late flights", 1, "late", "ana", "to serve it")
    assert (made.model, made.version, made.who, made.threshold) == ("late", 1, "ana", 0.5)
    signature = engine.deploy.signature("late", 1)
    assert [(f.name, f.kind, f.categories) for f in signature.features] == [
        ("far away", "numeric", []),
        ("carrier", "categorical", ["AA", "B6", "ü"]),
    ]
    golden = golden_of(engine.store, "late", 1)
    expected = lightgbm.Booster(model_str=text.decode()).predict(encode_rows(golden.rows, signature))
    assert [row[0] for row in golden.answers] == pytest.approx(np.asarray(expected).tolist(), abs=1e-12)
    assert {row["carrier"] for row in golden.rows} == {None, "AA", "B6", "ü"}
    engine.deploy.promote("late", 1, "challenger", "ana", "try it")


@pytest.mark.parametrize(
    ("described", "says"),
    [
        (mlmodel("sklearn"), "flavour sklearn"),
        (mlmodel("lightgbm", "    model_class: lightgbm.sklearn.LGBMModel\n"), "a pickled LightGBM model"),
        (mlmodel("lightgbm", BOOSTER), "no signature"),
        (mlmodel("lightgbm", signed([*COLUMNS, {"type": "double", "name": "x"}])), "does not fit"),
        (mlmodel("lightgbm", BOOSTER.replace("model.lgb", "../../x") + "signature: {inputs: '[]'}\n"), "no path"),
    ],
)
def test_what_can_not_be_taken_over_is_refused(tmp_path: Path, text: bytes, described: bytes, says: str) -> None:
    engine = engine_at(tmp_path / "w")
    register(engine, "late flights", {"MLmodel": described, "model.lgb": text})
    with pytest.raises(BadInput, match=says):
        engine.tracking.adopt("late flights", 1, "late", "ana", "why")
    assert engine.deploy.models() == []
