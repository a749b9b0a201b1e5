"""What `y` asks: copy the cell, the row, its JSON or the whole table."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen

from lemnis.tui.widgets.text import Words

KINDS = {"c": "cell", "r": "row", "j": "row as JSON", "m": "table as Markdown"}


class CopyMenu(ModalScreen[str]):
    """One line above the footer; dismisses with the kind, or an empty string."""

    BINDINGS = [
        *(Binding(key, f"take('{key}')", text, show=False) for key, text in KINDS.items()),
        Binding("escape,q,y", "take('')", "Nothing", show=False),
    ]

    def compose(self) -> ComposeResult:
        parts = [part for key, text in KINDS.items() for part in ((f" {key} ", "$key"), f"{text}  ")]
        yield Words(Content.assemble(" copy  ", *parts, (" esc ", "$key"), "nothing"), classes="menu")

    def action_take(self, kind: str) -> None:
        self.dismiss(kind)
