"""The dialog that writes a version for other applications: which form, where to, how far it is, and what was found."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from lemnis.engine import Engine, LemnisError
from lemnis.engine.deploy import ModelVersion
from lemnis.engine.deploy.exports.records import FORMS, Export
from lemnis.engine.jobs import Job, user_name
from lemnis.engine.text import safe
from lemnis.tui.stages.deploy import rows
from lemnis.tui.widgets import Col, Meter, Row, Table, Words

if TYPE_CHECKING:
    from lemnis.tui.app import Console

LOOK_EVERY_S = 0.4
FLOAT32 = "onnx, float32"
CHOICES = {**FORMS, FLOAT32: "numbers as float32; refused if that matters"}


class ExportScreen(ModalScreen[None]):
    """Leaving it while the job runs stops the job, which leaves nothing behind."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("y", "copy", "Copy the path", show=False),
    ]

    @dataclass
    class Asked(Message):
        """The job was queued, or why not."""

        job_id: int
        error: LemnisError | None = None

    @dataclass
    class Seen(Message):
        """How the job stands, and what it has written once it is done."""

        job: Job
        made: Export | None

    def __init__(self, engine: Engine, version: ModelVersion) -> None:
        super().__init__()
        self.engine, self.version = engine, version
        self.job_id, self.running = 0, False
        self.made: Export | None = None
        self.suggested = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            title = f"Export {self.version.model} version {self.version.version}"
            yield Words(Content.styled(safe(title, limit=70), "bold $stage-accent"))
            yield Table(Col("form", width=14), Col("what is written", flex=True), id="forms")
            yield Input(compact=True, id="export-to", placeholder="a folder that is new or empty")
            yield Meter("written", id="export-meter")
            yield Words("", id="export-said")
            yield Words(keys(("enter", "choose, then write"), ("esc", "back")), id="export-keys", classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.styles.height = len(CHOICES) + 1
        table.show([Row(form, (form, what)) for form, what in CHOICES.items()])
        table.select("folder")
        table.focus()
        self.query_one(Meter).display = False
        self.suggest()
        self.set_interval(LOOK_EVERY_S, self.look_again)

    @on(Table.Moved)
    def suggest(self) -> None:
        """Say where the chosen form would go, unless a person has typed another place."""
        place, form = self.query_one(Input), self.query_one(Table).key or "folder"
        if place.value == self.suggested:
            name = f"{self.version.model}-{self.version.version}-{form.replace(', ', '-')}"
            self.suggested = place.value = str(self.engine.workspace.root / "exports" / name)

    @on(Table.Opened)
    def chosen(self, message: Table.Opened) -> None:
        message.stop()
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def write(self, message: Input.Submitted) -> None:
        message.stop()
        if self.running or not message.value.strip():
            return
        self.running = True
        self.say(Content("Queued."))
        form = self.query_one(Table).key or "folder"
        self.start(form.partition(",")[0], Path(message.value.strip()).expanduser(), form == FLOAT32)

    @work(thread=True, exclusive=True, exit_on_error=False, group="export")
    def start(self, form: str, to: Path, float32: bool) -> None:
        """Queue the job."""
        version = self.version
        try:
            if to.parent == self.engine.workspace.root / "exports":
                to.parent.mkdir(exist_ok=True)
            reference = f"{version.model}@{version.version}"
            job_id = self.engine.deploy.start_export(reference, to, form, user_name(), float32=float32)
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
            self.refuse(f"{message.error.problem} {message.error.remedy}")
            return
        self.query_one(Meter).display = True
        self.query_one(Input).disabled = self.query_one(Table).disabled = True
        self.query_one("#export-keys", Words).say(keys(("esc", "stop, and leave nothing behind")))

    def look_again(self) -> None:
        """Look at the job while it goes on."""
        if self.job_id and self.running:
            self.look(self.job_id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="export")
    def look(self, job_id: int) -> None:
        """Read how the job stands."""
        try:
            job = self.engine.jobs.job(job_id)
            made = self.engine.deploy.export_of((job.result or {})["id"]) if job.state == "finished" else None
        except LemnisError as error:
            self.post_message(self.Asked(0, error))
        else:
            self.post_message(self.Seen(job, made))

    @on(Seen)
    def on_seen(self, message: Seen) -> None:
        message.stop()
        job = message.job
        if message.made is not None:
            self.running, self.made = False, message.made
            self.query_one(Meter).show(1.0, "all of it", warn=2, bad=2)
            self.say(rows.export_words(message.made))
            self.query_one("#export-keys", Words).say(keys(("y", "copy the path"), ("esc", "back")))
        elif job.ended:
            self.refuse(f"{job.why}")
        else:
            doing = job.progress_text if job.state == "running" else job.why
            self.query_one(Meter).show(job.progress or 0.0, safe(doing, limit=60), warn=2, bad=2)

    def refuse(self, why: str) -> None:
        """Say why nothing was written, and let another form or place be chosen."""
        self.running, self.job_id = False, 0
        self.say(Content.styled(safe(f"✖ {why}", limit=700), "$bad"))
        self.query_one(Meter).display = False
        self.query_one(Input).disabled = self.query_one(Table).disabled = False
        self.query_one(Table).focus()
        self.query_one("#export-keys", Words).say(keys(("enter", "choose, then write"), ("esc", "back")))

    def say(self, what: Content) -> None:
        """Show words below the form."""
        self.query_one("#export-said", Words).say(what)

    def action_copy(self) -> None:
        """Put the path of what was written on the clipboard."""
        if self.made is not None:
            cast("Console", self.app).copy(str(self.made.path), "path")

    def action_leave(self) -> None:
        if self.job_id and self.running:
            self.stop(self.job_id)
        self.dismiss(None)

    @work(thread=True, exit_on_error=False, group="export-stop")
    def stop(self, job_id: int) -> None:
        """Stop the job."""
        try:
            self.engine.jobs.cancel(job_id)
        except LemnisError:
            return  # it ended meanwhile


def keys(*pairs: tuple[str, str]) -> Content:
    """Return keys and what they do."""
    parts = [Content.assemble((f" {key} ", "$key"), f" {does}   ") for key, does in pairs]
    return Content("").join(parts)
