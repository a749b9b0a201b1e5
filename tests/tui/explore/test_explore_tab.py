"""The Explore tab as a person sees it: columns, one column in full, rows that are paged, sorted and filtered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pyarrow as pa
import pytest
from support import engine_at, screen_text, settle
from textual.pilot import Pilot

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.tui.app import Console
from lemnis.tui.widgets import Table


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncIterator[Pilot[None]]:
    async with Console(engine, stage="explore").run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await settle(pilot)
    return screen_text(pilot)


async def typed(pilot: Pilot[None], text: str) -> None:
    field = pilot.app.screen.focused
    assert field is not None
    field.value = text  # type: ignore[attr-defined]
    await press(pilot, "enter")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_the_balance_the_columns_and_one_in_full(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        text = screen_text(pilot)
        assert "late  █ false" in text
        assert "90 without a label" in text
        assert "delay" in text
        text = await press(pilot, "j", "j")
        assert "delay feature · double" in text
        assert "▒ true" in text


async def test_names_and_values_of_the_data_are_shown_as_they_are(engine: Engine) -> None:
    async with opened(engine) as pilot:
        text = await press(pilot, "j", "j", "j")
        assert "[bold]␛[2J" in text
        assert "[/x]" in text
        assert "\x1b" not in text


async def test_a_column_that_is_not_measured_says_so_and_its_key_measures(bare: Engine) -> None:
    async with opened(bare) as pilot:
        assert "This column is not measured yet." in screen_text(pilot)
        await press(pilot, "n")
        assert [job.kind for job in bare.jobs.jobs()] == ["explore.profile"]
        assert "queued" in screen_text(pilot)


async def test_rows_are_opened_sorted_and_left_again(engine: Engine) -> None:
    async with opened(engine) as pilot:
        text = await press(pilot, "r")
        assert "Rows 900" in text
        table = pilot.app.query_one("#rows", Table)
        assert table.current is not None
        assert list(table.current.values[:2]) == [0, 0]
        await press(pilot, "l", "S")
        assert table.current is not None
        assert table.current.values[1] == 899
        text = await press(pilot, "escape")
        assert "Columns 7" in text


async def test_a_condition_narrows_the_rows_and_a_wrong_one_says_why(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "carrier = 'B6' and delay > 50")
        assert "where carrier = 'B6' and delay > 50 · " in screen_text(pilot)
        table = pilot.app.query_one("#rows", Table)
        assert table.total == 90
        await press(pilot, "slash")
        await typed(pilot, "nonsense = 1")
        assert "nonsense" in screen_text(pilot)
        assert "Change the query" in screen_text(pilot)
        assert table.total == 90


async def test_older_versions_can_be_looked_at(engine: Engine) -> None:
    record_version(engine.store, pa.table({"x": list(range(30))}), name="trips", roles={}, split={}, now=2)
    async with opened(engine) as pilot:
        assert "trips v2 · 30 rows" in screen_text(pilot)
        assert "trips v1 · 900 rows" in await press(pilot, "left_square_bracket")
        assert "trips v2 · 30 rows" in await press(pilot, "right_square_bracket")


async def test_without_a_version_the_tab_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with opened(engine_at(tmp_path_factory.mktemp("empty") / "box")) as pilot:
        assert "No dataset version yet" in screen_text(pilot)
        await press(pilot, "n", "r", "left_square_bracket", "K")
