"""The dialog that writes a version for other applications: which form, where to, how far it is, and what was found."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.engine.deploy import ModelVersion
from lemnis.engine.deploy.exports.records import FORMS, Export
from lemnis.engine.jobs import Job, user_name
from lemnis.engine.text import safe
from lemnis.tui.language import N_, _
from lemnis.tui.screens.following import JobDialog
from lemnis.tui.sentences import told
from lemnis.tui.stages.deploy.exported import export_words
from lemnis.tui.widgets import Col, Meter, Row, Table, Words
from lemnis.tui.widgets.field import Field

if TYPE_CHECKING:
    from lemnis.tui.app import Console

FLOAT32 = "onnx, float32"
CHOICES = {**FORMS, FLOAT32: N_("numbers as float32; refused if that matters")}


class ExportScreen(JobDialog[None]):
    """Leaving it while the job runs stops the job, which leaves nothing behind."""

    BINDINGS: ClassVar = [Binding("y", "copy", "Copy the path", show=False)]

    def __init__(self, engine: Engine, version: ModelVersion) -> None:
        super().__init__(engine)
        self.version, self.running = version, False
        self.made: Export | None = None
        self.suggested = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            title = _("Export {model} version {version}").format(model=self.version.model, version=self.version.version)
            yield Words(Content.styled(safe(title, limit=70), "bold $stage-accent"))
            yield Table(Col("form", width=14), Col("what is written", flex=True), id="forms")
            yield Field(compact=True, id="export-to", placeholder=_("a folder that is new or empty"))
            yield Meter(_("written"), id="export-meter")
            yield Words("", id="export-said")
            yield Words(keys(("enter", _("choose, then write")), ("esc", _("back"))), id="export-keys", classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.styles.height = len(CHOICES) + 1
        table.show([Row(form, (form, told(_(what)))) for form, what in CHOICES.items()])
        table.select("folder")
        table.focus()
        self.query_one(Meter).display = False
        self.suggest()

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
        self.say(Content(_("Queued.")))
        form, to = self.query_one(Table).key or "folder", Path(message.value.strip()).expanduser()
        self.submit(self.start, form.partition(",")[0], to, form == FLOAT32)

    def start(self, form: str, to: Path, float32: bool) -> int:
        """Queue the job and return its id; the folder that is proposed is made, any other must be there."""
        if to.parent == self.engine.workspace.root / "exports":
            to.parent.mkdir(exist_ok=True)
        reference = f"{self.version.model}@{self.version.version}"
        return self.engine.deploy.start_export(reference, to, form, user_name(), float32=float32)

    def queued(self) -> None:
        self.query_one(Meter).display = True
        self.query_one(Input).disabled = self.query_one(Table).disabled = True
        self.query_one("#export-keys", Words).say(keys(("esc", _("stop, and leave nothing behind"))))

    def result(self, job: Job) -> Export:
        return self.engine.deploy.export_of((job.result or {})["id"])

    def going(self, job: Job) -> None:
        doing = job.progress_text if job.state == "running" else job.why
        self.query_one(Meter).show(job.progress or 0.0, safe(doing, limit=60), warn=2, bad=2)

    def found(self, result: Export) -> None:
        self.running, self.made = False, result
        self.query_one(Meter).show(1.0, _("all of it"), warn=2, bad=2)
        self.say(export_words(result))
        self.query_one("#export-keys", Words).say(keys(("y", _("copy the path")), ("esc", _("back"))))

    def refused(self, why: str) -> None:
        """Say why nothing was written, and let another form or place be chosen."""
        self.running = False
        self.say(Content.styled(safe(f"✖ {why}", limit=700), "$bad"))
        self.query_one(Meter).display = False
        self.query_one(Input).disabled = self.query_one(Table).disabled = False
        self.query_one(Table).focus()
        self.query_one("#export-keys", Words).say(keys(("enter", _("choose, then write")), ("esc", _("back"))))

    def say(self, what: Content) -> None:
        """Show words below the form."""
        self.query_one("#export-said", Words).say(what)

    def action_copy(self) -> None:
        """Put the path of what was written on the clipboard."""
        if self.made is not None:
            cast("Console", self.app).copy(str(self.made.path), "path")


def keys(*pairs: tuple[str, str]) -> Content:
    """Return keys and what they do."""
    parts = [Content.assemble((f" {key} ", "$key"), f" {does}   ") for key, does in pairs]
    return Content("").join(parts)
