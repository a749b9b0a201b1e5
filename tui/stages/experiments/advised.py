"""The dialog that finds out which device to train on: a job tries each, the best is taken over by enter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput
from lemnis.engine.experiments import Advice
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.jobs import Job
from lemnis.engine.text import safe
from lemnis.tui.format import share
from lemnis.tui.stages.experiments.devices import advice_title, tried_columns, tried_row
from lemnis.tui.widgets import Table, Words

LOOK_EVERY_S = 0.5


class DevicesScreen(ModalScreen[str | None]):
    """Dismisses with a device, or with None; leaving it stops the job that tries them."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Leave", show=False)]

    @dataclass
    class Asked(Message):
        """The job was queued, or why not."""

        job_id: int
        error: LemnisError | None = None

    @dataclass
    class Seen(Message):
        """How the job stands, and what it found once it is done."""

        job: Job | None
        advice: Advice | None
        error: LemnisError | None = None

    def __init__(self, engine: Engine, preset: str, overrides: Mapping[str, Value]) -> None:
        super().__init__()
        self.engine, self.preset, self.overrides = engine, preset, overrides
        self.job_id, self.ended = 0, False
        self.usable: set[str] = set()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled("Which device?", "bold $stage-accent"))
            yield Words("asking for 30 rounds on each device …", id="advice-said")
            yield Table(id="advice", empty="")
            yield Words("", id="advice-fault")
            keys = ((" enter ", "$key"), " take this device   ", (" esc ", "$key"), " back, and stop trying")
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.set_columns(tried_columns("metric", narrow=self.app.size.width < 100))
        table.styles.height = 4
        table.focus()
        self.ask()
        self.set_interval(LOOK_EVERY_S, self.look_again)

    @work(thread=True, exclusive=True, exit_on_error=False, group="advice")
    def ask(self) -> None:
        """Queue the job."""
        try:
            job_id = self.engine.experiments.advisor.start(self.preset, overrides=self.overrides)
            self.engine.jobs.ensure_supervisor()
        except LemnisError as error:
            self.post_message(self.Asked(0, error))
        else:
            self.post_message(self.Asked(job_id))

    @on(Asked)
    def on_asked(self, message: Asked) -> None:
        message.stop()
        self.job_id = message.job_id
        if message.error is not None:
            self.refuse(message.error)

    def look_again(self) -> None:
        """Look at the job while it goes on."""
        if self.job_id and not self.ended:
            self.look(self.job_id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="advice")
    def look(self, job_id: int) -> None:
        """Read how the job stands."""
        try:
            job = self.engine.jobs.job(job_id)
            advice = self.engine.experiments.advisor.read(job_id) if job.state == "finished" else None
        except LemnisError as error:
            self.post_message(self.Seen(None, None, error))
        else:
            self.post_message(self.Seen(job, advice))

    @on(Seen)
    def on_seen(self, message: Seen) -> None:
        message.stop()
        said = self.query_one("#advice-said", Words)
        if message.error is not None:
            self.refuse(message.error)
        elif message.advice is not None:
            self.ended = True
            self.show(message.advice)
        elif message.job is not None and message.job.ended:
            self.refuse(BadInput(f"It is {message.job.state}: {message.job.why}", ""))
        elif message.job is not None:
            job = message.job
            doing = job.progress_text if job.state == "running" else job.why
            done = f" {share(job.progress, 0)}" if job.progress is not None else ""
            said.say(Content(safe(f"{job.state}{done}: {doing}", limit=200)))

    def show(self, advice: Advice) -> None:
        """Draw what was found, the cursor on the recommended device."""
        self.usable = {one.device for one in advice.tried if one.usable}
        narrow = self.app.size.width < 100
        table = self.query_one(Table)
        table.set_columns(tried_columns(advice.metric, narrow=narrow))
        table.show([tried_row(one, narrow=narrow) for one in advice.tried])
        table.select(advice.device)
        reasons = [f"{one.device}: {one.why}" for one in advice.tried if not one.usable]
        lines = [advice_title(advice), *reasons, advice.why]
        self.query_one("#advice-said", Words).say(Content("\n".join(safe(line, limit=600) for line in lines)))

    def refuse(self, error: LemnisError) -> None:
        """Say why there is no advice."""
        self.ended = True
        self.query_one("#advice-said", Words).say(
            Content.styled(safe(f"✖ {error.problem} {error.remedy}", limit=600), "$bad")
        )

    @on(Table.Opened)
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        if message.key in self.usable:
            self.dismiss(message.key)
        else:
            self.query_one("#advice-fault", Words).say(Content.styled(f"✖ {message.key} can't be used here.", "$bad"))

    def action_leave(self) -> None:
        if self.job_id and not self.ended:
            self.stop(self.job_id)
        self.dismiss(None)

    @work(thread=True, exit_on_error=False, group="advice-stop")
    def stop(self, job_id: int) -> None:
        """Stop the job."""
        try:
            self.engine.jobs.cancel(job_id)
        except LemnisError:
            return  # it ended meanwhile
