# pyright: basic, reportArgumentType=false, reportOptionalMemberAccess=false

import re
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from support import becomes, engine_at, shows
from textual.pilot import Pilot
from textual.widget import Widget

from lemnis.engine.data.versions import record_version
from lemnis.tui.actions import GLOBAL, actions, key_label
from lemnis.tui.app import Console
from lemnis.tui.keys.named import keyed
from lemnis.tui.stages import STAGES
from lemnis.tui.widgets import Table

PRESS, GO = re.compile(r"Press (\S+?)[.,:]?(?:\s|$)"), re.compile(r"in ([A-Z][a-z]+) \((\d)\)")


def named_keys(words: str, stage: str) -> bool:
    """Say whether an empty pane's words name keys, all of which answer in its tab, or a tab by its title and key."""
    keys = {key for action in (*actions(stage), *actions(GLOBAL)) for key in key_label(action.key).split()}
    pressed, gone = PRESS.findall(words), GO.findall(words)
    tabs = {(info.title, info.key) for info in STAGES}
    return bool(pressed or gone) and set(pressed) <= keys and set(gone) <= tabs


def test_a_key_that_does_not_answer_there_is_found() -> None:
    assert named_keys("No runs yet. Press t to train.", "experiments")
    assert named_keys("No version yet. Link one in Data (2).", "explore")
    assert not named_keys("No runs yet. Press $ to train.", "experiments")
    assert not named_keys("No version yet. Link one in Data (3).", "explore")
    assert not named_keys("Nothing here.", "explore")


async def unsaid(pilot: Pilot[Any]) -> list[tuple[str, str, str]]:
    """Walk through the tabs and return the empty lists that are seen and name no key that helps."""
    app, found, looked = cast("Console", pilot.app), list[tuple[str, str, str]](), 0
    for info in STAGES:
        await pilot.press(info.key)
        await becomes(pilot, lambda: app.stage is not None and app.stage.loaded_at)
        await pilot.pause()
        for table in app.stage.query(Table):
            seen = table.region.area and all(
                node.display for node in table.ancestors_with_self if isinstance(node, Widget)
            )
            if seen and table.total == 0 and table.id != "processes":
                looked += 1
                if not named_keys(keyed(table.empty), info.name):
                    found.append((info.name, table.id or "", table.empty))
    assert looked >= 8
    return found


@pytest.mark.slow
async def test_every_empty_list_of_a_new_workspace_names_the_key_that_fills_it(tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws")).run_test(size=(80, 24)) as pilot:
        assert await unsaid(pilot) == []


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_with_data_and_nothing_else_every_empty_list_says_what_comes_next(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    engine = engine_at(tmp_path / "ws")
    table = pa.table({"code": ["a", "b"] * 30, "late": [True, False] * 30})
    record_version(engine.store, table, name="trips", roles={"late": "label"}, split={}, now=1)
    async with Console(engine).run_test(size=size) as pilot:
        assert await unsaid(pilot) == []
        await pilot.press("5")
        await shows(pilot, "The checks have not run yet. Press n to run them.")


async def test_without_data_validate_leads_to_data(tmp_path: Path) -> None:
    async with Console(engine_at(tmp_path / "ws"), stage="validate").run_test(size=(80, 24)) as pilot:
        shown = await shows(pilot, "No dataset version yet. Link one in Data (2).")
        assert "Press n" not in shown
