"""What `K` shows: one thing explained, with where its rule or threshold came from."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine.text import safe
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _, paragraphs
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.fitting import Fitting
from lemnis.tui.widgets.text import Words


class Explanation(Dialog[None]):
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
        self.heading, self.text = title, keyed(paragraphs(text))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(safe(self.heading, limit=64), "bold $stage-accent"))
            with Fitting():
                yield Words(self.text)
            yield Words(self.keys(scrolls=False), classes="keys")

    @property
    def shown(self) -> Fitting:
        """The part that scrolls."""
        return self.query_one(Fitting)

    @staticmethod
    def keys(*, scrolls: bool) -> Content:
        """Return how it is closed and, where not all is seen, how it is scrolled."""
        close = Content.assemble((" esc ", "$key"), f" {_('close')}")
        if not scrolls:
            return close
        return Content.assemble(
            close, "   ", (" j k ", "$key"), f" {_('scroll')}   ", (" space ", "$key"), f" {_('a page')}"
        )

    def on_resize(self) -> None:
        self.call_after_refresh(self.shown.fit)

    @on(Fitting.Fitted)
    def say_keys(self) -> None:
        self.query_one(".keys", Words).say(self.keys(scrolls=self.shown.is_cut))

    def action_scroll(self, lines: int) -> None:
        self.shown.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        self.shown.page(pages)

    def action_far(self, end: bool) -> None:
        self.shown.scroll_to(y=self.shown.max_scroll_y if end else 0, animate=False)
