"""A look at a source before it is kept: asks what to look at, shows what it would hold, and offers to declare it."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine.data import Preview
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.stages.data import details
from lemnis.tui.widgets import Facts, Table
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field
from lemnis.tui.widgets.text import Words


class PathAsked(Dialog[str]):
    """One line: a file, a pattern, an address or a source's name; enter looks, esc leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close", show=False)]

    def __init__(self, question: str, value: str, hint: str) -> None:
        super().__init__()
        self.question, self.value, self.hint = question, value, hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(safe(self.question), "bold $stage-accent"))
            yield Field(self.value, placeholder=self.hint, compact=True)
            yield Words(
                Content.assemble((" enter ", "$key"), f" {_('go on')}   ", (" esc ", "$key"), f" {_('close')}"),
                classes="keys",
            )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def answer(self, message: Input.Submitted) -> None:
        if message.value.strip():
            self.dismiss(message.value.strip())


class PreviewScreen(Dialog[None]):
    """What a source would hold; `n` declares it under a name when it is not declared yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", show=False),
        Binding("n", "add", "Add", show=False),
    ]

    def __init__(self, preview: Preview, add: Callable[[], None] | None) -> None:
        super().__init__()
        self.preview, self.add = preview, add

    def compose(self) -> ComposeResult:
        columns, _rest = details.preview_table(self.preview)
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(safe(self.preview.source.path), "bold $stage-accent"))
            yield Facts(id="preview-facts")
            yield Table(*columns, id="preview-rows", empty=_("No rows to show."))
            keys = [(" n ", "$key"), f" {_('add it to lemnis.toml')}   "] if self.add else []
            yield Words(Content.assemble(*keys, (" esc ", "$key"), f" {_('close')}"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Facts).show(details.preview_facts(self.preview))
        table = self.query_one("#preview-rows", Table)
        table.show(details.preview_table(self.preview)[1])
        table.focus()

    def action_add(self) -> None:
        if self.add is not None:
            self.dismiss()
            self.add()
