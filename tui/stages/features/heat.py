"""The heat map of association: a square of numbers by rows and columns, with a cursor that reads one pair off."""

import math
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.color import Color
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from lemnis.engine.features import Matrix
from lemnis.tui.actions import bindings
from lemnis.tui.widgets.cells import drawable, fitted

CELL, LABEL = 3, 24  # cells of a value and, at most, of a name
FAINT, STRONG = 0.10, 0.55  # below the first a value is a dot; from the second on its text is drawn in the background


class HeatMap(Widget, can_focus=True):
    """Hundredths of one measure, ordered so that columns that go together stand together; 83 is 0.83.

    It reads without colour: a weak value is a dot, and a negative one has its sign.
    """

    BINDINGS = bindings("tables")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"heat--cursor", "heat--name"}
    line: reactive[int] = reactive(0)
    place: reactive[int] = reactive(1)

    @dataclass
    class Moved(Message):
        """The cursor is on another pair."""

        heat: "HeatMap"

        @property
        def control(self) -> "HeatMap":
            return self.heat

    @dataclass
    class Opened(Moved):
        """Enter was pressed on a pair."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.matrix: Matrix | None = None
        self.measure = "kind"
        self.top = self.left = 0

    def show(self, matrix: Matrix | None, measure: str) -> None:
        """Show a matrix by one of its measures; the cursor stays where it is."""
        if (matrix, measure) != (self.matrix, self.measure):
            self.matrix, self.measure = matrix, measure
            self.line, self.place = self.line, self.place  # within the new bounds
            self.refresh()

    @property
    def size_of(self) -> int:
        """How many columns the matrix has."""
        return len(self.matrix.order) if self.matrix else 0

    @property
    def pair(self) -> tuple[int, int] | None:
        """The places of the two columns under the cursor in the matrix's names."""
        if self.matrix is None or not self.size_of:
            return None
        return self.matrix.order[self.line], self.matrix.order[self.place]

    def select(self, name: str) -> None:
        """Move the cursor to the line of a column."""
        if self.matrix is not None and name in self.matrix.names:
            self.line = self.matrix.order.index(self.matrix.names.index(name))

    # Keys, as in a table.

    def action_move(self, lines: int) -> None:
        self.line += lines

    def action_step(self, places: int) -> None:
        self.place += places

    def action_page(self, pages: int) -> None:
        self.line += pages * max(1, self.size.height - 2)

    def action_end(self, last: bool) -> None:
        self.line = self.size_of - 1 if last else 0

    def action_open(self) -> None:
        if self.pair is not None:
            self.post_message(self.Opened(self))

    def validate_line(self, line: int) -> int:
        return max(0, min(line, self.size_of - 1))

    def validate_place(self, place: int) -> int:
        return max(0, min(place, self.size_of - 1))

    def watch_line(self) -> None:
        self._follow()

    def watch_place(self) -> None:
        self._follow()

    def on_resize(self) -> None:
        self._follow()

    def on_click(self, event: Click) -> None:
        """Move the cursor to the cell that was clicked."""
        if event.y >= 1 and event.x >= self.label_width:
            self.line, self.place = self.top + event.y - 1, self.left + (event.x - self.label_width) // CELL

    # How it is drawn.

    @property
    def label_width(self) -> int:
        """Cells of the names with their numbers."""
        names = self.matrix.names if self.matrix else []
        widest = max((drawable(name).cell_length for name in names), default=0)
        return min(LABEL, widest, max(8, self.size.width // 3)) + len(str(self.size_of)) + 3

    def _follow(self) -> None:
        """Scroll so that the cursor is seen, and say where it is."""
        if not self.size.width:  # not laid out yet
            return
        lines = max(1, self.size.height - 1)
        places = max(1, (self.size.width - self.label_width) // CELL)
        self.top = min(max(self.top, self.line - lines + 1), self.line, max(0, self.size_of - lines))
        self.left = min(max(self.left, self.place - places + 1), self.place, max(0, self.size_of - places))
        self.top, self.left = max(0, self.top), max(0, self.left)
        self.refresh()
        self.post_message(self.Moved(self))

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        line = self.top + y - 1
        matrix = self.matrix
        if matrix is None or line >= self.size_of:
            return Strip.blank(self.size.width, base)
        shown = range(self.left, min(self.size_of, self.left + (self.size.width - self.label_width) // CELL))
        if y == 0:
            segments = [Segment(" " * self.label_width, base)]
            for place in shown:
                segments.append(Segment(f"{place + 1:>{CELL}}", self._name_style(place == self.place)))
        else:
            name = drawable(matrix.names[matrix.order[line]])
            number = f"{line + 1:>{len(str(self.size_of))}} "
            text = number + fitted(name, self.label_width - len(number) - 1).plain + " "
            segments = [Segment(text, self._name_style(line == self.line))]
            segments += [self._cell(matrix, line, place) for place in shown]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _name_style(self, here: bool) -> RichStyle:
        style = self.visual_style.rich_style
        return style + self.get_component_rich_style("heat--name", partial=True) if here else style

    def _cell(self, matrix: Matrix, line: int, place: int) -> Segment:
        value = matrix.value(self.measure, matrix.order[line], matrix.order[place])
        text = f"{'╲' if line == place else words_of(value):>{CELL}}"
        if (line, place) == (self.line, self.place):
            style = self.get_component_rich_style("heat--cursor") + RichStyle(bold=True, reverse=not self.has_focus)
            return Segment(text, self.visual_style.rich_style + style)
        return Segment(text, self.visual_style.rich_style + self._shade(0.0 if line == place else value))

    def _shade(self, value: float) -> RichStyle:
        """Return the colour of a value: the accent for what rises together, the alarm colour for the opposite."""
        strength = 0.0 if math.isnan(value) else abs(value)
        if self.app.native_ansi_color:  # sixteen colours have no shades
            return RichStyle(bold=strength >= STRONG)
        variables = self.app.theme_variables
        ground = Color.parse(variables["background"])
        tint = Color.parse(variables["primary" if not value < 0 else "error"])
        back = ground.blend(tint, 0.85 * strength)
        front = ground if strength >= STRONG else Color.parse(variables["foreground" if strength >= FAINT else "faint"])
        return RichStyle(color=front.rich_color, bgcolor=back.rich_color)


def words_of(value: float) -> str:
    """Return a value in hundredths: ``83``, ``−62``, a dot for a weak one, nothing where it is not defined."""
    if math.isnan(value):
        return ""
    if abs(value) < FAINT:
        return "·"
    return f"{'−' if value < 0 else ''}{min(99, round(abs(value) * 100))}"
