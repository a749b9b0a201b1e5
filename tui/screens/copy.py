"""What `y` asks: copy the cell, the row, its column, its JSON, the whole table, the command or the address."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content

from lemnis.tui.language import N_, _
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.text import Words

OF_TABLE = {"c": N_("cell"), "r": N_("row"), "l": N_("column"), "j": N_("row as JSON"), "m": N_("table as Markdown")}
OF_PLACE = {"p": N_("command"), "a": N_("address")}
SHORT = {"row as JSON": "JSON", "table as Markdown": "Markdown"}  # where there is little room
ROOM = 120  # cells, from which the names are written in full


class CopyMenu(Dialog[str]):
    """One line above the footer; dismisses with the kind, or an empty string."""

    BINDINGS = [
        *(Binding(key, f"take('{key}')", text, show=False) for key, text in {**OF_TABLE, **OF_PLACE}.items()),
        Binding("escape,q,y", "take('')", "Nothing", show=False),
    ]

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """Offer some kinds, by the key that takes each."""
        super().__init__()
        self.kinds = kinds

    def compose(self) -> ComposeResult:
        full = self.app.size.width >= ROOM
        names = {key: text if full else SHORT.get(text, text) for key, text in self.kinds.items()}
        parts = [part for key, text in names.items() for part in ((f" {key} ", "$key"), f"{_(text)} ")]
        yield Words(
            Content.assemble(f" {_('copy')}  ", *parts, (" esc ", "$key"), _("nothing") if full else ""), classes="menu"
        )

    def action_take(self, kind: str) -> None:
        self.dismiss(kind if kind in self.kinds else "")
