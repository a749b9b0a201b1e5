# pyright: basic

import pytest
from rich.segment import Segment
from rich.style import Style
from support import engine_at, settle
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.visual import Visual

from lemnis.tui.app import Console
from lemnis.tui.terminal.behind import Behind, dim

LOOKS = (
    Style(),
    Style.parse("bold red on #102030"),
    Style.parse("underline color(12)"),
    Style.parse("link https://example.org #ffffff on default"),
    Style(meta={"@click": "boom"}, color="green"),
)


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_a_style_is_dimmed_as_textual_does(alpha: float) -> None:
    colour = Color(10, 20, 30, alpha)
    asked = [Segment("x", look) for look in LOOKS] + [Segment("x")]
    given = [segment.style for segment in BackgroundScreen.process_segments(asked, colour)]
    assert [dim(segment.style, colour) for segment in asked] == given


async def test_a_dialog_stands_over_the_dimmed_picture_of_its_tab(tmp_path) -> None:
    async with Console(engine_at(tmp_path / "ws")).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        tab = pilot.app.screen
        plain = ["".join(segment.text for segment in strip) for strip in tab._compositor.render_strips()]
        await pilot.press("at")
        await settle(pilot)
        visual = pilot.app.screen._render()
        assert isinstance(visual, Behind)
        dimmed = Visual.to_strips(pilot.app.screen, visual, 80, 24, pilot.app.screen.visual_style)
        assert ["".join(segment.text for segment in strip) for strip in dimmed] == plain
