"""A picture is made of what is seen in it: the same cells as if all were drawn over each other, and nothing else."""

# pyright: basic

import random
import re

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from support import engine_at, settle
from textual.app import App, ComposeResult
from textual.containers import Container, Horizontal
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from lemnis.tui.app import Console
from lemnis.tui.terminal.composing import draw_seen, seen


def cells(strip):
    """Return what stands in each cell; the second half of a wide letter is empty."""
    letters = [(letter, segment.style) for segment in strip for letter in segment.text]
    return [cell for letter, style in letters for cell in ((letter, style), ("", style))[: cell_len(letter)]]


def painted(compositor):
    """Return each line's cells, made by drawing all of every widget, from the back to the front."""
    lines = [[None] * compositor.size.width for _ in range(compositor.size.height)]
    for widget, (region, clip) in reversed(compositor.visible_widgets.items()):
        part = clip.intersection(region)
        strips = widget.render_lines(part.translate((-region.x, -region.y)))
        for y, strip in zip(part.line_range, strips, strict=True):
            lines[y][part.x : part.right] = cells(strip)
    return lines


@pytest.mark.parametrize("keys", [["1"], ["6"], ["0"], ["colon"], ["at"], ["2", "question_mark"]])
async def test_what_is_seen_is_what_was_drawn_last_over_all_else(keys: list[str], tmp_path) -> None:
    chance = random.Random(7)
    async with Console(engine_at(tmp_path / "ws")).run_test(size=(110, 30)) as pilot:
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        compositor = pilot.app.screen._compositor
        whole = painted(compositor)
        for y, line in seen(compositor, [(y, 0, 110) for y in range(30)]).items():
            assert [cell for strip in line.values() for cell in cells(strip)] == whole[y]
        for _ in range(40):
            spans = [(y, x, x + chance.randint(1, 40)) for y in range(30) for x in (chance.randrange(30), 70)]
            lines = seen(compositor, spans)
            for y in range(30):
                wanted = {x for row, begin, end in spans if row == y for x in range(begin, min(end, 110))}
                given = {x + at: cell for x, strip in lines[y].items() for at, cell in enumerate(cells(strip))}
                assert given == {x: whole[y][x] for x in given}
                assert given.keys() >= wanted


class Layers(App[None]):
    """A text that fills two boxes in each other but for a line."""

    CSS = "#box { height: 100%; } #text { height: 9; } #note { layer: over; offset: 4 2; width: 9; height: 3; } "
    CSS += "Screen { layers: under over; }"

    def compose(self) -> ComposeResult:
        with Container(id="box"):
            yield Static("\n".join("words" for _ in range(9)), id="text")
        yield Static("한글 note", id="note")


async def test_only_what_is_seen_is_drawn_and_only_the_lines_that_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_seen()
    asked: dict[str | None, Region] = {}
    drawn = Widget.render_lines
    async with Layers().run_test(size=(20, 10)) as pilot:
        screen = pilot.app.screen
        monkeypatch.setattr(
            Widget, "render_lines", lambda self, crop: (asked.update({self.id: crop}), drawn(self, crop))[1]
        )
        compositor = screen._compositor
        compositor.render_update(full=True)
        assert asked == {"note": Region(0, 0, 9, 3), "text": Region(0, 0, 20, 9), "box": Region(0, 9, 20, 1)}
        asked.clear()
        compositor._dirty_regions.update({Region(4, 3, 1, 1), Region(0, 4, 9, 1)})
        compositor.render_update()
        assert asked == {"note": Region(0, 1, 9, 2), "text": Region(0, 4, 20, 1)}
        assert compositor.render_update() is None


async def test_a_change_that_begins_or_ends_within_a_wide_letter_draws_all_of_it() -> None:
    draw_seen()
    async with Layers().run_test(size=(20, 10)) as pilot:
        compositor = pilot.app.screen._compositor
        compositor._dirty_regions.add(Region(5, 2, 2, 1))
        written = compositor.render_update().render_segments(pilot.app.console)
        assert re.findall(r"한글|\x1b\[\d+;\d+H", written) == ["\x1b[3;5H", "한글"]


class Late(Widget):
    """One that draws as if it were two cells wide."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return [Strip([Segment("ab")])] * crop.height


class Beside(App[None]):
    CSS = "Late { width: 9; height: 1; } Static { width: 9; height: 1; } Horizontal { height: 1; }"

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Late()
            yield Static("beside it")


async def test_what_draws_less_than_its_place_leaves_the_rest_of_it_empty() -> None:
    draw_seen()
    async with Beside().run_test(size=(18, 2)) as pilot:
        compositor = pilot.app.screen._compositor
        assert compositor.render_strips()[0].text == "ab       beside it"
