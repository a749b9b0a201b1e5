"""Evaluating a run: its numbers against an independent computation, its gates, and why a row was answered so."""

# pyright: basic

from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import pyarrow.compute as pc
import pytest
import sklearn.metrics as reference

from lemnis.engine import Engine
from lemnis.engine.data.duck import read_table
from lemnis.engine.errors import BadInput, NotFound, StoreError
from lemnis.engine.evaluate.jobs import evaluate, explain
from lemnis.engine.jobs.context import JobContext

Trained = Callable[..., int]
CODES = {"AA": 0.0, "B6": 1.0, "UA": 2.0}


def scored(engine: Engine, run_id: int, part: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Answers and probabilities of a part, without any of the engine's encoding or measuring."""
    table = read_table(engine.data.version(None), None, part)
    table = table.filter(pc.field("late").is_valid())
    wind = np.array([np.nan if value is None else value for value in table.column("wind").to_pylist()])
    carrier = np.array([CODES[code] for code in table.column("carrier").to_pylist()])
    model = lgb.Booster(model_file=engine.workspace.run_dir(run_id) / "model.txt")
    matrix = np.column_stack([wind, table.column("hour").to_numpy(), carrier])
    return np.array(table.column("late").to_pylist(), dtype=float), np.asarray(model.predict(matrix, num_threads=1))


def run(engine: Engine, run_id: int) -> None:
    evaluate(JobContext.for_test(engine.store), {"run": run_id})


def test_every_part_is_measured_as_an_independent_computation_measures_it(measured: tuple[Engine, int]) -> None:
    engine, run_id = measured
    parts = {found.part: found for found in engine.evaluate.evaluations(run_id)}
    assert list(parts) == ["train", "validation", "test"]
    for part, found in parts.items():
        target, score = scored(engine, run_id, part)
        assert found.rows == target.size
        assert found.metrics["roc_auc"] == pytest.approx(reference.roc_auc_score(target, score))
        assert found.metrics["log_loss"] == pytest.approx(reference.log_loss(target, score))
        (tn, fp), (fn, tp) = reference.confusion_matrix(target, score >= 0.4)
        assert found.confusion == {
            "true_positive": tp, "false_positive": fp, "false_negative": fn, "true_negative": tn
        }  # fmt: skip
        assert found.metrics["value"] == 10 * tp - 4 * fp
    low, high = parts["test"].intervals["roc_auc"]
    assert low < (parts["test"].metrics["roc_auc"] or 0) < high
    assert parts["test"].blocks == "days"


def test_every_later_month_is_measured_and_the_worst_is_named(measured: tuple[Engine, int]) -> None:
    engine, run_id = measured
    test = engine.evaluate.evaluation(run_id)
    assert [(month.name, month.part) for month in test.months] == [
        ("2020-03", "validation"), ("2020-04", "test"), ("2020-05", ""), ("2020-06", "")
    ]  # fmt: skip
    assert test.months[1].metrics["roc_auc"] == pytest.approx(test.metrics["roc_auc"])
    assert test.worst_month in ("2020-05", "2020-06")


def test_gates_are_judged_on_their_bound_and_an_unknown_measure_passes_nothing(measured: tuple[Engine, int]) -> None:
    engine, run_id = measured
    auc, latency, unknown = engine.evaluate.gates(run_id)
    assert (auc.verdict, latency.verdict, unknown.verdict) == ("pass", "pass", "not enough data")
    assert auc.low is not None
    assert auc.low >= 0.6
    assert "no measure named no_such_measure" in unknown.why


@pytest.mark.parametrize(
    ("metric", "rule", "verdict"),
    [
        ("roc_auc", "min = 0.999", "fail"),
        ("log_loss", "max = 0.01", "fail"),
        ("roc_auc_gap", "max = 0.5", "pass"),
        ("worst_month_roc_auc", "min = 0.95", "fail"),
        ("model_bytes", "max = 10.0", "fail"),
    ],
)
def test_a_criterion_may_name_measures_gaps_months_and_sizes(
    engine: Engine, trained: Trained, metric: str, rule: str, verdict: str
) -> None:
    run_id = trained(metric=metric, rule=rule)
    run(engine, run_id)
    assert engine.evaluate.gates(run_id)[0].verdict == verdict


def test_speed_is_measured_and_importances_are_kept(measured: tuple[Engine, int]) -> None:
    engine, run_id = measured
    speed = engine.evaluate.evaluation(run_id).speed
    assert speed is not None
    assert 0 < speed.latency_p50_ms <= speed.latency_p99_ms
    assert speed.rows_per_s > 1000
    assert speed.model_bytes == (engine.workspace.run_dir(run_id) / "model.txt").stat().st_size
    found = {one.feature: one for one in engine.evaluate.importances(run_id)}
    assert set(found) == {"wind", "hour", "carrier"}
    assert max(found.values(), key=lambda one: one.contribution or 0).feature == "wind"


def test_contributions_and_the_bias_sum_to_the_raw_score_of_every_explained_row(measured: tuple[Engine, int]) -> None:
    engine, run_id = measured
    rows = engine.evaluate.explanations(run_id)
    assert {row.kind for row in rows} == {"missed", "false alarm", "right"}
    for row in rows:
        assert row.bias + sum(one.amount for one in row.contributions) == pytest.approx(row.raw, abs=1e-9)
        assert row.score == pytest.approx(1 / (1 + np.exp(-row.raw)))
        assert (row.actual == "true") == (row.kind != "false alarm")


def test_one_row_is_explained_by_its_key_and_by_its_number(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    by_key = explain(JobContext.for_test(engine.store), {"run": run_id, "key": "F123"})
    by_number = explain(JobContext.for_test(engine.store), {"run": run_id, "key": "#123"})
    assert by_key == by_number
    assert by_key["row"] == 123
    kept = engine.evaluate.explanation(run_id, "F123")
    assert kept is not None
    assert kept.kind == "asked"
    values = {one.feature: one.value for one in kept.contributions}
    row = read_table(engine.data.version(None), None).slice(123, 1).to_pylist()[0]
    assert values["carrier"] == row["carrier"]
    assert values["hour"] == str(row["hour"])
    for unknown in ("F999999", "#999999", "", "#-1"):
        with pytest.raises(NotFound):
            explain(JobContext.for_test(engine.store), {"run": run_id, "key": unknown})


def test_several_classes_and_numbers_are_measured_by_their_own_measures(engine: Engine, trained: Trained) -> None:
    several = trained("multiclass", metric="accuracy", rule="min = 0.4")
    run(engine, several)
    found = engine.evaluate.evaluation(several)
    assert found.labels == ["early", "late", "on time"]
    assert np.sum(found.matrix) == found.rows
    assert found.metrics["accuracy"] == pytest.approx(np.trace(found.matrix) / found.rows)
    for row in engine.evaluate.explanations(several):
        assert row.bias + sum(one.amount for one in row.contributions) == pytest.approx(row.raw, abs=1e-9)
    number = trained("regression", metric="rmse", rule="max = 20.0")
    run(engine, number)
    assert engine.evaluate.gates(number)[0].verdict == "pass"
    assert 0.2 < (engine.evaluate.evaluation(number).metrics["r2"] or 0) < 1
    assert {row.kind for row in engine.evaluate.explanations(number)} == {"far off"}


def test_evaluating_again_replaces_what_was_measured(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    run(engine, run_id)
    first = engine.evaluate.evaluation(run_id)
    run(engine, run_id)
    again = engine.evaluate.evaluation(run_id)
    assert (again.metrics, again.intervals) == (first.metrics, first.intervals)
    assert engine.evaluate.evaluated() == [run_id]


def test_a_model_file_that_was_changed_is_not_loaded(engine: Engine, trained: Trained) -> None:
    run_id = trained()
    path = engine.workspace.run_dir(run_id) / "model.txt"
    path.chmod(0o600)
    path.write_text(path.read_text() + "\n")
    with pytest.raises(StoreError, match="SHA-256 differs"):
        run(engine, run_id)
    assert engine.evaluate.evaluations(run_id) == []


def test_a_run_without_a_model_says_why(engine: Engine) -> None:
    with engine.store.write() as db:
        db.table("runs").insert({"name": "x", "state": "failed", "why": "out of memory", "created_at": 1})
    with pytest.raises(BadInput, match="failed \\(out of memory\\)"):
        run(engine, 1)
    with pytest.raises(NotFound):
        engine.evaluate.start(99)
