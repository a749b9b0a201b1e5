"""Ranking real flights: what is known only afterwards is named, what is honest is left alone."""

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support import until

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.features.jobs import rank
from lemnis.engine.jobs.context import JobContext

AFTER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
Record = Callable[..., Version]


@pytest.mark.slow
def test_columns_known_only_afterwards_are_named_and_honest_ones_are_not(
    engine: Engine, flights: Any, recorded: Record
) -> None:
    version = recorded(flights)
    result = rank(JobContext.for_test(engine.store), {"version": version.id})
    scores = {score.name: score for score in engine.features.scores(version.id)}
    assert {name for name, score in scores.items() if score.leakage} == AFTER == set(result["leaks"])
    assert all(score.leakage.endswith(".") for score in scores.values() if score.leakage)
    assert 0.6 < result["score"] < 0.8
    assert "late" not in scores
    assert scores["sched_dep_time"].mean("permutation") == max(s.mean("permutation") or 0 for s in scores.values())
    for share in ("gain", "split"):
        assert sum(score.mean(share) or 0 for score in scores.values()) == pytest.approx(1.0)
    assert not [name for name, score in scores.items() if score.doubt]
    assert scores["seats"].missing == pytest.approx(flights.column("seats").null_count / flights.num_rows, abs=0.02)
    strongest = engine.features.pairs(version.id, "hour", 1)[0]
    assert {strongest.first, strongest.second} == {"hour", "sched_dep_time"}
    assert strongest.measure == "spearman"
    groups = {name: score.group for name, score in scores.items()}
    assert groups["hour"] == groups["sched_dep_time"] != 0
    assert scores["sched_dep_time"].representative
    assert not scores["hour"].representative
    assert scores["humid"].group == 0
    assert scores["humid"].representative


@pytest.mark.slow
def test_every_fold_is_judged_by_later_days_and_each_seed_tells_another_story(
    engine: Engine, flights: Any, recorded: Record
) -> None:
    version = recorded(flights.select(["sched_dep_time", "humid", "carrier", "minute", "late", "time_hour"]))
    rank(JobContext.for_test(engine.store), {})
    ranking = engine.features.ranking(version.id)
    assert ranking is not None
    assert (len(ranking.folds), ranking.seeds, ranking.blocked) == (4, 2, "time")
    ends = [day for name in ranking.folds for day in name.split(" to ")]
    assert ends == sorted(ends)
    assert ends[0] > "2013-01-15"
    score = next(one for one in engine.features.scores(version.id) if one.name == "sched_dep_time")
    for spread in score.importance.values():
        assert len(spread.values) == 8 == len(set(spread.values))
        assert spread.low <= spread.mean <= spread.high
        assert spread.deviation == pytest.approx(np.std(spread.values, ddof=1))
        assert 1 <= spread.rank_low <= spread.rank <= spread.rank_high <= 4
    assert len(score.single_folds) == 4
    assert score.single == pytest.approx(np.mean(score.single_folds))
    assert 0 < ranking.agreement["shap"] <= 1


@pytest.mark.slow
def test_a_ranking_that_was_stopped_keeps_its_finished_models(
    engine: Engine, flights: Any, recorded: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = recorded(flights.select(["sched_dep_time", "humid", "carrier", "late", "time_hour"]))
    context = JobContext.for_test(engine.store)

    def stop_in_fold_3(share: float | None, text: str) -> None:
        if text.startswith("fold 3"):
            raise Cancelled("stopped")

    monkeypatch.setattr(context, "progress", stop_in_fold_3)
    with pytest.raises(Cancelled):
        rank(context, {})
    assert engine.features.ranking(version.id) is None
    resumed = rank(JobContext.for_test(engine.store), {})
    assert resumed["reused"] == 4
    kept = engine.features.scores(version.id)
    with engine.store.write() as db:
        db.execute("delete from feature_folds")
    assert rank(JobContext.for_test(engine.store), {})["reused"] == 0
    assert engine.features.scores(version.id) == kept


@pytest.mark.slow
def test_leaks_that_say_the_same_are_found_without_rows_that_lack_the_target(
    engine: Engine, flights: Any, recorded: Record
) -> None:
    version = recorded(flights.filter(pc.field("late").is_valid()))
    rank(JobContext.for_test(engine.store), {})
    leaks = {score.name for score in engine.features.scores(version.id) if score.leakage}
    assert {"dep_time", "dep_delay", "arr_time", "arr_delay"} <= leaks <= AFTER


@pytest.mark.slow
def test_the_same_rows_are_ranked_the_same(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights.select(["sched_dep_time", "carrier", "humid", "late", "time_hour"]))
    rank(JobContext.for_test(engine.store), {})
    first = engine.features.scores(version.id)
    rank(JobContext.for_test(engine.store), {})
    assert engine.features.scores(version.id) == first


@pytest.mark.slow
def test_the_declared_set_is_what_is_offered_without_the_leaks(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights)
    assert "dep_delay" in engine.features.feature_set().features
    rank(JobContext.for_test(engine.store), {})
    chosen = engine.features.feature_set()
    assert not AFTER & set(chosen.features)
    assert {"sched_dep_time", "distance", "humid", "carrier", "origin", "seats"} <= set(chosen.features)
    assert "without dep_time" in chosen.why
    assert version.time not in chosen.features


@pytest.mark.slow
def test_numbers_and_several_classes_are_ranked_too(engine: Engine, flights: Any) -> None:
    random = np.random.default_rng(5)
    x, noise = random.normal(size=3000), random.normal(size=3000)
    table = pa.table(
        {
            "x": x,
            "noise": noise,
            "copy": 1.1 * x + noise,
            "y": 1.1 * x + noise + random.normal(size=3000) * 0.01,
            "kind": np.array(["low", "mid", "high"])[np.digitize(x + random.normal(size=3000), [-0.5, 0.5])],
        }
    )
    for task, target, others, score in (
        ("regression", "y", ["x", "noise", "copy"], "R²"),
        ("multiclass", "kind", ["x", "noise"], "ROC AUC"),
    ):
        engine.workspace.config.write_text(f'[problem]\ntarget = "{target}"\ntask = "{task}"\n')
        version = record_version(
            engine.store, table.select([*others, target]), name=task, roles={target: "label"}, split={}
        )
        rank(JobContext.for_test(engine.store), {"version": version.id})
        scores = {one.name: one for one in engine.features.scores(version.id)}
        ranking = engine.features.ranking(version.id)
        assert ranking is not None
        assert ranking.skill == score
        assert (scores["x"].association or 0) > (scores["noise"].association or 0)
        assert [name for name, one in scores.items() if one.leakage] == (["copy"] if task == "regression" else [])
        assert ranking.blocked == "rows"


def test_a_source_that_is_dated_after_the_decision_gives_its_columns_away(engine: Engine) -> None:
    random = np.random.default_rng(2)
    rows = 2000
    at = np.datetime64("2013-01-01T00:00:00", "us") + np.arange(rows) * np.timedelta64(1, "h")
    late = random.random(rows) < 0.4
    table = pa.table(
        {
            "at": pa.array(at),
            "late": late,
            "inspected_at": pa.array(at + np.timedelta64(3, "h")),
            "grade": random.normal(size=rows) + late,
            "forecast_at": pa.array(at - np.timedelta64(3, "h")),
            "wind": random.normal(size=rows),
            "uuid": [f"{value:032x}" for value in random.integers(0, 2**63, rows)],
            "counter": np.arange(rows) * 3,
        }
    )
    engine.workspace.config.write_text('[problem]\ntarget = "late"\n')
    sources = {"inspected_at": "inspections", "grade": "inspections", "forecast_at": "weather", "wind": "weather"}
    version = record_version(
        engine.store, table, name="trips", roles={"late": "label", "at": "time"}, split={}, sources=sources
    )
    rank(JobContext.for_test(engine.store), {})
    scores = {score.name: score for score in engine.features.scores(version.id)}
    assert "inspections, whose inspected_at lies after at in 100% of the rows" in scores["grade"].leakage
    assert "3.0 hours" in scores["grade"].leakage
    assert not scores["wind"].leakage
    assert "Like an identifier" in scores["uuid"].doubt
    assert "hash" in scores["uuid"].doubt
    assert "Like a counter: it rises" in scores["counter"].doubt
    assert not scores["wind"].doubt


def test_ranking_without_a_target_is_refused(engine: Engine) -> None:
    record_version(engine.store, pa.table({"x": [1, 2]}), name="plain", roles={}, split={})
    with pytest.raises(BadInput, match="no target"):
        rank(JobContext.for_test(engine.store), {})


@pytest.mark.slow
def test_a_job_ranks_in_a_process_of_its_own(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights.select(["sched_dep_time", "humid", "late", "time_hour"]))
    job = engine.jobs.wait(engine.features.start_rank())
    assert job.state == "finished"
    assert [score.name for score in engine.features.scores(version.id)] == ["sched_dep_time", "humid"]


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_only_the_model_it_was_at(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights)
    job_id = engine.features.start_rank()
    engine.jobs.ensure_supervisor()
    until(lambda: engine.store.value("select count(*) from feature_folds") >= 2, seconds=120)
    job = engine.jobs.job(job_id)
    assert job.pid is not None
    os.kill(job.pid, signal.SIGKILL)
    until(lambda: engine.jobs.job(job_id).state == "lost", seconds=60)
    assert engine.features.ranking(version.id) is None
    engine.jobs.retry(job_id)
    finished = engine.jobs.wait(job_id)
    assert finished.result is not None
    assert finished.result["reused"] >= 2
    ranking = engine.features.ranking(version.id)
    assert ranking is not None
    assert len(ranking.scores) == 8


def test_a_ranking_of_an_older_lemnis_is_still_read(engine: Engine) -> None:
    version = record_version(engine.store, pa.table({"x": [1, 2]}), name="plain", roles={}, split={})
    with engine.store.write() as db:
        db.execute(
            """insert into feature_rankings (version_id, skill, score, train_rows, judged_rows, rounds, repeats, seed,
                 elapsed_ms, computed_at) values (?, 'ROC AUC', 0.7, 10, 5, 40, 3, 1, 9, 1)""",
            [version.id],
        )
        db.execute(
            """insert into feature_scores (version_id, position, feature, kind, missing, gain_share, permutation,
                 single, leakage) values (?, 0, 'x', 'numeric', 0.1, 0.4, 0.02, 0.6, 'It leaks.')""",
            [version.id],
        )
    ranking, score = engine.features.ranking(version.id), engine.features.scores(version.id)[0]
    assert ranking is not None
    assert (ranking.score, ranking.folds) == (0.7, [])
    assert (score.mean("gain"), score.mean("permutation"), score.mean("shap"), score.leakage) == (
        0.4,
        0.02,
        None,
        "It leaks.",
    )
