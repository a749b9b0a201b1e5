"""Why rows fail, as a list: values of other columns that stand among them too often."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.text import safe
from lemnis.engine.validate import Reason
from lemnis.tui.language import _
from lemnis.tui.stages.validate.rows import REASON_COLUMNS, reason_row
from lemnis.tui.widgets import Table, Words
from lemnis.tui.widgets.dialog import Dialog


class Reasons(Dialog[None]):
    """The over-represented values, the strongest first; esc closes it."""

    BINDINGS: ClassVar = [
        Binding("escape,q,f,enter", "dismiss", "Close", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    def __init__(self, check: str, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.check, self.reasons = check, reasons

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog reasons"):
            yield Words(
                Content.styled(
                    _("Why rows fail {check}").format(check=safe(self.check, limit=60)), "bold $stage-accent"
                )
            )
            yield Words(_("Values more frequent among the failing rows than among all; +3: more columns say the same."))
            yield Table(*REASON_COLUMNS, id="reasons", empty=_("No value stands out."))
            yield Words(Content.assemble((" esc ", "$key"), f" {_('close')}"), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.styles.height = min(max(len(self.reasons), 1), max(4, self.app.size.height - 11)) + 1
        table.show([reason_row(place, reason) for place, reason in enumerate(self.reasons)])
        table.focus()
