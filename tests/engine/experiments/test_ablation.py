"""Ablation: the same training without a feature, and the difference once both models are there."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_problem import do_train, make_engine

from lemnis.engine import Engine
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.evaluate.ablation import measure_ablation
from lemnis.engine.experiments import Run
from lemnis.engine.experiments.runs import Run as Record
from lemnis.engine.jobs import Job
from lemnis.engine.jobs.context import JobContext

Train = Callable[..., Run]
SAME = ("preset", "task", "target", "version_id", "seed", "cores", "rounds", "params", "problem_sha256", "device_asked")


def measuring_jobs(engine: Engine) -> list[Job]:
    return [job for job in engine.jobs.jobs() if job.kind == "evaluate.ablation"]


def measure(engine: Engine, job: Job) -> None:
    measure_ablation(JobContext.for_test(engine.store), job.arguments)


def test_an_ablation_is_the_same_run_without_the_feature(engine: Engine, trained: Train) -> None:
    parent = trained(overrides={"learning_rate": "0.2"})
    child: Record = engine.experiments.run(engine.experiments.start_ablation(["distance"]))
    assert child.features == ["carrier", "weekend"]
    assert child.tags == {"ablation": "distance", "parent": str(parent.id)}
    assert child.name == "default learning_rate=0.2 without distance"
    assert {name: getattr(child, name) for name in SAME} == {name: getattr(parent, name) for name in SAME}
    assert [run.id for run in engine.experiments.search("tags.ablation = 'distance'").runs] == [child.id]


def test_the_difference_is_measured_on_validation_rows_with_an_interval(engine: Engine, trained: Train) -> None:
    parent = trained()
    for name, verdict in (("distance", "needed"), ("weekend", "not needed")):
        child = do_train(engine, engine.experiments.start_ablation([name]))
        jobs = measuring_jobs(engine)
        assert jobs[0].arguments == {"run": child.id, "parent": parent.id}
        waiting = engine.evaluate.ablations()[0]
        assert (waiting.state, waiting.found, waiting.verdict) == ("waiting", None, "")
        measure(engine, jobs[0])
        found = engine.evaluate.ablations(parent.version_id or "")[0]
        assert (found.features, found.state, found.parent_id, found.verdict) == ([name], "finished", parent.id, verdict)
        assert found.found is not None
        assert (found.found.part, found.found.blocks, found.found.metric) == ("validation", "days", "roc_auc")
        low, high = found.found.intervals["roc_auc"]
        delta = found.found.deltas["roc_auc"]
        assert delta is not None
        assert low <= delta <= high
        assert found.found.before["roc_auc"] == pytest.approx(parent.metrics["auc"], abs=1e-9)
        assert found.found.after["roc_auc"] == pytest.approx(child.metrics["auc"], abs=1e-9)
    assert [one.features for one in engine.evaluate.ablations()] == [["weekend"], ["distance"]]


def test_without_a_run_one_is_trained_first_whichever_ends_last_is_measured(engine: Engine) -> None:
    child = engine.experiments.start_ablation(["weekend"])
    parent = int(engine.experiments.run(child).tags["parent"])
    assert engine.experiments.run(parent).state == "queued"
    do_train(engine, child)
    assert measuring_jobs(engine) == []
    do_train(engine, parent)
    assert [job.arguments for job in measuring_jobs(engine)] == [{"run": child, "parent": parent}]


def test_features_can_be_left_out_together_and_the_baseline_is_the_parent(engine: Engine, trained: Train) -> None:
    first, _ = trained(), trained()
    engine.experiments.pin(first.id)
    child = engine.experiments.run(engine.experiments.start_ablation(["weekend", "carrier"]))
    assert child.features == ["distance"]
    assert child.tags["parent"] == str(first.id)
    again = engine.experiments.run(engine.experiments.start_ablation(["distance"]))
    assert again.tags["parent"] == str(first.id)  # an ablation is never made of an ablation


def test_what_was_not_in_and_the_last_feature_cannot_be_left_out(engine: Engine, trained: Train) -> None:
    parent = trained(features=["distance", "carrier"])
    with pytest.raises(NotFound, match="trained without 'weekend'"):
        engine.experiments.start_ablation(["weekend"], parent=parent.id)
    with pytest.raises(BadInput, match="keeps at least one"):
        engine.experiments.start_ablation(["distance", "carrier"], parent=parent.id)
    with pytest.raises(NotFound, match="is not in set"):
        engine.experiments.start_ablation(["nope"])
    assert len(engine.experiments.search().runs) == 1


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_are_measured_by_their_first_measure(tmp_path: Path, task: str) -> None:
    engine = make_engine(tmp_path / "box", task)
    do_train(engine, engine.experiments.start())
    do_train(engine, engine.experiments.start_ablation(["distance"]))
    measure(engine, measuring_jobs(engine)[0])
    found = engine.evaluate.ablations()[0]
    assert found.found is not None
    assert found.found.metric == {"multiclass": "roc_auc", "regression": "rmse"}[task]
    assert found.verdict == "needed"
    engine.store.close()
