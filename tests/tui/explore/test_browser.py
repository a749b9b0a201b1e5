"""The rows as a person sees them: paged, filtered by cells, values and facets, searched, kept and exported."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from overtaking import Held
from support import becomes, copied, screen_text, settle, shows
from textual.pilot import Pilot
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.data.versions import record_version
from lemnis.engine.explore import Counted, Filter, Values
from lemnis.engine.workspace import create_workspace
from lemnis.tui.app import Console
from lemnis.tui.stages.explore import resting
from lemnis.tui.stages.explore.browser import RowBrowser
from lemnis.tui.stages.explore.place import Place
from lemnis.tui.widgets import Grid, Table
from lemnis.tui.widgets.gridcells import shown_cell

ROWS, COLUMNS = 70_000, 60
HOSTILE = '[b]x\x1b[2J"; drop\u202e'


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A version of more columns than any screen has, two row groups, and every kind of awkward value."""
    folder: Path = tmp_path_factory.mktemp("wide")
    engine = Engine(create_workspace(folder / "box", ""))
    numbers = list(range(ROWS))
    table: dict[str, object] = {
        "id": numbers,
        "carrier": [("UA", "B6", "항공", None, "[bold]\x1b[2J")[row % 5] for row in numbers],
        HOSTILE: ["مرحبا" if row % 2 else "x" * 3000 for row in numbers],
        "parts": [[row % 3, 1] for row in numbers],
        "raw": [bytes([row % 256, 0, 10]) for row in numbers],
        "gust": pa.array([None if row % 2 else float(row % 7) for row in numbers]),
    }
    table |= {f"n{place}": pa.array([row * place % 97 for row in numbers]) for place in range(COLUMNS - 6)}
    record_version(engine.store, pa.table(table), name="wide", roles={"id": "key"}, split={}, now=1)
    return engine


@asynccontextmanager
async def rows_of(engine: Engine, size: tuple[int, int] = (160, 48)) -> AsyncGenerator[Pilot[None]]:
    async with Console(engine, stage="explore").run_test(size=size, notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("r")
        await shows(pilot, "row 1 of 70,000")
        yield pilot


def grid(pilot: Pilot[None]) -> Grid:
    return pilot.app.query_one(Grid)


async def typed(pilot: Pilot[None], key: str, text: str) -> None:
    """Press a key that asks for a line and enter a text."""
    await pilot.press(key)
    await becomes(pilot, lambda: isinstance(pilot.app.screen.focused, Input))
    field = pilot.app.screen.focused
    assert isinstance(field, Input)
    field.value = text
    await pilot.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_rows_are_a_window_both_ways_with_the_key_in_view(wide: Engine, size: tuple[int, int]) -> None:
    async with rows_of(wide, size) as pilot:
        screen = await shows(pilot, "column 1 of 60", "carrier", "항공", "[bold]␛[2J")
        assert "\x1b" not in screen
        assert "\u202e" not in screen
        await pilot.press("G")
        await shows(pilot, "row 70,000 of 70,000", "69999│")
        await pilot.press(*["right"] * 20)
        await shows(pilot, "column 21 of 60", "69999│", "n14")
        await pilot.press("g")
        await shows(pilot, "row 1 of 70,000", "    0│")
        lines = [line for line in (await shows(pilot, "n14")).splitlines() if "│ " in line]
        assert len({line.index("│ ") for line in lines}) == 1  # every value keeps its columns aligned


async def test_awkward_values_stay_on_one_line_of_aligned_cells(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        screen = await shows(pilot, "xxxxxx…", "مرحبا", "[0, 1]", "[b]x␛[2J")
        lines = [line for line in screen.splitlines() if "│" in line and "xxxx" in line]
        assert len(lines) > 15


async def test_a_value_is_copied_to_its_end_however_it_is_drawn(wide: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "TERM"):
        monkeypatch.delenv(name, raising=False)
    async with rows_of(wide) as pilot:
        await pilot.press("right", "right")
        await shows(pilot, "column 3 of 60", "xxxx")
        assert await copied(pilot, "c") == "x" * 3000
        assert (await copied(pilot, "l")).splitlines()[:2] == ["x" * 3000, "مرحبا"]
        assert (await copied(pilot, "r")).split("\t")[2] == "x" * 3000


@pytest.mark.parametrize(
    ("value", "text"),
    [(40.639751, "40.639751"), (1234567.0, "1234567"), (12345, "12345"), (None, "–"), (True, "true"),
     (float("inf"), "inf"), ("a" * 5000, "a" * 5000)],
)  # fmt: skip
def test_a_number_is_copied_to_its_last_digit(value: object, text: str) -> None:
    assert shown_cell(value).whole == text


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_cell_filters_the_rows_and_undo_takes_it_back(wide: Engine, size: tuple[int, int]) -> None:
    async with rows_of(wide, size) as pilot:
        await pilot.press("right", "equals_sign")
        await shows(pilot, "carrier = UA", "14,000 of 70,000 (20.0%)", "row 1 of 14,000")
        await pilot.press("exclamation_mark")
        await shows(
            pilot, "carrier = UA · carrier is not UA", "0 of 70,000", "No row matches; u takes the last filter back"
        )
        await pilot.press("u", "u")
        await shows(pilot, "all rows  70,000", "row 1 of 70,000")
        await pilot.press("down", "down", "down", "equals_sign")
        await shows(pilot, "carrier is missing  14,000 of 70,000")
        await pilot.press("U")
        await shows(pilot, "all rows  70,000")
        await pilot.press("u")
        await shows(pilot, "carrier is missing")


async def test_nested_and_binary_cells_filter_too(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("right", "right", "right", "equals_sign")
        await shows(pilot, "parts = [0, 1]  23,334 of 70,000")
        await pilot.press("U", "right", "equals_sign")
        await shows(pilot, "raw = ", "274 of 70,000")


async def test_values_are_browsed_searched_marked_and_filter_the_rows(wide: Engine) -> None:
    async with rows_of(wide, (80, 24)) as pilot:
        await pilot.press("right", "f")
        await shows(pilot, "carrier 4 distinct in 70,000 rows · missing 14,000 (20.0%)", "항공", "missing")
        await pilot.press("slash", "u", "a")
        await shows(pilot, "1 of 4 distinct with ua")
        await pilot.press("enter", "enter")
        await shows(pilot, "carrier = UA", "14,000 of 70,000")
        await pilot.press("U", "f")
        await shows(pilot, "4 distinct")
        await pilot.press("space", "space", "enter")
        await shows(pilot, "carrier in (", "28,000 of 70,000 (40.0%)")


async def test_numbers_are_browsed_in_bins(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("f")
        await shows(pilot, "70,000 distinct")
        await pilot.press("v")
        await shows(pilot, "bins in 70,000 rows", "0 to ")
        await pilot.press("enter")
        await shows(pilot, "0 ≤ id < ", "of 70,000 (")


async def test_bins_that_are_counted_are_shown_though_a_search_is_answered_meanwhile(
    wide: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Values.page
    async with rows_of(wide) as pilot:
        await pilot.press("f")
        await shows(pilot, "70,000 distinct")
        held = Held()

        def slowly(values: Values, *arguments: Any, **options: Any) -> Counted:  # Any: whatever a page is asked by
            found = page(values, *arguments, **options)
            held.wait(values.binned)
            return found

        monkeypatch.setattr(Values, "page", slowly)
        await pilot.press("slash", "7", "enter")
        await becomes(pilot, lambda: False in held.begun)
        await pilot.press("v")
        await becomes(pilot, lambda: True in held.begun)
        held.end(False)
        await pilot.pause()
        held.end(True)
        await shows(pilot, "bins in 70,000 rows", "0 to ")


async def test_a_search_that_is_typed_while_values_are_counted_narrows_them_once_they_are(
    wide: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Values.page
    async with rows_of(wide) as pilot:
        held = Held()

        def slowly(values: Values, *arguments: Any, **options: Any) -> Counted:  # Any: whatever a page is asked by
            found = page(values, *arguments, **options)
            if not options["search"]:
                held.wait("counted")
            return found

        monkeypatch.setattr(Values, "page", slowly)
        await pilot.press("right", "f")
        await becomes(pilot, lambda: "counted" in held.begun)
        await pilot.press("slash", "u", "a", "enter")
        held.end("counted")
        await shows(pilot, "1 of 4 distinct with ua")


async def test_a_column_is_found_by_a_part_of_its_name_and_kept_in_view(wide: Engine) -> None:
    async with rows_of(wide, (80, 24)) as pilot:
        await typed(pilot, "c", "n53")
        await shows(pilot, "column 60 of 60", "n53")
        await pilot.press("p", "home", "left", "left", "left")
        await shows(pilot, "id", "n53", "│")
        assert grid(pilot).kept == ["id", "n53"]


async def test_a_row_is_shown_in_full(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("down", "enter")
        await shows(pilot, "wide v1 · row 2", "carrier", "B6", "list<")
        await pilot.press("escape")
        await shows(pilot, "row 2 of 70,000")


async def test_rows_are_sorted_and_unsorted(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("S")
        await shows(pilot, "id▼", "69999│", "by id ▼")
        await becomes(pilot, lambda: grid(pilot).total == ROWS)
        await pilot.press("G")
        await shows(pilot, "row 70,000 of 70,000")
        await pilot.press("S")
        await becomes(pilot, lambda: grid(pilot).sorted_by is None)


async def test_facets_count_under_the_filter_and_filter_themselves(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("right", "F")
        await shows(pilot, "Facets", "14,000", "20%")
        await pilot.press("equals_sign")
        await shows(pilot, "carrier = UA", "100%")
        await pilot.press("U")
        await shows(pilot, "all rows", "20%")
        pilot.app.query_one("#facets").focus()
        await pilot.press("down", "enter")
        await shows(pilot, "14,000 of 70,000 (20.0%)")


async def test_what_was_looked_at_is_there_after_leaving_and_coming_back(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("right", "equals_sign")
        await shows(pilot, "row 1 of 14,000")
        await pilot.press("down", "down", "1")
        await becomes(pilot, lambda: not pilot.app.query_one("#stage-explore").display)
        await pilot.press("3")
        await shows(pilot, "carrier = UA", "row 3 of 14,000", "column 2 of 60")


async def test_rows_that_nobody_looks_at_take_no_memory(wide: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "UNSEEN_S", 0.01)
    before = pa.total_allocated_bytes()
    async with rows_of(wide) as pilot:
        await pilot.press("right", "equals_sign")
        await shows(pilot, "row 1 of 14,000")
        await settle(pilot)
        reader = pilot.app.query_one(RowBrowser).reader
        assert reader is not None
        assert pa.total_allocated_bytes() > before
        await pilot.press("1")
        await becomes(pilot, lambda: pa.total_allocated_bytes() == before and reader.duck.resting)
        await pilot.press("3")
        await shows(pilot, "carrier = UA", "row 1 of 14,000")
        await pilot.press("right", "S")
        await shows(pilot, "مرحبا")  # what was found before is sorted and read anew


async def test_a_newer_question_stops_the_older_one_and_nothing_stale_is_drawn(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        browser = pilot.app.query_one(RowBrowser)
        for word in ("carrier = UA", "carrier = B6", "n5 > 90", "id < 10"):
            browser.type(word)
        await shows(pilot, "id < 10  10 of 70,000")
        await settle(pilot)
        screen = await shows(pilot, "row 1 of 10")
        assert "UA" in screen


async def test_the_filtered_rows_are_exported(wide: Engine, tmp_path: Path) -> None:
    async with rows_of(wide) as pilot:
        await pilot.press("right", "equals_sign")
        await shows(pilot, "14,000 of 70,000")
        await typed(pilot, "E", str(tmp_path / "rows.csv"))
        await shows(pilot, "14,000 rows are in")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 14_001


async def test_a_column_of_the_profile_leads_to_its_rows(wide: Engine) -> None:
    async with Console(wide, stage="explore").run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        await shows(pilot, "by interest")
        table = pilot.app.query_one("#columns", Table)
        await becomes(pilot, lambda: table.select("carrier"))
        await pilot.press("equals_sign", "f")
        await shows(pilot, "carrier 4 distinct in 70,000 rows")
        await pilot.press("enter")
        await shows(pilot, "carrier ", "14,000 of 70,000", "row 1 of 14,000")


async def test_columns_that_say_the_same_in_all_rows_are_folded(wide: Engine) -> None:
    async with rows_of(wide) as pilot:
        browser = pilot.app.query_one(RowBrowser)
        await pilot.press("z")
        await shows(pilot, "1 column folded: z", "of 59")  # n0 is 0 in every row
        browser.narrow(Filter(column="id", op="in", values=(7, 7 + 2 * 97)))
        await shows(pilot, "2 of 70,000", "columns folded: z", "row 1 of 2")
        names = [field.name for field in grid(pilot).fields]
        assert names[:1] == ["id"]
        assert not {"n1", "n53", "gust"} & set(names), "the same in both rows, or missing in both"
        await becomes(pilot, lambda: "gust" not in screen_text(pilot))
        await pilot.press("u")
        await shows(pilot, "row 1 of 70,000", "1 column folded")
        await pilot.press("z")
        await shows(pilot, "column 1 of 60")
        assert "folded" not in browser.query_one(Place).words
