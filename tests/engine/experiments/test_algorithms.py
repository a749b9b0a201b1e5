"""Every algorithm in the whole loop of training: recorded, measured, comparable, reproducible; and what suits which."""

# scikit-learn and pyarrow ship no types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score
from small_problem import add_run, do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.config import Preset
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.algorithms import ALGORITHMS, suited
from lemnis.engine.experiments.checkpoint import Checkpoint, save_checkpoint
from lemnis.engine.experiments.predictions import kept_predictions, load_predictions
from lemnis.engine.features.matrix import encode_table, labelled
from lemnis.engine.models.files import load_model
from lemnis.engine.models.linear import LinearModel, read_linear
from lemnis.engine.store.schema.experiments import LATER

Train = Callable[..., Run]


def model_of(engine: Engine, run: Run) -> Any:
    return load_model(engine.experiments.model_path(run.id), run.model_sha256 or "")


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_every_algorithm_trains_is_measured_by_its_own_model_and_gives_it_again_to_the_last_bit(
    engine: Engine, trained: Train, version: Version, algorithm: str
) -> None:
    run = trained(overrides={"algorithm": algorithm})
    assert (run.state, run.algorithm) == ("finished", algorithm)
    rows, target = labelled(read_table(version, part="validation"), engine.experiments.signature(run.id))
    answer = model_of(engine, run).predict(encode_table(rows, engine.experiments.signature(run.id)))
    assert run.metrics["auc"] == pytest.approx(roc_auc_score(target, answer), abs=1e-9)
    assert run.metrics["logloss"] == pytest.approx(log_loss(target, answer), abs=1e-9)
    assert [found.id for found in engine.experiments.page(f"algorithm = {algorithm}")] == [run.id]
    kept = kept_predictions(engine.store, [run.id])[run.id]
    assert load_predictions(engine.store, kept, "validation").score == pytest.approx(answer, abs=1e-6)
    again = do_train(engine, engine.experiments.reproduce(run.id))
    assert (again.algorithm, again.tags["reproduction"]) == (algorithm, "identical")


def test_each_way_to_grow_trees_is_really_lightgbms(engine: Engine, trained: Train) -> None:
    said = {name: model_of(engine, trained(overrides={"algorithm": name})) for name in ("dart", "rf", "goss")}
    texts = {name: model.model_to_string() for name, model in said.items()}
    assert "[boosting: dart]" in texts["dart"]
    assert "[boosting: rf]" in texts["rf"]
    assert "[data_sample_strategy: goss]" in texts["goss"]
    assert "[extra_trees: 1]" in model_of(engine, trained(overrides={"algorithm": "extra_trees"})).model_to_string()
    assert "is_linear=1" in model_of(engine, trained(overrides={"algorithm": "linear_tree"})).model_to_string()


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_linear_model_answers_as_scikit_learns_on_its_design_and_one_row_as_many(tmp_path: Path, task: str) -> None:
    engine = make_engine(tmp_path / "workspace", task)
    run = do_train(engine, engine.experiments.start(overrides={"algorithm": "linear", "lambda_l2": 0.5}))
    assert run.params == {"lambda_l2": "0.5"}
    version, signature = engine.data.version(), engine.experiments.signature(run.id)
    design, target = design_of(version, signature)
    scikit: Any = Ridge(alpha=0.5) if task == "regression" else LogisticRegression(C=2.0, tol=1e-8, max_iter=5000)
    scikit.fit(design["train"], target["train"])
    wanted = (
        scikit.predict(design["validation"]) if task == "regression" else scikit.predict_proba(design["validation"])
    )
    model = model_of(engine, run)
    rows = encode_table(labelled(read_table(version, part="validation"), signature)[0], signature)
    found = model.predict(rows)
    assert found == pytest.approx(wanted[:, 1] if task == "binary" else wanted, abs=1e-4)
    singly = np.array([model.one(row) for row in rows.tolist()])
    assert singly.reshape(found.shape) == pytest.approx(found, abs=1e-12)
    parts, raw = model.predict(rows, pred_contrib=True), model.predict(rows, raw_score=True)
    assert parts.reshape(len(rows), -1, 4).sum(axis=2) == pytest.approx(raw.reshape(len(rows), -1), abs=1e-9)
    learnt = encode_table(labelled(read_table(version, part="train"), signature)[0], signature)
    centred = model.predict(learnt, pred_contrib=True).reshape(len(learnt), -1, 4)[:, :, :3].mean(axis=0)
    assert centred == pytest.approx(np.zeros_like(centred), abs=1e-9)


def design_of(version: Version, signature: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the design matrix as a person would make it by hand, and the target, by part."""
    learnt: Any = read_table(version, part="train")
    known: Any = labelled(learnt, signature)[0]
    distance: Any = known.column("distance").to_numpy()
    mean, spread = np.nanmean(distance), np.nanstd(distance)
    design: dict[str, Any] = {}
    target: dict[str, Any] = {}
    for part in ("train", "validation"):
        rows, target[part] = labelled(read_table(version, part=part), signature)
        x = rows.column("distance").to_numpy()
        weekend = rows.column("weekend").to_numpy().astype(float)
        base = known.column("weekend").to_numpy().astype(float)
        carrier = np.array(rows.column("carrier").to_pylist())
        columns = [
            np.where(np.isnan(x), 0, (x - mean) / spread),
            np.isnan(x).astype(float),
            *((carrier == name).astype(float) for name in ("AA", "B6", "[UA]")),
            (weekend - base.mean()) / base.std(),
        ]
        design[part] = np.column_stack(columns)
    return design, target


def test_a_constant_answers_with_the_classes_shares_or_the_mean_or_median(tmp_path: Path) -> None:
    for task in ("binary", "multiclass", "regression"):
        engine = make_engine(tmp_path / task, task)
        run = do_train(engine, engine.experiments.start(overrides={"algorithm": "constant"}))
        signature = engine.experiments.signature(run.id)
        _, target = labelled(read_table(engine.data.version(), part="train"), signature)
        answer = model_of(engine, run).predict(np.full((2, 3), np.nan))
        if task == "regression":
            assert answer == pytest.approx([target.mean()] * 2)
            run = do_train(engine, engine.experiments.start(overrides={"algorithm": "constant", "centre": "median"}))
            assert model_of(engine, run).predict(np.zeros((1, 3))) == pytest.approx([np.median(target)])
        else:
            shares = np.bincount(target.astype(int)) / len(target)
            assert answer[0] == pytest.approx(shares[1] if task == "binary" else shares)
            assert (run.metrics.get("auc", 0.5), run.best_round) == (0.5, None)
        engine.store.close()


def test_what_a_preset_says_and_an_algorithm_has_no_use_for_is_left_out_and_said(engine: Engine) -> None:
    run = engine.experiments.run(engine.experiments.start("stopping", overrides={"algorithm": "dart"}))
    assert (run.params["early_stopping"], run.tags) == ("0", {"left_out": "early_stopping: not for dart"})
    run = engine.experiments.run(engine.experiments.start(overrides={"algorithm": "linear"}))
    assert (run.params, run.rounds) == ({"lambda_l2": "1.0"}, 1)
    assert run.tags == {"left_out": "num_leaves, min_data_in_leaf: not for linear"}


@pytest.mark.parametrize(
    ("overrides", "problem", "remedy"),
    [
        ({"algorithm": "svm"}, "no algorithm 'svm'", "gbdt, dart"),
        ({"algorithm": "dart", "early_stopping": 5}, "early_stopping can't be set for dart", "Leave it out"),
        ({"algorithm": "linear", "num_leaves": 5}, "it takes lambda_l2", "Leave it out"),
        ({"algorithm": "linear", "lambda_l2": -1}, "lambda_l2 can't be '-1'", "from 0 on"),
        ({"algorithm": "constant", "centre": "mode"}, "it takes no parameters", "Leave it out"),
        ({"algorithm": "linear", "device": "gpu"}, "trains on cpu only", "Leave it out"),
        ({"algorithm": "constant", "rounds": 5}, "fitted in one go", "Leave it out"),
        ({"boosting": "dart"}, "boosting = dart contradicts the algorithm gbdt", "algorithm = dart"),
        ({"algorithm": "extra_trees", "extra_trees": "false"}, "contradicts the algorithm extra_trees", "Leave it out"),
        ({"algorithm": "goss", "subsample": 0.5}, "samples rows by gradient", "Leave it out"),
    ],
)
def test_what_was_asked_for_and_does_not_suit_is_refused(
    engine: Engine, overrides: dict[str, Any], problem: str, remedy: str
) -> None:
    with pytest.raises(BadInput) as refused:
        engine.experiments.start(overrides=overrides)
    assert problem in refused.value.problem
    assert remedy in refused.value.remedy
    assert engine.experiments.count() == 0


def test_parameters_may_go_beside_an_algorithm_and_an_old_preset_still_means_boosted_trees() -> None:
    both = suited(Preset(algorithm="dart", parameters={"extra_trees": True, "boosting": "dart"}), [], "binary")
    assert both.params == {"extra_trees": True, "boosting": "dart", "rounds": 200, "early_stopping": 0}
    assert suited(Preset(algorithm="lightgbm"), [], "binary").preset.algorithm == "gbdt"


def test_runs_of_two_algorithms_differ_in_it_when_they_are_compared(engine: Engine) -> None:
    runs = [engine.experiments.start(overrides={"algorithm": name}) for name in ("rf", "constant")]
    row = next(row for row in engine.experiments.compare(runs).conditions if row.name == "algorithm")
    assert (row.values, row.differs) == (["rf", "constant"], True)


def test_a_stopped_forest_starts_anew_because_it_can_not_go_on(engine: Engine, trained: Train) -> None:
    whole = trained(overrides={"algorithm": "rf"})
    run_id = engine.experiments.start(overrides={"algorithm": "rf"})
    engine.workspace.run_dir(run_id).mkdir(parents=True)
    five = model_of(engine, whole).model_to_string(num_iteration=5)
    save_checkpoint(engine.workspace.run_dir(run_id) / "checkpoint.txt", Checkpoint(round=5, model=five))
    assert do_train(engine, run_id).model_sha256 == whole.model_sha256


def test_a_linear_model_with_parts_that_do_not_fit_is_refused(engine: Engine, trained: Train) -> None:
    text = engine.experiments.model_path(trained(overrides={"algorithm": "linear"}).id).read_text()
    model = read_linear(text)
    assert isinstance(model, LinearModel)
    assert model.text == text
    for wrong in (text[:-20], text.replace('"bias":[', '"bias":[1.0,'), "lemnis linear 1\n{}"):
        with pytest.raises(BadInput, match="linear model"):
            read_linear(wrong)


def test_runs_of_older_workspaces_get_the_algorithm_that_their_parameters_say(engine: Engine) -> None:
    said = {
        "gbdt": {"num_leaves": 7, "boosting": "gbdt"},
        "dart": {"boosting_type": "dart", "extra_trees": True},
        "rf": {"boosting": "random_forest"},
        "goss": {"data_sample_strategy": "goss"},
        "extra_trees": {"extra_trees": True, "data_sample_strategy": "bagging"},
        "linear_tree": {"linear_tree": True},
    }
    runs = {name: add_run(engine, name, algorithm="lightgbm", params=params) for name, params in said.items()}
    with engine.store.write() as db:
        db.execute(next(sql for sql in LATER["m027_algorithms"] if sql.startswith("update")))
    assert {name: engine.experiments.run(run_id).algorithm for name, run_id in runs.items()} == {n: n for n in said}
