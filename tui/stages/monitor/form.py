"""A few lines to fill in before an alert is taken or a replay starts; enter goes on, on the last line it is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lemnis.engine.clock import parse_ms
from lemnis.engine.text import safe
from lemnis.tui.widgets import Words


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form: its name, what stands before it, and what is filled in already."""

    name: str
    label: str
    value: str = ""


class MonitorForm(ModalScreen[dict[str, str] | None]):
    """Dismisses with the lines by name, or with None."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(
        self, title: str, note: str, lines: Sequence[Line], *, verb: str, wrong: Callable[[dict[str, str]], str]
    ) -> None:
        """Make a form.

        Args:
            title: What is about to happen.
            note: What it means, one sentence.
            lines: What is asked.
            verb: What enter does on the last line.
            wrong: Returns what is wrong with the lines, empty when nothing is.
        """
        super().__init__()
        self.said, self.note, self.lines, self.verb, self.wrong = title, note, list(lines), verb, wrong

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(safe(self.said, limit=100), "bold"), markup=False)
            yield Static(Content(safe(self.note, limit=300)), markup=False)
            for line in self.lines:
                with Horizontal(classes="field"):
                    yield Static(Content.styled(line.label, "$muted"), markup=False)
                    yield Input(line.value, id=f"form-{line.name}", compact=True)
            yield Words(id="form-refused")
            keys = (" enter ", "$key"), f" next, then {self.verb}   ", (" esc ", "$key"), " leave as it is"
            yield Static(Content.assemble(*keys), classes="keys", markup=False)

    def on_mount(self) -> None:
        empty = next((line for line in self.lines if not line.value), self.lines[0])
        self.query_one(f"#form-{empty.name}", Input).focus()

    @on(Input.Submitted)
    def go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != f"form-{self.lines[-1].name}":
            self.focus_next(Input)
            return
        filled = {line.name: self.query_one(f"#form-{line.name}", Input).value.strip() for line in self.lines}
        wrong = self.wrong(filled)
        if wrong:
            self.query_one("#form-refused", Words).say(wrong)
        else:
            self.dismiss(filled)

    def action_leave(self) -> None:
        self.dismiss(None)


def nobody_or_nothing(filled: dict[str, str]) -> str:
    """Return what is wrong with the answer to who and why."""
    return "" if filled["who"] and filled["why"] else "Say who you are and why."


def bad_replay(filled: dict[str, str]) -> str:
    """Return what is wrong with a replay as it was filled in."""
    try:
        start, end = parse_ms(filled["from"]), parse_ms(filled["until"])
    except ValueError:
        return "Write the days as 2013-07-01."
    try:
        sample, days = float(filled["sample"]), float(filled["days"])
    except ValueError:
        return "The share and the days a second are numbers."
    if start >= end:
        return "The span ends before it starts."
    return "" if 0 < sample <= 1 and days >= 0 else "The share is above 0 up to 1, the days a second at least 0."
