"""Decision: the question before production changes: shows the evidence, asks for the model's name and a reason."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field
from lemnis.tui.widgets.fitting import Fitting


class Decision(Dialog[str | None]):
    """Dismisses with the reason once the name was typed, with None when it was left.

    The key that asked answers nothing: two fields have to be filled.
    """

    BINDINGS = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down,pagedown", "page(1)", "More evidence", show=False),
        Binding("up,pageup", "page(-1)", "Back in the evidence", show=False),
    ]

    def __init__(self, question: str, *, evidence: Content, typed: str, warning: str = "") -> None:
        """Ask `question`; `warning` is what speaks against it, empty for nothing."""
        super().__init__()
        self.question, self.evidence, self.typed, self.warning = question, evidence, typed, warning

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="decision"):
            yield Words(Content.styled(safe(self.question, limit=300), "bold"))
            with Fitting():
                yield Words(self.evidence)
            if self.warning:
                yield Words(Content.styled(f"✖ {safe(self.warning, limit=400)}", "$bad"))
            yield Field(placeholder=_("type {typed}").format(typed=safe(self.typed)), compact=True, id="decision-name")
            yield Field(placeholder=_("why, in one sentence; it is kept"), compact=True, id="decision-reason")
            yield Words(id="decision-keys")

    def keys(self) -> Content:
        word = f" {_('force it')}   " if self.warning else f" {_('do it')}   "
        more = [(" ↑ ↓ ", "$key"), f" {_('more evidence')}   "] if self.query_one(Fitting).is_cut else []
        return Content.assemble((" enter ", "$key"), word, *more, (" esc ", "$key"), f" {_('leave it as it is')}")

    def on_resize(self) -> None:
        self.call_after_refresh(self.query_one(Fitting).fit)  # so that the fields below the evidence are seen

    @on(Fitting.Fitted)
    def say_keys(self) -> None:
        self.query_one("#decision-keys", Words).say(self.keys())

    def action_page(self, pages: int) -> None:
        self.query_one(Fitting).page(pages)

    def on_mount(self) -> None:
        self.query_one("#decision-name", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        name, reason = self.query_one("#decision-name", Input), self.query_one("#decision-reason", Input)
        if name.value.strip() != self.typed:
            self.refuse(_("Type {typed} in full.").format(typed=self.typed), name)
        elif not reason.value.strip():
            self.refuse("" if message.input is name else _("Say why."), reason)
        else:
            self.dismiss(reason.value.strip())

    def refuse(self, what: str, field: Input) -> None:
        """Say what is missing, and go to its field."""
        self.query_one("#decision-keys", Words).say(Content.styled(safe(what), "$warn") if what else self.keys())
        field.focus()

    def action_leave(self) -> None:
        self.dismiss(None)
