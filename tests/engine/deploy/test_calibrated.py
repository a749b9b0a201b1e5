"""A run whose evaluation found a map that makes its probabilities better is served with that map."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from late_flights import Bench, Server, Trained

from lemnis.engine.deploy.batch import score_file
from lemnis.engine.deploy.exports import score
from lemnis.engine.deploy.exports.ensemble import Ensemble
from lemnis.engine.deploy.exports.forms import WRITERS, write_onnx
from lemnis.engine.deploy.exports.graph import IR_VERSION, OPSET, Graph, onnx_and_runtime, onnx_answers, onnx_model
from lemnis.engine.deploy.exports.subject import subject_of
from lemnis.engine.deploy.predictor import Predictor, load_predictor
from lemnis.engine.deploy.registry import signature_of
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.records import Calibration, CalibrationMap, Evaluation, Reliability
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.models.calibration import Method, ProbabilityMap
from lemnis.engine.models.trees import Trees
from lemnis.engine.monitor.reference import make_reference

STEPS = [[0.1, 0.02], [0.3, 0.1], [0.3000001, 0.5], [0.9, 0.7]]
MAPS: dict[Method, list[list[float]]] = {"isotonic": STEPS, "platt": [[1.7, -0.4]]}
probabilities = st.floats(0, 1)


@given(
    st.lists(st.tuples(probabilities, probabilities), min_size=1, max_size=9, unique_by=lambda point: point[0]),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.lists(probabilities, min_size=1),
)
@example([(0.3, 0.1), (0.4, 0.1)], 1.0, 0.0, [0.0, 0.3, 0.4, 1.0])
def test_one_probability_is_mapped_as_many_are(
    points: list[tuple[float, float]], slope: float, offset: float, said: list[float]
) -> None:
    steps = [[one, better] for (one, _), better in zip(sorted(points), sorted(b for _, b in points), strict=True)]
    for made in (
        ProbabilityMap(method="isotonic", points=steps),
        ProbabilityMap(method="platt", points=[[slope, offset]]),
    ):
        assert [made.one(one) for one in said] == pytest.approx(made.many(np.array(said)).tolist(), abs=1e-12)


@pytest.mark.parametrize(
    "made",
    [
        ProbabilityMap(method="temperature", points=[[2.0]]),
        ProbabilityMap(method="isotonic", classes=[STEPS, [[0.0, 0.1], [1.0, 0.6]], [[0.5, 0.2]]]),
    ],
)
def test_a_model_of_several_classes_answers_with_its_map_one_row_as_many(made: ProbabilityMap) -> None:
    random = np.random.default_rng(2)
    rows = random.normal(size=(300, 2))
    target = (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0.5)
    parameters = {"objective": "multiclass", "num_class": 3, "num_leaves": 4, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(rows, target), num_boost_round=5)
    features = [Feature(name="a", kind="numeric"), Feature(name="b", kind="numeric")]
    plain = Signature(features=features, task="multiclass", target="t", classes=["x", "y", "z"])
    kept = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(plain, calibration=made)), type=Signature)
    predictor = Predictor(Trees(booster.model_to_string()), kept)
    said = np.asarray(booster.predict(rows[:20]))
    expected = made.many(said)
    assert np.abs(expected - said).max() > 0.02
    assert predictor.many(rows[:20]) == pytest.approx(expected)
    assert [predictor.one(row) for row in rows[:20].tolist()] == [pytest.approx(row) for row in expected.tolist()]
    assert b"calibration" not in msgspec.json.encode(plain)
    written = onnx_model(Ensemble.read(booster.model_to_string()), kept, {})
    assert onnx_answers(written, kept, rows[:20])[0] == pytest.approx(expected, abs=1e-9)
    assert score.calibrated(said, msgspec.to_builtins(made)) == pytest.approx(expected)


@pytest.mark.parametrize("method", MAPS)
def test_a_graph_and_the_folders_program_map_every_probability_as_the_version_does(method: Method) -> None:
    made = ProbabilityMap(method=method, points=MAPS[method])
    said = np.array([0.0, 1e-15, 0.05, 0.1, 0.2, 0.3, 0.30000005, 0.3000001, 0.5, 0.9, 0.95, 1.0])[:, None]
    assert score.calibrated(said, msgspec.to_builtins(made)) == pytest.approx(made.many(said))
    onnx, runtime = onnx_and_runtime()
    graph = Graph(onnx, None)
    graph.inputs.append(onnx.helper.make_tensor_value_info("said", onnx.TensorProto.DOUBLE, ["rows", 1]))
    graph.name(graph.calibrated("said", made), "better", onnx.TensorProto.DOUBLE, 1)
    whole = onnx.helper.make_graph(graph.nodes, "map", graph.inputs, graph.outputs, graph.constants)
    opset = [onnx.helper.make_opsetid("", OPSET)]
    content = onnx.helper.make_model(whole, opset_imports=opset, ir_version=IR_VERSION).SerializeToString()
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.run(None, {"said": said})[0] == pytest.approx(made.many(said), abs=1e-12)


def evaluated(bench: Bench, trained: Trained, *, wins: bool = True) -> int:
    """Record a run whose evaluation fitted both maps."""
    run_id = bench.add_run(trained)
    maps = [
        CalibrationMap(method=method, rows=9, points=points, tests=[], wins=wins) for method, points in MAPS.items()
    ]
    empty = Reliability(bins=[], ece=0.1, brier=0.1, off=0.0, apart=0.0, spread=0.0)
    calibrated = Calibration(part="test", blocks="rows", reliability=empty, maps=maps)
    facts: dict[str, Any] = {"run_id": run_id, "version_id": bench.version_id, "part": "test", "rows": 9}
    found = Evaluation(**facts, metrics={}, created_at=1, calibrated=calibrated)
    row = facts | {"metrics": "{}", "created_at": 1}
    with bench.store.write() as db:
        db.table("evaluations").insert(row | {"detail": msgspec.json.encode(found).decode()})
    return run_id


@pytest.mark.slow
def test_a_calibrated_version_is_served_scored_and_measured_with_its_map(
    bench: Bench, first_model: Trained, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    run_id = evaluated(bench, first_model)
    plain = bench.room.register(run_id, "late", "ada", "as it is")
    made = bench.room.register(run_id, "late", "ada", "better", calibrate="isotonic")
    assert [one.method for one in bench.room.maps_left(run_id, "late")] == ["platt"]
    assert (plain.version, plain.calibration, made.version, made.calibration) == (1, "", 2, "isotonic")
    assert bench.room.register(run_id, "late", "ada", "again", calibrate="isotonic").version == 2
    bench.room.promote("late", 2, "champion", "ada", "better")
    rows = first_model.request_rows(40)
    said = np.asarray(first_model.booster().predict(encode_rows(rows, first_model.signature)))
    expected = ProbabilityMap(method="isotonic", points=STEPS).many(said)
    assert np.abs(expected - said).max() > 0.05
    server = start_server(bench)
    server.wait_ready(2)
    for count in (1, 40):
        status, document = server.ask("POST", "/invocations", {"dataframe_records": rows[:count]})
        assert status == 200, document
        answered = document["predictions"]
        assert [one["probability"] for one in answered] == pytest.approx(expected[:count])
        assert [one["label"] == "true" for one in answered] == (expected[:count] >= 0.4).tolist()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    predictor = load_predictor(made.path, made.sha256, signature_of(bench.store, "late", 2))
    score_file(tmp_path / "rows.parquet", tmp_path / "scored.parquet", predictor, progress=lambda _share, _text: None)
    scored = pq.read_table(tmp_path / "scored.parquet", columns=["probability"])
    assert scored.column(0).to_pylist() == pytest.approx(expected)
    exported(bench, tmp_path)


def exported(bench: Bench, folder: Path) -> None:
    """Every form that can hold the map answers every row with it, or was not written."""
    subject, _ = subject_of(bench.store, "late", 2)
    for name in ("folder", "mlflow", "onnx", "native"):
        (folder / name).mkdir()
    assert "isotonic map" in WRITERS["folder"](folder / "folder", subject).warnings[0]
    WRITERS["mlflow"](folder / "mlflow", subject)
    assert "lightgbm:" not in (folder / "mlflow" / "MLmodel").read_text()  # it would answer without the map
    assert write_onnx(folder / "onnx", subject).checked.farthest < 1e-9
    with pytest.raises(BadInput, match="what its isotonic map makes"):
        WRITERS["native"](folder / "native", subject)
    first, second = (make_reference(bench.store, "late", number, bins=10) for number in (1, 2))
    assert first.prediction_mean != second.prediction_mean


def test_a_map_that_is_not_there_or_makes_nothing_better_is_refused(bench: Bench, first_model: Trained) -> None:
    run_id = evaluated(bench, first_model, wins=False)
    with pytest.raises(BadInput, match="does not make the probabilities of run 1 better"):
        bench.room.register(run_id, "late", "ada", "better", calibrate="platt")
    with pytest.raises(BadInput, match="has no map 'magic'"):
        bench.room.register(run_id, "late", "ada", "better", calibrate="magic")
    with pytest.raises(BadInput, match="has no map 'platt'"):
        bench.room.register(bench.add_run(first_model), "late", "ada", "better", calibrate="platt")
