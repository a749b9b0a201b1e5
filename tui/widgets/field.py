"""Field: a line to type into, which draws harmlessly whatever is put into it and shows the cursor after a paste too."""

import unicodedata

from rich.cells import cell_len
from rich.text import Text
from textual.events import Paste
from textual.widgets import Input

from lemnis.engine.text import INVISIBLE, PICTURES
from lemnis.tui.language import _

TAKEN = 10_000  # characters that are pasted: more than any line means, and each key after it would be waited for
UNSEEN = "\ufffd"  # stands for a character that has no look of its own


class Field(Input):
    """Textual's field; a name of the data that completes a line may hold what a terminal would heed."""

    @property
    def _value(self) -> Text:
        if self.password:
            return super()._value
        return Text(drawn(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(drawn(self.value[:position]))

    def _watch_value(self, value: str) -> None:
        first = self._initial_value
        super()._watch_value(value)
        if first:  # Textual moves the cursor, and what is seen only from the next time on
            self._watch_selection(self.selection)

    def _on_paste(self, event: Paste) -> None:
        """Take the first line of what is pasted, without what a terminal would heed; refuse one that is too long."""
        line = next(iter(event.text.splitlines()), "")
        if len(line) > TAKEN:
            event.prevent_default()
            event.stop()
            said = _("A line takes at most {most:,} characters, these are {given:,}.")
            self.notify(said.format(most=TAKEN, given=len(line)), severity="warning", markup=False)
            return
        event.text = "".join(" " if char == "\t" else char for char in line if char == "\t" or not heeded(char))


def heeded(char: str) -> bool:
    """Say whether a character does something to a terminal instead of being seen; a joiner of emoji is none."""
    return unicodedata.category(char) in INVISIBLE and char != "\u200d"


def drawn(text: str) -> str:
    """Return what is drawn of a text, one character for each: pictures of control characters, and what has no look."""
    if text.isprintable():
        return text
    return "".join(PICTURES.get(ord(char), UNSEEN) if heeded(char) else char for char in text)
