"""The dialog that says what tells a window's rows from training rows; it has a job find out where nobody has yet."""

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine
from lemnis.engine.jobs import Job
from lemnis.engine.monitor import Contrast, Window
from lemnis.engine.text import safe
from lemnis.tui.answers import answer
from lemnis.tui.format import number, share
from lemnis.tui.language import _
from lemnis.tui.screens.following import JobDialog
from lemnis.tui.stages.monitor.rows import bar, span_label
from lemnis.tui.widgets import Col, Row, Table, Words

TOLD, NAMED, BAR = 6, 3, 20  # features listed, of them with their values in the examples, columns of a bar
LOW, SHORT = 30, 3  # on a screen of fewer lines so few features are listed


class WhyScreen(JobDialog[None]):
    """Leaving it stops the job."""

    @dataclass
    class Read(Message):
        """What was found before, None where nobody has asked yet."""

        kept: Contrast | None

    def __init__(self, engine: Engine, window: Window) -> None:
        super().__init__(engine)
        self.window = window

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(
                Content.styled(
                    _("What changed in {span_label}?").format(span_label=span_label(self.window)), "bold $stage-accent"
                )
            )
            yield Words(_("looking …"), id="why-said")
            yield Table(id="why-examples", empty="")
            yield Words(Content.assemble((" esc ", "$key"), f" {_('back')}"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).display = False
        self.read_kept()

    @work(thread=True, exclusive=True, exit_on_error=False, group="kept")
    def read_kept(self) -> None:
        """Show what was found before, or have it found."""
        answer(self.post_message, self.Read(self.engine.monitor.contrast(self.window)))

    @on(Read)
    def begin(self, message: Read) -> None:
        message.stop()
        if message.kept is not None:
            self.found(message.kept)
        else:
            self.submit(self.engine.monitor.start_contrast, self.window)

    def result(self, job: Job) -> Contrast | None:
        return self.engine.monitor.contrast(self.window)

    def going(self, job: Job) -> None:
        doing = job.progress_text if job.state == "running" else job.why
        done = f" {share(job.progress, 0)}" if job.progress is not None else ""
        self.query_one("#why-said", Words).say(Content(safe(f"{_(job.state)}{done}: {doing}", limit=200)))

    def found(self, result: Contrast | None) -> None:
        """Draw the features by which the rows can be told, and the rows most unlike."""
        if result is None:
            self.refused(_("The comparison is gone: the window was cut anew."))
            return
        self.query_one("#why-said", Words).say(told_content(result, TOLD if self.app.size.height >= LOW else SHORT))
        table = self.query_one(Table)
        named = [one.feature for one in result.told[:NAMED]]
        table.set_columns(
            [Col("key", "most unlike", most=24), Col("score", right=True), *(Col(name, most=20) for name in named)]
        )
        table.show(
            [
                Row(
                    str(place),
                    [one.key, number(one.score), *one.values[:NAMED]],
                    [one.key, one.score, *one.values[:NAMED]],
                )
                for place, one in enumerate(result.examples)
            ]
        )
        table.styles.height = len(result.examples) + 1
        table.display = True

    def refused(self, why: str) -> None:
        """Say why there is no answer."""
        self.query_one("#why-said", Words).say(Content.styled(safe(f"✖ {why}", limit=600), "$bad"))


def told_content(found: Contrast, most: int) -> Content:
    """Return the sentence and a bar for each of the features that tell the rows apart best."""
    listed = found.told[:most]
    wide = max((len(safe(one.feature, limit=24)) for one in listed), default=0)
    lines = [Content(found.words), Content("")]
    for one in listed:
        name = f"{safe(one.feature, limit=24):<{wide}}  "
        lines.append(Content.assemble(name, (bar(one.share, 1.0, BAR), "$busy"), f" {one.share * 100:3.0f}%"))
    return Content("\n").join(lines)
