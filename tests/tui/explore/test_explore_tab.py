"""The Explore tab as a person sees it: columns, one column in full, rows that are paged, sorted and filtered."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from support import engine_at, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.explore import jobs
from lemnis.engine.jobs.context import JobContext
from lemnis.tui.app import Console

BY_POSITION = "v" * 6


@asynccontextmanager
async def opened(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="explore").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        yield pilot


async def typed(pilot: Pilot[None], text: str) -> None:
    """Open the filter and enter a text."""
    await pilot.press("slash")
    field = pilot.app.screen.focused
    assert isinstance(field, Input)
    field.value = text
    await pilot.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
async def test_every_size_shows_the_balance_the_columns_and_one_in_full(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await shows(pilot, "late  █ false", "90 without a label", "delay")
        await pilot.press(*BY_POSITION, "g", "j", "j")
        await shows(pilot, "by position", "delay feature · double", "▒ true")


async def test_names_and_values_of_the_data_are_shown_as_they_are(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await shows(pilot, "by interest")
        await pilot.press(*BY_POSITION, "g", "j", "j", "j")
        assert "\x1b" not in await shows(pilot, "[bold]␛[2J", "[/x]")


async def test_a_column_that_is_not_measured_says_so_and_its_key_measures(bare: Engine) -> None:
    async with opened(bare) as pilot:
        await shows(pilot, "This column is not measured yet.", "900 rows", "missing 0 (0.0%)")
        await pilot.press("n")
        await shows(pilot, "queued: ")
        (job,) = bare.jobs.jobs()
        assert job.kind == "explore.profile"
        with bare.store.write() as db:
            db.execute("update jobs set state = 'lost', why = 'its process died', ended_at = 1 where id = ?", [job.id])
        await shows(pilot, "The last attempt is lost: its process died")


async def test_the_most_interesting_column_comes_first_and_says_why(engine: Engine) -> None:
    async with opened(engine) as pilot:
        screen = await shows(pilot, "by interest", "missing 50%")
        assert screen.index(" gust ") < screen.index(" id ")
        await pilot.press("x")
        await shows(pilot, "No profile runs.")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_column_is_drawn_by_the_classes_of_the_label_or_of_another_column(
    engine: Engine, size: tuple[int, int]
) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press(*BY_POSITION, "g", "j", "j")
        await shows(pilot, "by late", "630 rows", "mean 30", "180 rows", "mean 70")
        await pilot.press("j", "b", "k")
        screen = await shows(pilot, "by carrier", "UA", "B6", "[bold]␛[2J", "300 rows")
        assert screen.count("300 rows") == 3
        await pilot.press("escape")
        await shows(pilot, "by late", "630 rows")


async def test_a_column_of_one_value_has_no_classes_and_says_so(tmp_path: Path) -> None:
    engine = engine_at(tmp_path)
    table = pa.table({"year": [2013] * 40, "delay": [float(number) for number in range(40)]})
    record_version(engine.store, table, name="flights", roles={}, split={})
    async with opened(engine, (80, 24)) as pilot:
        await shows(pilot, "year feature · int64")
        await pilot.press("b", "j")
        await shows(pilot, "by year: one value or none, so there are no classes to compare")


async def test_the_order_of_interest_is_chosen_by_key(engine: Engine) -> None:
    async with opened(engine) as pilot:
        for words in (
            "by missing",
            "by what they tell of the target",
            "drift: there is no profile of a version before",
        ):
            await pilot.press("v")
            await shows(pilot, words)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_is_missing_together_opens_its_rows(engine: Engine, size: tuple[int, int]) -> None:
    async with opened(engine, size) as pilot:
        await pilot.press("M")
        await shows(
            pilot, "Missing together 3 of 3 patterns in 2 columns", "450    50.0%", "nothing: the rows are complete"
        )
        await pilot.press("g", "j", "j")
        await shows(pilot, "missing: late   present: gust")
        await pilot.press("enter")
        await shows(pilot, "gust is not missing · late is missing  90 of 900")
        await pilot.press("escape", "escape")
        await shows(pilot, "Columns 7")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_farthest_values_name_their_rows(bare: Engine, size: tuple[int, int]) -> None:
    far = [900.0 if row == 7 else float(row % 9) for row in range(100)]
    rows = pa.table({"접수번호": [f"민원-{row}" for row in range(100)], "far": far})
    record_version(bare.store, rows, name="far", roles={"접수번호": "key"}, split={}, now=2)
    jobs.profile(JobContext.for_test(bare.store), {})
    async with opened(bare, size) as pilot:
        await pilot.press(*BY_POSITION, "G", "enter", "pagedown")
        await shows(pilot, "far", "900    8  민원-7")


async def test_rows_are_opened_sorted_and_left_again(engine: Engine) -> None:
    async with opened(engine) as pilot:
        await pilot.press("r")
        await shows(pilot, "row 1 of 900", "2013-01-01 01:00:00")
        await pilot.press("S")
        await shows(pilot, "id▼", "2013-02-07 11:00:00")  # the last hour of nine hundred
        await pilot.press("escape")
        await shows(pilot, "Columns 7")


async def test_a_condition_narrows_the_rows_and_a_wrong_one_says_why(engine: Engine) -> None:
    async with opened(engine, (80, 24)) as pilot:
        await typed(pilot, "carrier = 'B6' and delay > 50")
        await shows(pilot, "carrier = B6 · delay > 50  90 of 900 (10.0%)")
        await typed(pilot, "nonsense = 1")
        await shows(pilot, "nonsense", "Change the query", "carrier = B6")
        await pilot.press("escape")
        await shows(pilot, "all rows  900")


async def test_older_versions_can_be_looked_at(engine: Engine) -> None:
    record_version(engine.store, pa.table({"x": list(range(30))}), name="trips", roles={}, split={}, now=2)
    async with opened(engine) as pilot:
        await shows(pilot, "trips v2 · 30 rows")
        await pilot.press("left_square_bracket")
        await shows(pilot, "trips v1 · 900 rows")
        await pilot.press("right_square_bracket")
        await shows(pilot, "trips v2 · 30 rows")


async def test_without_a_version_the_tab_says_what_to_do(tmp_path: Path) -> None:
    async with opened(engine_at(tmp_path / "box")) as pilot:
        await shows(pilot, "No dataset version yet")
        await pilot.press("n", "r", "left_square_bracket", "K")
        await shows(pilot, "lemnis explore rows --where")
