"""The label desk: every question with how far it is, its queues, and what can be done with the answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.explore.labels import LabelSet, Queue
from lemnis.engine.jobs import Job, user_name
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address
from lemnis.tui.answers import answer
from lemnis.tui.format import MISSING, number, share
from lemnis.tui.language import N_, _
from lemnis.tui.screens import card
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.screens.label import LabelMode
from lemnis.tui.screens.label_forms import DeclareForm, QueueForm, QueueWish
from lemnis.tui.sentences import told
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Col, Panel, PromptLine, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 1.0
WIDE = 120
MADE = Col("made", most=34)
QUEUE_COLUMNS = [
    Col("id", right=True),
    Col("kind"),
    Col("done", right=True),
    Col("rows", right=True),
    Col("overlap", right=True),
    Col("chosen", "how its rows were chosen", flex=True),
]
JOB_KINDS = ("labelling.queue", "explore.labels.apply")
NOTHING = N_("No labels are declared. Press d to say what is to be labelled.")


class DeskView(Struct, frozen=True):
    """What the desk shows: the questions, the queues of all, and the last job about labels."""

    sets: list[LabelSet]
    queues: list[Queue]
    job: Job | None


class LabelDesk(Dialog[None]):
    """Questions above, the queues of the chosen one below; enter labels."""

    BINDINGS: ClassVar = [
        *place_bindings(),
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("n", "new", "New queue", show=False),
        Binding("e", "errors", "Find errors", show=False),
        Binding("c", "agreement", "Agreement", show=False),
        Binding("a", "apply", "Apply", show=False),
        Binding("w", "who", "Who labels", show=False),
        Binding("d", "declare", "Declare", show=False),
        Binding("y", "app.copy", "Copy", show=False),
        Binding("tab", "other", "Other table", show=False),
    ]

    @dataclass
    class Read(Message):
        """The facts came back from the thread."""

        view: DeskView

    @dataclass
    class Refused(Message):
        """They could not be read, or something could not be done."""

        error: LemnisError

    @dataclass
    class Told(Message):
        """Something was read that is shown on a screen of its own."""

        title: str
        text: str

    def __init__(self, engine: Engine) -> None:
        super().__init__(classes="labelling")
        self.engine, self.who = engine, user_name() or "somebody"
        self.view: DeskView | None = None
        self._newest: int | None = None  # the newest queue there was; the cursor goes to one that comes
        self._moved: dict[str, int] = {}  # the topics as they were last read

    def address(self) -> Address:
        return Address("labels")

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Labels"), id="desk-sets-panel"):
            yield Table(
                Col("name"),
                Col("column"),
                Col("labelled", right=True),
                Col("split", right=True),
                Col("unsure", right=True),
                Col("people"),
                Col("balance", flex=True),
                id="desk-sets",
                empty=NOTHING,
            )
        with Panel(_("Queues"), id="desk-queues-panel"):
            yield Table(
                *QUEUE_COLUMNS,
                id="desk-queues",
                empty=_("No queue yet. Press n to make one."),
            )
        yield PromptLine("w", id="desk-prompt")
        yield Words(keys_line(), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#desk-queues", Table).focus()
        every(self, LIVE_SECONDS, self.read_again)
        self.read_again()

    @work(thread=True, exclusive=True, exit_on_error=False, group="desk")
    def read_again(self) -> None:
        room = self.engine.explore.labels
        try:
            moved = {topic: n for topic, n in self.engine.revisions().items() if topic in ("labels", "jobs", "problem")}
            if moved == self._moved:
                return
            jobs = [job for job in self.engine.jobs.jobs(limit=50) if job.kind in JOB_KINDS]
            last = max(jobs, key=lambda job: job.id, default=None)
            answer(self.post_message, self.Read(DeskView(room.sets(), room.queues(), last)))
            self._moved = moved
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))

    def on_label_desk_read(self, message: Read) -> None:
        self.view = message.view
        self.query_one(ErrorStrip).clear()
        self.draw()
        newest = max((queue.id for queue in message.view.queues), default=0)
        if self._newest is not None and newest > self._newest:
            self.query_one("#desk-queues", Table).select(str(newest))
        self._newest = newest

    def on_label_desk_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_label_desk_told(self, message: Told) -> None:
        self.app.push_screen(Explanation(message.title, message.text))

    def draw(self) -> None:
        """Draw what was read."""
        if self.view is None:
            return
        self.query_one("#desk-sets", Table).show([set_row(found) for found in self.view.sets])
        panel = self.query_one("#desk-sets-panel", Panel)
        panel.retitle(_("Labels"), _("labelling as {who}").format(who=self.who))
        self.draw_queues()
        job = self.view.job
        queues = self.query_one("#desk-queues-panel", Panel)
        queues.footnote("" if job is None or job.state == "finished" else job_words(job))

    def draw_queues(self) -> None:
        """Draw the queues of the chosen question."""
        name = self.chosen
        queues = [queue for queue in self.view.queues if queue.labels == name] if self.view else []
        table = self.query_one("#desk-queues", Table)
        table.set_columns(QUEUE_COLUMNS if self.size.width < WIDE else [*QUEUE_COLUMNS[:-1], MADE, QUEUE_COLUMNS[-1]])
        table.show([queue_row(queue, wide=self.size.width >= WIDE) for queue in queues])
        self.query_one("#desk-queues-panel", Panel).retitle(_("Queues"), name)

    @property
    def chosen(self) -> str:
        """The question under the cursor; empty for none."""
        return self.query_one("#desk-sets", Table).key

    @on(Table.Moved, "#desk-sets")
    def other_set(self) -> None:
        self.draw_queues()

    @on(Table.Opened, "#desk-sets")
    def go_to_queues(self) -> None:
        self.query_one("#desk-queues", Table).focus()

    @on(Table.Opened, "#desk-queues")
    def label(self, message: Table.Opened) -> None:
        if self.engine.store.read_only:
            self.notify(_("This workspace is open read-only."), severity="warning", markup=False)
        else:
            self.app.push_screen(LabelMode(self.engine, int(message.key), self.who), self.back)

    def back(self, _: None) -> None:
        """Read again after labelling."""
        self.read_again()

    # Keys.

    def do(self, call: Callable[[], Any], done: str) -> None:  # Any: what the engine returns is not shown
        """Do something in a thread, say so, and read again."""

        def work() -> None:
            try:
                call()
            except LemnisError as error:
                self.post_message(self.Refused(error))
            else:
                self.call_later(self.notify, done, markup=False)
                self.call_later(self.read_again)

        self.run_worker(work, thread=True, exit_on_error=False, group="desk-do")

    def action_other(self) -> None:
        tables = [self.query_one("#desk-sets", Table), self.query_one("#desk-queues", Table)]
        tables[1 if tables[0].has_focus else 0].focus()

    def action_new(self) -> None:
        """Ask what the next queue is to hold, and make it."""
        name = self.chosen
        if not name:
            self.notify(_(NOTHING), markup=False)
            return

        def wished(wish: QueueWish | None) -> None:
            if wish is not None:
                self.make(name, wish)

        self.app.push_screen(QueueForm(name), wished)

    def make(self, name: str, wish: QueueWish) -> None:
        """Queue the job that makes a label queue."""

        def start() -> None:
            self.engine.labelling.start_queue(
                name, wish.kind, self.who, rows=wish.rows, overlap=wish.overlap, model=wish.model
            )

        self.do(start, _("Queued: {kind}.").format(kind=wish.kind))

    def action_errors(self) -> None:
        """Make the queue of labels that are probably wrong."""
        if self.chosen:
            self.make(self.chosen, QueueWish("errors"))

    def action_apply(self) -> None:
        """Make a dataset version with the labels that stand."""
        name = self.chosen
        if name:
            room = self.engine.explore.labels
            self.do(
                lambda: room.start_apply(name, self.who),
                _("Queued: the labels {name} become a dataset version.").format(name=name),
            )

    def action_agreement(self) -> None:
        """Show how far the labellers of the chosen question agree."""
        if self.chosen:
            self.read_agreement(self.chosen)

    @work(thread=True, exclusive=True, exit_on_error=False, group="desk-agreement")
    def read_agreement(self, name: str) -> None:
        room = self.engine.explore.labels
        try:
            text = card.agreement_text(room.agreement(name), room.declared(name).classes)
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Told(_("Agreement on {name}").format(name=name), text))

    def action_who(self) -> None:
        """Ask who labels from now on."""
        self.query_one(PromptLine).open(self.who, "kim")

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        self.query_one(PromptLine).close()
        self.who = message.text.strip() or self.who
        self.query_one("#desk-queues", Table).focus()
        self.draw()

    def on_prompt_line_left(self) -> None:
        self.query_one("#desk-queues", Table).focus()

    def action_declare(self) -> None:
        """Ask what is to be labelled, and declare it."""

        def declared(found: Any) -> None:  # Any: Labels with its name, or None
            if found is not None:
                name, labels = found
                room = self.engine.explore.labels
                self.do(
                    lambda: room.declare(name, labels, who=self.who), _("Declared: labels {name}.").format(name=name)
                )

        self.app.push_screen(DeclareForm(), declared)


def set_row(found: LabelSet) -> Row:
    """Return the cells of a question."""
    people = ", ".join(f"{who} {number(rows)}" for who, rows in found.labellers.items())
    total = max(1, found.labelled)
    balance = "  ".join(f"{name} {share(rows / total, 0)}" for name, rows in found.balance.items())
    return Row(
        found.name,
        (
            found.name,
            found.column,
            number(found.labelled),
            number(found.split) if found.split else MISSING,
            number(found.unsure) if found.unsure else MISSING,
            people or MISSING,
            balance if found.labelled else MISSING,
        ),
    )


def queue_row(queue: Queue, *, wide: bool) -> Row:
    """Return the cells of a queue; on a wide screen also who made it when."""
    overlap = share(queue.overlap, 0) if queue.overlap else MISSING
    made = (card.made_words(queue),) if wide else ()
    counts = (number(queue.done), number(queue.rows), overlap)
    return Row(str(queue.id), (str(queue.id), queue.kind, *counts, *made, queue.recipe))


def job_words(job: Job) -> str:
    """Return how the job about labels stands that was queued last."""
    if job.ended:
        return _("{title} is {state}: {why}").format(title=told(job.title), state=_(job.state), why=told(job.why))
    done = f" {share(job.progress, 0)}" if job.progress is not None else ""
    doing = job.progress_text if job.state == "running" else job.why
    return f"{told(job.title)}: {_(job.state)}{done} {told(doing)}"


def keys_line() -> Content:
    """Return the desk's keys."""
    keys = (
        ("enter", "label"),
        ("n", "queue"),
        ("e", "errors"),
        ("c", "agreement"),
        ("a", "apply"),
        ("w", "who"),
        ("d", "declare"),
        ("esc", "back"),
    )
    return Content(" ") + Content(" ").join([Content.assemble((key, "$key"), f" {_(does)}") for key, does in keys])
