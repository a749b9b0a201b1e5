"""The sweep screen: begun, watched and steered by key, at both sizes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import make_engine
from support import becomes, screen_text, settle, shows
from sweeping import drive, driver_of, train_queued
from textual.pilot import Pilot
from textual.widgets import Input

import lemnis.engine.experiments.sweep.coordinator as coordinator
from lemnis.engine import Engine
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.sweep import Sweep, Wishes
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import Console
from lemnis.tui.screens.sweep import SweepScreen
from lemnis.tui.screens.sweeps import SweepsScreen
from lemnis.tui.screens.swept import tables
from lemnis.tui.screens.swept.begin import read_wishes
from lemnis.tui.screens.swept.words import expectation_words
from lemnis.tui.widgets import PromptLine

SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Nobody does jobs but the test."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    monkeypatch.setattr(coordinator, "TICK_S", 0.0)
    opened = make_engine(tmp_path / "box")
    yield opened
    opened.store.close()


def begun(engine: Engine, **more: object) -> Sweep:
    kept: dict[str, object] = {"space": ["num_leaves=3..9", "learning_rate=0.05..0.5:log"], "overrides": {"rounds": 2}}
    kept |= {"trials": 3, "parallel": 1, "name": "s", **more}
    return engine.sweeps.start(wishes=Wishes(**kept))  # type: ignore[arg-type]


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return screen_text(pilot)


async def entered(pilot: Pilot[None], text: str) -> None:
    """Write a line into the open prompt and press enter."""
    await becomes(pilot, lambda: pilot.app.screen.query_one(PromptLine).display)
    pilot.app.screen.query_one(PromptLine).query_one(Input).value = text
    await press(pilot, "enter")


@pytest.mark.parametrize("size", SIZES)
async def test_a_sweep_is_begun_and_followed_by_key(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("w")
        await shows(pilot, "No sweep yet. Press n")
        await press(pilot, "n")
        await shows(pilot, "Begin a sweep", "default")
        pilot.app.screen.query_one("#sweep-space", Input).value = "num_leaves=9..3"
        assert "no value from 9 to 3" in await press(pilot, "enter")
        pilot.app.screen.query_one("#sweep-space", Input).value = "num_leaves=3..9"
        pilot.app.screen.query_one("#sweep-more", Input).value = "trials=2 rounds=2 parallel=1"
        await press(pilot, "enter")
        await shows(pilot, "Sweep default-1", "0 of 2 trials", "The first trial is about to begin")
        drive(engine, "default-1")
        screen = pilot.app.screen
        assert isinstance(screen, SweepScreen)
        screen.read()
        await shows(pilot, "2 of 2 trials", "● finished★", "said after ten trials")
        await press(pilot, "enter")
        assert not isinstance(pilot.app.screen, SweepScreen | SweepsScreen)
        await shows(pilot, "default-1 trial 2")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_everything_that_steers_has_a_key_and_is_on_record(engine: Engine, size: tuple[int, int]) -> None:
    begun(engine, trials=4)
    driver = driver_of(engine, "s")
    driver.go_round()
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        pilot.app.push_screen(SweepScreen(engine, "s"))
        await shows(pilot, "1 running", "0 of 4 trials")
        await press(pilot, "plus")
        await entered(pilot, "num_leaves=11")
        await shows(pilot, "1 waiting")
        await press(pilot, "g", "x")
        await shows(pilot, "Prune trial 2?", "its place")
        await press(pilot, "y")
        await shows(pilot, "1 pruned")
        await press(pilot, "f")  # in no parameter's column: it says where to go
        assert not pilot.app.screen.query_one(PromptLine).display
        await press(pilot, "l", "l", "l")
        await press(pilot, "left_square_bracket")
        await entered(pilot, "1..99")
        await shows(pilot, "The sweep began with")
        await entered(pilot, "4..8")
        await shows(pilot, "num_leaves 4..8")
        await press(pilot, "f")
        await entered(pilot, "5")
        await shows(pilot, "num_leaves = 5")
        await press(pilot, "f")
        await shows(pilot, "num_leaves 4..8")
        await press(pilot, "e")
        await entered(pilot, "2")
        await shows(pilot, "of 6 trials")
        await press(pilot, "p")
        await shows(pilot, "paused by")
        await press(pilot, "6")
        await shows(pilot, "enqueued trial 2: num_leaves=11", "took back trial 2", "paused it", "extended it by 2")
        assert "began it with 4 trials" in screen_text(pilot)
        await press(pilot, "escape", "p")
        await becomes(pilot, lambda: engine.sweeps.sweep("s").state == "running")
        assert "Keys of a sweep" in await press(pilot, "question_mark")
        await press(pilot, "escape", "K")
        await shows(pilot, "Parameter", "Parzen")


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
async def test_the_views_draw_what_the_trials_teach(engine: Engine, size: tuple[int, int]) -> None:
    begun(engine, trials=12, objectives=["auc", "train_auc:min"])
    trials = drive(engine, "s")
    sweep = engine.sweeps.sweep("s")
    assert sweep.insight is not None
    assert set(sweep.insight.importances) == {"num_leaves", "learning_rate"}
    assert sum(sweep.insight.importances.values()) == pytest.approx(1.0)
    front = sweep.best(trials)
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await settle(pilot)
        pilot.app.push_screen(SweepScreen(engine, "s"))
        await shows(pilot, "12 of 12 trials", "auc ↑", "train_auc ↓", "Pareto front")
        await press(pilot, "2")
        await shows(pilot, "best so far", "12 trials")
        await press(pilot, "3")
        await shows(pilot, "PED-ANOVA over 12 trials", "learning_rate", "%")
        await press(pilot, "4")
        await shows(pilot, "Parallel axes", "◉", "num_leaves")
        await press(pilot, "v")
        await shows(pilot, f"{len(front)} of 12 trials, marked ★", "★")
        await press(pilot, "escape")
        await shows(pilot, "[Trials]")


async def test_a_read_only_console_refuses_and_says_so(engine: Engine) -> None:
    begun(engine)
    engine.store.read_only = True
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        pilot.app.push_screen(SweepScreen(engine, "s"))
        await shows(pilot, "0 of 3 trials")
        await press(pilot, "p")
        await shows(pilot, "This workspace is open read-only.")


def test_the_best_line_never_falls_and_ends_at_the_best(engine: Engine) -> None:
    begun(engine, trials=11)
    trials = drive(engine, "s")
    sweep = engine.sweeps.sweep("s")
    line, dots = tables.best_so_far(sweep, trials)
    assert expectation_words(sweep).startswith("20 more trials: auc +0.")
    known = [value for value in line.y if value is not None]
    assert known == sorted(known)
    assert known[-1] == max(trial.values[0] for trial in trials)
    assert list(dots.y) == [trial.values[0] for trial in trials]


def test_what_is_typed_becomes_wishes() -> None:
    more = 'trials=7 objective=auc objective=train_seconds:min rounds=9 data=v2 despite="known outage"'
    found = read_wishes("num_leaves=3..9 algorithm=gbdt,dart", more)
    assert (found.trials, found.objectives, found.overrides) == (7, ["auc", "train_seconds:min"], {"rounds": 9})
    assert (found.space, found.version) == (["num_leaves=3..9", "algorithm=gbdt,dart"], "v2")
    assert found.despite_checks == "known outage"
    for wrong in ("trials=many", 'despite="open', "rounds"):
        with pytest.raises(BadInput):
            read_wishes("", wrong)


def test_trained_runs_are_found_from_the_screen(engine: Engine) -> None:
    begun(engine, trials=1)
    driver = driver_of(engine, "s")
    driver.go_round()
    train_queued(engine)
    assert engine.experiments.search("group = s").total == 1
