"""The form of a waiver: who takes a failing check upon themselves, why, and until when."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lemnis.engine.clock import iso_utc, now_ms, parse_ms
from lemnis.engine.text import safe
from lemnis.tui.widgets import Words

DAY_MS = 86_400_000
USUAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class Waived:
    """What was typed."""

    check: str
    who: str
    why: str
    until: int


class WaiverForm(ModalScreen[Waived | None]):
    """Asks for the three things a waiver needs; enter goes on, on the last line it waives."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, check: str, who: str) -> None:
        super().__init__()
        self.check, self.who = check, who

    def compose(self) -> ComposeResult:
        until = iso_utc(now_ms() + USUAL_DAYS * DAY_MS)[:10]
        with Vertical(classes="dialog"):
            yield Static(Content.styled(f"Waive {safe(self.check, limit=60)}", "bold"), markup=False)
            yield Static("It warns instead of failing until then. Everybody sees who said so.", markup=False)
            for name, label, value in (("why", "why", ""), ("who", "who", self.who), ("until", "until (UTC)", until)):
                with Horizontal(classes="field"):
                    yield Static(Content.styled(label, "$muted"), markup=False)
                    yield Input(value, id=f"waive-{name}", compact=True)
            yield Words(id="waive-refused")
            keys = Content.assemble((" enter ", "$key"), " next, then waive   ", (" esc ", "$key"), " leave as it is")
            yield Static(keys, classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#waive-why", Input).focus()

    @on(Input.Submitted)
    def go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != "waive-until":
            self.focus_next(Input)
            return
        why, who, until = (self.query_one(f"#waive-{name}", Input).value.strip() for name in ("why", "who", "until"))
        refused = self.query_one("#waive-refused", Words)
        if not why or not who:
            refused.say("A waiver needs a person and a reason.")
            return
        try:
            end = parse_ms(until)
        except ValueError:
            refused.say("Write the day as 2026-12-31.")
            return
        if end <= now_ms():
            refused.say("That day has begun already; choose a later one.")
            return
        self.dismiss(Waived(self.check, who, why, end))

    def action_leave(self) -> None:
        self.dismiss(None)
