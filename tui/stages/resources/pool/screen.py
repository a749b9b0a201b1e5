"""The pool: a bar for each account, every job with its right to run or its reason to wait, and keys for its place."""

from dataclasses import dataclass
from typing import ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.resources import PoolState
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.stages.resources.pane import Lines
from lemnis.tui.stages.resources.pool import words
from lemnis.tui.stages.resources.pool.trial import TrialScreen
from lemnis.tui.stages.resources.rows import only, pool_title
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.confirm import Confirm
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 2.0
STEP = 10
NARROW = 110


class PoolScreen(Dialog[str | None]):
    """Dismisses with the run that is to be shown, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("plus,equals_sign", f"raise_by({STEP})", "Raise", show=False),
        Binding("minus", f"raise_by({-STEP})", "Lower", show=False),
        Binding("w", "try_out", "What if", show=False),
        Binding("x", "stop", "Stop", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The pool was read."""

        pool: PoolState
        at: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PoolScreen.Read)

    @dataclass
    class Refused(Message):
        """It can't be read, or something could not be done."""

        error: LemnisError

    @dataclass
    class Done(Message):
        """Something was done."""

        what: str

    def __init__(self, engine: Engine, chosen: str = "") -> None:
        super().__init__(classes="pool")
        self.engine, self.chosen = engine, chosen
        self._pool: PoolState | None = None
        self._at = 0

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Shares"), id="shares"):
            yield Lines(id="share-lines")
        with Panel(_("Jobs"), id="pool-jobs-panel"):
            yield Table(*words.COLUMNS, id="pool-jobs", empty=_("Nothing runs or waits."))
        yield Lines(id="pool-why")
        yield Words(keys_line(self.engine.store.read_only), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read)
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="pool")
    def read(self) -> None:
        """Read the pool."""
        try:
            message: Message = self.Read(self.engine.resources.pool(), self.engine.now_ms())
        except LemnisError as error:
            message = self.Refused(error)
        answer(self.post_message, message)

    def on_pool_screen_read(self, message: Read) -> None:
        pool, at = message.pool, message.at
        self._pool, self._at = pool, at
        self.query_one(ErrorStrip).clear()
        shares = self.query_one("#shares", Panel)
        shares.retitle(_("Shares"), pool_title(pool))
        shares.footnote(_(words.LEGEND))
        self.query_one("#share-lines", Lines).show(lambda width: words.account_lines(pool, width))
        table, columns, found = self.query_one(Table), words.COLUMNS, words.job_rows(pool, at)
        if self.size.width < NARROW:
            columns, found = only(columns, found, words.NARROW)
            columns = [replace(one, most=words.NARROW_WHAT) if one.name == "what" else one for one in columns]
        table.set_columns(columns)
        table.show(found)
        if self.chosen and table.select(self.chosen):
            self.chosen = ""
        self.query_one("#pool-jobs-panel", Panel).retitle(_("Jobs"), pool.enforcement)
        self.say_why()

    def on_pool_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_pool_screen_done(self, message: Done) -> None:
        self.say(message.what)
        self.read()

    @on(Table.Moved, "#pool-jobs")
    def say_why(self) -> None:
        """Say in full, below the table, what its last column says of the job under the cursor."""
        key, pool, at = self.query_one(Table).key, self._pool, self._at
        said = ""
        for one in pool.waiting if pool else ():
            if str(one.job_id) == key:
                said = words.waiting_words(one, at)
        for one in pool.holding if pool else ():
            if str(one.job_id) == key:
                said = words.holding_words(one)
        self.query_one("#pool-why", Lines).show(lambda width: words.wrapped(said, width))

    def say(self, what: str) -> None:
        """Say in the border of the jobs what came of the last key."""
        self.query_one("#pool-jobs-panel", Panel).footnote(what)

    def job_id(self) -> int | None:
        """Return the job under the cursor."""
        key = self.query_one(Table).key
        return int(key) if key else None

    def action_raise_by(self, by: int) -> None:
        """Give the job under the cursor more or less priority."""
        job_id, pool = self.job_id(), self._pool
        if job_id is None or pool is None or self.engine.store.read_only:
            return
        jobs = {one.job_id: one.priority for one in (*pool.holding, *pool.waiting)}
        if job_id in jobs:
            self.prioritise(job_id, max(0, min(200, jobs[job_id] + by)))

    @work(thread=True, exit_on_error=False, group="pool-change")
    def prioritise(self, job_id: int, priority: int) -> None:
        """Change a priority."""
        try:
            self.engine.jobs.prioritise(job_id, priority)
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(
                self.Done(_("Job {job_id} has priority {priority}.").format(job_id=job_id, priority=priority))
            )

    def action_try_out(self) -> None:
        """Show what a change of the waiting job under the cursor would do."""
        job_id, pool = self.job_id(), self._pool
        waiting = next((one for one in pool.waiting if one.job_id == job_id), None) if pool else None
        if waiting is None:
            self.say(_("▲ Only a job that waits can be tried out."))
            return
        self.app.push_screen(TrialScreen(self.engine, waiting), lambda priority: self.tried(waiting.job_id, priority))

    def tried(self, job_id: int, priority: int | None) -> None:
        """Give a job the priority that was tried out, if it is to have it."""
        if priority is not None:
            self.prioritise(job_id, priority)

    def action_stop(self) -> None:
        """Ask, then stop the job under the cursor."""
        job_id = self.job_id()
        if job_id is None or self.engine.store.read_only:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.cancel(job_id)

        question = Confirm(
            _("Stop job {job_id}?").format(job_id=job_id),
            lost=_("what it did since its last checkpoint"),
            word=_("stop"),
        )
        self.app.push_screen(question, answered)

    @work(thread=True, exit_on_error=False, group="pool-change")
    def cancel(self, job_id: int) -> None:
        """Stop a job."""
        try:
            self.engine.jobs.cancel(job_id)
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Done(_("Job {job_id} was asked to stop.").format(job_id=job_id)))

    @on(Table.Opened)
    def open_run(self, message: Table.Opened) -> None:
        """Go to the run that a job trains."""
        message.stop()
        pool = self._pool
        jobs = [*pool.holding, *pool.waiting] if pool else []
        run_id = next((one.run_id for one in jobs if str(one.job_id) == message.key), None)
        if run_id is not None:
            self.dismiss(str(run_id))
        else:
            self.say(_("▲ No run belongs to this job."))

    def action_leave(self) -> None:
        self.dismiss(None)


def keys_line(read_only: bool) -> Content:
    """Return what the keys do."""
    keys = [("w", _("what if")), ("enter", _("its run"))]
    if not read_only:
        keys = [("+ -", _("priority by {step}").format(step=STEP)), *keys, ("x", "stop")]
    parts = [part for key, does in [*keys, ("esc", "back")] for part in ((f" {key} ", "$key"), f" {_(does)}  ")]
    return Content.assemble(*parts)
