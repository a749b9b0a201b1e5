"""A dialog around one job: it queues it, follows it while it goes on, and stops it when it is left before the end."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from textual import on, work
from textual.binding import Binding
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.jobs import Job
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets.dialog import Dialog

LOOK_EVERY_S = 0.4
Answer = TypeVar("Answer")  # what the dialog is left with


class JobDialog(Dialog[Answer], Generic[Answer]):
    """What is shown is the dialog's own affair: `queued`, `going`, `found` and `refused` say where the job is."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Leave", show=False)]

    class Queued(Message):
        """The job was queued."""

    @dataclass
    class Refused(Message):
        """It was not, or can't be read."""

        error: LemnisError

    @dataclass
    class Seen(Message):
        """How the job stands, and what came of it once it has finished."""

        job: Job
        result: Any  # Any: of each kind of job

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine, self.job_id, self.left = engine, 0, False

    def on_mount(self) -> None:
        every(self, LOOK_EVERY_S, self.look_again)

    # What a dialog defines.

    def result(self, job: Job) -> Any:
        """Return what a finished job has brought; runs in a thread. Any: see Seen."""
        raise NotImplementedError

    def queued(self) -> None:
        """Say that the job is queued; the default says nothing."""

    def going(self, job: Job) -> None:
        """Show how far a job is that goes on."""
        raise NotImplementedError

    def found(self, result: Any) -> None:
        """Show what came of it. Any: see Seen."""
        raise NotImplementedError

    def refused(self, why: str) -> None:
        """Show why nothing came of it."""
        raise NotImplementedError

    # What a dialog uses.

    @work(thread=True, exclusive=True, exit_on_error=False, group="job")
    def submit(self, call: Any, *arguments: Any, **options: Any) -> None:
        """Queue a job by the engine's call that returns its id. Any: whatever that takes."""
        try:
            job_id = call(*arguments, **options)
            self.engine.jobs.ensure_supervisor()
        except LemnisError as error:
            self.post_message(self.Refused(error))
            return
        self.job_id = job_id  # before `left` is asked: whichever comes second, leaving or this, stops the job
        if self.left:
            self.cancel(job_id)
        self.post_message(self.Queued())

    def action_leave(self) -> None:
        self.left = True
        if self.job_id:  # by the app: what a dialog has not begun when it goes is never done
            cancel = partial(self.cancel, self.job_id)
            self.app.run_worker(cancel, thread=True, exit_on_error=False, group="job-stop")
        self.dismiss(None)

    # How it works.

    @on(Queued)
    def on_queued(self, message: Queued) -> None:
        message.stop()
        self.queued()

    @on(Refused)
    def on_refused(self, message: Refused) -> None:
        message.stop()
        self.job_id = 0
        self.refused(f"{told(message.error.problem)} {told(message.error.remedy)}")

    def look_again(self) -> None:
        """Look at the job while it goes on."""
        if self.job_id:
            self.look(self.job_id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="job")
    def look(self, job_id: int) -> None:
        """Read how the job stands."""
        try:
            job = self.engine.jobs.job(job_id)
            result = self.result(job) if job.state == "finished" else None
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Seen(job, result))

    @on(Seen)
    def on_seen(self, message: Seen) -> None:
        message.stop()
        job = message.job
        if job.id != self.job_id:
            return  # of one that has ended meanwhile
        if not job.ended:
            self.going(job)
            return
        self.job_id = 0
        if job.state == "finished":
            self.found(message.result)
        else:
            self.refused(_("It is {state}: {why}").format(state=_(job.state), why=told(job.why)))

    def cancel(self, job_id: int) -> None:
        """Ask a job to stop; one that has ended meanwhile stays as it is."""
        try:
            self.engine.jobs.cancel(job_id)
        except LemnisError:
            return
