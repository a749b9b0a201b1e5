"""Asks how a run is registered: as it is, or with a map of its evaluation that makes its probabilities better."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.evaluate import CalibrationMap
from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog

AS_IT_IS = "as it is"
MEASURES = {"brier": "Brier", "log_loss": "log loss"}


class Registering(Dialog[str | None]):
    """Dismisses with a map's name, with an empty text for the run as it is, with None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, title: str, maps: Sequence[CalibrationMap], *, plain: bool) -> None:
        """Offer maps, and the run `plain`, without one, where that is no version yet."""
        super().__init__()
        self.title_text, self.maps, self.plain = title, maps, plain

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(safe(self.title_text, limit=70), "bold $stage-accent"))
            yield Table(Col("probabilities", width=14), Col("on rows that neither has seen", flex=True), id="maps")
            keys = (
                (" enter ", "$key"),
                f" {_('register')}   ",
                (" ↑ ↓ ", "$key"),
                f" {_('choose')}   ",
                (" esc ", "$key"),
                f" {_('leave')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        lines = [Row(one.method, (one.method, gained(one))) for one in self.maps]
        if self.plain:
            lines.insert(0, Row(AS_IT_IS, (AS_IT_IS, _("what the model itself says"))))
        table = self.query_one(Table)
        table.styles.height = len(lines) + 1
        table.show(lines)
        table.focus()

    @on(Table.Opened)
    def chosen(self, message: Table.Opened) -> None:
        message.stop()
        key = self.query_one(Table).key or AS_IT_IS
        self.dismiss("" if key == AS_IT_IS else key)

    def action_leave(self) -> None:
        self.dismiss(None)


def gained(one: CalibrationMap) -> str:
    """Return what each measure was without a map and is with it."""
    return ", ".join(
        f"{MEASURES[test.metric]} {number(test.base)} → {number(test.value)}"
        for test in one.tests
        if test.metric in MEASURES
    )
