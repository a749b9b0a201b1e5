"""The row browser: filters said in words, rows by windows, facets beside them; nothing it looks for blocks a key."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data import Version
from lemnis.engine.errors import Cancelled
from lemnis.engine.explore import Asked, Filter, RowReader, View, constant_columns
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.stages.explore import rows
from lemnis.tui.stages.explore.facets import FacetsPane
from lemnis.tui.stages.explore.place import Place
from lemnis.tui.stages.explore.resting import Resting
from lemnis.tui.widgets import Grid, Panel, Words

ALL = Asked()


class RowBrowser(Resting):
    """The rows of one version; it keeps filters, order and cursor while it is not seen.

    Attributes:
        history: What was asked for, one entry a filter; the last one is in force.
        folding: Whether columns that say the same in all rows are left out; `folded` are those that are.
    """

    @dataclass
    class Seen(Message):
        """A search has found more, or all; `error` says why it ended without."""

        view: View
        error: LemnisError | None = None
        ended: bool = False

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RowBrowser.Seen) and message.view is self.view and not message.ended

    class Narrowed(Message):
        """A filter was added."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(id="browser")
        self.engine = engine
        self.version: Version | None = None
        self.view: View | None = None
        self.history: list[Asked] = [ALL]
        self.folding = False
        self.folded: list[str] = []
        self._waiting: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        yield Words(id="asked")
        with Horizontal():
            with Panel(_("Rows"), id="rows-panel"):
                yield Grid(id="rows", empty=_("Looking …"))
                yield Place(id="place")
            yield FacetsPane()

    @property
    def asked(self) -> Asked:
        """What is in force."""
        return self.history[-1]

    @property
    def grid(self) -> Grid:
        """The rows."""
        return self.query_one("#rows", Grid)

    # What the stage uses.

    def open(self, version: Version) -> None:
        """Show the rows of a version; another one keeps the filters whose columns it has."""
        if self.version is not None and self.version.id == version.id:
            return
        self.close()
        self.version = version
        self.reader = None
        names = {column.name for column in version.columns}
        self.history = [
            replace(
                one,
                filters=tuple(each for each in one.filters if each.column in names),
                order=one.order if one.order in names else "",
            )
            for one in self.history
        ]
        facets = self.query_one(FacetsPane)
        facets.columns = [name for name in facets.columns if name in names]
        self.grid.keep([name for name in version.keys if name in names][:2])
        self.look()

    def close(self) -> None:
        """Stop what runs and let go of the rows."""
        if self.view is not None:
            self.view.stop()
        if self.reader is not None:
            self.reader.close()
        self.view = self.reader = None

    on_unmount = close

    def ask(self, asked: Asked) -> None:
        """Show other rows; `undo` goes back to these."""
        if asked != self.asked:
            self.history.append(asked)
            self.look(top=True)

    def narrow(self, one: Filter) -> None:
        """Show only the rows that also fit a filter."""
        if one not in self.asked.filters:
            self.ask(replace(self.asked, filters=(*self.asked.filters, one)))
        self.post_message(self.Narrowed())

    def type(self, text: str) -> None:
        """Show the rows that fit what was typed, besides the filters that were set by keys; empty takes it away."""
        if self.version is not None:
            typed = self.engine.explore.asked(self.version, [text])
            self.ask(replace(typed, order=self.asked.order, descending=self.asked.descending))

    def undo(self) -> None:
        """Go back to what was asked before the last filter."""
        if len(self.history) == 1:
            self.notify(_("There is no filter to take back."), markup=False)
            return
        order = self.asked
        self.history.pop()
        self.history[-1] = replace(self.asked, order=order.order, descending=order.descending)
        self.look(top=True)

    def clear(self) -> None:
        """Show all rows again; undo brings the filters back."""
        if self.asked.words:
            self.ask(replace(self.asked, filters=(), where=""))

    # Looking for rows.

    def look(self, *, top: bool = False) -> None:
        """Look for the rows that are asked for; what was looked for before is not any more."""
        if self.version is None:
            return
        if self.view is not None:
            self.view.stop()
        if self.reader is None:
            self.run_worker(self._open_reader, group="rows-open", thread=True, exclusive=True, exit_on_error=False)
            return
        view = self.view = View(self.reader, self.asked)
        if top:
            self.grid.row = self.grid.top = 0
        self.grid.sorted_by = (self.asked.order, self.asked.descending) if self.asked.order else None
        self.grid.empty = _("Looking …")
        self.grid.show(rows.fields(self.version, self.folded), view.known, rows.fetch_of(view))
        self._say()

        def tell() -> None:
            self.post_message(self.Seen(view))

        def work() -> None:
            try:
                view.find(tell)
            except Cancelled:
                return
            except LemnisError as error:
                self.post_message(self.Seen(view, error, ended=True))
                return
            self.post_message(self.Seen(view, ended=True))

        self.run_worker(work, group="rows-find", thread=True, exit_on_error=False)

    def _open_reader(self) -> None:
        version = self.version
        if version is None:
            return
        try:
            reader = self.engine.explore.reader(version.id)
        except LemnisError as error:
            self.app.call_later(self._refuse, error)
            return
        if self.is_attached and version is self.version:
            self.app.call_later(self._opened, reader)
        else:
            reader.close()

    def _opened(self, reader: RowReader) -> None:
        gone = not self.is_attached or self.version is None or self.version.id != reader.version.id
        if gone or self.reader is not None:  # two looks before the first reader came open two
            reader.close()
            return
        self.take(reader)
        self.look()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def when_ready(self, then: Callable[[], None]) -> None:
        """Do something as soon as the rows can be read."""
        if self.reader is not None:
            then()
        else:
            self._waiting = then

    @on(Seen)
    def show_found(self, message: Seen) -> None:
        """Draw how far the search is; after a wrong condition go back to what was shown before it."""
        message.stop()
        if message.view is not self.view:
            return
        if message.error is not None:
            self._refuse(message.error)
            if len(self.history) > 1:
                self.history.pop()
                self.look()
            return
        if message.view.complete:
            if self.folding:
                self._fold()
            self.query_one(FacetsPane).count(message.view)
            self.grid.empty = (
                _("No row matches; {explore.undo} takes the last filter back.")
                if self.asked.words
                else _("There is no row.")
            )
        self.grid.grow(message.view.known)
        self._say()

    def _refuse(self, error: LemnisError) -> None:
        self.notify(error.remedy, title=error.problem, severity="error", markup=False)

    @on(Grid.Moved)
    def say_place(self) -> None:
        """Say where the cursor is."""
        self.query_one(Place).say(self.grid, len(self.folded))

    def _say(self) -> None:
        if self.version is not None and self.view is not None:
            self.query_one("#asked", Words).say(rows.asked_content(self.view, self.version))

    # Keys on a cell.

    def do(self, what: str) -> None:
        """Do what a key says."""
        keys: dict[str, Callable[[], object]] = {
            "values": self.browse_values,
            "only": self.filter_cell,
            "without": lambda: self.filter_cell(exclude=True),
            "undo": self.undo,
            "clear": self.clear,
            "facet": self.facet,
            "column": self.go_to_column,
            "keep": self.keep_column,
            "fold": self.fold,
            "export": self.export,
        }
        keys[what]()

    def filter_cell(self, *, exclude: bool = False) -> None:
        """Show only the rows with the value under the cursor, or only those without it."""
        field, cell, view = self.grid.field, self.grid.current, self.view
        if field is None or cell is None or view is None:
            return
        row = self.grid.row

        def work() -> Any:
            return view.value(row, field.name)

        def then(value: Any) -> None:
            self.narrow(Filter(column=field.name, op="not in" if exclude else "in", values=(value,)))

        self.aside(work, then)

    def aside(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Do something in a thread and give its result to the screen."""

        def run() -> None:
            try:
                result = work()
            except Cancelled:
                return
            except LemnisError as error:
                self.app.call_later(self._refuse, error)
            else:
                self.app.call_later(then, result)

        self.run_worker(run, group="rows-aside", thread=True, exit_on_error=False)

    @on(Grid.Sorted)
    def sort(self, message: Grid.Sorted) -> None:
        """Sort by a column; once more the same way gives the rows' own order back."""
        asked = self.asked
        same = (asked.order, asked.descending) == (message.column, message.descending)
        order = "" if same else message.column
        self.history[-1] = replace(asked, order=order, descending=message.descending and not same)
        self.look(top=True)

    @on(Grid.Opened)
    def open_record(self) -> None:
        """Show all columns of the row under the cursor."""
        from lemnis.tui.screens.record import Record

        view, row, version = self.view, self.grid.row, self.version
        if view is None or version is None:
            return
        names = [column.name for column in version.columns]

        def show(page: Any) -> None:
            if page.rows:
                self.app.push_screen(
                    Record(_("row {row}").format(row=number(row + 1)), version, page.rows[0]), self._back_at
                )

        self.aside(lambda: view.page(row, 1, names), show)

    def _back_at(self, name: str | None) -> None:
        if name:
            self.grid.select(name)
            self.grid.go(self.grid.row)

    def keep_column(self) -> None:
        """Keep the cursor's column in view, or let it scroll again."""
        field = self.grid.field
        if field is not None:
            kept = self.grid.kept
            self.grid.keep([name for name in kept if name != field.name] if field.name in kept else [*kept, field.name])

    def fold(self) -> None:
        """Fold the columns that say the same in all rows that are shown, or show them again."""
        self.folding = not self.folding
        self._fold()

    def _fold(self) -> None:
        view = self.view
        if not self.folding:
            self._show_folded(view, [])
        elif view is not None and view.complete:
            self.aside(lambda: constant_columns(view), lambda names: self._show_folded(view, names))

    def _show_folded(self, view: View | None, names: list[str]) -> None:
        if view is None or view is not self.view or self.version is None:
            return
        self.folded = [name for name in names if self.folding and name not in self.grid.kept]
        if self.folding and not self.folded:
            self.notify(_("No column says the same in all these rows."), markup=False)
        self.grid.show(rows.fields(self.version, self.folded), view.known, rows.fetch_of(view))
        self.say_place()

    def go_to_column(self) -> None:
        """Ask for a column by a part of its name."""
        from lemnis.tui.screens.columns import ColumnAsked

        if self.version is not None:
            self.app.push_screen(ColumnAsked([column.name for column in self.version.columns]), self._back_at)

    def browse_values(self, name: str = "") -> None:
        """Show the distinct values of a column under the filters."""
        from lemnis.tui.screens.values import ValuesScreen

        field = self.grid.field
        name = name or (field.name if field else "")
        if self.view is None or not name:
            return

        def picked(one: Filter | None) -> None:
            if one is not None:
                self.narrow(one)

        self.app.push_screen(ValuesScreen(self.view, name), picked)

    def export(self) -> None:
        """Ask for a file and write the rows into it."""
        from lemnis.tui.screens.export import Export

        if self.view is not None and self.version is not None:
            target = Path.cwd() / f"{self.version.name}.parquet"
            self.app.push_screen(Export(self.view, target))

    # Facets.

    def facet(self) -> None:
        """Count the cursor's column beside the rows, or leave it out."""
        field = self.grid.field
        if field is not None and self.view is not None:
            pane = self.query_one(FacetsPane)
            pane.toggle(field.name)
            self.set_class(bool(pane.columns), "-faceted")
            pane.count(self.view)

    @on(FacetsPane.Chosen)
    def narrow_by_facet(self, message: FacetsPane.Chosen) -> None:
        """Show only the rows with the facet's value under the cursor."""
        self.narrow(message.filter)
