"""Panes of Resources: lines that repaint only what changed."""

import os
import sys
from collections.abc import Callable, Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from lemnis.tui.stages.resources.live.graph import Shape, shape_for
from lemnis.tui.widgets.cells import Styles, fitted, strip_of, styles_for


class Lines(Widget):
    """Lines of text drawn for the width there is; of a new picture only the lines that differ are sent."""

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None):
        super().__init__(id=id, classes=classes)
        self._draw: Callable[[int], Sequence[Content]] = lambda width: ()
        self._lines: list[Content] = []
        self._strips: dict[int, Strip] = {}
        self._styles: Styles | None = None

    def show(self, draw: Callable[[int], Sequence[Content]]) -> None:
        """Show what `draw` returns for a width in cells; it is asked again when the width changes."""
        self._draw = draw
        width = self.size.width
        if not width:
            return
        lines = [fitted(line, width) for line in draw(width)]
        if len(lines) != len(self._lines):
            self._lines, self._strips = lines, {}
            self.resize()
            return
        parts = [changed_part(before, after) for before, after in zip(self._lines, lines, strict=True)]
        self._lines = lines
        changed = [Region(part[0], index, part[1] - part[0], 1) for index, part in enumerate(parts) if part is not None]
        for region in changed:
            self._strips.pop(region.y, None)
        if changed:
            self.refresh(*changed)

    def resize(self) -> None:
        """Take as many lines as there are."""
        self.styles.height = max(1, len(self._lines))
        self.refresh(layout=True)

    def on_resize(self) -> None:
        self._lines = []
        self.show(self._draw)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = {}

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines)

    def render_line(self, y: int) -> Strip:
        """Return one line; those that did not change are not made again."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        styles = styles_for(self)
        if styles is not self._styles:
            self._styles, self._strips = styles, {}
        if y not in self._strips:
            self._strips[y] = strip_of(self._lines[y], self.visual_style, styles)
        return self._strips[y]


def changed_part(before: Content, after: Content) -> tuple[int, int] | None:
    """Return from and to which cell two lines of one width differ, None where they don't."""
    if before.is_same(after):
        return None
    early, late = before.plain, after.plain
    if before.spans != after.spans or len(early) != len(late) or before.cell_length != len(early):
        return 0, max(before.cell_length, after.cell_length)
    places = [place for place, (one, other) in enumerate(zip(early, late, strict=True)) if one != other]
    return places[0], places[-1] + 1


class Filled(Lines):
    """Lines that fill the height there is."""

    DEFAULT_CSS = "Filled { height: 1fr; }"

    def fill(self, draw: Callable[[int, int], Sequence[Content]]) -> None:
        """Show what `draw` returns for a width and a height in cells."""
        self.show(lambda width: draw(width, self.size.height))

    def resize(self) -> None:
        self.refresh()


def terminal_shape() -> Shape:
    """Return what this process's terminal can draw."""
    return shape_for(os.environ, sys.__stdout__.encoding if sys.__stdout__ is not None else "")
