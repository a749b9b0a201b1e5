"""Use: what jobs and endpoints held, used and cost, added up in several ways, with what asks to act above it."""

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.resources import Usage
from lemnis.engine.text import safe
from lemnis.tui import used
from lemnis.tui.answers import answer
from lemnis.tui.format import when
from lemnis.tui.language import N_, _
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Col, Panel, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 5.0
DAYS = (1.0, 7.0, 31.0, 366.0)
BY = ("project,week", "user", "kind")
VIEWS = (*BY, "jobs", "services", "sizes that would do", "disk")
TITLES = {  # of the views
    "project,week": (N_("Use"), N_("by project and week")),
    "user": (N_("Use"), N_("by user")),
    "kind": (N_("Use"), N_("by kind")),
    "jobs": (N_("Use"), N_("by job")),
    "services": (N_("Use"), N_("by service")),
    "sizes that would do": (N_("Sizes that would do"), ""),
    "disk": (N_("Use"), N_("of the disk")),
}
NOTHING_RAN = N_("Nothing ran in this time.")
EMPTY = {
    "services": N_("No endpoint or other service ran in this time."),
    "sizes that would do": N_("No kind of job is known to ask for much more, or less, than it uses."),
}


class UsageScreen(Dialog[None]):
    """Dismisses with nothing."""

    DEFAULT_CSS = """
    UsageScreen { background: $background; }
    UsageScreen #findings { height: auto; max-height: 5; padding: 0 1; }
    UsageScreen #use-panel { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("v", "view(1)", "Next", show=False),
        Binding("V", "view(-1)", "Previous", show=False),
        Binding("minus", "days(1)", "Longer", show=False),
        Binding("plus,equals_sign", "days(-1)", "Shorter", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The report came back, as it was asked for."""

        found: Usage
        view: str

    @dataclass
    class Refused(Message):
        """It can't be made."""

        error: LemnisError

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine, self.shown_view, self.days = engine, VIEWS[0], DAYS[1]

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        yield Words(id="findings")
        with Panel(_("Use"), id="use-panel"):
            yield Table(Col("project"), id="use", empty=NOTHING_RAN)
        keys = (
            (" v ", "$key"),
            f" {_('next view')}  ",
            (" - + ", "$key"),
            f" {_('longer, shorter')}  ",
            (" esc ", "$key"),
            f" {_('back')}",
        )
        yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        every(self, LIVE_SECONDS, self.read)
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="usage")
    def read(self) -> None:
        """Read the report."""
        view = self.shown_view
        respects = (view if view in BY else BY[0]).split(",")
        try:
            found = self.engine.resources.usage(self.days, respects)
        except LemnisError as error:
            answer(self.post_message, self.Refused(error))
        else:
            answer(self.post_message, self.Read(found, view))

    def on_usage_screen_refused(self, message: Refused) -> None:
        self.query_one(ErrorStrip).show(message.error)

    def on_usage_screen_read(self, message: Read) -> None:
        if message.view != self.shown_view:
            return  # another view was chosen meanwhile; its reading is on its way
        found = message.found
        heads, rows = table_of(found, message.view)
        table = self.query_one(Table)
        table.set_columns(
            [Col(head, right=head in used.FIGURES, flex=head == heads[-1] and not rows) for head in heads]
        )
        table.empty = EMPTY.get(message.view, NOTHING_RAN)
        table.show(
            [Row(str(place), [text for text, _ in row], [raw for _, raw in row]) for place, row in enumerate(rows)]
        )
        said = [Content.styled(safe(line), "$warn") for line in used.findings(found)]
        self.query_one("#findings", Words).say(Content("\n").join(said or [Content.styled(nothing(found), "$muted")]))
        panel = self.query_one("#use-panel", Panel)
        panel.retitle(*map(_, TITLES[message.view]))
        panel.footnote(
            _("since {since} · {index} of {views}").format(
                since=when(found.since), index=VIEWS.index(message.view) + 1, views=len(VIEWS)
            )
        )

    def action_view(self, by: int) -> None:
        """Show the next, or the previous, way to add it up."""
        self.shown_view = VIEWS[(VIEWS.index(self.shown_view) + by) % len(VIEWS)]
        self.read()

    def action_days(self, by: int) -> None:
        """Look at a longer, or a shorter, time."""
        self.days = DAYS[min(len(DAYS) - 1, max(0, DAYS.index(self.days) + by))]
        self.read()


def table_of(found: Usage, view: str) -> used.Table:
    """Return the table of a view."""
    if view in BY:
        return used.group_table(found)
    if view == "jobs":
        return used.job_table(found, len(found.jobs))
    return {"services": used.service_table, "disk": used.disk_table}.get(view, used.fit_table)(found)


def nothing(found: Usage) -> str:
    """Return what is said where nothing asks to act, and what is not known."""
    known = any(job.used_core_hours is not None for job in found.jobs) or not found.jobs
    unpriced = (
        ""
        if any(job.cost is not None for job in found.jobs)
        else f" {_('Prices: [pool] price_core_hour, price_kwh …')}"
    )
    return (_("Nothing is held idle.") if known else _("What these jobs used was not measured yet.")) + unpriced
