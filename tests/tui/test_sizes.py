"""Small and large screens: every tab and what opens over it, at 40×15 and 500×150, shows what matters."""

# pyright: basic, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

import re
from collections.abc import Iterator

import pytest
from support import becomes, screen_text, settle, shows
from textual.pilot import Pilot
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.engine.jobs import JobsRoom
from lemnis.tui.address import parsed
from lemnis.tui.app import Console
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.stages import STAGES

# What a person must see of each tab, whatever the size.
MATTERS = {
    "problem": "Late flights", "data": "trips", "explore": "code", "features": "code", "validate": "rows",
    "experiments": "finished", "evaluate": "Not evaluated yet", "deploy": "late", "monitor": "late",
    "resources": "CPU",
}  # fmt: skip
OVER = {"compare/1,2": "Compar", "alert/1": "auc_low", "oncall": "auc_low", "loop/late": "observe", "labels": "label"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("sized") / "flights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobsRoom, "ensure_supervisor", JobsRoom.status)  # the waiting job goes on waiting
        yield opened
    opened.store.close()


async def fits(pilot: Pilot, *texts: str) -> None:
    """Wait for texts, and fail where a line is wider than the screen or there are more lines than it has."""
    screen = await shows(pilot, *texts)
    lines = screen.splitlines()
    assert len(lines) <= pilot.app.size.height
    assert max(map(len, lines)) <= pilot.app.size.width


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 15), (60, 20), (500, 150)])
async def test_every_tab_and_what_opens_over_it_shows_what_matters(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine).run_test(size=size) as pilot:
        for info in STAGES:
            await pilot.press(info.key)
            await becomes(pilot, lambda: pilot.app.stage is not None and pilot.app.stage.loaded_at)
            await fits(pilot, MATTERS[info.name])
            assert re.search(r" \? |\?", screen_text(pilot).splitlines()[-1]), "the key of the help is seen"
        await pilot.press("question_mark")
        await fits(pilot, "Resources", "scroll")
        await pilot.press("escape", "colon")
        await pilot.press(*"go to data")
        await fits(pilot, "Data")
        await pilot.press("escape")
        await becomes(pilot, lambda: len(pilot.app.screen_stack) == 1)
        for place, text in OVER.items():
            pilot.app.post_message(PlaceWanted(parsed(place)))
            await becomes(pilot, lambda place=place: str(pilot.app.where()) == place)
            await fits(pilot, text)
        await settle(pilot)
