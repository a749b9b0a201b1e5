"""What is listed and how: query, order, shelf, columns, and the views that keep all of these under a name."""

from collections.abc import Callable
from contextlib import suppress

from textual import on, work

from lemnis.engine import LemnisError
from lemnis.engine.config import View
from lemnis.engine.config.experiments import Grouping
from lemnis.engine.experiments import Run, Shelf
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.jobs import user_name
from lemnis.engine.query import Completion, check_query
from lemnis.tui.address import Address, address, chosen
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.stages.experiments import rows
from lemnis.tui.stages.experiments.acts import RunsStage
from lemnis.tui.stages.experiments.grouped import GROUPINGS
from lemnis.tui.stages.experiments.listing import KEY, Asked, Layout
from lemnis.tui.stages.experiments.table import RunsTable

SHELVES: tuple[Shelf, ...] = ("active", "archived", "deleted")
MOST_QUERIES = 100


class ListStage(RunsStage):
    """The actions of the Experiments tab on the list itself."""

    sort, descending = "", True
    view_name = ""
    layout_chosen = Layout()
    group: Grouping = ""
    opened: frozenset[str] = frozenset()
    _sample: list[Run]  # what the columns are chosen by
    _recalled = False

    @property
    def asked(self) -> Asked:
        """What is to be listed now."""
        return Asked(self.query_text, self.sort, self.descending, self.shelf, self.group, self.opened)

    # The query.

    def filter(self, query: str) -> None:
        check_query(query, FIELDS)
        if query:
            self.history = [*[each for each in self.history if each != query], query][-MOST_QUERIES:]
            self.keep("queries", list(self.history))
        super().filter(query)

    def complete(self, text: str, offer: Callable[[Completion], None]) -> None:
        self.find_completion(text, offer)

    @work(thread=True, exclusive=True, exit_on_error=False, group="experiments-complete")
    def find_completion(self, text: str, offer: Callable[[Completion], None]) -> None:
        """Find what may stand at the end of a query."""
        try:
            found = self.engine.experiments.complete(text)
        except LemnisError:
            found = Completion(len(text), [])
        answer(self.call_later, offer, found)

    # The address.

    @property
    def listed_at(self) -> Address:
        """The address of the list as it is, with the run under the cursor."""
        order = ("down" if self.descending else "up") if self.sort else ""
        shelf, on_run = "" if self.shelf == "active" else self.shelf, self.run_id or None
        return address("runs", q=self.query_text, sort=self.sort, order=order, shelf=shelf, group=self.group, on=on_run)

    def list_at(self, place: Address) -> None:
        """List what an address asks for."""
        query, on_run = place.option("q"), place.option("on")
        check_query(query, FIELDS)
        self.query_text, self.sort, self.descending = query, place.option("sort"), place.option("order") != "up"
        self.shelf = chosen(SHELVES, place.option("shelf"))
        self.group = chosen(GROUPINGS, place.option("group"))
        self.view_name, self.opened = "", frozenset()
        self._select = int(on_run) if on_run.isdecimal() else None
        self.query_one("#runs", RunsTable).sorted_by = (self.sort, self.descending) if self.sort else None
        self.reload()

    # What is remembered of a person.

    @work(thread=True, exit_on_error=False, group="experiments-keep")
    def keep(self, what: str, value: object) -> None:
        """Remember something for the next time; what can't be kept is no failure."""
        try:
            self.engine.experiments.remember(what, value)
        except LemnisError:
            return

    def recall(self) -> None:
        """Read what was remembered, once; runs in a thread."""
        if self._recalled:
            return
        self._recalled = True
        with suppress(LemnisError):  # what can't be read is as usual
            room = self.engine.experiments
            self.history = room.recall("queries", list[str], [])
            columns, frozen = room.recall("columns", tuple[tuple[str, ...], int], ((), 0))
            self.layout_chosen = Layout(columns, frozen)
            group = room.recall("group", str, "")
            self.group = GROUPINGS[GROUPINGS.index(group)] if group in GROUPINGS else ""

    # Columns.

    def use(self, layout: Layout) -> None:
        """Show other columns, and remember them."""
        self.layout_chosen = layout
        self.keep("columns", (layout.columns, layout.frozen))
        self.reload()

    def action_columns(self) -> None:
        """Choose columns, their order, and which stand still."""
        from lemnis.tui.stages.experiments.columns import ColumnsScreen

        table = self.query_one("#runs", RunsTable)
        shown = [column.name for column in table.columns if not column.name.startswith("delta.")]
        others = [name for name in rows.possible(self._sample) if name not in shown]

        def chosen(layout: Layout | None) -> None:
            if layout is not None:
                self.use(layout)

        self.app.push_screen(ColumnsScreen(shown, others, self.layout_chosen.frozen), chosen)

    def action_freeze(self) -> None:
        """Let the columns up to the cursor's stand still, or none."""
        table = self.query_one("#runs", RunsTable)
        count = table.column + 1
        frozen = 0 if count == self.layout_chosen.frozen else count
        self.use(Layout(self.layout_chosen.columns, frozen))

    # Groups.

    def action_group(self) -> None:
        """Group the runs by the next condition, then not at all."""
        self.group, self.opened = GROUPINGS[(GROUPINGS.index(self.group) + 1) % len(GROUPINGS)], frozenset()
        self._select = self.run_id or None
        self.keep("group", self.group)
        self.reload()

    def fold(self, key: str, wanted: bool | None = None) -> None:
        """Unfold the group of a line, or fold it; `wanted` is whether it is to be unfolded, None for the other."""
        value = key.removeprefix(KEY)
        if wanted is None or wanted != (value in self.opened):
            self.opened = self.opened ^ {value}
            self.reload()

    @on(RunsTable.Folded)
    def on_folded(self, message: RunsTable.Folded) -> None:
        message.stop()
        self.fold(message.key, message.unfold)

    # Views and shelves.

    def action_shelf(self) -> None:
        """Go on from the active runs to the archived, the deleted, and back."""
        self.shelf = SHELVES[(SHELVES.index(self.shelf) + 1) % len(SHELVES)]
        self.reload()

    def action_views(self) -> None:
        """Choose a saved view."""

        def chosen(name: str | None) -> None:
            if name:
                self.perform(self.engine.experiments.view, name, then=lambda view: self.show_view(name, view))

        def read(views: dict[str, View]) -> None:
            from lemnis.tui.stages.experiments.forms import ViewsScreen

            self.app.push_screen(ViewsScreen(views, self.view_name), chosen)

        self.perform(self.engine.experiments.views, then=read)

    def show_view(self, name: str, view: View) -> None:
        """Show what a view says."""
        self.view_name, self.query_text, self.shelf = name, view.query, view.shelf
        self.sort, self.descending = view.sort, view.descending
        self.group, self.opened = view.group, frozenset()
        self.layout_chosen = Layout(tuple(view.columns), view.frozen)
        table = self.query_one("#runs", RunsTable)
        table.sorted_by = (view.sort, view.descending) if view.sort else None
        self.reload()

    def action_save_view(self) -> None:
        """Keep query, order, shelf and columns under a name in lemnis.toml."""
        from lemnis.tui.stages.experiments.forms import Line

        layout = self.layout_chosen
        view = View(
            query=self.query_text,
            sort=self.sort,
            descending=self.descending,
            shelf=self.shelf,
            columns=list(layout.columns),
            frozen=layout.frozen,
            group=self.group,
        )

        def named(name: str | None) -> None:
            if name:
                self.perform(
                    self.engine.experiments.save_view,
                    name,
                    view,
                    user_name(),
                    done=_("View {name} is in lemnis.toml.").format(name=name),
                )
                self.view_name = name

        what = view.query or _("all runs")
        self.app.push_screen(
            Line(
                _("Save this view"),
                _("Kept in lemnis.toml: {what}. Its name:").format(what=what),
                value=self.view_name,
                word=_("save"),
            ),
            named,
        )
