"""Runs against a baseline on the same rows: kept by training, made when missing, refused when rows differ."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from small_problem import SPLIT, add_run, do_train, flights, make_engine

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, StoreError
from lemnis.engine.evaluate.ablation import measure_ablation
from lemnis.engine.evaluate.pairing import pair
from lemnis.engine.experiments import Run, predictions
from lemnis.engine.experiments.predictions import FILE, kept_predictions, load_predictions
from lemnis.engine.jobs.context import JobContext

Train = Callable[..., Run]
ROLES = {"id": "key", "at": "time", "late": "label"}
PARTS = {**SPLIT, "test": ("2013-03-20", "2013-04-01"), "validation": ("2013-03-01", "2013-03-20")}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = make_engine(tmp_path / "box", split=PARTS)
    yield opened
    opened.store.close()


@pytest.fixture
def train(engine: Engine) -> Train:
    def now(preset: str | None = None, **wishes: object) -> Run:
        return do_train(engine, engine.experiments.start(preset, **wishes))  # type: ignore[arg-type]

    return now


def compare(engine: Engine, *runs: Run, part: str = "") -> None:
    pair(JobContext.for_test(engine.store), {"runs": [run.id for run in runs], "part": part})


def test_training_keeps_what_the_model_answers_on_held_out_rows(engine: Engine, train: Train) -> None:
    run = train()
    kept = kept_predictions(engine.store, [run.id])[run.id]
    path = engine.workspace.run_dir(run.id) / FILE
    assert {part: (found.rows, found.of) for part, found in kept.parts.items()} == {
        "validation": (228, 228),
        "test": (144, 144),
    }
    assert kept.bytes == path.stat().st_size < 20_000
    found = load_predictions(engine.store, kept, "validation")
    assert found.score.shape == found.target.shape == (228,)
    assert set(found.target) == {0.0, 1.0}
    assert kept.gains[0].feature == "distance"
    path.chmod(0o600)
    path.write_bytes(b"something else")
    with pytest.raises(StoreError, match="were changed"):
        load_predictions(engine.store, kept, "test")


def test_runs_are_tested_against_the_baseline_with_holm_over_the_runs(engine: Engine, train: Train) -> None:
    runs = [train(), train("stopping"), train(features=["weekend"])]
    ids = [run.id for run in runs]
    compare(engine, runs[0], runs[2])
    early = {test.metric: test for test in engine.evaluate.significance(ids).pairs[ids[2]].tests}["roc_auc"]
    assert early.p is not None
    assert early.adjusted == pytest.approx(2 * early.p)  # the one that is missing counts too
    with engine.store.write() as db:
        db.execute("delete from run_pairs")
    before = engine.evaluate.significance(ids)
    assert (before.part, before.parts, before.missing) == ("validation", ["validation", "test"], ids[1:])
    compare(engine, *runs)
    found = engine.evaluate.significance(ids)
    assert (found.missing, found.refused) == ([], {})
    assert "2 runs are tested at once" in found.warning
    one = found.pairs[ids[2]]
    assert (one.rows, one.of, one.blocks, one.block_count) == (228, 228, "days", 19)
    tests = {test.metric: test for test in one.tests}
    assert tests["roc_auc"].verdict == "worse"
    assert tests["roc_auc"].base == pytest.approx(runs[0].metrics["auc"], abs=1e-6)
    p, adjusted = tests["roc_auc"].p, tests["roc_auc"].adjusted
    assert p is not None
    assert adjusted is not None
    assert p < adjusted <= 2 * p
    alone = engine.evaluate.significance([ids[0], ids[2]])
    assert alone.warning == ""
    assert {test.metric: test for test in alone.pairs[ids[2]].tests}["roc_auc"].adjusted == p
    assert engine.evaluate.start_pairs(ids) is None  # nothing is missing
    compare(engine, *runs, part="test")
    assert engine.evaluate.significance(ids, "test").pairs[ids[1]].rows == 144
    engine.workspace.config.write_text(
        engine.workspace.config.read_text().replace("[problem]", "[problem]\nthreshold = 0.3")
    )
    assert engine.evaluate.significance(ids).missing == ids[1:]  # accuracy follows from the threshold


def test_the_same_conditions_are_identical_and_an_ablation_says_the_same_as_the_comparison(
    engine: Engine, train: Train
) -> None:
    first = train()
    again = do_train(engine, engine.experiments.reproduce(first.id))
    child = do_train(engine, engine.experiments.start_ablation(["distance"], parent=first.id))
    compare(engine, first, again, child)
    found = engine.evaluate.significance([first.id, again.id, child.id])
    assert {test.verdict for test in found.pairs[again.id].tests} == {"identical"}
    measure_ablation(JobContext.for_test(engine.store), {"run": child.id, "parent": first.id})
    ablation = engine.evaluate.ablations()[0].found
    assert ablation is not None
    for test in found.pairs[child.id].tests:
        assert ablation.deltas[test.metric] == pytest.approx(test.delta, abs=1e-5)
        if test.low is not None:
            assert ablation.intervals[test.metric] == pytest.approx([test.low, test.high], abs=1e-5)


def test_predictions_that_are_gone_are_made_again(engine: Engine, train: Train) -> None:
    runs = [train(), train("stopping")]
    kept = kept_predictions(engine.store, [runs[0].id])[runs[0].id]
    (engine.workspace.run_dir(runs[0].id) / FILE).unlink()
    with engine.store.write() as db:
        db.execute("delete from run_predictions where run_id = ?", [runs[1].id])
    compare(engine, *runs)
    assert list(engine.evaluate.significance([run.id for run in runs]).pairs) == [runs[1].id]
    assert kept_predictions(engine.store, [runs[0].id])[runs[0].id].sha256 == kept.sha256


def test_other_rows_are_refused_and_the_same_rows_of_another_version_are_not(engine: Engine, train: Train) -> None:
    first = train()
    table = flights()
    longer = table.append_column("more", pa.array(range(table.num_rows)))
    record_version(engine.store, longer, name="small", roles=ROLES, split=PARTS)
    wider = train()
    record_version(engine.store, table.slice(0, 900), name="small", roles=ROLES, split=PARTS)
    shorter = train()
    waiting = engine.experiments.run(engine.experiments.start())
    other = engine.experiments.run(add_run(engine, task="regression", target="delay", model_sha256="0" * 64))
    compare(engine, first, wider, shorter, waiting, other)
    found = engine.evaluate.significance([first.id, wider.id, shorter.id, waiting.id, other.id])
    assert (list(found.pairs), found.missing) == ([wider.id], [])
    assert found.refused == {
        shorter.id: "other rows: the validation rows of small v1 and small v3 are not the same",
        waiting.id: "it has no model: queued",
        other.id: "it foretells delay (regression), the baseline late (binary)",
    }
    assert engine.evaluate.significance([waiting.id, first.id]).refused == {
        first.id: "the baseline has no model: queued"
    }
    with pytest.raises(BadInput, match="can't be compared on train rows"):
        engine.evaluate.significance([first.id, wider.id], "train")


def test_no_held_out_rows_is_a_reason(tmp_path: Path) -> None:
    engine = make_engine(tmp_path / "box", split={"train": ("2013-01-01", "2013-04-02")})
    runs = [do_train(engine, engine.experiments.start()) for _ in range(2)]
    found = engine.evaluate.significance([run.id for run in runs])
    assert found.refused == {runs[1].id: "small v1 has no validation or test rows with a target"}
    engine.store.close()


def test_a_job_is_queued_once_takes_no_core_and_goes_with_the_run(engine: Engine, train: Train) -> None:
    runs = [train(), train("stopping")]
    ids = [run.id for run in runs]
    job_id = engine.evaluate.start_pairs(ids)
    assert job_id is not None
    assert engine.evaluate.start_pairs(ids) == job_id
    assert engine.jobs.job(job_id).allocation.cores == 0
    compare(engine, *runs)
    assert engine.store.value("select count(*) from run_pairs") == 1
    assert engine.experiments.delete([ids[1]]) == 1  # hidden: it can come back, and so its files stay
    assert engine.experiments.restore([ids[1]]) == 1
    assert list(engine.evaluate.significance(ids).pairs) == [ids[1]]


def test_a_large_part_is_sampled_alike_for_every_run(
    engine: Engine, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MOST_ROWS", 100)
    runs = [train(), train("stopping")]
    compare(engine, *runs)
    found = engine.evaluate.significance([run.id for run in runs]).pairs[runs[1].id]
    assert (found.rows, found.of) == (100, 228)


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks_are_tested_too(tmp_path: Path, task: str) -> None:
    engine = make_engine(tmp_path / "box", task)
    runs = [do_train(engine, engine.experiments.start(features=f)) for f in (None, ["weekend"])]
    compare(engine, *runs)
    found = engine.evaluate.significance([run.id for run in runs]).pairs[runs[1].id]
    tests = {test.metric: test for test in found.tests}
    assert tests["roc_auc" if task == "multiclass" else "rmse"].verdict == "worse"
    kept = kept_predictions(engine.store, [runs[0].id])[runs[0].id]
    scores = load_predictions(engine.store, kept, "validation").score
    assert scores.ndim == (2 if task == "multiclass" else 1)
    assert np.isfinite(scores).all()
    engine.store.close()
