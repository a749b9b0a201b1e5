"""What is listed and how it looks: columns, views, shelves, tags and notes by key, completion and history."""
# pyright: basic

from collections.abc import Iterator
from pathlib import Path

import pytest
from overtaking import Held
from small_problem import add_run, make_engine
from support import becomes, copied, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.config import View
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import Console
from lemnis.tui.stages.experiments.columns import ColumnsScreen
from lemnis.tui.stages.experiments.forms import Line, ViewsScreen
from lemnis.tui.stages.experiments.pane import Look
from lemnis.tui.stages.experiments.room import ExperimentsStage
from lemnis.tui.stages.experiments.table import RunsTable

SIZES = [(80, 24), (160, 48)]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", lambda room: room.status())
    opened = make_engine(tmp_path / "workspace")
    for place, (name, auc) in enumerate([("alpha", 0.7), ("beta", 0.9), ("gamma", 0.8)], 1):
        add_run(opened, name, metrics={"auc": auc, "f1": auc / 2}, params={"num_leaves": 2**place, "seed2": place})
    yield opened
    opened.store.close()


def table(pilot: Pilot[None]) -> RunsTable:
    return pilot.app.query_one(RunsTable)


def columns(pilot: Pilot[None]) -> list[str]:
    return [column.name for column in table(pilot).columns]


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    return screen_text(pilot)


def console(engine: Engine) -> Console:
    return Console(engine, stage="experiments")


@pytest.mark.parametrize("size", SIZES)
async def test_columns_are_chosen_ordered_and_remembered(engine: Engine, size: tuple[int, int]) -> None:
    async with console(engine).run_test(size=size) as pilot:
        await settle(pilot)
        assert "stands still" in await press(pilot, "C")
        assert isinstance(pilot.app.screen, ColumnsScreen)
        names = pilot.app.screen.names
        chosen = pilot.app.screen.query_one(RunsTable.__mro__[1])
        chosen.mark_only([])
        await press(pilot, *["j"] * names.index("metrics.f1"), "space")
        await press(pilot, "k", *["K"] * names.index("metrics.f1"))
        chosen.cursor = pilot.app.screen.names.index("name")
        await press(pilot, "space", "enter")
        assert columns(pilot) == ["metrics.f1", "name"]
        assert "0.4500" in screen_text(pilot)
        await press(pilot, "f")
        assert table(pilot).frozen == 1
    async with console(engine).run_test(size=size) as pilot:
        await settle(pilot)
        assert columns(pilot) == ["metrics.f1", "name"]
        assert table(pilot).frozen == 1
        await press(pilot, "C", "a")
        assert columns(pilot)[:3] == ["state", "id", "name"]


async def test_a_parameter_longer_than_any_column_is_copied_whole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "TERM"):
        monkeypatch.delenv(name, raising=False)
    words = " ".join(f"word{place}" for place in range(800))
    add_run(engine, "long", params={"prompt": words})
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, *["l"] * columns(pilot).index("params.prompt"))
        assert await copied(pilot, "c") == words
        assert words in await copied(pilot, "r")


@pytest.mark.slow
async def test_a_frozen_column_stays_while_the_others_move(engine: Engine) -> None:
    long = [f"params.{'p' * 10}{place}" for place in range(12)]
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        stage = pilot.app.stage  # type: ignore[attr-defined]
        stage.use(type(stage.layout_chosen)(("name", *long, "metrics.auc"), 1))
        await settle(pilot)
        shown = await press(pilot, *["l"] * 13)
        assert table(pilot).scroll_x > 0
        for word in ("gamma", "beta", "alpha", "0.9000"):
            assert word in shown
        assert "name" in shown
        await press(pilot, *["h"] * 10)
        assert table(pilot).column == 3
        assert long[2].removeprefix("params.") in screen_text(pilot)


@pytest.mark.parametrize("size", SIZES)
async def test_a_view_is_saved_in_the_declaration_and_shown_again(engine: Engine, size: tuple[int, int]) -> None:
    config = engine.workspace.config
    config.write_text(f"# ours\n{config.read_text()}")
    async with console(engine).run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, "V")
        assert "No views yet" in screen_text(pilot)
        await press(pilot, "escape", "slash")
        pilot.app.query_one("#filter Input", Input).value = "metrics.auc > 0.75"
        await press(pilot, "enter", "l", "l", "l", "s", "W")
        assert isinstance(pilot.app.screen, Line)
        await press(pilot, *"good", "enter")
        await shows(pilot, "view good")
        assert engine.experiments.view("good") == View(query="metrics.auc > 0.75", sort="metrics.auc", descending=False)
        assert config.read_text().startswith("# ours\n")
        await press(pilot, "escape", "V")
        assert isinstance(pilot.app.screen, ViewsScreen)
        await press(pilot, "enter")
        await shows(pilot, "2 of 3 for metrics.auc > 0.75")
        assert [row.key for row in table(pilot).rows] == ["3", "2"]


async def test_a_wrong_view_is_refused_and_the_file_stays(engine: Engine) -> None:
    before = engine.workspace.config.read_text()
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "W", *"a b", "enter")
        said = [notice.title for notice in pilot.app._notifications]
        assert said == ["'a b' can't be a view's name."]
        assert engine.workspace.config.read_text() == before


async def test_archived_runs_are_aside_until_they_are_brought_back(engine: Engine) -> None:
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "A")
        assert [row.key for row in table(pilot).rows] == ["2", "1"]
        await press(pilot, "b")
        await shows(pilot, "1 archived")
        assert [row.key for row in table(pilot).rows] == ["3"]
        assert engine.experiments.count(shelf="archived") == 1
        await press(pilot, "A")
        await shows(pilot, "Nothing is archived. Press b.")
        await press(pilot, "b", "b", "A", "u")
        assert engine.experiments.count() == 3


async def test_deleted_runs_come_back_from_their_shelf(engine: Engine) -> None:
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "d", "y", "b", "b")
        await shows(pilot, "1 deleted")
        await press(pilot, "d", "b")
        assert engine.experiments.count() == 3


@pytest.mark.slow
async def test_marked_runs_get_a_tag_and_lose_it(engine: Engine) -> None:
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "space", "space", "T", *"team=blue", "enter")
        assert [run.id for run in engine.experiments.search("tags.team = blue").runs] == [3, 2]
        await press(pilot, "T", *"-team", "enter")
        assert engine.experiments.count("tag:team") == 0


async def test_a_note_is_written_in_the_editor(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "# Good\\n\\nuse it\\n" > "$1"\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        monkeypatch.setattr(type(pilot.app), "suspend", lambda app: __import__("contextlib").nullcontext())
        await press(pilot, "n")
        assert engine.experiments.run(3).note == "# Good\n\nuse it"
        assert engine.experiments.count("note:good") == 1


@pytest.mark.slow
async def test_tab_completes_a_query_and_history_outlives_the_console(engine: Engine) -> None:
    async with console(engine).run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", *"metrics.a", "tab")
        field = pilot.app.query_one("#filter Input", Input)
        await becomes(pilot, lambda: field.value == "metrics.auc")
        await press(pilot, *" > 0.85 and n", "tab")
        await becomes(pilot, lambda: field.value == "metrics.auc > 0.85 and name")
        await shows(pilot, "1 of 4  note  note:  not")
        await press(pilot, "tab")
        assert field.value == "metrics.auc > 0.85 and note"
        field.value = "metrics.auc > 0.85"
        await press(pilot, "enter")
        await shows(pilot, "1 of 3 for metrics.auc > 0.85")
    async with console(engine).run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", "up")
        assert pilot.app.query_one("#filter Input", Input).value == "metrics.auc > 0.85"


async def test_a_missing_champion_is_said_and_the_list_stays(engine: Engine) -> None:
    async with console(engine).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "slash")
        pilot.app.query_one("#filter Input", Input).value = "metrics.auc > champion.auc"
        await press(pilot, "enter")
        await shows(pilot, "There is no champion with metrics.auc")
        assert table(pilot).total == 3


async def test_read_only_keeps_nothing_and_writes_nothing(engine: Engine) -> None:
    reader = Engine(engine.workspace, read_only=True)
    async with console(reader).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "A", "T", "n", "W", "f", "f")
        assert pilot.app.screen is pilot.app.screen_stack[0]
        assert engine.experiments.count() == 3
    reader.store.close()


async def test_the_panes_show_the_run_under_the_cursor_though_the_one_before_is_read_last(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = ExperimentsStage.read

    async with console(engine).run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        assert "#3 gamma" in screen_text(pilot)
        held = Held()

        def slowly(stage: ExperimentsStage, run_id: int) -> Look | None:
            found = read(stage, run_id)
            held.wait(run_id)
            return found

        monkeypatch.setattr(ExperimentsStage, "read", slowly)
        for run_id in (2, 1):
            await pilot.press("j")
            await becomes(pilot, lambda run_id=run_id: run_id in held.begun)
        for run_id in (1, 2):
            held.end(run_id)  # at once, so that both answers wait when the first of them is looked at
        await settle(pilot)
        assert "#1 alpha" in screen_text(pilot)
