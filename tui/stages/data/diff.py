"""The diff screen: two versions compared by key, their columns in figures, and the way to every row that differs."""

from dataclasses import dataclass
from time import sleep
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.message import Message
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data.diff import Diff, Listing
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.jobs import Job
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.sentences import told
from lemnis.tui.stages.data.diff_rows import DiffRows
from lemnis.tui.stages.data.differences import (
    COLUMNS,
    NARROW,
    PSI_TEXT,
    bins_content,
    column_row,
    detail_facts,
    diff_facts,
    keys_line,
)
from lemnis.tui.stages.data.preview import PathAsked
from lemnis.tui.stages.data.rows import job_text, only
from lemnis.tui.widgets import Facts, Meter, Panel, Table, Words
from lemnis.tui.widgets.confirm import Confirm
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

WIDE = 140  # cells, from which columns and detail stand side by side
ROOMY = 200  # cells, from which every figure has a column; the others are in the detail
ASK_EVERY_S = 0.2
KEYS = (
    ("enter", "rows"), ("r", 'all rows'), ("b", "swap"), ("n", 'key'), ("K", "explain"), ("?", "keys"), ("esc", 'back'),
)  # fmt: skip
HELP = (
    "enter  the rows that changed in the column under the cursor\n"
    "r      all rows that differ: changed, removed, added\n"
    "b      compare the other way round\n"
    "n      pair rows by other columns; none: compare whole rows\n"
    "s S    sort by the column the cursor is in\n"
    "x      stop the comparison while it runs\n"
    "tab    to the detail and back\n"
    "K      what PSI, shift and codes mean\n"
    "y      copy a cell, a row, or the table\n"
    "esc    back\n\n"
    "On the list of rows: v changes between changed, removed and added, [ ] go to the column before and after, "
    "E writes them to a file.\n\nCommand: lemnis data diff BEFORE AFTER."
)


class DiffScreen(Dialog[None]):
    """Finds the comparison of two versions, or has it made and shows how far it is; leaving does not stop it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *place_bindings(),
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("r", "rows", "Rows", show=False),
        Binding("b", "swap", "Other way round", show=False),
        Binding("n", "key", "Key", show=False),
        Binding("x", "stop", "Stop", show=False),
        Binding("K", "explain", "Explain", show=False),
        Binding("question_mark", "help", "Keys", show=False),
        Binding("tab", "app.focus_next", "Next", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Found(Message):
        """The comparison is there."""

        diff: Diff

    @dataclass
    class Moved(Message):
        """The comparison is being made."""

        job: Job

    @dataclass
    class Refused(Message):
        """It can't be made."""

        error: LemnisError

    def __init__(self, engine: Engine, before: str | None, after: str | None) -> None:
        super().__init__(classes="diff")
        self.engine, self.before, self.after = engine, before, after
        self.asked: list[str] | None = None  # the key that was typed; None: the one that is declared
        self.diff: Diff | None = None
        self.job: Job | None = None

    def address(self) -> Address:
        return address("diff", (self.before or "")[:8], (self.after or "")[:8])

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Diff"), id="diff-head"):
            yield Facts(_("Looking for the comparison …"), id="diff-facts")
            yield Meter(_("comparing"), label_width=10, id="diff-work")
        with Container(id="diff-both"):
            with Panel(_("Columns"), id="diff-columns-panel"):
                yield Table(*COLUMNS, id="diff-columns", empty=_("Comparing …"))
            with Panel(_("Column"), id="diff-detail-panel"), VerticalScroll():
                yield Facts(id="diff-detail")
                yield Words(id="diff-bins")
        yield Words(keys_line(KEYS), classes="keys")

    def on_mount(self) -> None:
        self.query_one("#diff-work").display = False
        self.query_one("#diff-columns", Table).focus()
        self.read()

    def read(self) -> None:
        """Find the comparison that is asked for now."""
        self.find(self.before, self.after, self.asked)

    @work(thread=True, exclusive=True, exit_on_error=False, group="diff")
    def find(self, before: str | None, after: str | None, asked: list[str] | None) -> None:
        """Find a comparison; when it was not made yet, have it made and follow the job."""
        try:
            found = self._find(before, after, asked)
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            if found is not None:
                answer(self.post_message, self.Found(found))

    def _find(self, before: str | None, after: str | None, asked: list[str] | None) -> Diff | None:
        """Return the comparison; None if nobody waits for it any more."""
        room, jobs = self.engine.data.diffs, self.engine.jobs
        pair = room.pair(before, after)
        answer(self.identify, (before, after), (pair[0].id, pair[1].id))
        key = room.key(*pair, asked)
        found = room.find(*pair, key)
        if found is not None:
            return found
        if self.engine.store.read_only:
            raise BadInput(
                "These versions were not compared yet, and this workspace is open read-only.",
                "Open it without --read-only.",
            )
        job = jobs.job(room.start(*pair, key))
        while not job.ended:
            answer(self.post_message, self.Moved(job))
            sleep(ASK_EVERY_S)
            if get_current_worker().is_cancelled:
                return None
            job = jobs.job(job.id)
        if job.state != "finished":
            raise Unavailable(f"The comparison is {job.state}: {job.why}", f"Read `lemnis jobs logs {job.id}`.")
        return room.find(*pair, key)

    def identify(self, named: tuple[str | None, str | None], ids: tuple[str, str]) -> None:
        """Know from now on by their ids what was asked for by name, unless something else is asked for by now."""
        if (self.before, self.after) == named:
            self.before, self.after = ids

    def on_diff_screen_moved(self, message: Moved) -> None:
        self.job = message.job
        meter = self.query_one("#diff-work", Meter)
        meter.display = True
        meter.show(message.job.progress, job_text(message.job), warn=2, bad=2)
        self.query_one("#diff-facts", Facts).say(told(message.job.title))

    def on_diff_screen_refused(self, message: Refused) -> None:
        self._ended()
        self.query_one(ErrorStrip).show(message.error)
        if self.diff is None:
            self.query_one("#diff-columns", Table).empty = _("Nothing was compared.")
            self.query_one("#diff-columns", Table).show([])
            self.query_one("#diff-facts", Facts).say("")

    def on_diff_screen_found(self, message: Found) -> None:
        self._ended()
        self.query_one(ErrorStrip).clear()
        self.diff = message.diff
        self.draw()

    def _ended(self) -> None:
        self.job = None
        self.query_one("#diff-work").display = False

    @property
    def slim(self) -> bool:
        """Whether the detail stands below the columns."""
        return self.size.width < WIDE

    def on_resize(self) -> None:
        self.set_class(self.slim, "-slim")
        self.draw()

    def draw(self) -> None:
        """Draw the comparison."""
        found = self.diff
        if found is None:
            return
        self.query_one("#diff-head", Panel).retitle(_("Diff"), f"{found.before_title} → {found.after_title}")
        self.query_one("#diff-facts", Facts).show(diff_facts(found))
        table = self.query_one("#diff-columns", Table)
        rows = [column_row(found, column) for column in found.ordered()]
        columns = list(COLUMNS)
        if self.size.width < ROOMY:
            columns, rows = only(COLUMNS, rows, NARROW)
        table.empty = _("There is no column besides the key.")
        table.set_columns(columns)
        table.show(rows)
        changed = sum(1 for column in found.columns if column.changed or column.schema)
        self.query_one("#diff-columns-panel", Panel).retitle(
            _("Columns"), _("{changed} of {columns} changed").format(changed=changed, columns=len(found.columns))
        )
        self.show_column()

    @on(Table.Moved, "#diff-columns")
    def show_column(self) -> None:
        """Show the column under the cursor in full."""
        found = self.diff
        column = found.column(self.query_one("#diff-columns", Table).key) if found else None
        if found is None or column is None:
            return
        self.query_one("#diff-detail-panel", Panel).retitle(column.name)
        self.query_one("#diff-detail", Facts).show(detail_facts(found, column))
        width = self.query_one("#diff-detail-panel").size.width - 4
        self.query_one("#diff-bins", Words).say(bins_content(column, max(30, width)))

    @on(Table.Opened, "#diff-columns")
    def open_column(self, message: Table.Opened) -> None:
        """Show the rows that changed in the column; of one that only one version has, all that differ."""
        column = self.diff.column(message.key) if self.diff else None
        if column is not None:
            both = column.before is not None and column.after is not None
            self._open(Listing(column=message.key) if both else Listing())

    def action_rows(self) -> None:
        self._open(Listing())

    def _open(self, listing: Listing) -> None:
        if self.diff is None:
            self.notify(_("The versions are not compared yet."), markup=False)
        elif not self.diff.differing:
            self.notify(_("No row differs."), markup=False)
        else:
            self.app.push_screen(DiffRows(self.engine, self.diff, listing))

    def action_swap(self) -> None:
        self.before, self.after = self.after, self.before
        self.read()

    def action_key(self) -> None:
        """Ask by which columns rows are paired."""
        known = self.diff.key if self.diff else self.asked or []

        def answered(text: str | None) -> None:
            if text is not None:
                names = [name.strip() for name in text.split(",") if name.strip()]
                self.asked = [] if names == ["none"] else names
                self.read()

        question = _("Which columns say which rows are the same? none: compare whole rows.")
        self.app.push_screen(PathAsked(question, ", ".join(known), "id, day"), answered)

    def action_stop(self) -> None:
        job = self.job
        if job is None:
            self.notify(_("Nothing runs here."), markup=False)
            return
        self.app.push_screen(
            Confirm(
                _("Stop “{title}”?").format(title=told(job.title)), lost=_("what it has found so far"), word=_("stop")
            ),
            self._stop,
        )

    def _stop(self, yes: bool | None) -> None:
        if yes and self.job is not None:
            self.cancel_job(self.job.id)

    @work(thread=True, exit_on_error=False, group="diff-stop")
    def cancel_job(self, job_id: int) -> None:
        """Ask the job to stop."""
        try:
            self.engine.jobs.cancel(job_id)
        except LemnisError as error:
            self.post_message(self.Refused(error))

    def action_explain(self) -> None:
        self.app.push_screen(Explanation(_("Diff"), PSI_TEXT))

    def action_help(self) -> None:
        self.app.push_screen(Explanation(_("Keys of the diff"), HELP))
