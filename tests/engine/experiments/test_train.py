"""Training for real, on a small problem: what is recorded, and what survives a stop."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score  # pyright: ignore[reportUnknownVariableType]
from small_problem import context_of, do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.data.duck import read_table
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, Cancelled, StoreError
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.recorder import Recorder
from lemnis.engine.experiments.train import train
from lemnis.engine.features.matrix import encode_table, labelled
from lemnis.engine.models.files import load_model

Train = Callable[..., Run]


def test_a_finished_run_has_every_condition_on_record(engine: Engine, trained: Train, version: Version) -> None:
    run = trained(overrides={"learning_rate": "0.2", "rounds": "12"})
    assert (run.name, run.preset, run.task, run.target) == (
        "default learning_rate=0.2 rounds=12",
        "default",
        "binary",
        "late",
    )
    assert (run.state, run.rounds, run.rounds_done, run.device, run.seed) == ("finished", 12, 12, "cpu", 1)
    assert (run.version_id, run.data_version) == (version.id, "small v1")
    assert run.features == ["distance", "carrier", "weekend"]
    assert run.params == {
        "learning_rate": "0.2", "num_leaves": "7", "min_data_in_leaf": "5", "rounds": "12", "early_stopping": "0",
    }  # fmt: skip
    assert {"python", "lightgbm", "numpy"} <= set(run.libraries)
    assert {"host", "cores", "processor"} <= set(run.machine)
    assert len(run.problem_sha256) == 64
    assert {"auc", "logloss", "train_auc", "train_logloss", "train_seconds", "peak_memory_mib"} == set(run.metrics)


def test_the_metrics_are_those_of_the_saved_model_on_labelled_validation_rows(
    engine: Engine, trained: Train, version: Version
) -> None:
    run = trained()
    booster = load_model(engine.experiments.model_path(run.id), run.model_sha256 or "")
    rows, target = labelled(read_table(version, part="validation"), engine.experiments.signature(run.id))
    answer: Any = booster.predict(encode_table(rows, engine.experiments.signature(run.id)))
    assert run.metrics["auc"] == pytest.approx(roc_auc_score(target, answer), abs=1e-9)
    assert run.metrics["logloss"] == pytest.approx(log_loss(target, answer), abs=1e-9)
    curve = engine.experiments.curve(run.id)
    assert [step for step, _ in curve["auc"]] == list(range(1, 21))
    assert curve["auc"][-1] == (20, run.metrics["auc"])
    assert run.best_round == max(curve["auc"], key=lambda point: (point[1], -point[0]))[0]


def test_early_stopping_keeps_the_best_round_and_its_metrics(engine: Engine, trained: Train) -> None:
    run = trained("stopping")
    curve = dict(engine.experiments.curve(run.id)["auc"])
    assert run.best_round is not None
    assert run.rounds_done == run.best_round + 5 < 400
    assert run.metrics["auc"] == curve[run.best_round] == max(curve.values())
    booster = load_model(engine.experiments.model_path(run.id), run.model_sha256 or "")
    assert booster.num_trees() == run.best_round


@pytest.mark.parametrize(
    ("task", "metrics"),
    [("multiclass", {"logloss", "error"}), ("regression", {"rmse", "mae"})],
)
def test_other_tasks_train_too(tmp_path: Path, task: str, metrics: set[str]) -> None:
    engine = make_engine(tmp_path / "workspace", task)
    run = do_train(engine, engine.experiments.start())
    assert metrics | {f"train_{name}" for name in metrics} < set(run.metrics)
    first = engine.experiments.curve(run.id)[sorted(metrics)[0]][0][1]
    assert (run.metrics[sorted(metrics)[0]] or 9) < first


def test_without_validation_rows_a_run_trains_unless_it_must_stop_early(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "workspace", split={"train": ("2013-01-01", "2013-04-01")})
    run = do_train(engine, engine.experiments.start())
    assert "auc" not in run.metrics
    assert run.metrics["train_auc"] is not None
    with pytest.raises(BadInput, match="validation"):
        do_train(engine, engine.experiments.start("stopping"))


def test_reproducing_a_run_gives_the_same_model_to_the_last_bit(engine: Engine, trained: Train) -> None:
    first = trained(overrides={"feature_fraction": 0.7, "bagging_fraction": 0.6, "bagging_freq": 1, "seed": 5})
    again = do_train(engine, engine.experiments.reproduce(first.id))
    assert again.model_sha256 == first.model_sha256
    assert (again.reproduces, again.tags["reproduction"]) == (first.id, "identical")
    other = trained(overrides={"feature_fraction": 0.7, "bagging_fraction": 0.6, "bagging_freq": 1, "seed": 6})
    assert other.model_sha256 != first.model_sha256


def test_a_repeated_run_is_bound_to_its_memory_as_the_first_was(engine: Engine) -> None:
    for overrides, limited in (({"memory": "512MiB"}, True), ({}, False)):
        again = engine.experiments.run(engine.experiments.reproduce(engine.experiments.start(overrides=overrides)))
        assert again.job_id is not None
        job = engine.jobs.job(again.job_id)
        assert job.terms.limited is limited
        assert job.allocation.memory_bytes == (2**29 if limited else 2**30)


def test_a_cancelled_run_stops_at_the_next_round_and_goes_on_from_its_checkpoint(
    engine: Engine, trained: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(overrides={"rounds": 30})
    run_id = engine.experiments.start(overrides={"rounds": 30})
    context = context_of(engine, run_id)
    called = Recorder.__call__

    def stop_at_ten(recorder: Recorder, env: Any) -> None:
        if env.iteration == 9:
            context.stop.set()
        called(recorder, env)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "__call__", stop_at_ten)
        with pytest.raises(Cancelled):
            train(context, {"run_id": run_id})
    assert [step for step, _ in engine.experiments.curve(run_id)["auc"]] == list(range(1, 11))
    # A worker that was killed later had written points that its checkpoint does not cover.
    with engine.store.write("metrics") as db:
        db.execute("insert into metric_points (run_id, key, step, at, value) values (?, 'auc', 25, 0, 0.123)", [run_id])
    run = do_train(engine, run_id)
    assert engine.experiments.curve(run_id) == engine.experiments.curve(whole.id)
    assert run.metrics["auc"] == whole.metrics["auc"]
    trees = [path_of(engine, r).read_text().split("end of trees")[0] for r in (run, whole)]
    assert trees[0] == trees[1]
    assert not (engine.workspace.run_dir(run_id) / "checkpoint.txt").exists()


def path_of(engine: Engine, run: Run) -> Path:
    return engine.experiments.model_path(run.id)


def test_a_damaged_checkpoint_starts_over_and_a_damaged_model_is_not_loaded(engine: Engine, trained: Train) -> None:
    run_id = engine.experiments.start()
    folder = engine.workspace.run_dir(run_id)
    folder.mkdir(parents=True)
    (folder / "checkpoint.txt").write_text(json.dumps({"round": 9, "sha256": "0" * 64}) + "\ntree\n")
    run = do_train(engine, run_id)
    assert len(engine.experiments.curve(run_id)["auc"]) == 20
    path = engine.experiments.model_path(run_id)
    path.chmod(0o600)
    path.write_text(path.read_text().replace("num_leaves=7", "num_leaves=9", 1))
    with pytest.raises(StoreError, match="not the one that was trained"):
        load_model(path, run.model_sha256 or "")


def test_a_worker_that_lost_its_job_writes_no_model_into_the_run(engine: Engine) -> None:
    run_id = engine.experiments.start()
    old = context_of(engine, run_id)
    new = context_of(engine, run_id)
    with pytest.raises(Exception, match="taken this run over"):
        train(old, {"run_id": run_id})
    assert engine.experiments.run(run_id).model_sha256 is None
    train(new, {"run_id": run_id})
    assert engine.experiments.run(run_id).model_sha256 is not None


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"num_leafs": 7}, "Did you mean num_leaves"),
        ({"eta": 0.1, "learning_rate": 0.2}, "given twice"),
        ({"num_threads": 4}, "cores of the preset"),
        ({"output_model": "/tmp/x"}, "can't be set"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_queued(
    engine: Engine, overrides: dict[str, Any], says: str
) -> None:
    before = engine.experiments.count(), len(engine.jobs.jobs())
    with pytest.raises(BadInput) as caught:
        engine.experiments.start(overrides=overrides)
    assert says in f"{caught.value.problem} {caught.value.remedy}"
    assert (engine.experiments.count(), len(engine.jobs.jobs())) == before


def test_a_value_that_lightgbm_refuses_ends_the_run_with_its_name(engine: Engine) -> None:
    run_id = engine.experiments.start(overrides={"num_leaves": -3})
    with pytest.raises(BadInput, match="LightGBM refused"):
        do_train(engine, run_id)


def test_spellings_of_one_parameter_are_stored_as_one(trained: Train) -> None:
    assert trained(overrides={"eta": 0.3}).params["learning_rate"] == "0.3"


def test_no_thread_is_left_when_a_training_fails(engine: Engine) -> None:
    run_id = engine.experiments.start(overrides={"num_leaves": -3})
    with pytest.raises(BadInput):
        do_train(engine, run_id)
    assert not [thread for thread in threading.enumerate() if thread.name == "points"]


def test_the_matrix_of_training_is_the_one_of_serving(engine: Engine, trained: Train, version: Version) -> None:
    signature = engine.experiments.signature(trained().id)
    rows = read_table(version, part="validation")
    matrix = encode_table(rows, signature)
    assert np.isnan(matrix[:, 0]).sum() == rows.column("distance").null_count > 0
