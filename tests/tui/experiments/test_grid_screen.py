"""The screen of a grid: what is varied, how many runs that makes as one types, and the group that is queued."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_problem import SPLIT, flights, make_engine
from support import settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.app import Console
from lemnis.tui.stages.experiments.room import ExperimentsStage


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two versions of the small problem; nobody to train what is queued."""
    monkeypatch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)
    opened = make_engine(tmp_path / "workspace")
    roles = {"id": "key", "at": "time", "late": "label"}
    record_version(opened.store, flights(rows=900), name="small", roles=roles, split=SPLIT)
    yield opened
    opened.store.close()


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys; what is typed into a line is written as one text of several characters."""
    for key in keys:
        if "=" in key:
            pilot.app.screen.query_one(Input).value += key
        else:
            await pilot.press(key)
            await settle(pilot)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_grid_is_chosen_counted_confirmed_and_listed(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        await press(pilot, "6", "M")
        await shows(pilot, "preset", "default", "small v2", "gbdt", "1 combination: 1 to train; no earlier run tells")
        await press(pilot, "j", "enter", "j", "space", "enter")
        await shows(pilot, "data", "× 2", "small v2, small v1", "2 combinations: 2 to train")
        await press(pilot, "j", "enter", "G", "k", "space", "enter")
        await shows(pilot, "linear", "small v1 linear", "4 combinations")
        await press(pilot, "plus", "num_leaves=7,15", "enter")
        await shows(pilot, "num_leaves", "7, 15", "8 combinations, 6 different: 6 to train")
        await press(pilot, "t")
        await shows(pilot, "Train 6 runs as one group?")
        await press(pilot, "enter")
        assert engine.experiments.count() == 0
        await press(pilot, "y")
        await shows(pilot, "6 for group = 'grid 1'" if size[0] < 100 else "6 of 6 for group = 'grid 1'")
        assert pilot.app.query_one(ExperimentsStage).query_text == "group = 'grid 1'"
        assert engine.experiments.count("group = 'grid 1' and algorithm = linear") == 2
        await press(pilot, "M")
        await shows(pilot, "num_leaves", "3 there already: 0 to train")
        await press(pilot, "A")
        await shows(pilot, "3 there already: 3 to train")


@pytest.mark.slow
async def test_what_can_not_be_is_said_at_once_and_a_line_can_be_changed_and_removed(engine: Engine) -> None:
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "M", "plus", "num_leafs=7", "enter")
        await shows(pilot, "LightGBM has no parameter 'num_leafs'", "Did you mean num_leaves?", "No run can be made")
        await press(pilot, "t", "G", "d")
        await shows(pilot, "1 combination: 1 to train")
        await press(pilot, "plus", *"seed", "enter")
        await shows(pilot, "is not NAME=VALUE,VALUE")
        await press(pilot, "=1,2,3", "enter")
        await shows(pilot, "seed", "× 3", "3 combinations: 3 to train")
        await press(pilot, "G", "enter", "backspace", "seed=1,2", "enter")
        await shows(pilot, "2 combinations: 2 to train")
        await press(pilot, "escape")
        assert engine.experiments.count() == 0


async def test_failed_checks_ask_for_a_reason_that_every_run_keeps(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lemnis.engine.errors import ChecksFailed
    from lemnis.engine.experiments import grid

    def checked(store: object, version: object, despite: str) -> dict[str, str]:
        if not despite:
            raise ChecksFailed("A check failed.", "Mend it.")
        return {"despite_checks": despite}

    monkeypatch.setattr(grid, "checked_tags", checked)
    async with Console(engine).run_test(size=(80, 24)) as pilot:
        await press(pilot, "6", "M")
        await shows(pilot, "1 to train")
        await press(pilot, "t", "y")
        await shows(pilot, "A check failed. Why it is trained all the same:")
        await press(pilot, *"why", "enter")
        await shows(pilot, "for group = 'grid 1'")
        assert engine.experiments.run(1).tags == {"despite_checks": "why"}
