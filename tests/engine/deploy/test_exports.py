"""Models for other applications: every form answers as the version does, or is refused and leaves nothing behind."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.deploy.exports import forms, score
from lemnis.engine.deploy.exports.ensemble import (
    Ensemble,
    harmed,
    narrowed,
    narrowed_text,
    narrowed_thresholds,
    native_features,
)
from lemnis.engine.deploy.exports.graph import onnx_answers, onnx_model
from lemnis.engine.deploy.exports.subject import Subject
from lemnis.engine.deploy.exports.writing import export
from lemnis.engine.deploy.predictor import Predictor
from lemnis.engine.deploy.records import Golden, ModelVersion
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.models.trees import Trees
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

ALONE = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def written(bench: Any, to: Path, form: str, reference: str = "late@1", **options: Any) -> dict[str, Any]:
    job = bench.room.jobs.job(bench.room.start_export(reference, to, form, "ada", **options))
    return export(JobContext.for_test(bench.store), job.arguments)


def golden(folder: Path) -> tuple[list[dict[str, Any]], list[list[float]]]:
    document = json.loads((folder / "golden.json").read_text())
    return document["rows"], document["answers"]


def alone(folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run score.py where nothing of Lemnis can be imported."""
    command = [sys.executable, "-I", "score.py", *arguments]
    return subprocess.run(command, cwd=folder, env=ALONE, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", ["native", "folder", "mlflow", "onnx"])
def test_an_export_has_a_manifest_of_every_file_and_is_an_event_on_its_version(
    two_versions: Any, tmp_path: Path, form: str
) -> None:
    told = written(two_versions, tmp_path / "out", form, "late@champion")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {"manifest.json", *(file["path"] for file in manifest["files"])}
    for file in manifest["files"]:
        content = (tmp_path / "out" / file["path"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib"))]
    (event,) = two_versions.room.exports("late")
    assert (event.model, event.version, event.form, event.who) == ("late", 1, form, "ada")
    assert event.sha256 == hashlib.sha256((tmp_path / "out" / "manifest.json").read_bytes()).hexdigest()
    assert told["path"] == str(event.path) == str(tmp_path / "out")
    assert event.checked.farthest <= 1e-9
    assert {path.name for path in tmp_path.iterdir()} == {"out", "workspace"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, registered: Any) -> Path:
    """The first version as a folder, written once."""
    root = tmp_path_factory.mktemp("exported")
    shutil.copytree(registered.store.workspace.root, root / "workspace")
    store = Store(Workspace(root / "workspace"))
    written(Bench(store), root / "out", "folder")
    return root / "out"


class Bench:
    def __init__(self, store: Store) -> None:
        self.store, self.room = store, DeployRoom(store)


@pytest.mark.slow
def test_the_folder_scores_by_itself_in_another_process(folder: Path, tmp_path: Path) -> None:
    rows, answers = golden(folder)
    told = io.StringIO()
    asked = io.StringIO("".join(json.dumps(row) + "\n" for row in rows))
    assert score.score(score.Scorer(folder), asked, told, as_csv=False) == len(rows)
    answered = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [row["probability"] for row in answered] == pytest.approx([row[0] for row in answers], abs=1e-12)
    assert [row["label"] for row in answered] == ["true" if row[0] >= 0.4 else "false" for row in answers]
    lines = [",".join("" if value is None else str(value) for value in row.values()) for row in rows]
    (tmp_path / "rows.csv").write_text("\n".join([",".join(rows[0]), *lines]), encoding="utf-8")
    assert alone(folder, tmp_path / "rows.csv", "-o", tmp_path / "answered.csv").returncode == 0
    scored = (tmp_path / "answered.csv").read_text(encoding="utf-8").splitlines()
    assert scored[0] == ",".join([*rows[0], "probability", "label"])
    assert [float(line.split(",")[-2]) for line in scored[1:]] == pytest.approx([a[0] for a in answers], abs=1e-12)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('{"carrier": "AA", "distance": "far", "wind": 1, "holiday": true}', "row 0, distance: 'far'"),
        ('{"carrier": "AA", "distance": 1, "holiday": true}', "row 0, wind: the column is absent"),
        ('{"carrier": 7, "distance": 1, "wind": null, "holiday": true}', "row 0, carrier: 7 is not a text"),
        ('{"carrier": "AA", "distance": true, "wind": null, "holiday": true}', "row 0, distance: True is not a finite"),
        ('{"carrier": "AA", "distance": 1, "wind": 1, "holiday": true, "label": 1}', "a column label is there already"),
        ("{", "row 0: no JSON"),
    ],
)
def test_the_folder_refuses_a_row_by_its_number_and_column(folder: Path, lines: str, says: str) -> None:
    with pytest.raises(score.Refused, match=says):
        score.score(score.Scorer(folder), io.StringIO(lines), io.StringIO(), as_csv=False)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("AA,1,2", "row 1: it has more or fewer cells"),
        ("AA,1,2,true,5", "row 1: it has more or fewer cells"),
        ("AA,1e999,2,true", "row 1, distance: '1e999' is not a finite number"),
        ("AA,1,,maybe", "row 1, holiday: 'maybe' is not true or false"),
    ],
)
def test_the_folder_refuses_a_line_of_csv(folder: Path, lines: str, says: str) -> None:
    text = f"carrier,distance,wind,holiday\nnew,7,,TRUE\n{lines}\n"
    with pytest.raises(score.Refused, match=says):
        score.score(score.Scorer(folder), io.StringIO(text), io.StringIO(), as_csv=True)


def test_a_folder_whose_model_was_changed_says_so(folder: Path, second_model: Any, tmp_path: Path) -> None:
    assert score.check(folder) == ""
    shutil.copytree(folder, tmp_path / "changed")
    shutil.copy(second_model.folder / "model.txt", tmp_path / "changed" / "model.txt")
    assert "golden row 0 got" in score.check(tmp_path / "changed")


def test_descriptors_name_what_the_model_takes(folder: Path) -> None:
    triton = (folder / "triton/late/config.pbtxt").read_text()
    assert 'backend: "fil"' in triton
    assert "dims: [ 4 ]" in triton
    booster = lightgbm.Booster(model_file=str(folder / "triton/late/1/model.txt"))
    assert booster.feature_name() == lightgbm.Booster(model_file=str(folder / "model.txt")).feature_name()
    service = yaml.safe_load((folder / "kserve.yaml").read_text())
    assert (service["kind"], service["metadata"]["name"]) == ("InferenceService", "late")
    assert f"lightgbm=={lightgbm.__version__}" in (folder / "requirements.txt").read_text()


@pytest.mark.parametrize(("form", "says"), [("pickle", "no form of an export"), ("native", "there already")])
def test_a_wrong_form_or_a_place_that_is_taken_is_refused(
    two_versions: Any, tmp_path: Path, form: str, says: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(BadInput, match=says):
        two_versions.room.start_export("late@1", tmp_path / "out", form, "ada")


def test_a_cancelled_export_leaves_nothing_behind(two_versions: Any, tmp_path: Path) -> None:
    job = two_versions.room.jobs.job(two_versions.room.start_export("late@1", tmp_path / "out", "native", "ada"))
    context = JobContext.for_test(two_versions.store)
    wrote = forms.WRITERS["native"]

    def stopping(folder: Path, subject: Subject) -> Any:
        context.stop.set()
        return wrote(folder, subject)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(forms.WRITERS, "native", stopping)  # pyright: ignore[reportArgumentType]
        with pytest.raises(Cancelled):
            export(context, job.arguments)
    assert {path.name for path in tmp_path.iterdir()} == {"workspace"}
    assert two_versions.room.exports() == []


def trained(seed: int, objective: str, **parameters: Any) -> tuple[lightgbm.Booster, Signature, np.ndarray[Any, Any]]:
    """Train on hard columns: a small number, moments, many categories, truth values, missing values."""
    chance = np.random.default_rng(seed)
    rows = np.column_stack(
        [
            chance.normal(size=3000),
            1.6e9 + chance.random(3000) * 1e4,
            chance.integers(0, 60, 3000),
            chance.integers(0, 2, 3000),
        ]
    ).astype(np.float64)
    raw = (
        rows[:, 0]
        + 2 * ((rows[:, 1] - 1.6e9) % 2000 > 1000)
        + (rows[:, 2] % 3 == 1)
        - rows[:, 3]
        + chance.normal(size=3000)
    )
    rows[chance.random(rows.shape) < 0.05] = np.nan
    classes = {"multiclass": 3, "multiclassova": 3}.get(objective, 2)
    task = "multiclass" if classes == 3 else "binary" if objective in ("binary", "cross_entropy") else "regression"
    target = np.exp(raw)
    if task != "regression":
        target = (raw > 0).astype(np.float64) + (raw > 1.5) * (classes - 2)
    settings = {"objective": objective, "num_leaves": 15, "verbosity": -1, "num_threads": 1, "min_data_per_group": 5}
    settings |= {"num_class": 3} if classes == 3 else {}
    data = lightgbm.Dataset(rows, target, categorical_feature=[2])
    booster = lightgbm.train(settings | parameters, data, num_boost_round=12)
    features = [
        Feature(name="small", kind="numeric", nullable=True),
        Feature(name="moment", kind="numeric", nullable=True),
        Feature(name="place ü", kind="categorical", categories=[f"p{n:02}" for n in range(60)]),
        Feature(name="open", kind="numeric", logical=True),
    ]
    names = [f"c{n}" for n in range(classes)] if task != "regression" else []
    return booster, Signature(features=features, task=task, target="y", classes=names, threshold=0.37), rows


def subject_of(seed: int, objective: str, **parameters: Any) -> Subject:
    booster, signature, rows = trained(seed, objective, **parameters)
    text = booster.model_to_string()
    version = ModelVersion(
        model="m", version=1, run_id=1, run_name="", sha256="0" * 64, path=Path(), bytes=1, threshold=0.37,
        golden_rows=0, verdict="pass", aliases=[], who="", why="", created_at=1,
    )  # fmt: skip
    return Subject(
        version=version, signature=signature, golden=Golden(rows=[], answers=[]), text=text,
        predictor=Predictor(Trees(text), signature), integers=frozenset(), rows=rows,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("objective", "parameters"),
    [
        ("binary", {}),
        ("binary", {"sigmoid": 2.0}),
        ("binary", {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}),
        ("cross_entropy", {"boosting": "dart"}),
        ("multiclass", {}),
        ("multiclassova", {}),
        ("regression", {}),
        ("poisson", {}),
        ("quantile", {"use_missing": False}),
    ],
)
def test_onnx_answers_every_row_as_lightgbm_does(objective: str, parameters: dict[str, Any], tmp_path: Path) -> None:
    outcome = forms.write_onnx(tmp_path, subject_of(1, objective, **parameters))
    assert outcome.checked.rows > 3000
    assert outcome.checked.farthest < 1e-9
    assert outcome.warnings == []


def test_float32_onnx_is_refused_where_digits_are_lost_and_the_feature_is_named(tmp_path: Path) -> None:
    subject = subject_of(2, "binary")
    with pytest.raises(BadInput, match=r"rows otherwise: up to 0\.\d+ away, \d+ labels flipped") as refused:
        forms.write_onnx(tmp_path, subject, float32=True)
    assert refused.value.place == "moment"
    assert "digits that float32 does not keep" in refused.value.problem
    assert "double inputs" in refused.value.remedy
    assert not list(tmp_path.iterdir())
    kept = subject.rows.copy()
    kept[:, 1] = kept[:, 1].astype(np.float32)  # what float32 can hold is compared rightly
    small = Subject(**{name: getattr(subject, name) for name in Subject.__struct_fields__} | {"rows": kept})
    outcome = forms.write_onnx(tmp_path, small, float32=True)
    assert outcome.checked.farthest < 1e-5


def test_triton_is_left_out_where_float32_changes_an_answer(tmp_path: Path) -> None:
    subject = subject_of(2, "binary")
    (tmp_path / "out").mkdir()
    outcome = forms.write_folder(tmp_path / "out", subject)
    assert outcome.warnings[0].startswith("Triton is left out, because it takes float32.")
    assert outcome.warnings[1].startswith("moment: rounding to float32 moves")
    assert not (tmp_path / "out" / "triton").exists()


@pytest.mark.parametrize(
    ("parameters", "says"), [({"zero_as_missing": True}, "zero_as_missing"), ({"linear_tree": True}, "linear trees")]
)
def test_what_onnx_has_no_word_for_is_refused(parameters: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=says):
        forms.write_onnx(tmp_path, subject_of(3, "regression", **parameters))


@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30), st.booleans())
def test_a_number_is_compared_otherwise_only_if_rounding_makes_it_one_with_a_threshold(
    threshold: float, number: float, native: bool
) -> None:
    if native:
        number = float(np.float32(number))
    near, rounded = narrowed_thresholds(np.array([threshold]), native)[0], np.float32(number)
    same = (number <= threshold) == (rounded <= near)
    assert same or (not native and rounded == near and number > threshold)


def test_a_text_with_rounded_thresholds_is_the_same_model_but_for_them() -> None:
    booster, _, rows = trained(5, "multiclass")
    again = lightgbm.Booster(model_str=narrowed_text(booster.model_to_string(), native_features(rows)))
    nearby = rows[np.abs(rows[:, 1] - 1.6e9) > 0]  # what is missing is left out
    kept = narrowed(nearby).astype(np.float64)
    apart = np.abs(np.asarray(again.predict(kept)) - np.asarray(booster.predict(nearby))).max(axis=1)
    assert 0 < (apart > 1e-9).mean() < 0.5
    assert again.num_trees() == booster.num_trees()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40))
def test_onnx_of_any_small_model_answers_as_lightgbm_does(seed: int, leaves: int) -> None:
    chance = np.random.default_rng(seed)
    rows = np.column_stack([chance.integers(-3, 4, 200), chance.integers(0, 70, 200)]).astype(np.float64)
    rows[chance.random(rows.shape) < 0.2] = np.nan
    data = lightgbm.Dataset(rows, chance.random(200), categorical_feature=[1])
    own = {"objective": "regression", "num_leaves": leaves, "min_data_in_leaf": 1, "min_data_per_group": 1}
    booster = lightgbm.train(own | {"verbosity": -1, "num_threads": 1, "seed": seed}, data, 4)
    features = [
        Feature(name="n", kind="numeric"),
        Feature(name="c", kind="categorical", categories=[f"{n:02}" for n in range(70)]),
    ]
    signature = Signature(features=features, task="regression", target="y")
    model = onnx_model(Ensemble(booster.dump_model()), signature, {})
    strange = encode_rows(
        [{"n": None, "c": "never seen"}, {"n": 1e300, "c": None}, {"n": -1e-300, "c": "07"}], signature
    )
    asked = np.vstack([rows, strange])
    scores, _ = onnx_answers(model, signature, asked)
    np.testing.assert_allclose(scores[:, 0], np.asarray(booster.predict(asked)), atol=1e-12)


def test_a_constant_model_is_one_leaf() -> None:
    data = lightgbm.Dataset(np.zeros((50, 1)), np.full(50, 2.5))
    booster = lightgbm.train({"objective": "regression", "verbosity": -1}, data, 2)
    signature = Signature(features=[Feature(name="n", kind="numeric")], task="regression", target="y")
    scores, _ = onnx_answers(onnx_model(Ensemble(booster.dump_model()), signature, {}), signature, np.zeros((3, 1)))
    assert scores[:, 0].tolist() == pytest.approx(np.asarray(booster.predict(np.zeros((3, 1)))).tolist())


def test_features_that_lose_digits_are_listed_with_their_rows() -> None:
    booster, signature, rows = trained(4, "binary")
    found = harmed(Ensemble(booster.dump_model()), signature.names, rows)
    assert found[0].feature == "moment"
    assert found[0].rows > 100
