"""The error strip: what could not be done, where, and what to do, above a view that stays readable."""

from textual.content import Content
from textual.widgets import Static

from lemnis.engine import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.sentences import told


class ErrorStrip(Static):
    """Hidden until an error is shown in it."""

    def __init__(self) -> None:
        super().__init__(classes="error-strip", markup=False)
        self.display = False

    def show(self, error: LemnisError) -> None:
        """Draw problem, place and remedy; nothing is written if they are the same as before."""
        lines = [Content.assemble(("✖ ", "$bad"), (safe(told(error.problem), limit=500), "bold"))]
        if error.place:
            lines.append(Content.assemble((f"  {_('where:')} ", "$muted"), safe(told(error.place), limit=300)))
        if error.remedy:
            lines.append(Content.assemble((f"  {_('try:')} ", "$muted"), safe(keyed(told(error.remedy)), limit=300)))
        text = Content("\n").join(lines)
        if text != self.content or not self.display:
            self.update(text)
            self.display = True

    def clear(self) -> None:
        self.display = False
