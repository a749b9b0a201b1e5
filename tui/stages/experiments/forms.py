"""One line that a person is asked for, such as a tag or the name of a view; and choosing one of the saved views."""

from collections.abc import Callable, Mapping

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine.config import View
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class Line(Dialog[str | None]):
    """Dismisses with what was typed, or with None."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(
        self, title: str, text: str, *, value: str = "", word: str, refuse: Callable[[str], str] = lambda line: ""
    ) -> None:
        """Make a question.

        Args:
            title: What it is about; may come from data.
            text: What is to be written.
            value: What stands there first.
            word: The verb on the key that does it.
            refuse: Returns what is wrong with the line, empty if nothing is.
        """
        super().__init__()
        self.heading, self.text, self.value, self.word, self.refuse = title, text, value, word, refuse

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(safe(self.heading, limit=70), "bold"))
            yield Words(Content(safe(self.text)))
            yield Field(self.value, compact=True)
            yield Words(id="line-refused")
            keys = Content.assemble(
                (" enter ", "$key"), f" {self.word}   ", (" esc ", "$key"), f" {_('leave as it is')}"
            )
            yield Words(keys, classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        wrong = self.refuse(message.value.strip())
        if wrong:
            self.query_one("#line-refused", Words).say(Content.styled(safe(wrong), "$bad"))
        else:
            self.dismiss(message.value.strip())

    def action_leave(self) -> None:
        self.dismiss(None)


class ViewsScreen(Dialog[str | None]):
    """Dismisses with the name of the view that is wanted, or with None."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, views: Mapping[str, View], current: str) -> None:
        super().__init__()
        self.views, self.current = views, current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog views"):
            yield Words(Content.styled(_("Views"), "bold $stage-accent"))
            yield Table(
                *(Col("view", most=20), Col("query", most=34), Col("sort", most=20), Col("columns", most=30)),
                id="views",
                empty=_("No views yet. {experiments.save_view} saves what is shown now."),
            )
            keys = Content.assemble((" enter ", "$key"), f" {_('show')}   ", (" esc ", "$key"), f" {_('back')}")
            yield Words(keys, classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.styles.height = min(max(1, len(self.views)), 12) + 1
        table.show([view_row(name, view) for name, view in self.views.items()])
        table.select(self.current)
        table.focus()

    @on(Table.Opened)
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        self.dismiss(message.key)

    def action_leave(self) -> None:
        self.dismiss(None)


def view_row(name: str, view: View) -> Row:
    """Return a view as a row."""
    sort = f"{view.sort} {'▼' if view.descending else '▲'}" if view.sort else _("newest")
    query = (view.query or _("all")) + (_(", by {group}").format(group=view.group) if view.group else "")
    return Row(name, (name, query, sort, " ".join(view.columns) or _("automatic")))
