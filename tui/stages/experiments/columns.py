"""Choosing columns of the runs: which, in which order, and how many of them stand still at the left."""

from collections.abc import Sequence

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.tui.language import _
from lemnis.tui.stages.experiments.listing import Layout
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog


class ColumnsScreen(Dialog[Layout | None]):
    """Dismisses with the layout that is wanted, or with None."""

    BINDINGS = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("J", "shift(1)", "Later", show=False),
        Binding("K", "shift(-1)", "Earlier", show=False),
        Binding("f", "freeze", "Freeze", show=False),
        Binding("a", "automatic", "Automatic", show=False),
    ]

    def __init__(self, shown: Sequence[str], others: Sequence[str], frozen: int) -> None:
        super().__init__()
        self.layout_wanted = Layout(tuple(shown), frozen)
        self.names = [*shown, *others]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog columns"):
            yield Words(Content.styled(_("Columns"), "bold $stage-accent"))
            yield Table(Col("column", flex=True), Col("still", "stands still"), id="columns")
            keys = (
                *((" space ", "$key"), f" {_('show or hide')}  ", (" J K ", "$key"), f" {_('later, earlier')}  "),
                *((" f ", "$key"), f" {_('stands still up to here')}  ", (" a ", "$key"), f" {_('automatic')}  "),
                *((" enter ", "$key"), f" {_('done')}  ", (" esc ", "$key"), f" {_('as before')}"),
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.mark_only(self.layout_wanted.columns)
        self.draw()
        table.focus()

    def draw(self) -> None:
        """Show the names in their order."""
        still = [name for name in self.names if name in self.marked][: self.layout_wanted.frozen]
        self.query_one(Table).show([Row(name, (name, _("yes") if name in still else "")) for name in self.names])

    @property
    def marked(self) -> list[str]:
        return self.query_one(Table).marks

    @on(Table.Marked)
    def on_marked(self, message: Table.Marked) -> None:
        message.stop()
        self.draw()

    @on(Table.Opened)
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        shown = tuple(name for name in self.names if name in self.marked)
        self.dismiss(Layout(shown, min(self.layout_wanted.frozen, len(shown))))

    def action_shift(self, by: int) -> None:
        """Move the column under the cursor one place."""
        name = self.query_one(Table).key
        place = self.names.index(name) if name else -1
        if name and 0 <= place + by < len(self.names):
            self.names[place], self.names[place + by] = self.names[place + by], self.names[place]
            self.draw()

    def action_freeze(self) -> None:
        """Let the columns up to this one stand still; once more: none."""
        name = self.query_one(Table).key
        shown = [each for each in self.names if each in self.marked]
        count = shown.index(name) + 1 if name in shown else 0
        frozen = 0 if count == self.layout_wanted.frozen else count
        self.layout_wanted = replace(self.layout_wanted, frozen=frozen)
        self.draw()

    def action_automatic(self) -> None:
        self.dismiss(Layout())

    def action_leave(self) -> None:
        self.dismiss(None)
