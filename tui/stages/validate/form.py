"""The form of every act that needs words: a waiver, a code, a file; what is wrong with them is said in it."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.clock import iso_utc, parse_ms
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

DAY_MS = 86_400_000
USUAL_DAYS = 7

Answers = Mapping[str, str]


class Question(Struct, frozen=True):
    """One line of a form; an answer that may be empty is optional."""

    name: str
    label: str
    value: str = ""
    optional: bool = False


class Form(Dialog[Answers | None]):
    """Asks some questions; enter goes on, on the last line it answers."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(
        self,
        title: str,
        text: str,
        questions: Sequence[Question],
        *,
        word: str,
        refuse: Callable[[Answers], str] = lambda answers: "",
    ) -> None:
        """Make a form.

        Args:
            title: What it is about; may come from data.
            text: What happens.
            questions: Its lines.
            word: The verb on the key that does it.
            refuse: Returns what is wrong with the answers, empty if nothing is.
        """
        super().__init__()
        self.heading, self.text, self.questions, self.word, self.refuse = title, text, questions, word, refuse

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(safe(self.heading, limit=70), "bold"), markup=False)
            yield Static(Content(safe(self.text)), markup=False)
            for question in self.questions:
                with Horizontal(classes="field"):
                    yield Static(Content.styled(_(question.label), "$muted"), markup=False)
                    yield Field(question.value, id=f"ask-{question.name}", compact=True)
            yield Words(id="form-refused")
            keys = (
                (" enter ", "$key"),
                " " + _("next, then {word}").format(word=self.word) + "   ",
                (" esc ", "$key"),
                f" {_('leave as it is')}",
            )
            yield Static(Content.assemble(*keys), classes="keys", markup=False)

    def on_mount(self) -> None:
        first = next((each for each in self.questions if not each.value), self.questions[0])
        self.query_one(f"#ask-{first.name}", Input).focus()

    @on(Input.Submitted)
    def go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != f"ask-{self.questions[-1].name}":
            self.focus_next(Input)
            return
        answers = {each.name: self.query_one(f"#ask-{each.name}", Input).value.strip() for each in self.questions}
        missing = [_(each.label) for each in self.questions if not each.optional and not answers[each.name]]
        wrong = _("Say {missing}.").format(missing=f" {_('and')} ".join(missing)) if missing else self.refuse(answers)
        if wrong:
            self.query_one("#form-refused", Words).say(wrong)
            return
        self.dismiss(answers)

    def action_leave(self) -> None:
        self.dismiss(None)


def waiver_form(check: str, who: str, now: int) -> Form:
    """Return the form of a waiver: why, who, and until when (`now` in epoch ms)."""
    until = iso_utc(now + USUAL_DAYS * DAY_MS)[:10]

    def refuse(answers: Answers) -> str:
        try:
            end = parse_ms(answers["until"])
        except ValueError:
            return _("Write the day as 2026-12-31.")
        return _("That day has begun already; choose a later one.") if end <= now else ""

    questions = [Question("why", "why"), Question("who", "who", who), Question("until", "until (UTC)", until)]
    text = _("It warns instead of failing until then. Everybody sees who said so.")
    return Form(_("Waive {check}").format(check=check), text, questions, word=_("waive"), refuse=refuse)
