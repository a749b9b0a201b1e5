"""Splitting: asks which share a challenger gets, whether it answers or only scores, and what tells requests apart."""

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine.deploy import Mode
from lemnis.engine.text import safe
from lemnis.tui.language import N_, _
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class Wanted(Struct, frozen=True):
    """What a person filled in."""

    alias: str
    percent: float
    mode: Mode
    key: str
    why: str


FIELDS = (
    (N_("alias"), "challenger", N_("of the other version")),
    (N_("percent"), "5", N_("of the requests")),
    (N_("mode"), "canary", N_("canary answers, shadow only scores")),
    (N_("key"), "", N_("a column, a parameter, header:NAME; empty: the request's own key")),
    (N_("why"), "", N_("in one sentence; it is kept")),
)


class Splitting(Dialog[Wanted | None]):
    """Dismisses with what was filled in, with None when it was left."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="splitting"):
            yield Words(
                Content.styled(
                    _("Let a second version share the requests of {endpoint}?").format(endpoint=safe(self.endpoint)),
                    "bold",
                )
            )
            for name, value, hint in FIELDS:
                with Horizontal(classes="splitting-field"):
                    yield Words(Content.styled(_(name), "$muted"))
                    yield Field(value, placeholder=_(hint), compact=True, id=f"splitting-{name}")
            yield Words(self.keys(), id="splitting-keys")

    def keys(self) -> Content:
        return Content.assemble(
            (" enter ", "$key"), f" {_('next, then begin')}   ", (" esc ", "$key"), f" {_('leave it as it is')}"
        )

    def on_mount(self) -> None:
        self.query_one("#splitting-percent", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != "splitting-why":
            self.focus_next()
            return
        said = {name: self.query_one(f"#splitting-{name}", Input).value.strip() for name, _, _ in FIELDS}
        try:
            percent = float(said["percent"].rstrip("% "))
        except ValueError:
            self.refuse(_("{said!r} is no percentage.").format(said=said["percent"]), "percent")
            return
        mode = said["mode"]
        if mode != "canary" and mode != "shadow":
            self.refuse(_("Write canary or shadow."), "mode")
        elif not said["why"]:
            self.refuse(_("Say why."), "why")
        else:
            self.dismiss(Wanted(said["alias"], percent, mode, said["key"], said["why"]))

    def refuse(self, what: str, field: str) -> None:
        """Say what is wrong, and go to its field."""
        self.query_one("#splitting-keys", Words).say(Content.styled(safe(what), "$warn"))
        self.query_one(f"#splitting-{field}", Input).focus()

    def action_leave(self) -> None:
        self.dismiss(None)
