"""Trees asked through LightGBM's library answer as its own Python package does, without importing it."""

import subprocess
import sys
from typing import Any

import lightgbm
import numpy as np
import pytest

from lemnis.engine.errors import Unavailable
from lemnis.engine.models.trees import TreeRow, Trees


@pytest.mark.parametrize("objective", ["binary", "multiclass", "regression", "linear"])
def test_the_answers_and_contributions_are_lightgbms_own(objective: str) -> None:
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(400, 3))
    rows[chance.random(rows.shape) < 0.1] = np.nan
    rows[:, 2] = chance.integers(0, 4, 400)
    labels = np.nan_to_num(rows[:, 0]).argsort().argsort() % (3 if objective == "multiclass" else 2)
    parameters: dict[str, Any] = {"objective": objective, "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
    parameters |= {"num_class": 3} if objective == "multiclass" else {}
    parameters |= {"objective": "regression", "linear_tree": True} if objective == "linear" else {}
    data = lightgbm.Dataset(rows, labels, categorical_feature=[2], params={"verbosity": -1, **parameters})
    booster = lightgbm.train(parameters, data, 5)
    trees = Trees(booster.model_to_string())
    expected = np.asarray(booster.predict(rows)).reshape(400, -1)
    assert (trees.num_feature(), trees.num_model_per_iteration()) == (3, expected.shape[1])
    for matrix in (rows, np.asfortranarray(rows)):
        assert np.array_equal(trees.predict(matrix, num_threads=2), expected)
    row = TreeRow(trees)
    assert [row.one(values) for values in rows.tolist()] == expected.tolist()
    row.close()
    assert trees.linear == (objective == "linear")
    if not trees.linear:
        theirs = np.asarray(booster.predict(rows, pred_contrib=True)).reshape(400, -1)
        assert np.array_equal(trees.predict(rows, pred_contrib=True), theirs)


def test_what_lightgbm_refuses_is_said() -> None:
    with pytest.raises(Unavailable, match="LightGBM could not answer: Model"):
        Trees("tree\nversion=v4\n")


def test_a_server_imports_none_of_the_heavy_packages() -> None:
    script = """
import sys
import lemnis.engine.deploy.server
from lemnis.engine.models.trees import library
library()
heavy = {"lightgbm", "scipy", "pyarrow", "duckdb", "sklearn", "optuna", "pandas", "narwhals", "tomlkit", "psutil"}
heavy |= {f"lemnis.engine.{room}" for room in ("data", "explore", "validate", "experiments", "evaluate", "monitor")}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
