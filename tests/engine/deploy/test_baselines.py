"""A linear model and a constant are registered, checked in the box and served as trees are, without LightGBM."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_problem import do_train, make_engine
from tracking_server import Served, run_client

from lemnis.engine import Engine
from lemnis.engine.deploy.exports import forms, score
from lemnis.engine.deploy.exports.graph import onnx_answers
from lemnis.engine.deploy.exports.subject import subject_of
from lemnis.engine.deploy.exports.writing import export
from lemnis.engine.deploy.modelbox import ask_model
from lemnis.engine.deploy.predictor import load_predictor
from lemnis.engine.deploy.serving import load_served
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.files import sha256_of
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.tracking.artifacts import located


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "box", "multiclass")
    yield opened
    opened.store.close()


@pytest.mark.parametrize("algorithm", ["linear", "constant"])
def test_a_baseline_is_registered_and_answers_its_golden_rows_in_the_server(engine: Engine, algorithm: str) -> None:
    run = do_train(engine, engine.experiments.start(overrides={"algorithm": algorithm}))
    version = engine.deploy.register(run.id, "late", "ada", "a baseline")
    served = load_served(engine.store, "late", version.version, cores=1)
    assert served.predictor.platform == "lemnis_linear"
    rows = np.array([[0.5, 1.0, 1.0], [np.nan, np.nan, 0.0]])
    many = served.predictor.many(rows)
    assert many.sum(axis=1) == pytest.approx([1, 1])
    assert [served.predictor.one(row) for row in rows.tolist()] == pytest.approx(many, abs=1e-12)


def test_a_baseline_is_exported_as_a_program_of_numpy_alone(engine: Engine, tmp_path: Path) -> None:
    run = do_train(engine, engine.experiments.start(overrides={"algorithm": "linear"}))
    engine.deploy.register(run.id, "late", "ada", "a baseline")
    subject, _ = subject_of(engine.store, "late", 1)
    (tmp_path / "out").mkdir()
    told = forms.write_folder(tmp_path / "out", subject)  # which has asked it every golden row, without LightGBM
    assert told.warnings == ["Triton is left out: it has no backend for a linear model."]
    assert (tmp_path / "out" / "requirements.txt").read_text() == f"numpy=={np.__version__}\n"
    assert "libgomp1" not in (tmp_path / "out" / "Dockerfile").read_text()
    rows = [{"distance": d, "carrier": c, "weekend": w} for d, c, w in ((0.5, "B6", True), (None, "ZZ", False))]
    scorer = score.Scorer(tmp_path / "out")
    asked = subject.predictor.many(encode_rows(rows, subject.signature))
    assert np.array_equal(scorer.scores(scorer.matrix(rows)), asked)


@pytest.mark.parametrize("algorithm", ["linear", "constant"])
def test_a_baseline_is_exported_to_onnx_and_answers_every_row_alike(
    engine: Engine, tmp_path: Path, algorithm: str
) -> None:
    run = do_train(engine, engine.experiments.start(overrides={"algorithm": algorithm}))
    engine.deploy.register(run.id, "late", "ada", "a baseline")
    job = engine.jobs.job(engine.deploy.start_export("late@1", tmp_path / "out", "onnx", "ada"))
    checked = export(JobContext.for_test(engine.store), job.arguments)["checked"]
    assert checked["farthest"] < 1e-12
    assert re.search(r"rows of \w+ of .*, \d+ golden rows, \d+ with one value moved", checked["against"])
    subject, _ = subject_of(engine.store, "late", 1)
    asked = encode_rows([{"distance": None, "carrier": "never seen", "weekend": None}], subject.signature)
    scores, labels = onnx_answers((tmp_path / "out" / "model.onnx").read_bytes(), subject.signature, asked)
    assert scores == pytest.approx(subject.predictor.many(asked), abs=1e-12)
    assert labels == [subject.signature.classes[int(scores.argmax())]]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_the_real_client_of_mlflow_loads_a_linear_version(task: str, tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "workspace", task)
    for algorithm in ("linear", "constant"):
        run = do_train(engine, engine.experiments.start(overrides={"algorithm": algorithm}))
        engine.deploy.register(run.id, "late", "ada", "a baseline")
    engine.store.close()
    served = Served(tmp_path / "workspace")
    golden = [str(located(served.engine.store, f"lemnis/late/{number}/data/golden.json")) for number in (1, 2)]
    served.start()
    try:
        run_client(Path(__file__).parent / "client_loads_linear.py", served.url, *golden)
    finally:
        served.stop()


def test_a_damaged_linear_model_is_refused_and_a_good_one_needs_no_lightgbm(engine: Engine, tmp_path: Path) -> None:
    run = do_train(engine, engine.experiments.start(overrides={"algorithm": "linear"}))
    signature, path = engine.experiments.signature(run.id), engine.experiments.model_path(run.id)
    damaged = tmp_path / "model.txt"
    damaged.write_bytes(path.read_bytes().replace(b'"slope":[', b'"slope":["x",'))
    with pytest.raises(BadInput, match="linear model"):
        ask_model(damaged, sha256_of(damaged), signature, [])
    with pytest.raises(BadInput, match="features"):
        load_predictor(path, run.model_sha256 or "", type(signature)(features=[], task="binary", target="late"))
    script = f"""
import sys, pathlib
from lemnis.engine.deploy.predictor import load_predictor
from lemnis.engine.features.signature import Signature
folder = pathlib.Path({str(path.parent)!r})
load_predictor(folder / "model.txt", {run.model_sha256!r}, Signature.load(folder / "signature.json"))
print([name for name in ("lightgbm", "sklearn", "scipy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
