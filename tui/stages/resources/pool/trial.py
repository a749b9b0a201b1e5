"""A dry run: what would become of the line were a waiting job changed; only enter changes it."""

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.resources import Change, Waiting, WhatIf
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.stages.resources.pane import Lines
from lemnis.tui.stages.resources.pool import words
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

STEP = 10


class TrialScreen(Dialog[int | None]):
    """Dismisses with the priority that the job is to have, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("plus,equals_sign", f"priority({STEP})", "More priority", show=False),
        Binding("minus", f"priority({-STEP})", "Less priority", show=False),
        Binding("greater_than_sign,full_stop", "cores(1)", "More cores", show=False),
        Binding("less_than_sign,comma", "cores(-1)", "Fewer cores", show=False),
        Binding("enter", "take", "Give it this priority", show=False, priority=True),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Tried(Message):
        """The scheduler has answered."""

        found: WhatIf
        at: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TrialScreen.Tried)

    @dataclass
    class Refused(Message):
        """It can't be tried: the job does not wait any more."""

        error: LemnisError

    def __init__(self, engine: Engine, job: Waiting) -> None:
        super().__init__(classes="pool")
        self.engine, self.job = engine, job
        self.asked_priority, self.asked_cores = job.priority, job.cores

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("What if"), id="trial"):
            yield Lines(id="trial-lines")
        with Panel(_("For others"), id="trial-others-panel"):
            yield Table(*words.MOVED_COLUMNS, id="trial-others", empty=_("It makes no difference for any other job."))
        yield Words(trial_keys(self.engine.store.read_only), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self.try_out()

    @work(thread=True, exclusive=True, exit_on_error=False, group="trial")
    def try_out(self) -> None:
        """Ask the scheduler what it would decide."""
        change = Change(priority=self.asked_priority, cores=self.asked_cores)
        try:
            message: Message = self.Tried(self.engine.resources.what_if(self.job.job_id, change), self.engine.now_ms())
        except LemnisError as error:
            message = self.Refused(error)
        answer(self.post_message, message)

    def on_trial_screen_tried(self, message: Tried) -> None:
        found, at = message.found, message.at
        self.query_one("#trial", Panel).retitle(
            _("What if"),
            _("job {job_id} had {asked_words}").format(job_id=found.job_id, asked_words=words.asked_words(found)),
        )
        self.query_one("#trial-lines", Lines).show(lambda width: words.trial_lines(found, at, width))
        self.query_one("#trial", Panel).footnote(_("nothing is changed by trying"))
        self.query_one(Table).show(words.moved_rows(found, at))

    def on_trial_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def action_priority(self, by: int) -> None:
        self.asked_priority = max(0, min(200, self.asked_priority + by))
        self.try_out()

    def action_cores(self, by: int) -> None:
        self.asked_cores = max(0.0, self.asked_cores + by)
        self.try_out()

    def action_take(self) -> None:
        """Give the job the priority that was tried out."""
        if self.engine.store.read_only:
            return
        if self.asked_cores != self.job.cores:
            self.query_one("#trial", Panel).footnote(_("▲ Cores are only tried out: queue it anew to change them."))
            return
        self.dismiss(self.asked_priority)

    def action_leave(self) -> None:
        self.dismiss(None)


def trial_keys(read_only: bool) -> Content:
    """Return what the keys do."""
    keys = [("+ -", _("priority by {step}").format(step=STEP)), ("< >", _("cores"))]
    if not read_only:
        keys.append(("enter", _("give it this priority")))
    parts = [part for key, does in [*keys, ("esc", _("back"))] for part in ((f" {key} ", "$key"), f" {does}  ")]
    return Content.assemble(*parts)
