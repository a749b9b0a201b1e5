"""Copying: each kind of the menu, the command of every place, and where a text goes that the terminal can't take."""

# pyright: basic, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from support import becomes, copied, settle, shows
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.tui import copying
from lemnis.tui.address import KINDS, parsed
from lemnis.tui.app import Console
from lemnis.tui.commands.group import root
from lemnis.tui.equivalents import command_of
from lemnis.tui.messages import PlaceWanted


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("copied") / "flights")
    yield opened
    opened.store.close()


async def test_the_menu_copies_a_table_in_every_way_and_the_place_from_anywhere(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "TERM"):
        monkeypatch.delenv(name, raising=False)
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        pilot.app.post_message(PlaceWanted(parsed("check/code_known")))
        await becomes(pilot, lambda: str(pilot.app.where()) == "check/code_known" and pilot.app.stage._pointed is None)
        assert await copied(pilot, "a") == "check/code_known"
        assert await copied(pilot, "p") == "lemnis validate history code_known"
        await pilot.press("l")
        assert (await copied(pilot, "l")).splitlines().count("code_known") == 1
        assert await copied(pilot, "c") == "code_known"
        assert '"name":"code_known"' in await copied(pilot, "j")
        assert "code_known |" in await copied(pilot, "m")
        pilot.app.post_message(PlaceWanted(parsed("alert/1")))
        await becomes(pilot, lambda: str(pilot.app.where()) == "alert/1")
        await settle(pilot)


async def test_what_the_terminal_cannot_take_goes_to_tmux_or_into_a_file(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, tmux = tmp_path / "taken", tmp_path / "bin" / "tmux"
    tmux.parent.mkdir()
    tmux.write_text(f'#!/bin/sh\n[ "$1" = load-buffer ] && cat > {taken}\n')
    tmux.chmod(tmux.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmux.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "/tmp/tmux")
    async with Console(engine).run_test(size=(160, 24), notifications=True) as pilot:
        pilot.app.copy("x" * 100_000, "text")
        await shows(pilot, "tmux's buffer")
        assert taken.read_text() == "x" * 100_000
        tmux.write_text("#!/bin/sh\nexit 1\n")
        pilot.app.copy("y" * 100_000, "text")
        await shows(pilot, "The terminal can't take it")
        copies = engine.workspace.hidden / "copies"
        assert [path.read_text()[0] for path in copies.iterdir()] == ["y"]
        shutil.rmtree(copies)
        copies.touch()  # no folder can be there
        pilot.app.copy("z" * 100_000, "row")
        await shows(pilot, "The row was not copied: File exists")
    assert not copying.into_tmux("z")


PLACES = (*(kind.example for kind in KINDS.values()), "problem", "data", "explore/v2/missing", "features/matrix",
          "features/choices", "runs", "evaluate", "deploy", "monitor", "monitor/late/performance", "resources",
          "check/rows/rows?run=1&which=new", "endpoint/late")  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_command_of_every_place_is_one_with_its_options(place: str) -> None:
    words = shlex.split(command_of(parsed(place)))
    assert words.pop(0) == "lemnis"
    command = typer.main.get_command(root)
    context = command.make_context("lemnis", words, resilient_parsing=False)
    while hasattr(command, "resolve_command"):
        _, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(command.name, words, parent=context)
    assert command.callback is not None


async def test_two_keys_go_to_any_pane(engine: Engine) -> None:
    async with Console(engine, stage="monitor").run_test(size=(160, 48)) as pilot:
        await becomes(pilot, lambda: pilot.app.stage is not None and pilot.app.stage.loaded_at is not None)
        await settle(pilot)
        panes = [pane for pane in pilot.app.screen.focus_chain if pane.region]
        assert len(panes) > 2
        for letter, pane in zip("asd", panes, strict=False):
            await pilot.press("J")
            await shows(pilot, f" {letter} ")
            await pilot.press(letter)
            await becomes(pilot, lambda pane=pane: pilot.app.focused is pane)
        await pilot.press("J", "escape")
        await becomes(pilot, lambda: len(pilot.app.screen_stack) == 1)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_palette_lists_what_the_row_under_the_cursor_can_be_done_with_first_and_takes_addresses(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        pilot.app.post_message(PlaceWanted(parsed("monitor/late/alert/1")))
        await becomes(
            pilot, lambda: str(pilot.app.where()) == "monitor/late/alert/1" and pilot.app.stage._pointed is None
        )
        await pilot.press("colon")
        shown = await shows(pilot, "Acknowledge", "alerts ack")
        assert shown.index("Acknowledge") < shown.index("Figure") if "Figure" in shown else True
        await pilot.press(*"run/2")
        await shows(pilot, "Go to run/2")
        await pilot.press("down", "enter")
        await becomes(pilot, lambda: str(pilot.app.where()) == "run/2")
        await settle(pilot)
