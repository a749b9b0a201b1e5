"""The dialog that finds out which device to train on: a job tries each, the best is taken over by enter."""

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine import Engine
from lemnis.engine.experiments import Advice
from lemnis.engine.experiments.parameters import Value
from lemnis.engine.jobs import Job
from lemnis.engine.text import safe
from lemnis.tui.format import share
from lemnis.tui.language import _
from lemnis.tui.screens.following import JobDialog
from lemnis.tui.sentences import told
from lemnis.tui.stages.experiments.devices import advice_title, tried_columns, tried_row
from lemnis.tui.widgets import Table, Words


class DevicesScreen(JobDialog[str | None]):
    """Dismisses with a device, or with None; leaving it stops the job that tries them."""

    def __init__(self, engine: Engine, preset: str, overrides: Mapping[str, Value]) -> None:
        super().__init__(engine)
        self.preset, self.overrides = preset, overrides
        self.usable: set[str] = set()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(_("Which device?"), "bold $stage-accent"))
            yield Words(_("asking for 30 rounds on each device …"), id="advice-said")
            yield Table(id="advice", empty="")
            yield Words("", id="advice-fault")
            keys = (
                (" enter ", "$key"),
                f" {_('take this device')}   ",
                (" esc ", "$key"),
                f" {_('back, and stop trying')}",
            )
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.set_columns(tried_columns("metric", narrow=self.app.size.width < 100))
        table.styles.height = 4
        table.focus()
        self.submit(self.engine.experiments.advisor.start, self.preset, overrides=self.overrides)

    def result(self, job: Job) -> Advice:
        return self.engine.experiments.advisor.read(job.id)

    def going(self, job: Job) -> None:
        doing = told(job.progress_text) if job.state == "running" else told(job.why)
        done = f" {share(job.progress, 0)}" if job.progress is not None else ""
        self.query_one("#advice-said", Words).say(Content(safe(f"{_(job.state)}{done}: {doing}", limit=200)))

    def found(self, result: Advice) -> None:
        """Draw what was found, the cursor on the recommended device."""
        self.usable = {one.device for one in result.tried if one.usable}
        narrow = self.app.size.width < 100
        table = self.query_one(Table)
        table.set_columns(tried_columns(result.metric, narrow=narrow))
        table.show([tried_row(one, narrow=narrow) for one in result.tried])
        table.select(result.device)
        reasons = [f"{one.device}: {told(one.why)}" for one in result.tried if not one.usable]
        lines = [advice_title(result), *reasons, told(result.why)]
        self.query_one("#advice-said", Words).say(Content("\n".join(safe(line, limit=600) for line in lines)))

    def refused(self, why: str) -> None:
        """Say why there is no advice."""
        self.query_one("#advice-said", Words).say(Content.styled(safe(f"✖ {why}", limit=600), "$bad"))

    @on(Table.Opened)
    def on_opened(self, message: Table.Opened) -> None:
        message.stop()
        if message.key in self.usable:
            self.dismiss(message.key)
        else:
            self.query_one("#advice-fault", Words).say(
                Content.styled(_("✖ {key} can't be used here.").format(key=message.key), "$bad")
            )
