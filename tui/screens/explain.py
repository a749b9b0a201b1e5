"""What `K` shows: one thing explained, with where its rule or threshold came from."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from lemnis.engine.text import safe
from lemnis.tui.widgets.text import Words


class Explanation(ModalScreen[None]):
    """A title and a text of some lines; any of esc, q, K and enter closes it."""

    BINDINGS = [Binding("escape,q,K,enter", "dismiss", "Close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(safe(self.heading), "bold $stage-accent"))
            yield Words(self.text)
            yield Words(Content.assemble((" esc ", "$key"), " close"), classes="keys")
