"""What `K` says: every number of every tab has a definition, in a sentence, with where its bound comes from."""

# pyright: basic, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false

from collections.abc import Iterator

import pytest
from support import becomes, screen_text, settle, shows
from whole import whole_engine

from lemnis.engine import Engine
from lemnis.tui.address import parsed
from lemnis.tui.app import Console
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.stages import STAGES
from lemnis.tui.stages.deploy.explained import DEPLOYMENT_TEXT
from lemnis.tui.widgets import Table

BY_DATA = {"sample", "failures", "heat", "listing"}  # tables whose columns are those of data


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = whole_engine(tmp_path_factory.mktemp("explained") / "flights")
    yield opened
    opened.store.close()


async def test_every_column_of_every_tab_is_explained(engine: Engine) -> None:
    missing: list[str] = []
    async with Console(engine).run_test(size=(160, 48)) as pilot:
        for info in STAGES:
            await pilot.press(info.key)
            await becomes(pilot, lambda: pilot.app.stage is not None and pilot.app.stage.loaded_at is not None)
            await settle(pilot)
            stage = pilot.app.stage
            for table in stage.query(Table):
                for place, column in enumerate(table.columns):
                    if f"{table.id}.{column.name}" in stage.cells or table.id in BY_DATA:
                        continue
                    table.set_reactive(Table.column, place)
                    if stage.explain() is None or info.name not in ("features", "experiments"):
                        missing.append(f"{table.id}.{column.name}")
    assert missing == []


@pytest.mark.parametrize(
    ("place", "keys", "said"),
    [
        ("check/code_known", "lll", "warn_if and error_if"),
        ("window/3/feature/wind", "ll", "the larger of `effect` in [monitor]"),
        ("data/v2", "lll", "split of [dataset]"),
        ("job/1", "lll", "its allocation"),
    ],
)
async def test_a_number_is_explained_with_its_value_and_where_its_bound_comes_from(
    engine: Engine, place: str, keys: str, said: str
) -> None:
    async with Console(engine).run_test(size=(160, 48)) as pilot:
        pilot.app.post_message(PlaceWanted(parsed(place)))
        await becomes(pilot, lambda: str(pilot.app.where()) == place and pilot.app.stage._pointed is None)
        await settle(pilot)  # the table has the focus a moment after its row was found
        await pilot.press(*keys, "K")
        await becomes(pilot, lambda: said in getattr(pilot.app.screen, "text", ""))
        await shows(pilot, " esc ")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_text_longer_than_the_screen_is_read_to_its_end_and_back(engine: Engine, size: tuple[int, int]) -> None:
    async with Console(engine, stage="deploy").run_test(size=size) as pilot:
        await becomes(pilot, lambda: pilot.app.stage is not None and pilot.app.stage.loaded_at is not None)
        pilot.app.push_screen(Explanation("Deployment", f"{DEPLOYMENT_TEXT}\n\n{DEPLOYMENT_TEXT} The end."))
        await shows(pilot, "Deployment", "A version is a model file", "scroll", " esc ")
        assert "The end." not in screen_text(pilot)
        await pilot.press("j")
        await becomes(pilot, lambda: "A version is a model file" not in screen_text(pilot))
        await pilot.press("k", *["space"] * 8)
        await shows(pilot, "Deployment", "The end.", " esc ")
        await pilot.press("g")
        await shows(pilot, "A version is a model file")
        await pilot.press("G")
        await shows(pilot, "The end.")
        await pilot.press("enter")
        await becomes(pilot, lambda: not isinstance(pilot.app.screen, Explanation))
        pilot.app.push_screen(Explanation("Short", "One line."))
        await shows(pilot, "One line.", " esc ")
        assert "scroll" not in screen_text(pilot)
