# pyright: basic, reportArgumentType=false, reportOptionalMemberAccess=false

import re
from pathlib import Path

import pytest
from support import becomes, engine_at
from textual.widget import Widget

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


@pytest.mark.slow
async def test_every_empty_list_of_a_new_workspace_names_the_key_that_fills_it(tmp_path: Path) -> None:
    app = Console(engine_at(tmp_path / "ws"))
    unsaid, looked = [], 0
    async with app.run_test(size=(80, 24)) as pilot:
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
                        unsaid.append((info.name, table.id, table.empty))
    assert not unsaid
    assert looked >= 12
