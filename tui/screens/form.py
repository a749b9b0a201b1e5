"""A few lines to fill in before something is done; enter goes on, on the last line it is tried first or done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lemnis.engine.errors import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.widgets import Words


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form: its name, what stands before it, and what is filled in already."""

    name: str
    label: str
    value: str = ""


class LinesForm(ModalScreen[dict[str, str] | None]):
    """Dismisses with the lines by name, or with None."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(
        self,
        title: str,
        note: str,
        lines: Sequence[Line],
        *,
        verb: str,
        wrong: Callable[[dict[str, str]], str],
        trial: Callable[[dict[str, str]], str] | None = None,
    ) -> None:
        """Make a form.

        Args:
            title: What is about to happen.
            note: What it means, one sentence.
            lines: What is asked.
            verb: What enter does on the last line.
            wrong: Returns what is wrong with the lines, empty when nothing is.
            trial: Returns what would come of it, in a thread; it is shown first, and the same lines once more are done.
        """
        super().__init__()
        self.said, self.note, self.lines, self.verb, self.wrong = title, note, list(lines), verb, wrong
        self.trial, self._tried = trial, dict[str, str]()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(safe(self.said, limit=100), "bold"), markup=False)
            yield Static(Content(safe(self.note, limit=300)), markup=False)
            for line in self.lines:
                with Horizontal(classes="field"):
                    yield Static(Content.styled(line.label, "$muted"), markup=False)
                    yield Input(line.value, id=f"form-{line.name}", compact=True)
            yield Words(id="form-refused")
            verb = f"try it, again to {self.verb}" if self.trial else self.verb
            keys = (" enter ", "$key"), f" next, then {verb}   ", (" esc ", "$key"), " leave as it is"
            yield Static(Content.assemble(*keys), classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query(Input).first().focus()

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
        elif self.trial is not None and filled != self._tried:
            self._try(self.trial, filled)
        else:
            self.dismiss(filled)

    @work(thread=True, exclusive=True, exit_on_error=False, group="trial")
    def _try(self, trial: Callable[[dict[str, str]], str], filled: dict[str, str]) -> None:
        try:
            said, tried = trial(filled), filled
        except LemnisError as error:
            said, tried = f"{error.problem} {error.remedy}", dict[str, str]()
        self.app.call_from_thread(self._told, said, tried)

    def _told(self, said: str, tried: dict[str, str]) -> None:
        self._tried = tried
        self.query_one("#form-refused", Words).say(said)

    def action_leave(self) -> None:
        self.dismiss(None)
