"""LogView: the lines of a log, which follow its end."""

from typing import Any

from lemnis.engine.lean import hidden
from lemnis.tui.widgets.cells import drawable

with hidden("attr"):  # Rich would import it only to look for its classes
    from textual.widgets import RichLog


class LogView(RichLog):
    """The lines of a log, newest last; follows the end unless scrolled up. Control characters are shown, not obeyed."""

    def __init__(self, *, id: str | None = None, lines: int = 5000):
        super().__init__(id=id, max_lines=lines, markup=False, highlight=False, wrap=False, auto_scroll=True)
        self._text = ""

    def show(self, text: str) -> None:
        """Show a whole log; only what was added since the last call is written."""
        if text == self._text:
            return
        added = text.removeprefix(self._text) if self._text and text.startswith(self._text) else text
        if added is text and self._text:
            self.clear()
        self._text = text
        at_end = self.is_vertical_scroll_end
        for line in added.splitlines()[-(self.max_lines or 5000) :]:
            # Any: RichLog takes whatever rich can draw.
            drawn: Any = drawable(line.rsplit("\r", 1)[-1]).plain
            self.write(drawn, scroll_end=at_end)
