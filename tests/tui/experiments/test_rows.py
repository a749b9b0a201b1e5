"""Runs as text: what stands in the columns, and which columns there are."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from small_problem import add_run, make_engine

from lemnis.engine import Engine
from lemnis.engine.experiments import Run
from lemnis.tui.stages.experiments import facts, rows
from lemnis.tui.widgets.cells import plain

NOW = 1_790_000_060_000
Make = Callable[..., Run]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return make_engine(tmp_path_factory.mktemp("rows") / "workspace")


@pytest.fixture
def make(engine: Engine) -> Make:
    def run(name: str = "run", **more: Any) -> Run:
        return engine.experiments.run(add_run(engine, name, **more))

    return run


def cells(run: Run, baseline: Run | None = None, **how: Any) -> dict[str, str]:
    columns = rows.columns_for([run], baseline=baseline, only_different=False, narrow=False)
    row = rows.run_row(run, columns, baseline=baseline, now_ms=NOW)
    return {column.name: plain(cell) for column, cell in zip(columns, row.cells, strict=True)}


def test_a_run_says_what_it_is_in_glyph_and_word(make: Make) -> None:
    shown = cells(
        make("a[b]\x1b", metrics={"auc": 0.81234, "logloss": None}, seed=3, started_at=NOW - 61_000, ended_at=NOW)
    )
    assert (shown["state"], shown["name"], shown["metrics.auc"]) == ("● finished", "a[b]␛", "0.8123")
    assert (shown["metrics.logloss"], shown["duration"], shown["age"], shown["seed"]) == ("–", "1m 01s", "1 min", "3")


def test_deltas_are_signed_and_say_nothing_for_the_baseline_itself(make: Make) -> None:
    base, other = make(metrics={"auc": 0.8, "logloss": 0.5}), make(metrics={"auc": 0.75, "logloss": 0.4})
    shown = cells(other, base)
    assert (shown["delta.auc"], shown["delta.logloss"]) == ("−0.0500", "−0.1000")
    assert cells(base, base)["delta.auc"] == "–"
    assert str(rows.delta_words(-0.05, "auc").spans[0].style) != str(rows.delta_words(-0.05, "logloss").spans[0].style)


def test_only_what_differs_is_a_column_unless_all_are_wanted(make: Make) -> None:
    two = [make(params={"leaves": 31, "rate": 0.1}, seed=1), make(params={"leaves": 63, "rate": 0.1}, seed=1)]
    few = [column.name for column in rows.columns_for(two, baseline=None, only_different=True, narrow=False)]
    assert "params.leaves" in few
    assert not {"params.rate", "seed"} & set(few)
    every = [column.name for column in rows.columns_for(two, baseline=None, only_different=False, narrow=False)]
    assert {"params.rate", "seed", "device"} < set(every)


def test_an_algorithm_that_differs_comes_before_the_parameters(make: Make) -> None:
    two = [make(algorithm="dart", params={"num_leaves": 3}, user="ada"), make(algorithm="linear", user="bob")]
    assert rows.differing(two) == ["algorithm", "params.num_leaves", "user"]


def test_the_narrow_columns_fit_eighty_cells(make: Make) -> None:
    base = make("regularised and long", metrics={"auc": 0.8, "logloss": 0.5})
    columns = rows.columns_for([base], baseline=base, only_different=True, narrow=True)
    row = rows.run_row(base, columns, baseline=base, now_ms=NOW)
    needed = sum(
        max(c.width, min(c.most, max(len(c.label), len(plain(cell))))) + 2
        for c, cell in zip(columns, row.cells, strict=True)
    )
    assert needed <= 78


def test_the_facts_of_a_run_say_why_and_under_which_conditions(make: Make) -> None:
    run = make(state="lost", why="its process was killed", seed=7, code_version="abc123+", params={"leaves": 3})
    groups = {title: dict(known) for title, known in facts.groups(run, None, NOW)}
    assert plain(groups["Run"]["state"]) == "✖ lost  its process was killed"
    assert "from" not in groups["Run"]
    assert ("from", "run 3 of workspace ours") in facts.groups(run, None, NOW, "run 3 of workspace ours")[0][1]
    assert (groups["Conditions"]["code"], groups["Parameters"]["leaves"]) == ("abc123+ with changes", "3")


def test_the_facts_of_a_logged_run_are_what_its_client_said(make: Make) -> None:
    run = replace(
        make(params={"depth": "18"}, metrics={"system/cpu_cores": 1.0, "acc": 0.9}),
        uid="a" * 32,
        experiment="nets",
        tags={"mlflow.user": "ana"},
    )
    groups = {title: dict(known) for title, known in facts.groups(run, None, NOW)}
    assert (groups["Logged"]["experiment"], groups["Logged"]["depth"]) == ("nets", "18")
    assert "preset" not in str(groups)
    assert list(groups["Metrics"]) == ["acc", "system/cpu_cores"]
    assert rows.main_metrics([run]) == ["acc"]
    assert dict(facts.summary(run, None, NOW))["MLflow id"] == "a" * 32


def test_the_best_round_is_a_point_on_the_curve(make: Make) -> None:
    run = make(best_round=2)
    lines = facts.curve_lines("auc", run, {"auc": [(1, 0.5), (2, 0.7), (3, 0.6)], "train_auc": [(1, 0.9)]}, None, {})
    assert [line.name for line in lines] == ["auc", "train auc", "best round 2"]
    assert (lines[2].x, lines[2].y, lines[2].points) == ([2], [0.7], True)


def test_every_column_explains_itself_or_is_plain() -> None:
    assert facts.explained("metrics.auc") is not None
    assert facts.explained("delta.auc") is not None
    assert facts.explained("params.num_leaves") is not None
    assert facts.explained("state") is not None
    assert facts.explained("id") is not None
    assert facts.explained("no such column") is None
