"""What every screen over the stages is: it is left once, and what stands over it goes with it."""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, ScreenResultType

from lemnis.tui.widgets.settled import settled


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over others that answers with a result.

    Keys that arrive together are all given to the screen that was seen when they came: one opens another screen over
    it, or leaves it, and the next asks it to leave all the same.
    """

    @property
    def complete(self) -> bool:
        """Whether all that its first picture is to show is there, and nothing waits that would place it anew."""
        return self.is_mounted and settled(self)

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Leave with a result, and with every screen over this one; nothing happens if it was left already."""
        stack = list(self.app.screen_stack)
        if self not in stack:
            return AwaitComplete.nothing()
        for above in reversed(stack[stack.index(self) + 1 :]):
            above.dismiss()
        return super().dismiss(result)
