# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false

from pathlib import Path
from typing import Any

import pytest
from support import FakeEngine, becomes, engine_at, screen_text, settle, shows
from textual.command import CommandList
from textual.widgets._toast import Toast, ToastHolder
from textual.widgets.option_list import Option

from lemnis.engine.lifecycle import StageState
from lemnis.tui.app import Console
from lemnis.tui.messages import EngineSeen, LoopRead, StageWanted
from lemnis.tui.stages import STAGES
from lemnis.tui.widgets import Empty

SIZES = [(80, 24), (160, 48), (40, 15)]


class Shell(Console):
    """The console around stages that show nothing."""

    def make_stage(self, name: str) -> Any:
        return Empty(f"here is {name}", id=f"stage-{name}")


def states(**words: str) -> tuple[StageState, ...]:
    return tuple(
        StageState(key=s.key, name=s.name, state=words.get(s.name, "ready"), why=f"{s.name} is so", next="")
        for s in STAGES
    )


@pytest.mark.parametrize("size", SIZES)
async def test_each_number_opens_its_stage(size: tuple[int, int]) -> None:
    async with Shell(FakeEngine()).run_test(size=size) as pilot:
        for stage in STAGES:
            await pilot.press(stage.key)
            await settle(pilot)
            assert f"here is {stage.name}" in screen_text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_the_loop_names_the_open_stage_with_glyph_and_word(size: tuple[int, int]) -> None:
    async with Shell(FakeEngine()).run_test(size=size) as pilot:
        await pilot.press("6")
        pilot.app.on_loop_read(LoopRead(states(experiments="working")))
        await settle(pilot)
        top = "\n".join(screen_text(pilot).splitlines()[:2])
        assert "Experiments" in top
        assert "◐ working" in top


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_stage_in_need_keeps_its_word_where_it_is_narrow(size: tuple[int, int]) -> None:
    async with Shell(FakeEngine()).run_test(size=size) as pilot:
        await pilot.press("1")
        pilot.app.on_loop_read(LoopRead(states(validate="attention")))
        await settle(pilot)
        top = "\n".join(screen_text(pilot).splitlines()[:2])
        assert "▲ attention" in top
        assert "Validate" in top


async def test_no_line_of_the_frame_is_wider_than_the_terminal() -> None:
    for size in SIZES:
        async with Shell(FakeEngine()).run_test(size=size) as pilot:
            pilot.app.on_loop_read(LoopRead(states(validate="attention"), "lemnis.toml:3: wrong " + "x" * 300))
            pilot.app.on_engine_seen(EngineSeen("down", "why " * 60, 3, 4))
            await settle(pilot)
            assert len(screen_text(pilot).splitlines()) == size[1]


async def test_the_header_says_what_the_engine_does() -> None:
    async with Shell(FakeEngine()).run_test(size=(80, 24)) as pilot:
        pilot.app.pump.stop()
        await settle(pilot)
        pilot.app.on_engine_seen(EngineSeen("up", "", 2, 5))
        await settle(pilot)
        assert "engine ● up  2 running, 5 queued" in screen_text(pilot)


async def test_a_broken_lemnis_toml_is_shown_with_its_line_and_the_console_opens_all_the_same(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "ws", '[problem]\ntitle = "x"\ntarget = 3\n')
    async with Shell(engine).run_test(size=(160, 24)) as pilot:
        await pilot.press("2")
        await shows(pilot, "▲ lemnis.toml:3: problem.target", "here is data")


@pytest.mark.parametrize("size", SIZES)
async def test_help_lists_the_keys_of_this_stage_and_closes(size: tuple[int, int]) -> None:
    async with Shell(FakeEngine()).run_test(size=size) as pilot:
        await pilot.press("2", "question_mark")
        await settle(pilot)
        assert "Data" in screen_text(pilot)
        assert "esc" in screen_text(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "here is data" in screen_text(pilot)


async def test_the_palette_finds_a_stage_by_name_and_goes_there() -> None:
    async with Shell(FakeEngine()).run_test(size=(80, 24)) as pilot:
        await pilot.press("colon")
        await settle(pilot)
        await pilot.press(*"go to monit")
        await shows(pilot, "Monitor   9")
        await pilot.press("enter")
        await settle(pilot)
        await pilot.press("enter")
        await shows(pilot, "here is monitor")


async def test_a_page_of_the_palette_that_is_not_drawn_yet_is_no_error() -> None:
    async with Shell(FakeEngine()).run_test() as pilot:
        await pilot.press("colon", "g", "o")
        await shows(pilot, "Go to ")
        commands = pilot.app.screen.query_one(CommandList)
        commands.styles.display = "none"
        await becomes(pilot, lambda: not commands.size.height)
        commands.clear_options().add_options([Option("one"), Option("two")])
        commands.highlighted = 1
        pilot.app.screen._action_command_list("page_up")
        assert commands.highlighted == 1


async def test_a_search_that_ends_after_the_palette_was_left_changes_nothing() -> None:
    async with Shell(FakeEngine()).run_test() as pilot:
        await pilot.press("colon", "g", "o")
        await shows(pilot, "Go to ")
        palette, commands = pilot.app.screen, pilot.app.screen.query_one(CommandList)
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.screen is not palette and not palette.is_attached)
        palette._refresh_command_list(commands, [], True)
        await settle(pilot)
        assert "here is problem" in screen_text(pilot)


async def test_a_stage_can_be_asked_for_by_another() -> None:
    async with Shell(FakeEngine()).run_test(size=(80, 24)) as pilot:
        pilot.app.post_message(StageWanted("deploy"))
        await settle(pilot)
        assert "here is deploy" in screen_text(pilot)


async def test_leaving_is_one_key() -> None:
    app = Shell(FakeEngine())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


async def test_a_workspace_that_is_open_read_only_says_so(tmp_path: Path) -> None:
    engine_at(tmp_path / "ws").store.close()
    from lemnis.engine import Engine

    engine = Engine.open(tmp_path / "ws", read_only=True)
    async with Shell(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "read-only" in screen_text(pilot)


async def test_what_was_told_leaves_no_widget_behind_where_its_time_ends_before_its_timer() -> None:
    async with Shell(FakeEngine()).run_test(size=(80, 24), notifications=True) as pilot:
        app = pilot.app
        for told in range(5):
            app.notify(f"told {told}", timeout=60)
            await becomes(pilot, lambda: len(app.screen.query(Toast)) == 1)
            app.clear_notifications()
            await becomes(pilot, lambda: not app.screen.query(Toast))
        app.notify("told last", timeout=60)
        await becomes(pilot, lambda: len(app.screen.query(Toast)) == len(app.screen.query(ToastHolder)) == 1)
