import json
from collections.abc import Sequence
from typing import Any

import pytest
from support import screen_text, settle
from textual.app import ComposeResult
from textual.content import Content

from lemnis.engine.errors import BadInput
from lemnis.tui.theme import ThemedApp
from lemnis.tui.widgets import Col, Row, Table


class Sheet(ThemedApp[None]):
    """One table and what it said."""

    def __init__(self, *columns: Col) -> None:
        super().__init__()
        self.columns, self.said = columns or (Col("name", flex=True), Col("size", right=True)), []

    def compose(self) -> ComposeResult:
        yield Table(*self.columns, id="sheet", empty="No rows yet. Press n.")

    async def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    def on_table_opened(self, message: Table.Opened) -> None:
        self.said.append(("opened", message.key))

    def on_table_marked(self, message: Table.Marked) -> None:
        self.said.append(("marked", message.keys))

    def on_table_sorted(self, message: Table.Sorted) -> None:
        self.said.append(("sorted", message.column, message.descending))


def rows(*sizes: Any) -> list[Row]:
    return [
        Row(f"k{size}", (f"row {size}", "–" if size is None else str(size)), (f"row {size}", size)) for size in sizes
    ]


def names(app: Sheet) -> list[str]:
    return [str(row.cells[0]) for row in app.table.rows]


async def test_an_empty_table_says_what_to_do() -> None:
    async with Sheet().run_test(size=(40, 8)) as pilot:
        pilot.app.query_one(Table).show([])
        await settle(pilot)
        assert "No rows yet. Press n." in screen_text(pilot)


@pytest.mark.parametrize(("width", "scrolls"), [(20, False), (19, False), (18, True)])
async def test_a_table_that_just_fits_does_not_scroll(width: int, scrolls: bool) -> None:
    async with Sheet(Col("name", width=10), Col("size", width=6)).run_test(size=(width, 8)) as pilot:
        pilot.app.query_one(Table).show(rows(1, 2))
        await settle(pilot)
        assert pilot.app.query_one(Table).show_horizontal_scrollbar is scrolls


async def test_an_empty_table_speaks_also_when_nothing_else_is_drawn_anew() -> None:
    async with Sheet().run_test(size=(40, 8)) as pilot:
        await settle(pilot)
        screen_text(pilot)  # everything is drawn before the first read comes in
        table = pilot.app.query_one(Table)
        table.show([])
        await settle(pilot)
        assert "No rows yet. Press n." in screen_text(pilot)
        table.empty = "Nothing matches."
        table.show([])
        await settle(pilot)
        assert "Nothing matches." in screen_text(pilot)


async def test_numbers_end_at_the_same_column_and_wide_characters_keep_it() -> None:
    app = Sheet()
    async with app.run_test(size=(30, 8)) as pilot:
        app.table.show([Row("a", ("航空会社", "7")), Row("b", ("plain", "1,234"))])
        await settle(pilot)
        lines = screen_text(pilot).splitlines()
        assert lines[0].endswith("size")
        assert lines[1].endswith("    7")
        assert lines[2].endswith("1,234")
        assert Content(lines[1]).cell_length == Content(lines[2]).cell_length


async def test_the_cursor_stays_on_its_row_when_rows_come_before_it() -> None:
    app = Sheet()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(rows(1, 2, 3))
        await pilot.press("j")
        assert app.table.key == "k2"
        app.table.show(rows(9, 8, 7, 1, 2, 3))
        assert app.table.key == "k2"
        app.table.show(rows(9, 3))
        assert app.table.key == "k3"


async def test_equal_rows_draw_nothing() -> None:
    app = Sheet()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(rows(1, 2, 3))
        await settle(pilot)
        drawn: list[bool] = []
        app.table.refresh = lambda *args, **options: drawn.append(True) or app.table  # type: ignore[method-assign]
        app.table.show(rows(1, 2, 3))
        assert drawn == []


@pytest.mark.parametrize(("key", "wanted"), [("s", ["row 1", "row 2", "row 3"]), ("S", ["row 3", "row 2", "row 1"])])
async def test_sorting_puts_what_is_missing_last_either_way(key: str, wanted: list[str]) -> None:
    app = Sheet()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(rows(2, None, 3, 1))
        await pilot.press("l", key)
        assert names(app) == [*wanted, "row None"]
        app.table.show(rows(2, None, 3, 1))
        assert names(app) == [*wanted, "row None"], "the order is kept over an update"


async def test_marks_are_told_and_stay_with_their_keys() -> None:
    app = Sheet()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(rows(1, 2, 3))
        await pilot.press("space", "space", "enter")
        await settle(pilot)
        assert app.said == [("marked", ("k1",)), ("marked", ("k1", "k2")), ("opened", "k3")]
        app.table.show(rows(3, 2))
        assert "✓ row 2" in screen_text(pilot).replace("✓row", "✓ row") or app.table.marks == ["k1", "k2"]


async def test_names_that_look_like_markup_or_move_the_cursor_are_shown_as_they_are() -> None:
    app = Sheet()
    async with app.run_test(size=(60, 8)) as pilot:
        app.table.show(
            [Row(str(n), (name, "1")) for n, name in enumerate(["model[v2]", "[/etc/passwd]", "a\x1b[2Jb\nc"])]
        )
        await settle(pilot)
        text = screen_text(pilot)
        assert "model[v2]" in text
        assert "[/etc/passwd]" in text
        assert "a␛[2Jb␊c" in text
        assert "\x1b" not in text


def window(offset: int, limit: int) -> Sequence[Row]:
    return [Row(f"k{n}", (f"row {n}", str(n)), (f"row {n}", n)) for n in range(offset, min(offset + limit, 100_000))]


async def test_a_hundred_thousand_rows_are_read_a_window_at_a_time() -> None:
    asked: list[int] = []

    def fetch(offset: int, limit: int) -> Sequence[Row]:
        asked.append(offset)
        return window(offset, limit)

    app = Sheet()
    async with app.run_test(size=(40, 20)) as pilot:
        app.table.show_window(100_000, fetch)
        await settle(pilot)
        assert "row 0" in screen_text(pilot)
        await pilot.press("G")
        await settle(pilot)
        assert "row 99999" in screen_text(pilot)
        assert app.table.key == "k99999"
        await pilot.press("g")
        await settle(pilot)
        assert "row 0 " in screen_text(pilot)
        assert len(asked) <= 4
        await pilot.press("l", "S")
        assert app.said == [("sorted", "size", True)]


async def test_a_window_that_can_not_be_read_says_why() -> None:
    def fetch(offset: int, limit: int) -> Sequence[Row]:
        raise BadInput("The file is gone.", "Link again.")

    app = Sheet()
    async with app.run_test(size=(60, 8)) as pilot:
        app.table.show_window(10, fetch)
        await settle(pilot)
        assert "✖ The file is gone." in screen_text(pilot)


async def test_what_is_copied_is_the_cell_the_row_its_json_or_the_table() -> None:
    app = Sheet()
    async with app.run_test(size=(40, 8)) as pilot:
        app.table.show(rows(1, 2))
        await pilot.press("j", "l")
        assert app.table.copy_text("c") == "2"
        assert app.table.copy_text("r") == "row 2\t2"
        assert json.loads(app.table.copy_text("j")) == {"name": "row 2", "size": 2}
        assert app.table.copy_text("m").splitlines()[0] == "| name | size |"


def look(app: Sheet, line: int) -> Any:
    """Return the style of the first letters of a line of the table."""
    return next(segment.style for segment in app.table.render_line(line) if segment.text.strip(" ›"))


async def test_the_parts_of_a_table_look_as_the_theme_says_and_change_with_it() -> None:
    async with Sheet().run_test(size=(40, 8)) as pilot:
        app = pilot.app
        app.table.show(rows(1, 2))
        await settle(pilot)
        for theme in ("lemnis", "lemnis-light"):
            app.theme = theme
            await settle(pilot)
            named = {name: value.lower() for name, value in app.theme_variables.items()}
            header, cursor, other = (look(app, line) for line in (0, 1, 2))
            assert (header.bold, header.color.get_truecolor().hex) == (True, named["stage-accent"])
            assert (cursor.bold, cursor.bgcolor.get_truecolor().hex) == (True, named["cursor"])
            assert (other.bold, other.bgcolor.get_truecolor().hex) == (None, named["background"])
        app.table.action_mark()
        app.table.action_move(1)
        assert look(app, 1).color.get_truecolor().hex == named["stage-accent"]
        app.set_focus(None)
        await settle(pilot)
        assert look(app, 0).color.get_truecolor().hex == named["muted"]
        assert look(app, 2).bgcolor.get_truecolor().hex == named["surface"]


async def test_without_colours_the_row_of_the_cursor_stands_out_by_other_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with Sheet().run_test(size=(40, 8)) as pilot:
        pilot.app.table.show(rows(1, 2))
        await settle(pilot)
        assert (look(pilot.app, 1).bold, look(pilot.app, 1).reverse) == (True, True)
        pilot.app.set_focus(None)
        await settle(pilot)
        assert look(pilot.app, 1).underline
        assert not look(pilot.app, 2).underline
