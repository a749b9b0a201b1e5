"""Ranking real flights: what is known only afterwards is named, what is honest is left alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lemnis.engine import Engine
from lemnis.engine.data.versions import Version, record_version
from lemnis.engine.errors import BadInput
from lemnis.engine.features.jobs import rank
from lemnis.engine.jobs.context import JobContext

AFTER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
Record = Callable[..., Version]


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
    assert scores["sched_dep_time"].permutation == max(s.permutation or 0 for s in scores.values())
    assert sum(score.gain_share or 0 for score in scores.values()) == pytest.approx(1.0)
    assert scores["seats"].missing == pytest.approx(flights.column("seats").null_count / flights.num_rows, abs=0.02)
    strongest = engine.features.pairs(version.id, "hour", 1)[0]
    assert {strongest.first, strongest.second} == {"hour", "sched_dep_time"}


def test_leaks_that_say_the_same_are_found_without_rows_that_lack_the_target(
    engine: Engine, flights: Any, recorded: Record
) -> None:
    version = recorded(flights.filter(pc.field("late").is_valid()))
    rank(JobContext.for_test(engine.store), {})
    leaks = {score.name for score in engine.features.scores(version.id) if score.leakage}
    assert {"dep_time", "dep_delay", "arr_time", "arr_delay"} <= leaks <= AFTER


def test_the_same_rows_are_ranked_the_same(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights.select(["sched_dep_time", "carrier", "humid", "late", "time_hour"]))
    rank(JobContext.for_test(engine.store), {})
    first = engine.features.scores(version.id)
    rank(JobContext.for_test(engine.store), {})
    assert engine.features.scores(version.id) == first


def test_the_declared_set_is_what_is_offered_without_the_leaks(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights)
    assert "dep_delay" in engine.features.feature_set().features
    rank(JobContext.for_test(engine.store), {})
    chosen = engine.features.feature_set()
    assert not AFTER & set(chosen.features)
    assert {"sched_dep_time", "distance", "humid", "carrier", "origin", "seats"} <= set(chosen.features)
    assert "without dep_time" in chosen.why
    assert version.time not in chosen.features


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


def test_ranking_without_a_target_is_refused(engine: Engine) -> None:
    record_version(engine.store, pa.table({"x": [1, 2]}), name="plain", roles={}, split={})
    with pytest.raises(BadInput, match="no target"):
        rank(JobContext.for_test(engine.store), {})


def test_a_job_ranks_in_a_process_of_its_own(engine: Engine, flights: Any, recorded: Record) -> None:
    version = recorded(flights.select(["sched_dep_time", "humid", "late", "time_hour"]))
    job = engine.jobs.wait(engine.features.start_rank())
    assert job.state == "finished"
    assert [score.name for score in engine.features.scores(version.id)] == ["sched_dep_time", "humid"]
