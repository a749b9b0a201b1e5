"""Grid: rows by columns without end; only the cells on screen are read, and those a person is about to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from lemnis.engine import LemnisError
from lemnis.tui.actions import bindings
from lemnis.tui.format import number
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.widgets.cells import Col, Row, copied, styles_for
from lemnis.tui.widgets.gridcells import (
    GAP,
    Field,
    Looks,
    Pages,
    Runs,
    Shown,
    Window,
    ahead,
    cut,
    shown_cell,
    window_of,
)

PATIENCE_SECONDS = 0.06  # so long the page before stays on screen; then what is not read yet is drawn as …
# Any: cells as the engine has them
Fetch: TypeAlias = Callable[[int, int, list[str], Callable[[], bool]], Sequence[Sequence[Any]]]
WAITING = Shown("…", 1, None, quiet=True)


class Grid(Widget, can_focus=True):
    """A table of any number of rows and columns, read through ``fetch(offset, limit, columns, wanted)`` in a thread.

    Fields that are kept stay at the left; the cursor is on a cell. What is read for a page that is not shown any more
    is never drawn.
    """

    BINDINGS = [one for one in bindings("tables") if getattr(one, "id", "") != "table.mark"]
    empty: reactive[str] = reactive("")

    @dataclass
    class About(Message):
        """Something a grid says."""

        grid: "Grid"

        @property
        def control(self) -> "Grid":
            return self.grid

    @dataclass
    class Moved(About):
        """The cursor is on another cell, or other columns are on screen."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Grid.Moved) and message.grid is self.grid

    @dataclass
    class Opened(About):
        """Enter was pressed on a cell."""

    @dataclass
    class Sorted(About):
        """The person wants the rows in another order."""

        column: str
        descending: bool

    @dataclass
    class Fetched(Message):
        """A thread has read a part: cells by row and field; none when it was not wanted any more."""

        generation: int
        cells: dict[tuple[int, str], Shown]
        error: LemnisError | None = None

    def __init__(self, *, id: str | None = None, empty: str = ""):
        super().__init__(id=id)
        self.set_reactive(Grid.empty, empty)
        self.fields: list[Field] = []
        self.kept: list[str] = []
        self.total = self.top = self.left = 0
        self.row = self.place = 0  # the cursor: its row, and its field's place in the order of the screen
        self.sorted_by: tuple[str, bool] | None = None
        self._pages = Pages()
        self._fetch: Fetch | None = None
        self._reading: tuple[Window, bool] | None = None  # what a thread reads, and whether it is only ahead
        self._going = 1  # the way the person last moved, by rows
        self._held: Timer | None = None
        self._drawn = Window(0, 0, ())
        self._order: list[Field] | None = None
        self._looks = Looks((None, None, None), (None, None, None))

    # What an owner uses.

    def show(self, fields: Sequence[Field], total: int, fetch: Fetch) -> None:
        """Show rows that `fetch` reads; the cursor stays where it was as far as there are rows."""
        name = self.field.name if self.field else ""
        if [field.name for field in fields] != [field.name for field in self.fields]:
            self.fields, self._order, self.left = list(fields), None, 0
            self.kept = [name for name in self.kept if any(field.name == name for field in fields)]
        self._fetch, self.total = fetch, total
        self._pages.start()
        self._reading = None
        self.row, self.top = min(self.row, max(0, total - 1)), min(self.top, max(0, total - 1))
        self.select(name)
        self._changed()

    def grow(self, total: int) -> None:
        """Say that so many rows are known now."""
        if total != self.total:
            self.total = total
            self._changed()

    def keep(self, names: Sequence[str]) -> None:
        """Keep these fields at the left."""
        name = self.field.name if self.field else ""
        self.kept, self._order, self.left = list(names), None, 0
        self.select(name)
        self._changed()

    def select(self, name: str) -> None:
        """Put the cursor on a field, if there is one of this name."""
        names = [field.name for field in self.order]
        if name in names:
            self.place = names.index(name)
        self.place = min(self.place, max(0, len(names) - 1))
        self._follow()

    def go(self, row: int) -> None:
        """Put the cursor on a row."""
        self._going = 1 if row >= self.row else -1
        self.row = max(0, min(row, self.total - 1))
        self._changed()

    @property
    def order(self) -> list[Field]:
        """The fields as they stand on screen: the kept ones, then the others."""
        if self._order is None:
            by_name = {field.name: field for field in self.fields}
            kept = [by_name[name] for name in self.kept if name in by_name]
            self._order = [*kept, *(field for field in self.fields if field.name not in self.kept)]
        return self._order

    @property
    def field(self) -> Field | None:
        """The field the cursor is on; None when there is none."""
        order = self.order
        return order[self.place] if self.place < len(order) else None

    @property
    def current(self) -> Shown | None:
        """The cell under the cursor; None while it is not read."""
        return self._pages.cells.get((self.row, self.field.name)) if self.field else None

    @property
    def window(self) -> Window:
        """The rows and fields on screen."""
        return window_of(self, self._pages.widths, self.size.width, max(1, self.size.height - 1))

    def copy_text(self, kind: str) -> str:
        """Return what `y` copies, values whole: ``c`` the cell, and on screen ``l`` its column, ``r`` its row."""
        if kind == "c":
            return self.current.whole if self.current else ""
        window = self.window
        fields = [part.field for part in window.parts]
        columns = [Col(field.name, field.label, right=field.right, data=True) for field in fields]

        def line(row: int) -> Row:
            cells = [self._pages.cells.get((row, field.name), WAITING) for field in fields]
            return Row(str(row), [cell.whole for cell in cells], [cell.value for cell in cells])

        rows = [line(row) for row in range(window.first, window.last)]
        here = next((place for place, field in enumerate(fields) if field is self.field), 0)
        return copied(kind, columns, rows, line(self.row), here)

    # Keys.

    def action_move(self, rows: int) -> None:
        self.go(self.row + rows)

    def action_step(self, columns: int) -> None:
        self.place = max(0, min(self.place + columns, len(self.fields) - 1))
        self._changed()

    def action_page(self, pages: int) -> None:
        rows = pages * max(1, self.size.height - 2)
        self.top = max(0, min(self.top + rows, self.total - 1))
        self.go(self.row + rows)

    def action_end(self, last: bool) -> None:
        self.go(self.total - 1 if last else 0)

    def action_open(self) -> None:
        if self.total:
            self.post_message(self.Opened(self))

    def action_sort(self, direction: str) -> None:
        if self.field is not None:
            self.post_message(self.Sorted(self, self.field.name, direction == "down"))

    # How it works.

    def _changed(self) -> None:
        """Draw the new place at once if its cells are there, otherwise as soon as they come or patience ends."""
        self._follow()
        if self._pages.lacks(self.window) is None:
            self.refresh()
        elif self._held is None:
            self._held = self.set_timer(PATIENCE_SECONDS, self._draw)
        self._ask()
        self.post_message(self.Moved(self))

    def _draw(self) -> None:
        if self._held is not None:
            self._held.stop()
            self._held = None
        self.refresh()

    def _follow(self) -> None:
        """Move the window so that the cursor is in it."""
        height = max(1, self.size.height - 1)
        self.top = max(0, min(self.top, self.row, self.total - 1))
        self.top = max(self.top, self.row - height + 1)
        kept = len(self.kept)
        if self.place < kept:
            return
        self.left = min(self.left, self.place - kept)
        while self.left < self.place - kept and not self.window.holds(self.place - kept):
            self.left += 1

    def _ask(self) -> None:
        """Read what is on screen, or when that is there what may come next."""
        fetch = self._fetch
        if fetch is None or not self.total or not self.size.height:
            return
        window = self.window
        need, early = self._pages.lacks(window), False
        if self._reading is not None:
            if need is None or not self._reading[1] or self._reading[0].covers(need):
                return
            self._reading = None  # it reads ahead, and is in the way
        if need is None:
            need, early = self._pages.lacks(*ahead(window, self.order, self.kept, self._going, self.total)), True
        if need is None:
            return
        reading = self._reading = (need, early)
        generation = self._pages.generation

        def wanted() -> bool:
            return self._reading is reading

        def work() -> None:
            names = [part.field.name for part in need.parts]
            try:
                rows = fetch(need.first, need.last - need.first, names, wanted)
            except LemnisError as error:
                self.post_message(self.Fetched(generation, {}, error if wanted() else None))
                return
            cells = {
                (need.first + place, name): shown_cell(value)
                for place, row in enumerate(rows)
                for name, value in zip(names, row, strict=True)
            }
            if wanted():
                self.post_message(self.Fetched(generation, cells))

        self.run_worker(work, group=f"grid-{self.id}", thread=True, exit_on_error=False)

    def on_grid_fetched(self, message: Fetched) -> None:
        message.stop()
        if message.generation != self._pages.generation:
            return
        self._reading = None
        if message.error is not None:
            self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)
            return
        before = self.window
        self._pages.put(message.cells, near=self.row)
        self._follow()
        if self._held is not None or self.window != before or self._touches(message.cells):
            self._draw()
        if message.cells:
            self._ask()

    def _touches(self, cells: dict[tuple[int, str], Shown]) -> bool:
        window = self.window
        return any(window.first <= row < window.last for row, _ in cells)

    def on_resize(self, event: Resize) -> None:
        self._changed()

    def on_focus(self) -> None:
        self.refresh()

    on_blur = on_focus

    def on_click(self, event: Click) -> None:
        if event.y:
            self.go(self.top + event.y - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    # How it looks.

    def render_lines(self, crop: Region) -> list[Strip]:
        self._drawn, self._looks = self.window, self._look()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        window, width = self._drawn, self.size.width
        if y == 0:
            segments = self._header(window)
        elif window.first + y - 1 < window.last:
            segments = self._line(window, window.first + y - 1)
        elif not self.total and y == min(2, self.size.height - 1):
            segments = [Segment(cut(f" {keyed(self.empty)}", width), self._part("missing"))]
        else:
            return Strip.blank(width, base)
        return Strip(segments).adjust_cell_length(width, segments[-1].style if y and self._here(window, y) else base)

    def _here(self, window: Window, y: int) -> bool:
        return window.first + y - 1 == self.row and self.total > 0

    def _header(self, window: Window) -> list[Segment]:
        head, current = self._part("header"), self._part("current")
        segments = [Segment(cut(_("row"), window.numbers, right=True) + GAP, head)]
        for part in window.parts:
            arrow = (
                ("▼" if self.sorted_by[1] else "▲") if self.sorted_by and self.sorted_by[0] == part.field.name else ""
            )
            label = cut(part.field.label + arrow, part.width, right=part.field.right)
            here = self.field is part.field and self.has_focus
            segments.append(Segment(label, current if here else head))
            segments.append(Segment(part.after, head))
        return segments

    def _line(self, window: Window, row: int) -> list[Segment]:
        looks = self._looks
        here, focused = row == self.row, self.has_focus
        plain, quiet, on_cell = looks.here if here else looks.other
        runs = Runs()
        runs.add(cut(number(row + 1), window.numbers, right=True), quiet)
        runs.add("› " if here and focused else GAP, plain)
        for part in window.parts:
            cell = self._pages.cells.get((row, part.field.name), WAITING)
            mine = here and focused and self.field is part.field
            text = cut(cell.text, part.width, right=part.field.right, known=cell.width)
            runs.add(text, on_cell if mine else quiet if cell.quiet else plain)
            runs.add(part.after, plain)
        return runs.segments()

    def _part(self, name: str) -> RichStyle:
        return (self.visual_style + styles_for(self).part(name)).rich_style

    def _look(self) -> Looks:
        """Return the styles of one picture."""
        styles = styles_for(self)
        plain, quiet, cell = self.visual_style, styles.part("missing"), styles.part("cell")
        cursor = plain + styles.part("cursor" if self.has_focus else "blurred")
        of = [(one.rich_style, (one + quiet).rich_style, (one + cell).rich_style) for one in (plain, cursor)]
        return Looks(of[0], of[1])
