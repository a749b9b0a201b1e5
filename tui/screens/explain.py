"""What `K` shows: one thing explained, with where its rule or threshold came from."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.screen import ModalScreen

from lemnis.engine.text import safe
from lemnis.tui.widgets.text import Words

AROUND = 9  # lines of the dialog that are not the text's: border, padding, title, keys and what parts them
LEAST = 3  # lines of the text that are seen on the smallest screen


class Explanation(ModalScreen[None]):
    """A title and a text that scrolls where it is longer than the screen; any of esc, q, K and enter closes it."""

    BINDINGS = [
        Binding("escape,q,K,enter", "dismiss", "Close", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("space,pagedown,ctrl+d", "page(1)", "A page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "A page up", show=False),
        Binding("G,end", "far(True)", "To the end", show=False),
        Binding("g,home", "far(False)", "To the beginning", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(safe(self.heading, limit=64), "bold $stage-accent"))
            with VerticalScroll(id="explained", can_focus=False):
                yield Words(self.text)
            yield Words(classes="keys")

    @property
    def shown(self) -> VerticalScroll:
        """The part that scrolls."""
        return self.query_one("#explained", VerticalScroll)

    def on_resize(self, event: Resize) -> None:
        self.shown.styles.max_height = max(LEAST, event.size.height - AROUND)
        self.call_after_refresh(self.say_keys)

    def say_keys(self) -> None:
        """Say how it is closed and, where not all is seen, how it is scrolled."""
        keys = Content.assemble((" esc ", "$key"), " close")
        if self.shown.max_scroll_y:
            keys = Content.assemble(keys, "   ", (" j k ", "$key"), " scroll   ", (" space ", "$key"), " a page")
        self.query_one(".keys", Words).say(keys)

    def action_scroll(self, lines: int) -> None:
        self.shown.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.shown.scroll_relative(y=pages * max(1, self.shown.size.height - 1), animate=False)

    def action_far(self, end: bool) -> None:
        self.shown.scroll_to(y=self.shown.max_scroll_y if end else 0, animate=False)
