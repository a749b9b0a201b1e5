"""The part of a dialog that gives way: it scrolls where the whole would be longer than the screen."""

from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

LEAST = 3  # lines that are seen on the smallest screen


class Fitting(VerticalScroll):
    """Takes the lines that the rest of its dialog leaves; its screen calls `fit` when its size changes."""

    can_focus = False

    class Fitted(Message):
        """Its size has changed: all of it is seen now, or no more."""

    def on_resize(self) -> None:
        self.post_message(self.Fitted())

    def fit(self) -> None:
        """Be as high as what is in it, or as what is left."""
        dialog = self.parent
        if not isinstance(dialog, Widget):
            return
        others = [part for part in dialog.children if part is not self]
        taken = sum(part.outer_size.height + part.styles.margin.height for part in others) + self.styles.margin.height
        self.styles.max_height = max(LEAST, self.screen.size.height - dialog.gutter.height - taken)

    @property
    def is_cut(self) -> bool:
        """Whether not all of it is seen at once."""
        return self.max_scroll_y > 0

    def page(self, pages: int) -> None:
        """Scroll by so many pages, down where it is positive."""
        self.scroll_relative(y=pages * max(1, self.size.height - 1), animate=False)
