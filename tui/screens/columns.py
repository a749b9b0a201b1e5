"""Goes to a column by a part of its name: the names that fit are listed while it is typed."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class ColumnAsked(Dialog[str]):
    """One line and the columns that fit it; dismisses with the name of one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
    ]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(_("Go to a column"), "bold $stage-accent"))
            yield Field(placeholder=_("a part of its name, or its number"), compact=True)
            yield Table(
                Col("place", "", right=True, width=6), Col("column", flex=True), id="names", empty=_("None fits.")
            )
            keys = (
                (" enter ", "$key"),
                f" {_('go')}   ",
                (" ↑ ↓ ", "$key"),
                f" {_('choose')}   ",
                (" esc ", "$key"),
                f" {_('close')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).can_focus = False
        self.query_one(Input).focus()
        self.narrow("")

    @on(Input.Changed)
    def typed(self, message: Input.Changed) -> None:
        message.stop()
        self.narrow(message.value.strip())

    def narrow(self, text: str) -> None:
        """List the columns that fit: those that start with the text first."""
        fits = fitting(self.names, text)
        table = self.query_one(Table)
        table.show([Row(self.names[place], [str(place + 1), self.names[place]]) for place in fits])
        table.cursor = 0

    def action_move(self, rows: int) -> None:
        self.query_one(Table).action_move(rows)

    @on(Input.Submitted)
    def choose(self, message: Input.Submitted) -> None:
        message.stop()
        name = self.query_one(Table).key
        if name:
            self.dismiss(name)


def fitting(names: Sequence[str], text: str) -> list[int]:
    """Return the places of the names that a text fits, the best first: its number, its start, a part of it."""
    low = text.casefold()
    found = [place for place, name in enumerate(names) if low in name.casefold()]
    found.sort(key=lambda place: (names[place].casefold() != low, not names[place].casefold().startswith(low)))
    if text.isdecimal() and 0 < int(text) <= len(names) and int(text) - 1 not in found[:1]:
        return [int(text) - 1, *(place for place in found if place != int(text) - 1)]
    return found
