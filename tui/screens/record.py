"""One row in full: every column with its value, one a line; enter goes to the column."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.data import Version
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Row, Table, Words, data_cell
from lemnis.tui.widgets.dialog import Dialog


class Record(Dialog[str]):
    """The columns of one row; dismisses with the name of the column that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    def __init__(self, heading: str, version: Version, values: Sequence[Any]) -> None:
        super().__init__()
        self.heading, self.version, self.values = heading, version, values

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(f"{safe(self.version.title)} · {self.heading}", "bold $stage-accent"))
            yield Table(Col("column", most=30), Col("type", most=16), Col("value", flex=True), id="record")
            keys = (
                (" enter ", "$key"),
                f" {_('go to the column')}   ",
                (" y ", "$key"),
                f" {_('copy')}   ",
                (" esc ", "$key"),
                f" {_('close')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.show(
            [
                Row(column.name, [column.name, column.type, data_cell(value)], [column.name, column.type, value])
                for column, value in zip(self.version.columns, self.values, strict=True)
            ]
        )
        table.focus()

    @on(Table.Opened)
    def choose(self, message: Table.Opened) -> None:
        message.stop()
        self.dismiss(message.key)
