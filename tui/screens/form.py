"""A few lines to fill in before something is done; enter goes on, on the last line it is tried first or done."""

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.errors import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

Options: TypeAlias = Callable[[str, dict[str, str]], list[str]]
TALL = 30  # lines of the screen, from which the form has air around it
OFFERED = 12  # options that are named at once


class Line(Struct, frozen=True):
    """One line of the form: its name, what stands before it, and what is filled in already.

    Attributes:
        options: Returns what a text may become, for the tab key, given the form's other lines; may read a disk. None:
            there is nothing to complete.
    """

    name: str
    label: str
    value: str = ""
    options: Options | None = None


class LinesForm(Dialog[dict[str, str] | None]):
    """Dismisses with the lines by name, or with None."""

    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]

    BINDINGS = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("tab", "complete", "Complete", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
    ]

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
        with Vertical(classes="dialog lines"):
            yield Static(Content.styled(safe(self.said, limit=100), "bold"), markup=False)
            yield Static(Content(safe(self.note, limit=300)), markup=False)
            for line in self.lines:
                with Horizontal(classes="field"):
                    yield Static(Content.styled(_(line.label), "$muted"), markup=False)
                    yield Field(line.value, id=f"form-{line.name}", compact=True)
            with VerticalScroll(can_focus=False):
                yield Words(id="form-refused")
            verb = _("try it, again to {verb}").format(verb=self.verb) if self.trial else self.verb
            tab = ((" tab ", "$key"), f" {_('complete')}   ") if any(line.options for line in self.lines) else ()
            keys = (
                (" enter ", "$key"),
                " " + _("next, then {verb}").format(verb=verb) + "   ",
                *tab,
                (" esc ", "$key"),
                f" {_('leave as it is')}",
            )
            yield Static(Content.assemble(*keys), classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query(Input).first().focus()

    @on(Input.Submitted)
    def go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != f"form-{self.lines[-1].name}":
            self.focus_next(Input)
            return
        filled = self.filled
        wrong = self.wrong(filled)
        if wrong:
            self.query_one("#form-refused", Words).say(wrong)
        elif self.trial is not None and filled != self._tried:
            self._try(self.trial, filled)
        else:
            self.dismiss(filled)

    @property
    def filled(self) -> dict[str, str]:
        """The lines as they are filled in now."""
        return {line.name: self.query_one(f"#form-{line.name}", Input).value.strip() for line in self.lines}

    def action_page(self, by: int) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=by * max(1, scroll.size.height), animate=False)

    def action_complete(self) -> None:
        """Complete the line as far as one may; where there is nothing to complete, go to the next one."""
        field = self.focused
        line = next((one for one in self.lines if field is not None and field.id == f"form-{one.name}"), None)
        if line is None or line.options is None or not isinstance(field, Input):
            self.focus_next(Input)
        else:
            self._look_up(line.options, field, field.value, self.filled)

    @work(thread=True, exclusive=True, exit_on_error=False, group="options")
    def _look_up(self, options: Options, field: Input, text: str, filled: dict[str, str]) -> None:
        try:
            found = options(text, filled)
        except LemnisError:
            found = []  # what is wrong with the other lines is said when the form is tried
        answer(self.call_later, self._offer, field, text, found)

    def _offer(self, field: Input, text: str, found: list[str]) -> None:
        """Put in what all options begin with, and name them where there are several."""
        if field.value != text:
            return
        if found == [text]:
            self.focus_next(Input)
            return
        common = shared_beginning(found)
        if len(common) > len(text):
            field.value = common
            field.cursor_position = len(common)
        said = "  ".join(safe(ending(one), limit=40) for one in found[:OFFERED]) if len(found) != 1 else ""
        more = "  " + _("… and {found} more").format(found=len(found) - OFFERED) if len(found) > OFFERED else ""
        told = f"{said}{more}" if found else _("Nothing begins like that.")
        self.query_one("#form-refused", Words).say(Content.styled(told, "$muted"))

    @work(thread=True, exclusive=True, exit_on_error=False, group="trial")
    def _try(self, trial: Callable[[dict[str, str]], str], filled: dict[str, str]) -> None:
        try:
            said, tried = trial(filled), filled
        except LemnisError as error:
            said, tried = f"{told(error.problem)} {told(error.remedy)}", dict[str, str]()
        answer(self.call_later, self._told, said, tried)

    def _told(self, said: str, tried: dict[str, str]) -> None:
        self._tried = tried
        self.query_one("#form-refused", Words).say(said)

    def action_leave(self) -> None:
        self.dismiss(None)


def shared_beginning(options: Sequence[str]) -> str:
    """Return what all options begin with."""
    first, last = (min(options), max(options)) if options else ("", "")
    same = [one == two for one, two in zip(first, last, strict=False)]
    return first[: same.index(False)] if False in same else first[: len(same)]


def ending(option: str) -> str:
    """Return the part of an option that is still chosen: a file's name, the last name of a list."""
    return re.split(r"(?:/|, )(?=.)", option)[-1]


def among(names: Sequence[str]) -> Options:
    """Return what completes a name."""
    return lambda text, _: [name for name in names if name.startswith(text)]


def several(names: Sequence[str]) -> Options:
    """Return what completes the last of several names with commas between."""

    def found(text: str, _: dict[str, str]) -> list[str]:
        given = [name.strip() for name in text.split(",")]
        head = "".join(f"{name}, " for name in given[:-1])
        return [f"{head}{name}" for name in names if name.startswith(given[-1]) and name not in given[:-1]]

    return found


def split_names(text: str) -> list[str]:
    """Return names that were written with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]
