"""The question before something that can't be undone: names what is lost, and the key that asked never answers."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.text import safe
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class Confirm(Dialog[bool]):
    """Dismisses with True only for `y` (and, where `typed` is given, only after that name was typed).

    Enter and the key that opened the question answer nothing, so that a key struck twice destroys nothing.
    """

    BINDINGS = [
        Binding("y", "yes", "Yes", show=False),
        Binding("n,escape", "no", "No", show=False),
    ]

    def __init__(self, question: str, *, lost: str, word: str, typed: str = "") -> None:
        super().__init__()
        self.question, self.lost, self.word, self.typed = question, lost, word, typed

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(safe(self.question, limit=300), "bold"), markup=False)
            if self.lost:
                lost = safe(keyed(self.lost), limit=300)
                yield Static(Content.assemble((f"{_('Lost:')} ", "$bad"), lost), markup=False)
            if self.typed:
                yield Static(
                    Content.assemble(f"{_('Type')} ", (safe(self.typed), "bold"), f" {_('to go on:')}"), markup=False
                )
                yield Field(compact=True)
            yield Static(self.keys(), classes="keys", markup=False)

    def keys(self) -> Content:
        yes = (
            f" {self.word}   "
            if not self.typed
            else " " + _("{word}, once the name is typed").format(word=self.word) + "   "
        )
        return Content.assemble(
            (" enter " if self.typed else " y ", "$key"), yes, (" esc ", "$key"), f" {_('keep as it is')}"
        )

    def on_input_submitted(self, message: Input.Submitted) -> None:
        if message.value == self.typed:
            self.dismiss(True)

    def action_yes(self) -> None:
        if not self.typed:
            self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)
