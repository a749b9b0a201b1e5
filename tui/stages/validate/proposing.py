"""Proposed checks: each with the versions it held on and the faults it catches; what is taken goes into lemnis.toml."""

from typing import ClassVar

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from lemnis.engine import Engine, LemnisError
from lemnis.engine.jobs import Job, user_name
from lemnis.engine.validate.proposals import Proposals
from lemnis.tui.answers import answer
from lemnis.tui.format import share
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.validate.proposed import PROPOSAL_COLUMNS, proposal_row, proposal_text, proposals_text
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

KIND = "validate.suggest"
LIVE_SECONDS = 0.5
WORKING = ("queued", "preparing", "running")
KEYS = (
    ("n", "try again"),
    ("space", "mark"),
    ("a", "take these"),
    ("A", "take all"),
    ("esc", "back"),
)


class ProposalsView(Struct, frozen=True):
    """What was tried last, whether that was the newest version, and the trial that runs now or ended otherwise."""

    found: Proposals | None
    newest: str
    job: Job | None


class ProposalsScreen(Dialog[int]):
    """The proposals, the most telling first; dismisses with how many were taken."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("n", "again", "Try", show=False),
        Binding("a", "take", "Take", show=False),
        Binding("A", "take_all", "Take all", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine, self.taken = engine, 0
        self._view: ProposalsView | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog proposals"):
            yield ErrorStrip()
            yield Words(_("Reading …"), id="trial")
            with Panel(_("Proposed checks"), id="proposals-panel"):
                yield Table(*PROPOSAL_COLUMNS, id="proposals", empty=_("Nothing was tried yet. Press n."))
            yield Words(id="faults")
            keys = [part for key, word in KEYS for part in ((f" {key} ", "$key"), f" {_(word)} ")]
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self._load()
        every(self, LIVE_SECONDS, self._load_live)

    def _load_live(self) -> None:
        """Read again while a trial runs."""
        if self._view is not None and self._view.job is not None and self._view.job.state in WORKING:
            self._load()

    @work(thread=True, exclusive=True, exit_on_error=False, group="proposals")
    def _load(self) -> None:
        try:
            newest = next(iter(self.engine.data.versions()), None)
            jobs = [job for job in self.engine.jobs.jobs(limit=100) if job.kind == KIND]
            last = max(jobs, key=lambda job: job.id, default=None)
            view = ProposalsView(self.engine.validate.proposals(), newest.id if newest else "", last)
        except LemnisError as error:
            answer(self.call_later, self._refused, error)
        else:
            answer(self.call_later, self._show, view)

    def _refused(self, error: LemnisError) -> None:
        self.query_one(ErrorStrip).show(error)

    def _show(self, view: ProposalsView) -> None:
        first, self._view = self._view is None, view
        found, job = view.found, view.job
        nothing = _("Everything worth proposing is declared.") if found else _("Nothing was tried yet. Press n.")
        if job is not None and job.state in WORKING:
            done = share(job.progress, 0) if job.progress is not None else ""
            text = _("Trying: {progress_text} {done}").format(
                progress_text=told(job.progress_text) or told(job.why), done=done
            )
            nothing = _("They are listed when the trial has ended.")
        elif job is not None and job.state != "finished":
            text = _("The last trial is {state}: {why}").format(state=_(job.state), why=told(job.why))
        else:
            text = proposals_text(found) if found else nothing
        self.query_one("#trial", Words).say(text)
        table = self.query_one("#proposals", Table)
        table.empty = nothing
        table.show([proposal_row(each) for each in found.proposals] if found else [])
        self._show_faults()
        if first and (found is None or found.version_id != view.newest) and not (job and job.state in WORKING):
            self.action_again()

    @on(Table.Moved, "#proposals")
    def _show_faults(self) -> None:
        """Say which faults the check under the cursor catches."""
        found, key = self._view.found if self._view else None, self.query_one("#proposals", Table).key
        chosen = next((each for each in found.proposals if each.check.name == key), None) if found else None
        self.query_one("#faults", Words).say(proposal_text(chosen) if chosen else "")

    def action_again(self) -> None:
        """Queue a trial of the newest version."""
        if not self.engine.store.read_only:
            self._try()

    @work(thread=True, exit_on_error=False, group="proposals-try")
    def _try(self) -> None:
        try:
            self.engine.validate.start_suggest()
            self.engine.jobs.ensure_supervisor()
        except LemnisError as error:
            self.app.call_later(self._refused, error)
        else:
            self.app.call_later(self._load)

    def action_take(self) -> None:
        table = self.query_one("#proposals", Table)
        self._take(list(table.marks) or ([table.key] if table.key else []))

    def action_take_all(self) -> None:
        found = self._view.found if self._view else None
        self._take([each.check.name for each in found.proposals] if found else [])

    def _take(self, names: list[str]) -> None:
        if names and not self.engine.store.read_only:
            self.query_one("#proposals", Table).marks.clear()
            self._accept(names)

    @work(thread=True, exit_on_error=False, group="proposals-take")
    def _accept(self, names: list[str]) -> None:
        try:
            taken = self.engine.validate.accept(names, who=user_name())
        except LemnisError as error:
            self.app.call_later(self._refused, error)
        else:
            self.taken += len(taken)
            self.app.call_later(self._load)

    def action_leave(self) -> None:
        self.dismiss(self.taken)
