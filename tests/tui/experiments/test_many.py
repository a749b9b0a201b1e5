"""More runs than are ever read at once: the table reaches all of them, and the cursor stays on its run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import becomes, engine_at, screen_text, settle, shows
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.tui.app import Console, MainScreen
from lemnis.tui.stages.experiments.room import ExperimentsStage
from lemnis.tui.stages.experiments.table import RunsTable

SIZES = [(80, 24), (160, 48)]
RUNS = 450


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = engine_at(tmp_path / "workspace")
    with opened.store.write() as db:
        for number in range(1, RUNS + 1):
            db.execute(
                "insert into runs (id, name, state, created_at) values (?, ?, 'finished', 0)", [number, f"r{number:03}"]
            )
            if number != 200:
                db.execute(
                    "insert into run_metrics (run_id, key, value, step) values (?, 'auc', ?, 0)",
                    [number, (number * 7 % RUNS) / RUNS],
                )
    yield opened
    opened.store.close()


def table(pilot: Pilot[None]) -> RunsTable:
    return pilot.app.query_one(RunsTable)


@pytest.mark.parametrize("size", SIZES)
async def test_all_runs_are_reached_and_sorted_and_those_without_a_value_come_last(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with Console(engine, stage="experiments").run_test(size=size) as pilot:
        await becomes(pilot, lambda: table(pilot).total == RUNS)
        await shows(pilot, "r450", "Runs 450")
        await pilot.press("G")
        await becomes(pilot, lambda: table(pilot).key == "1")
        assert "r001" in screen_text(pilot)
        await pilot.press("l", "l", "l", "S")
        await becomes(pilot, lambda: table(pilot).total == RUNS and table(pilot).key == "257")
        await shows(pilot, "0.9978")
        await pilot.press("G")
        await becomes(pilot, lambda: table(pilot).key == "200")
        await pilot.press("s")
        await becomes(pilot, lambda: table(pilot).total == RUNS and table(pilot).key == "450")
        await shows(pilot, "0.0000")


async def test_a_live_list_keeps_the_cursor_on_its_run_and_the_marks_on_theirs(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(160, 48)) as pilot:
        await becomes(pilot, lambda: table(pilot).total == RUNS)
        await pilot.press("space", "G")
        await becomes(pilot, lambda: table(pilot).key == "1")
        with engine.store.write() as db:
            db.execute("insert into runs (name, state, created_at) values ('new', 'finished', 0)")
            db.execute("update runs set name = 'changed' where id = 2")
        pilot.app.query_one(ExperimentsStage).reload()
        await becomes(pilot, lambda: table(pilot).total == RUNS + 1)
        await shows(pilot, "changed")
        assert (table(pilot).key, table(pilot).marks) == ("1", ["450"])


async def test_a_filter_over_many_runs_counts_them_and_shows_the_first_at_once(engine: Engine) -> None:
    async with Console(engine, stage="experiments").run_test(size=(80, 24)) as pilot:
        await becomes(pilot, lambda: table(pilot).total == RUNS)
        await pilot.press("G", "slash")
        pilot.app.query_one("#filter Input", Input).value = "metrics.auc >= 0.5"
        await shows(pilot, "225 runs")
        await pilot.press("enter")
        await shows(pilot, "225 of 450 for metrics.auc >= 0.5")
        await settle(pilot)
        assert (table(pilot).total, table(pilot).cursor) == (225, 0)
        await pilot.press("G")
        await becomes(pilot, lambda: table(pilot).current is not None and table(pilot).cursor == 224)


async def test_a_change_of_the_focus_draws_what_it_alters_and_not_the_whole_screen(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    original = MainScreen.refresh

    def refresh(screen: MainScreen, *regions: Region, repaint: bool = True, layout: bool = False) -> MainScreen:
        drawn.append(screen)
        return original(screen, *regions, repaint=repaint, layout=layout)

    console = Console(engine, stage="experiments")
    async with console.run_test(size=(160, 48)) as pilot:
        await shows(pilot, "r450", "Runs 450")
        await settle(pilot)
        monkeypatch.setattr(MainScreen, "refresh", refresh)
        console.screen.set_focus(None)
        await settle(pilot)
        console.focus_stage()
        await settle(pilot)
        assert console.screen.focused is table(pilot)
        assert drawn == []
