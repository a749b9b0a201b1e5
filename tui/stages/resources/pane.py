"""Panes of Resources: lines that repaint only what changed."""

import os
import sys
from collections.abc import Callable, Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from lemnis.tui.stages.resources.live.graph import Shape, shape_for
from lemnis.tui.widgets.cells import fitted


class Lines(Widget):
    """Lines of text drawn for the width there is; of a new picture only the lines that differ are sent."""

    DEFAULT_CSS = "Lines { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None):
        super().__init__(id=id, classes=classes)
        self._draw: Callable[[int], Sequence[Content]] = lambda width: ()
        self._lines: list[Content] = []

    def show(self, draw: Callable[[int], Sequence[Content]]) -> None:
        """Show what `draw` returns for a width in cells; it is asked again when the width changes."""
        self._draw = draw
        width = self.size.width
        if not width:
            return
        lines = [fitted(line, width) for line in draw(width)]
        if len(lines) != len(self._lines):
            self._lines = lines
            self.resize()
            return
        changed = [index for index, line in enumerate(lines) if not line.is_same(self._lines[index])]
        self._lines = lines
        if changed:
            self.refresh(*(Region(0, index, width, 1) for index in changed))

    def resize(self) -> None:
        """Take as many lines as there are."""
        self.styles.height = max(1, len(self._lines))
        self.refresh(layout=True)

    def on_resize(self) -> None:
        self._lines = []
        self.show(self._draw)

    def render(self) -> RenderResult:
        return Content("\n").join(self._lines)


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
