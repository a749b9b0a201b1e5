"""The Experiments tab as a person sees it: keys, what they do, and a cursor that stays where it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from small_problem import add_run, make_engine
from support import screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.experiments.points import write_points
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.jobs.context import JobContext
from lemnis.engine.validate import jobs as validate_jobs
from lemnis.tui.app import Console
from lemnis.tui.screens.compare import Compare
from lemnis.tui.stages.experiments.pane import RunDetail
from lemnis.tui.stages.experiments.room import ExperimentsStage
from lemnis.tui.stages.experiments.train import TrainDialog
from lemnis.tui.widgets import Row, Table

SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Three finished runs with curves; nobody to train new ones."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    opened = make_engine(tmp_path / "workspace")
    for place, (name, auc) in enumerate([("alpha", 0.7), ("beta[x]", 0.9), ("gamma", 0.8)], 1):
        params = {"num_leaves": 2**place, "learning_rate": 0.1}
        add_run(
            opened, name, metrics={"auc": auc, "logloss": 1 - auc}, params=params, rounds=3, rounds_done=3, best_round=2
        )
        points = [("auc", step, 0, auc - abs(step - 2) / 10) for step in (1, 2, 3)]
        write_points(opened.store, place, [*points, ("logloss", 1, 0, 0.5)])
    yield opened
    opened.store.close()


def table(pilot: Pilot[None]) -> Table:
    return pilot.app.query_one("#runs", Table)


def stage(pilot: Pilot[None]) -> ExperimentsStage:
    return pilot.app.query_one(ExperimentsStage)


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return screen_text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_the_tab_shows_runs_metrics_and_the_curve_of_the_newest(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        shown = screen_text(pilot)
        assert "beta[x]" in shown
        assert "● finished" in shown
        assert "0.9000" in shown
        assert "#3 gamma" in shown  # whose curve it is
        if size[0] == 160:
            assert "best round 2" in shown
            assert "num_leaves" in shown
        else:
            assert "best 0.8000 at 2" in shown


async def test_an_empty_workspace_says_what_to_press(tmp_path: Path) -> None:
    async with Console(make_engine(tmp_path / "new"), stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "No runs yet. Press t to train" in screen_text(pilot)
        await press(pilot, "x", "p", "R", "r", "d", "u", "c", "z", "v", "enter")


async def test_sorting_asks_the_store_and_the_cursor_stays_on_its_run(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await press(pilot, "l", "l", "l", "S")
        assert (stage(pilot).sort, stage(pilot).descending) == ("metrics.auc", True)
        assert [row.key for row in stage_rows(pilot)] == ["2", "3", "1"]
        assert table(pilot).key == "3"
        add_run(engine, "delta", metrics={"auc": 0.95})
        stage(pilot).reload()
        await settle(pilot)
        assert [row.key for row in stage_rows(pilot)] == ["4", "2", "3", "1"]
        assert table(pilot).key == "3"


def stage_rows(pilot: Pilot[None]) -> list[Row]:
    shown = table(pilot)
    return shown.rows


async def test_a_filter_narrows_and_a_wrong_one_is_refused_where_it_was_typed(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await press(pilot, "slash")
        pilot.app.query_one("#filter Input", Input).value = "metrics.auc >"
        assert "column 14: Expected a value" in await press(pilot, "enter")
        assert pilot.app.query_one("#filter Input", Input).cursor_position == 13
        assert "2 runs" in await press(pilot, *"0.75")
        shown = await press(pilot, "enter")
        assert "2 of 3 for metrics.auc >0.75" in shown
        assert "alpha" not in shown
        assert "Runs 3" in await press(pilot, "escape")


async def test_pinning_shows_deltas_and_overlays_the_baseline(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        shown = await press(pilot, "p", "j")
        assert "★ gamma" in shown
        assert "+0.1000" in shown
        assert "★ #3 auc" in shown
        baseline = engine.experiments.baseline()
        assert baseline is not None
        assert baseline.id == 3
        await press(pilot, "k", "p")
        assert engine.experiments.baseline() is None


async def test_marked_runs_are_compared_side_by_side(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        assert not isinstance(pilot.app.screen, Compare)
        shown = await press(pilot, "space", "space", "c")
        assert isinstance(pilot.app.screen, Compare)
        assert "#3 gamma" in shown
        assert "+0.1000 better" in shown
        assert "num_leaves" in shown
        assert "learning_rate" not in shown
        assert "learning_rate" in await press(pilot, "z", "G", "k", "g", "pagedown")
        assert "logloss not smoothed" in await press(pilot, "4", "v")
        await press(pilot, "1", "l", "l", "p")
        assert "★ #2 beta[x]" in screen_text(pilot)
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, Compare)


async def test_training_starts_with_two_keys_and_the_cursor_goes_to_the_new_run(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        shown = await press(pilot, "t")
        assert isinstance(pilot.app.screen, TrainDialog)
        assert "stopping" in shown
        pilot.app.screen.query_one("#overrides", Input).value = "rounds"
        assert "is not NAME=VALUE" in await press(pilot, "enter")
        pilot.app.screen.query_one("#overrides", Input).value = "num_leaves=5 seed=2"
        await press(pilot, "enter")
        assert table(pilot).key == "4"
        run = engine.experiments.run(4)
        assert (run.preset, run.seed, run.params["num_leaves"], run.state) == ("default", 2, "5", "queued")


async def test_stopping_asks_first_and_resuming_queues_again(engine: Engine) -> None:
    run_id = engine.experiments.start()
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert f"Stop run {run_id}" in await press(pilot, "x")
        await press(pilot, "x", "enter")
        assert engine.experiments.run(run_id).state == "queued"
        await press(pilot, "y")
        assert engine.experiments.run(run_id).state == "cancelled"
        await press(pilot, "r")
        assert engine.experiments.run(run_id).state == "queued"


async def test_deleting_hides_until_undone(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "d", "y")
        assert engine.experiments.search().total == 2
        assert "gamma" not in "".join(str(row) for row in stage_rows(pilot))
        await press(pilot, "u")
        assert engine.experiments.search().total == 3
        assert table(pilot).key == "3"


@pytest.mark.parametrize("size", SIZES)
async def test_enter_opens_the_run_in_full_and_escape_comes_back_to_it(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        shown = await press(pilot, "j", "enter")
        assert pilot.app.query_one(RunDetail).display
        assert "#2 beta[x]" in shown
        assert "● finished" in shown
        await press(pilot, "escape")
        assert not pilot.app.query_one(RunDetail).display
        assert table(pilot).key == "2"


async def test_reproducing_queues_a_run_under_the_same_conditions(engine: Engine) -> None:
    first = engine.experiments.start(overrides={"seed": 9})
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "R")
        again = engine.experiments.run(first + 1)
        assert (again.reproduces, again.seed, table(pilot).key) == (first, 9, str(again.id))


async def test_a_failed_check_blocks_the_training_until_a_reason_is_given(engine: Engine) -> None:
    config = engine.workspace.config
    config.write_text(config.read_text() + '\n[[checks]]\nname = "whole"\nkind = "not_null"\ncolumn = "distance"\n')
    validate_jobs.run(JobContext.for_test(engine.store), {})
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        before = engine.experiments.search().total
        await pilot.press("t")
        await shows(pilot, "✖ checks: 1 check failed: whole")
        await pilot.press("enter")
        await shows(pilot, "A check failed: mend the data")
        assert engine.experiments.search().total == before
        pilot.app.screen.query_one("#despite").focus()
        await pilot.press("t", "r", "y", "enter")
        await settle(pilot)
        runs = engine.experiments.search().runs
        assert (len(runs), runs[0].tags["despite_checks"]) == (before + 1, "try")


async def test_what_the_checks_say_may_come_before_the_dialog_is_drawn(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        dialog = TrainDialog(engine, engine.experiments.presets())
        standing = engine.validate.standing()
        dialog.tell(structs.replace(standing, declared=1, run=None, version="flights v1"))
        await pilot.app.push_screen(dialog)
        await shows(pilot, "checks: flights v1 was never checked")


async def test_what_the_checks_say_may_come_when_the_dialog_is_gone(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        dialog = TrainDialog(engine, engine.experiments.presets())
        await pilot.app.push_screen(dialog)
        await pilot.press("escape")
        await settle(pilot)
        dialog.tell(engine.validate.standing())
        assert not isinstance(pilot.app.screen, TrainDialog)
