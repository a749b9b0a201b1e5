"""PromptLine: the one line at the bottom where a query is typed, with its history and its errors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from lemnis.engine import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets.field import Field
from lemnis.tui.widgets.text import Words

if TYPE_CHECKING:
    from lemnis.engine.query import Completion

OFFERED = 4  # completions that are named at once


class PromptLine(Horizontal):
    """Hidden until opened; enter applies, tab completes, arrows go through what was typed, escape leaves as it was."""

    BINDINGS = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("up", "older", "Older", show=False),
        Binding("down", "newer", "Newer", show=False),
        Binding("tab", "complete(1)", "Complete", show=False),
        Binding("shift+tab", "complete(-1)", "Complete", show=False),
    ]

    @dataclass
    class Entered(Message):
        """A line was typed and enter pressed."""

        text: str

    @dataclass
    class Typed(Message):
        """The line changed while it is typed."""

        text: str

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PromptLine.Typed)

    @dataclass
    class Completing(Message):
        """Somebody wants to know what may stand at the cursor; `offer` takes the answer."""

        text: str

    class Left(Message):
        """The prompt was left without an answer."""

    def __init__(self, sign: str = "/", *, id: str | None = None):
        super().__init__(id=id, classes="prompt")
        self.sign = sign
        self.history: list[str] = []
        self._place = 0
        self._refused: str | None = None
        self._told = self._named = ""  # what was said last, and which completions there are
        self._offered: tuple[int, list[str], int, str] | None = None  # where, what, which of it, and what stood behind
        self._going: Timer | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        yield Words(self.sign, classes="sign")
        yield Field(compact=True, select_on_focus=False, disabled=True)
        yield Words("", classes="hint")

    def open(self, text: str = "", hint: str = "", history: list[str] | None = None) -> None:
        """Show the prompt with a text to go on from, an example, and what was typed here before."""
        if self._going is not None:
            self._going.stop()
        self.display = True
        self.history = self.history if history is None else history
        self.query_one(Input).disabled = False
        self._place, self._refused = len(self.history), None
        self._offered, self._told, self._named = None, "", ""
        field = self.query_one(Input)
        field.placeholder = _("for example: {hint}").format(hint=hint) if hint else ""
        field.value = text
        field.cursor_position = len(text)
        self.query_one(".hint", Words).say("")
        field.focus()

    def refuse(self, error: LemnisError) -> None:
        """Say what is wrong with the line and where, put the cursor there, and stay open."""
        problem = told(error.problem)
        words = f"{told(error.place)}: {problem}" if error.place else f"{problem} {told(error.remedy)}"
        self.query_one(".hint", Words).say(Content.styled(safe(words), "$bad"))
        self._refused = self.query_one(Input).value
        from lemnis.engine.query import QueryError

        if isinstance(error, QueryError):
            self.query_one(Input).cursor_position = error.column - 1

    def tell(self, words: str) -> None:
        """Show words behind the line, such as how much the query finds so far; what was refused stays refused."""
        if self.query_one(Input).value != self._refused:
            self._told = words
            self.query_one(".hint", Words).say(Content.styled(safe(f"{self._named}  {words}".strip()), "$muted"))

    def offer(self, found: "Completion") -> None:
        """Put in what completes the line; tab goes on to the next of several, which are named behind the line."""
        field = self.query_one(Input)
        if not self.display or not found.options:
            self.tell(_("nothing completes this"))
            return
        self._offered = (found.start, found.options, -1, field.value[field.cursor_position :])
        self._choose(1)

    def _choose(self, by: int) -> None:
        assert self._offered is not None
        start, options, place, behind = self._offered
        place = (place + by) % len(options)
        self._offered = (start, options, place, behind)
        field = self.query_one(Input)
        field.value = field.value[:start] + options[place] + behind
        field.cursor_position = start + len(options[place])
        if len(options) > 1:
            others = "  ".join(safe(each, limit=24) for each in [*options[place + 1 :], *options[:place]][:OFFERED])
            self._named = _("{place} of {options}  {others} ·").format(
                place=place + 1, options=len(options), others=others
            )
            self.tell(self._told)

    def action_complete(self, by: int) -> None:
        field = self.query_one(Input)
        if self._offered is not None:
            start, options, place, behind = self._offered
            if field.value == field.value[:start] + options[place] + behind:
                self._choose(by)
                return
        self.post_message(self.Completing(field.value[: field.cursor_position]))

    def close(self, after_s: float = 0.0) -> None:
        """Take no more keys, and go: at once, or after a while in which what was asked for is drawn first."""
        self.query_one(Input).disabled = True
        if after_s:
            self._going = self.set_timer(after_s, self._go)
        else:
            self._go()

    def _go(self) -> None:
        self.display = False

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self._offered is not None:
            start, options, place, behind = self._offered
            if message.value != message.value[:start] + options[place] + behind:
                self._offered, self._named = None, ""
        if self.display:
            self.post_message(self.Typed(message.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value and message.value not in self.history[-1:]:
            self.history.append(message.value)
        self.post_message(self.Entered(message.value))

    def action_leave(self) -> None:
        self.close()
        self.post_message(self.Left())

    def action_older(self) -> None:
        self._step(-1)

    def action_newer(self) -> None:
        self._step(1)

    def _step(self, by: int) -> None:
        self._place = max(0, min(len(self.history), self._place + by))
        field = self.query_one(Input)
        field.value = self.history[self._place] if self._place < len(self.history) else ""
        field.cursor_position = len(field.value)
