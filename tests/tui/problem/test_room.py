from pathlib import Path

import pytest
from support import engine_at, screen_text, shows

from lemnis.engine import Engine
from lemnis.tui.app import Console
from lemnis.tui.widgets import Table

CONFIG = """
[problem]
title = "Late flights"
question = "Will it be late?"
target = "late"
owner = "control"
[problem.value]
true_positive = 240.0
false_positive = -60.0
[[problem.criteria]]
metric = "roc_auc"
min = 0.68
[[problem.acquisition]]
source = "flights"
cadence = "monthly"
expected_rows = 100
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = engine_at(tmp_path / "flights", CONFIG)
    opened.problem.record("ann", "first words")
    opened.problem.set("threshold", 0.3, "bob", "money says so")
    return opened


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_question_money_criteria_and_plan_are_seen_at_once(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="problem").run_test(size=size) as pilot:
        await shows(pilot, "Will it be late?", "+$240", "≥ 0.68", "◌ waiting", "a yes pays from p 0.20")
        assert pilot.app.query_one("#past").display == (size[0] >= 100)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_the_volume_needs_stands_beside_the_plan_or_comes_with_its_key(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with Console(engine, stage="problem").run_test(size=size) as pilot:
        await shows(pilot, "Will it be late?", "◌ waiting")
        if size[0] < 100:
            await pilot.press("i")
        await shows(pilot, "no training was measured on this machine yet", "no price is declared")
        if size[0] < 100:
            assert "◌ waiting" not in screen_text(pilot)
            await pilot.press("escape")
            await shows(pilot, "◌ waiting")


async def test_the_history_opens_with_its_key_and_shows_what_changed(engine: Engine) -> None:
    async with Console(engine, stage="problem").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Will it be late?")
        await pilot.press("H")
        await shows(pilot, "money says so", "− 0.5", "+ 0.3")
        await pilot.press("j")
        await shows(pilot, "+ Late flights")
        await pilot.press("enter")
        assert pilot.app.focused is pilot.app.query_one("#change-scroll")
        await pilot.press("escape")
        assert pilot.app.focused is pilot.app.query_one("#history", Table)
        await pilot.press("escape")
        await shows(pilot, "Will it be late?")


async def test_a_change_made_in_another_editor_appears_and_is_kept(engine: Engine) -> None:
    async with Console(engine, stage="problem").run_test(size=(160, 48)) as pilot:
        await shows(pilot, "Will it be late?")
        text = engine.workspace.config.read_text()
        engine.workspace.config.write_text(text.replace("Will it be late?", "Will it ever land?"))
        await shows(pilot, "Will it ever land?", "found changed on disk")
    assert engine.problem.history()[0].why == "found changed on disk"


async def test_a_file_that_is_broken_meanwhile_is_shown_with_its_line_and_the_last_view_stays(engine: Engine) -> None:
    async with Console(engine, stage="problem").run_test(size=(160, 48)) as pilot:
        await shows(pilot, "Will it be late?")
        engine.workspace.config.write_text(CONFIG.replace('owner = "control"', "owner = "))
        await shows(pilot, "not valid TOML", "lemnis.toml:6", "Will it be late?")


async def test_nothing_is_written_when_the_workspace_is_open_read_only(engine: Engine) -> None:
    engine.workspace.config.write_text(CONFIG + "# by hand\n")
    reader = Engine(engine.workspace, read_only=True)
    async with Console(reader, stage="problem").run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Will it be late?")
    assert len(engine.problem.history()) == 2
