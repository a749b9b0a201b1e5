"""Resting: what reads rows gives its memory back while nobody looks at them."""

from typing import Any

from textual.containers import Vertical
from textual.timer import Timer

from lemnis.engine.explore import RowReader

UNSEEN_S = 3.0  # who looks at another tab for less finds the rows as they were left


class Resting(Vertical):
    """A part of a stage that reads rows.

    Attributes:
        reader: What reads them, None while nothing does.
    """

    def __init__(self, **options: Any) -> None:  # Any: as Textual's own
        super().__init__(**options)
        self.reader: RowReader | None = None
        self._unseen: Timer | None = None

    def take(self, reader: RowReader) -> None:
        """Read rows by this reader from now on."""
        self.reader = reader
        if not self.is_on_screen:
            self.on_hide()

    def on_hide(self) -> None:
        self.on_show()
        self._unseen = self.set_timer(UNSEEN_S, self.rest)

    def on_show(self) -> None:
        if self._unseen is not None:
            self._unseen.stop()

    def rest(self) -> None:
        """Give the memory back that what was read takes; it is read again when it is asked for."""
        if self.reader is not None:
            self.reader.rest()
