"""Jump mode: a letter on every pane, and the pane whose letter is pressed gets the focus."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key, Resize
from textual.widget import Widget
from textual.widgets import Static

from lemnis.tui.widgets.dialog import Dialog

LETTERS = "asdfghjklqwertyuiopzxcvbnm"


class Jump(Dialog[Widget | None]):
    """Draws the letters over what is seen; dismisses with the chosen pane, or None for any other key."""

    def __init__(self, panes: Sequence[Widget]) -> None:
        super().__init__(classes="jump")
        self.panes = dict(zip(LETTERS, panes, strict=False))

    def compose(self) -> ComposeResult:
        for letter, pane in self.panes.items():
            mark = Static(Content.styled(f" {letter} ", "bold"), markup=False)
            mark.styles.offset = (pane.region.x, pane.region.y)
            yield mark

    def on_key(self, event: Key) -> None:
        event.stop()
        self.dismiss(self.panes.get(event.character or ""))

    def on_resize(self, event: Resize) -> None:
        if event.size != self.app.screen_stack[-2].size:  # the panes are elsewhere now
            self.dismiss(None)
