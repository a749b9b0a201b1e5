"""What stands behind a dialog, dimmed; Textual's own asks for new colours of every piece each time it is drawn."""

from functools import lru_cache
from typing import TYPE_CHECKING

import textual.screen
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style as TextualStyle
from textual.visual import RenderOptions, Visual

if TYPE_CHECKING:
    from textual.screen import Screen


class Behind(Visual):
    """The picture of a screen under a colour, without links."""

    def __init__(self, screen: "Screen[object]", colour: Color) -> None:
        self.screen, self.colour = screen, colour

    def render_strips(self, width: int, height: int | None, style: TextualStyle, options: RenderOptions) -> list[Strip]:
        colour = self.colour
        strips = self.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]
        dimmed = [
            Strip([Segment(text, dim(look, colour)) for text, look, _ in strip], strip.cell_length) for strip in strips
        ]
        return [strip.adjust_cell_length(width) for strip in dimmed[:height]]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.screen.size.height


@lru_cache(maxsize=1024)
def dim(look: Style | None, colour: Color) -> Style:
    """Return a style under a colour that lets some of it through."""
    if look is None:
        return Style()
    bare = look.clear_meta_and_links()
    if not colour.a:
        return bare
    front, back = (
        (Color.from_rich_color(part) + colour).rich_color if part is not None else None
        for part in (look.color, look.bgcolor)
    )
    return bare + Style.from_color(front, back)


def draw_behind() -> None:
    """Have every screen that lets something through drawn over `Behind`."""
    textual.screen.BackgroundScreen = Behind  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]
