"""Label mode: one row, one key; everywhere else's keys are off until escape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from msgspec import Struct
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import monotonic_s
from lemnis.engine.config import Labels
from lemnis.engine.explore.labels import Answer, AnswerKind, Progress, Queue, Task
from lemnis.engine.text import safe
from lemnis.tui.actions import key_label
from lemnis.tui.language import N_, _
from lemnis.tui.screens import card
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.widgets import Panel, PromptLine, Words
from lemnis.tui.widgets.dialog import Dialog

KEYS = (
    ("u", "undo", "Undo", N_("undo")),
    ("U", "redo", "Redo", N_("redo")),
    ("full_stop", "repeat", "Repeat", N_("same")),
    ("question_mark", "unsure", "Unsure", N_("unsure")),
    ("space", "skip", "Skip", N_("skip")),
    ("n", "note", "Note", N_("note")),
    ("left_square_bracket,left", "step(-1)", "Back", ""),
    ("right_square_bracket,right", "step(1)", "On", N_("rows")),
    ("number_sign", "go", "Go to", N_("go")),
    ("v", "suggestion", "Suggestion", N_("model")),
    ("escape", "leave", "Leave", N_("leave")),
)


NOT_COUNTED = Progress(rows=0, done=0, mine=0, per_minute=None, balance={}, unsure=0, reviewed=0, changed=0)


class Sight(Struct, frozen=True):
    """What the screen shows: the queue, the row (None: nothing left), and what just happened."""

    queue: Queue
    labels: Labels
    task: Task | None
    words: str


class LabelMode(Dialog[None]):
    """Asks one labeller about the rows of one queue."""

    BINDINGS: ClassVar = [
        *(Binding(key, action, label, show=False) for key, action, label, _ in KEYS),
        Binding("enter", "keep", "Keep", show=False),
        Binding("K", "explain", "Explain", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
    ]

    @dataclass
    class Seen(Message):
        """The next row came back from the thread."""

        sight: Sight

    @dataclass
    class Counted(Message):
        """How far the queue is, counted after the row was shown: over many labels it takes longer than a key."""

        progress: Progress

    @dataclass
    class Refused(Message):
        """It could not be read or written; the row stays."""

        error: LemnisError

    def __init__(self, engine: Engine, queue_id: int, who: str) -> None:
        super().__init__(classes="labelling")
        self.engine, self.queue_id, self.who = engine, queue_id, who
        self.sight: Sight | None = None
        self.progress = NOT_COUNTED
        self._counting = self._count_again = False
        self.waiting = True  # a key that is struck before the next row is on the screen must not label it
        self.open = False  # the suggestion is shown
        self.last: str | None = None
        self._since = monotonic_s()
        self._asks = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Words(id="label-title")
            yield Words(id="label-progress")
        with Panel(_("Row"), id="label-card"), VerticalScroll(can_focus=False):
            yield Words(id="label-row")
        with Vertical(id="label-foot"):
            yield Words(id="label-question")
            yield Words(id="label-classes")
            yield Words(id="label-hint")
            yield Words(id="label-said")
        yield PromptLine("✎", id="label-prompt")
        yield Words(keys_line(), classes="keys")

    def on_mount(self) -> None:
        self.look(lambda: "")

    # Reading and writing, in a thread.

    def look(self, call: Callable[[], str], place: Callable[[], int | None] = lambda: None) -> None:
        """Do something in a thread, then read a row: that at `place`, or the next one for this labeller."""
        self.waiting = True
        self._look(call, place)

    @work(thread=True, exit_on_error=False, group="label")
    def _look(self, call: Callable[[], str], place: Callable[[], int | None]) -> None:
        room = self.engine.explore.labels
        try:
            words, at = call(), place()
            task = room.next(self.queue_id, self.who) if at is None else room.at(self.queue_id, at, self.who)
            queue = room.queue(self.queue_id)
            sight = Sight(queue, room.declared(queue.labels), task, words)
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Seen(sight))

    def on_label_mode_seen(self, message: Seen) -> None:
        self.sight, self.waiting, self._since = message.sight, False, monotonic_s()
        self.draw()
        self.query_one("#label-card VerticalScroll").scroll_home(animate=False)
        if self._counting:
            self._count_again = True
        else:
            self._counting = True
            self._count()

    @work(thread=True, exit_on_error=False, group="label-count")
    def _count(self) -> None:
        try:
            self.post_message(self.Counted(self.engine.explore.labels.progress(self.queue_id, self.who)))
        except LemnisError as error:
            self.post_message(self.Refused(error))

    def on_label_mode_counted(self, message: Counted) -> None:
        self.progress, self._counting = message.progress, self._count_again
        self.draw()
        if self._count_again:
            self._count_again = False
            self._count()

    def on_label_mode_refused(self, message: Refused) -> None:
        self.waiting = self._counting = False
        error = message.error
        self.notify(
            "\n".join(filter(None, (error.place, error.remedy))), title=error.problem, severity="error", markup=False
        )
        if self.sight is None:
            self.dismiss()

    def draw(self) -> None:
        """Draw what was read."""
        sight = self.sight
        if sight is None:
            return
        queue, task, width = sight.queue, sight.task, self.size.width - 2
        title = Content.assemble(
            (safe(queue.labels), "bold"), (f" · {queue.title} · {safe(self.who, limit=24)}", "$muted")
        )
        self.query_one("#label-title", Words).say(title)
        self.query_one("#label-progress", Words).say(card.progress_words(self.progress))
        panel, row = self.query_one("#label-card", Panel), self.query_one("#label-row", Words)
        if task is None:
            panel.retitle(_("Nothing left"))
            row.say(_("Nothing is left for you in this queue. u takes back the last answer, [ goes back, esc leaves."))
        else:
            panel.retitle(task.item.row_key, card.place_words(task, queue))
            row.say(card.card_content(task, width - 4))
        self.query_one("#label-question", Words).say(
            sight.labels.question or _("Which {column}?").format(column=sight.labels.column)
        )
        now = task.mine.value if task is not None and task.mine is not None else task.item.given if task else None
        self.query_one("#label-classes", Words).say(
            card.classes_content(sight.labels.key_of, self.progress, now, width)
        )
        hint = Content("")
        if task is not None:
            hint = card.hint_content(task, queue, shown=self.sees)
        self.query_one("#label-hint", Words).say(hint)
        precision = card.precision_words(self.progress)
        said = Content.styled(safe(sight.words, limit=200), "$muted")
        self.query_one("#label-said", Words).say(Content.assemble(precision, "  ·  ", said) if precision else said)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @property
    def sees(self) -> bool:
        """Whether the labeller sees what the model says: on demand, and always where it is what is reviewed."""
        return self.open or (self.sight is not None and self.sight.queue.kind == "errors")

    # Keys.

    def on_key(self, event: Key) -> None:
        sight = self.sight
        if sight is None or self.query_one(PromptLine).display or event.character is None:
            return
        name = next((name for name, key in sight.labels.key_of.items() if key == event.character), None)
        if name is not None:
            event.stop()
            self.say("label", name)
        elif event.character.isprintable() and not event.character.isascii():
            words = _("The keyboard writes another script now; nothing was recorded.")
            self.query_one("#label-said", Words).say(Content.styled(words, "$warn"))

    def say(self, kind: AnswerKind, value: str | None = None, note: str = "") -> None:
        """Record an answer about the row on the screen and go on to the next."""
        sight = self.sight
        if sight is None or sight.task is None or self.waiting:
            return
        item, room = sight.task.item, self.engine.explore.labels
        took = round((monotonic_s() - self._since) * 1000)
        seen = self.sees and item.suggested is not None
        answer = Answer(kind=kind, value=value, note=note, took_ms=None if kind == "note" else took, shown=seen)
        words = {
            "label": f"{value}",
            "unsure": _("unsure"),
            "skip": _("skipped"),
            "note": _("note: {note}").format(note=note),
        }[kind]
        if value is not None:
            self.last = value

        def record() -> str:
            room.answer(self.queue_id, item.place, answer, self.who)
            return _("{row_key}: {words}   u takes it back").format(row_key=item.row_key, words=words)

        self.look(record, (lambda: item.place) if kind == "note" else lambda: None)

    def action_keep(self) -> None:
        """Keep the label that is reviewed."""
        task = self.sight.task if self.sight else None
        if task is not None and task.item.given is not None:
            self.say("label", task.item.given)

    def action_repeat(self) -> None:
        if self.last is None:
            self.notify(_("There is no answer to repeat yet."), markup=False)
        else:
            self.say("label", self.last)

    def action_unsure(self) -> None:
        self.say("unsure")

    def action_skip(self) -> None:
        self.say("skip")

    def action_undo(self) -> None:
        self._back_to(
            self.engine.explore.labels.undo, _("taken back"), _("Nothing is left to take back in this queue.")
        )

    def action_redo(self) -> None:
        self._back_to(
            self.engine.explore.labels.redo, _("said again"), _("Nothing was taken back since your last answer.")
        )

    def _back_to(self, call: Callable[..., object], done: str, nothing: str) -> None:
        """Undo or redo, and show the row that it was about."""
        if self.waiting or self.sight is None:
            return
        here = self.sight.task.item.place if self.sight.task else None
        found: list[int | None] = [here]

        def act() -> str:
            event = call(self.queue_id, self.who)
            if event is None:
                return nothing
            found[0] = event.place  # pyright: ignore[reportAttributeAccessIssue]
            return f"{event.row_key}: {card.said_words(event)} {done}"  # pyright: ignore

        self.look(act, lambda: found[0])

    def action_step(self, by: int) -> None:
        """Go to the row before or after; after the last one, to the next without an answer."""
        sight = self.sight
        if sight is None or self.waiting:
            return
        here = sight.task.item.place if sight.task else sight.queue.rows
        place = here + by
        if place < 0:
            self.notify(_("This is the first row of the queue."), markup=False)
        elif place >= sight.queue.rows:
            self.look(lambda: "")
        else:
            self.look(lambda: "", lambda: place)

    def action_go(self) -> None:
        """Ask for the number of a row."""
        if self.sight is not None:
            self._asks = "go"
            self.query_one(PromptLine).open("", _("a row from 1 to {rows}").format(rows=self.sight.queue.rows))

    def action_note(self) -> None:
        """Ask for a note on the row."""
        if self.sight is not None and self.sight.task is not None:
            self._asks = "note"
            self.query_one(PromptLine).open("", _("this needs a second look"))

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        prompt, text = self.query_one(PromptLine), message.text.strip()
        prompt.close()
        if self._asks == "note" and text:
            self.say("note", note=text)
        elif self._asks == "go" and text:
            rows = self.sight.queue.rows if self.sight else 0
            if text.isdecimal() and 1 <= int(text) <= rows:
                self.look(lambda: "", lambda: int(text) - 1)
            else:
                self.notify(
                    _("There is no row {text}; give 1 to {rows}.").format(text=safe(text, limit=20), rows=rows),
                    markup=False,
                )

    def action_suggestion(self) -> None:
        """Show what the model says, or hide it again; each answer records whether it was seen."""
        self.open = not self.open
        self.draw()

    def action_explain(self) -> None:
        """Say why this row is asked about; what would tell the model's answer stays hidden with it."""
        sight = self.sight
        if sight is not None and sight.task is not None:
            text = card.why_text(sight.task, sight.queue, shown=self.sees)
            self.app.push_screen(Explanation(_("Row {row_key}").format(row_key=sight.task.item.row_key), text))

    def action_scroll(self, by: int) -> None:
        self.query_one("#label-card VerticalScroll").scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        prompt = self.query_one(PromptLine)
        if prompt.display:
            prompt.close()
            return
        self._give_back()
        self.dismiss()

    @work(thread=True, exit_on_error=False, group="label-leave")
    def _give_back(self) -> None:
        if not self.engine.store.read_only:
            self.engine.explore.labels.release(self.queue_id, self.who)


def keys_line() -> Content:
    """Return the keys of label mode."""
    parts = [
        Content.assemble((key_label(key).split()[0], "$key"), f" {_(word)}".rstrip())
        for key, _action, _label, word in KEYS
    ]
    return Content(" ") + Content(" ").join(parts)
