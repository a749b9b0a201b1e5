"""A console that was killed or hung up is opened again where it was, with what had been typed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import becomes, engine_at, settle, shows, until
from terminal import Terminal, lemnis
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.tui.app import Console, MainScreen
from lemnis.tui.terminal.place import Cursor, Keeper, Place
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.table import Table

RUN = "insert into runs (id, name, state, why, created_at, started_at, ended_at) values (?, ?, 'finished', '', ?, ?, ?)"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened, at = engine_at(tmp_path / "ws"), now_ms()
    with opened.store.write() as db:
        for number in range(400):
            db.execute(RUN, [number + 1, f"run-{number:03}", at + number, at, at])
    yield opened
    opened.store.close()


@pytest.fixture
def states(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path / "states")}


def left(engine: Engine, states: dict[str, str], place: Place) -> None:
    """Leave a place as a killed console does."""
    keeper = Keeper(engine.workspace.root, states)
    keeper.keep(place)
    keeper.close(forget=False)


def test_a_killed_console_is_opened_again_where_it_was(engine: Engine, states: dict[str, str]) -> None:
    root = engine.workspace.root
    terminal = Terminal(lemnis("--read-only"), cwd=root, columns=100, lines=30, **states)
    try:
        terminal.wait_for("Palette")
        terminal.press("6")
        terminal.wait_for("run-399")
        terminal.press("jjj")
        terminal.wait_for(lambda: "›● finished" in terminal.text().split("run-396")[0].splitlines()[-1])
        terminal.press("/")
        terminal.wait_for("for example")
        terminal.press("best > 0.")
        terminal.wait_for("best > 0.")
        until(lambda: any("best > 0." in path.read_text() for path in Path(states["XDG_STATE_HOME"]).rglob("*.json")))
        os.kill(terminal.console, signal.SIGKILL)
        assert terminal.end() == 128 + signal.SIGKILL
    finally:
        terminal.close()
    again = Terminal(lemnis("--read-only"), cwd=root, columns=100, lines=30, **states)
    try:
        again.wait_for("best > 0.")
        again.press("\x1b")
        again.wait_for(lambda: "›● finished" in again.text().split("run-396")[0].splitlines()[-1])
        again.press("q")
        assert again.end() == 0
        left = Path(states["XDG_STATE_HOME"]).rglob("*.json")
        assert [path.name for path in left] == ["workspaces.json"]  # where workspaces are, not what was open
    finally:
        again.close()


async def test_filter_far_row_and_prompt_come_back(engine: Engine, states: dict[str, str]) -> None:
    cursors = {"experiments": {"runs": Cursor("151", 249)}}
    left(engine, states, Place("experiments", None, {"experiments": "id < 390"}, cursors, "runs", "best <"))
    app = Console(engine)
    app.resume(Keeper(engine.workspace.root, states))
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "run-139", "best <")
        assert app.query_one("#runs", Table).cursor == 249
        assert app.stage is not None
        assert app.stage.query_text == "id < 390"
        assert app.query_one(PromptLine).query_one(Input).has_focus


async def test_a_place_that_is_kept_every_second_is_looked_for_in_no_tab_but_the_one_that_is_open(
    engine: Engine, states: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, keeper = Console(engine, stage="experiments"), Keeper(engine.workspace.root, states)
    app.resume(keeper)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "run-399")
        kept: list[Place] = []
        monkeypatch.setattr(keeper, "keep", kept.append)
        monkeypatch.setattr(MainScreen, "walk_children", refuse)
        app.keep_place()
        assert [place.stage for place in kept] == ["experiments"]
        monkeypatch.undo()
    keeper.close(forget=True)


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("all widgets are looked at")


async def test_what_was_typed_in_a_dialog_comes_back(engine: Engine, states: dict[str, str]) -> None:
    app = Console(engine, stage="data")
    keeper = Keeper(engine.workspace.root, states)
    app.resume(keeper)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("@")
        await becomes(pilot, lambda: len(app.screen_stack) > 1 and app.screen.query(Input).first().has_focus)
        await pilot.press(*"yesterday")
        await becomes(pilot, lambda: "yesterday" in str(app.screen.query(Input).first().value))
        app.keep_place()
    keeper.close(forget=False)
    again = Console(engine)
    again.resume(Keeper(engine.workspace.root, states))
    async with again.run_test(size=(80, 24)) as pilot:
        await becomes(
            pilot,
            lambda: (
                len(again.screen_stack) > 1 and [field.value for field in again.screen.query(Input)] == ["yesterday"]
            ),
        )
        assert again.here == "data"


def test_an_open_console_keeps_its_place_to_itself(engine: Engine, states: dict[str, str]) -> None:
    first, second = Keeper(engine.workspace.root, states), Keeper(engine.workspace.root, states)
    first.keep(Place("monitor"))
    assert second.left() is None
    first.close(forget=False)
    assert second.left() == Place("monitor")
    assert second.left() is None


def test_a_place_is_private_and_one_that_was_cut_off_is_passed_over(engine: Engine, states: dict[str, str]) -> None:
    left(engine, states, Place("monitor"))
    (file,) = Path(states["XDG_STATE_HOME"]).rglob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.write_text('{"stage":"mon')
    assert Keeper(engine.workspace.root, states).left() is None
