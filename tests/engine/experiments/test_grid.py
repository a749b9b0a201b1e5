"""Grids: every combination is one run of one group, none twice, none that was trained already; and their time."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problem import SPLIT, do_train, flights

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.experiments import Grid, Run
from lemnis.engine.experiments.estimate import Past, expected_time, time_at_once
from lemnis.engine.experiments.grid import read_axes

Train = Callable[..., Run]


def test_every_combination_is_one_run_of_a_group_and_none_is_started_twice(engine: Engine) -> None:
    roles = {"id": "key", "at": "time", "late": "label"}
    record_version(engine.store, flights(rows=900), name="small", roles=roles, split=SPLIT)
    grid = Grid(
        versions=["1", "2"],
        algorithms=["gbdt", "dart", "linear"],
        values={"num_leaves": [7, 15], "seed": [1, 2]},
    )
    plan = engine.experiments.grids.plan(grid)
    # 2 versions x 2 seeds x (2 of trees x 2 sizes + 1 linear, which has no leaves)
    assert (plan.combinations, len(plan.cells), len(plan.new)) == (24, 20, 20)
    assert plan.cells[0].name == "small v1 gbdt num_leaves=7 seed=1"
    assert [cell.name for cell in plan.cells if cell.algorithm == "linear"][:2] == [
        "small v1 linear seed=1",
        "small v1 linear seed=2",
    ]
    started = engine.experiments.grids.start(grid, user="ada")
    assert (started.group, len(started.run_ids), started.same) == ("grid 1", 20, [])
    runs = [engine.experiments.run(run_id) for run_id in started.run_ids]
    assert {run.state for run in runs} == {"queued"}
    assert {run.group_name for run in runs} == {"grid 1"}
    assert {run.user for run in runs} == {"ada"}
    assert len({run.name for run in runs}) == 20
    assert engine.experiments.count("group = 'grid 1' and algorithm = linear") == 4
    assert engine.experiments.grids.start(grid).run_ids == []
    assert engine.experiments.grids.start(grid, again=True).group == "grid 2"


def test_what_was_trained_under_the_same_conditions_is_left_out(engine: Engine, trained: Train) -> None:
    first = trained(overrides={"num_leaves": "15", "eta": "0.10"})
    grid = Grid(values={"num_leaves": [7, 15], "learning_rate": [0.1]})
    plan = engine.experiments.grids.plan(grid)
    assert [(cell.name, cell.same_as, cell.same_state) for cell in plan.cells] == [
        ("num_leaves=7", None, ""),
        ("num_leaves=15", first.id, "finished"),
    ]
    started = engine.experiments.grids.start(grid)
    assert (len(started.run_ids), started.same) == (1, [first.id])
    assert do_train(engine, started.run_ids[0]).state == "finished"
    assert engine.experiments.grids.start(grid).same == [first.id, started.run_ids[0]]
    forest = trained(overrides={"algorithm": "rf", "subsample": 0.5})
    found = engine.experiments.grids.plan(Grid(algorithms=["rf"], values={"bagging_fraction": [0.5, 0.6]}))
    assert [cell.same_as for cell in found.cells] == [forest.id, None]


def test_the_time_is_told_from_earlier_runs_and_not_without_them(engine: Engine, trained: Train) -> None:
    assert engine.experiments.grids.plan(Grid(values={"seed": [1, 2]})).seconds is None
    run = trained()
    with engine.store.write() as db:
        db.execute("update runs set started_at = 0, ended_at = 3000 where id = ?", [run.id])
        db.execute("update run_metrics set value = 2 where run_id = ? and key = 'train_seconds'", [run.id])
    plan = engine.experiments.grids.plan(Grid(values={"rounds": [20, 40], "seed": [7]}))
    assert [cell.expected.seconds for cell in plan.cells if cell.expected] == pytest.approx([3.0, 5.0])
    assert plan.seconds == pytest.approx(8.0 if plan.at_once == 1 else 5.0)
    assert plan.basis == 1
    assert engine.experiments.grids.plan(Grid(algorithms=["dart"])).seconds is None


@pytest.mark.parametrize(
    ("grid", "problem"),
    [
        (Grid(values={"num_leafs": [7, 15]}), "no parameter 'num_leafs'"),
        (
            Grid(algorithms=["linear", "constant"], values={"num_leaves": [7]}),
            "No algorithm of this grid takes num_leaves",
        ),
        (Grid(algorithms=["svm"]), "no algorithm 'svm'"),
        (Grid(values={"algorithm": ["dart"]}), "algorithm is no parameter"),
        (Grid(values={"boosting": ["dart"]}), "contradicts"),
        (Grid(values={"seed": list(range(1001))}), "1,001 runs is too large"),
        (Grid(values={"cores": [0]}), "can't be set"),
    ],
)
def test_a_grid_that_can_not_be_is_refused_as_a_whole(engine: Engine, grid: Grid, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        engine.experiments.grids.start(grid)
    with pytest.raises(NotFound):
        engine.experiments.grids.plan(Grid(versions=["99"]))
    assert engine.experiments.count() == 0


def test_axes_are_read_from_words() -> None:
    assert read_axes(["num_leaves=31, 63,31", "extra_trees=true,false"]) == {
        "num_leaves": [31, 63],
        "extra_trees": [True, False],
    }
    for words in (["num_leaves"], ["=3"], ["seed="], ["seed=1", "seed=2"]):
        with pytest.raises(BadInput):
            read_axes(words)


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.integers(1, 8))
def test_trainings_at_once_take_no_less_than_their_share_and_no_more_than_one_after_the_other(
    seconds: list[float], at_once: int
) -> None:
    taken = time_at_once(seconds, at_once)
    assert max(max(seconds), sum(seconds) / at_once) - 1e-6 <= taken <= sum(seconds) + 1e-6
    assert taken <= sum(seconds) / at_once + max(seconds) + 1e-6


def test_the_most_alike_trainings_tell_and_time_grows_with_rows_and_rounds() -> None:
    past = [Past("gbdt", "a", 100, 10, 10.0, 12.0), Past("gbdt", "b", 100, 10, 50.0, 50.0)]
    found = expected_time(past, "gbdt", "a", 100, 20)
    assert found is not None
    assert (found.seconds, found.basis) == (pytest.approx(22.0), 1)
    other = expected_time(past, "gbdt", "c", 200, 10)
    assert other is not None
    assert (other.seconds, other.basis) == (pytest.approx(60.0 + 2.0), 2)
    assert expected_time(past, "rf", "a", 100, 20) is None
