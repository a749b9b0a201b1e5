"""What the link builder asks: one row of a list or several, and which of the proposed keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine.config import Link
from lemnis.engine.data import KeyProposal, LinkBench, LinkDraft, Snapshot
from lemnis.engine.data.split import kind_of
from lemnis.engine.errors import Cancelled, LemnisError
from lemnis.engine.text import safe
from lemnis.tui.format import number, verdict
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages.data.link_rows import PROPOSALS, keys_line, proposal_row
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog


class Chooser(Dialog[list[str] | None]):
    """Asks for one row of a list, or for the marked ones; dismisses with their keys, None when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Leave", show=False)]

    def __init__(self, title: str, columns: Sequence[Col], rows: Sequence[Row], *, marks: Sequence[str] | None = None):
        """Make a chooser.

        Args:
            title: The question.
            columns: Of the list.
            rows: What there is to choose from.
            marks: What is marked at first; None when one row is asked for.
        """
        super().__init__()
        self.heading, self.columns, self.rows, self.marks = title, columns, rows, marks

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide chooser"):
            yield Words(Content.styled(safe(self.heading, limit=200), "bold $stage-accent"))
            yield Table(*self.columns, id="choices", empty=_("There is nothing to choose from."))
            keys = [("enter", "take"), ("esc", "leave")]
            yield Words(keys_line(*([] if self.marks is None else [("space", "mark")]), *keys), classes="keys")

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.show(self.rows)
        table.mark_only(self.marks or [])
        table.focus()

    @on(Table.Opened)
    def take(self, message: Table.Opened) -> None:
        """Answer with the row under the cursor, or with the marks in the order of the list."""
        message.stop()
        marked = message.table.marks
        self.dismiss([message.key] if self.marks is None else [row.key for row in self.rows if row.key in marked])


class ProposedKeys(Dialog[KeyProposal | None]):
    """Measures which keys fit the source of a draft, the best first; dismisses with the chosen ones."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Leave", show=False)]

    @dataclass
    class Measured(Message):
        """The bench answered, or refused."""

        proposals: list[KeyProposal]
        error: LemnisError | None = None

    def __init__(self, bench: LinkBench, draft: LinkDraft) -> None:
        super().__init__()
        self.bench, self.draft = bench, draft
        self.proposals: list[KeyProposal] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide chooser"):
            title = _("Keys that fit {base} and {source}").format(
                base=self.draft.dataset.base, source=self.draft.link.source
            )
            yield Words(Content.styled(title, "bold $stage-accent"))
            yield Words(verdict("computing").content, id="proposed-words")
            yield Table(*PROPOSALS, id="proposed", empty="")
            yield Words(keys_line(("enter", "take"), ("esc", _("leave, and type them"))), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self.measure()

    @work(thread=True, exit_on_error=False, group="link-proposals")
    def measure(self) -> None:
        """Ask the bench."""
        try:
            self.post_message(self.Measured(self.bench.proposals(self.draft)))
        except Cancelled:
            pass
        except LemnisError as error:
            self.post_message(self.Measured([], error))

    def on_proposed_keys_measured(self, message: Measured) -> None:
        self.proposals = message.proposals
        words, table = self.query_one("#proposed-words", Words), self.query_one(Table)
        if message.error is not None:
            words.say(f"{told(message.error.problem)} {told(message.error.remedy)}")
        elif not self.proposals:
            words.say(_("No columns fit by name or by value. esc, then enter on keys types them."))
        else:
            words.say(_("Counted on all rows; the best match with the most unique right side comes first."))
        table.show([proposal_row(one) for one in self.proposals])

    @on(Table.Opened)
    def take(self, message: Table.Opened) -> None:
        """Answer with the proposal under the cursor."""
        message.stop()
        self.dismiss(next(one for one in self.proposals if proposal_row(one).key == message.key))

    def action_leave(self) -> None:
        self.bench.cancel()
        self.dismiss(None)


def source_chooser(base: str, snapshots: Mapping[str, Snapshot | None]) -> Chooser:
    """Return the question which source is joined; one that was never synced can't be."""
    listed = [
        Row(name, [name, number(one.rows), ", ".join(field.name for field in one.columns)])
        for name, one in snapshots.items()
        if one is not None
    ]
    columns = (Col("source"), Col("rows", right=True), Col("columns", flex=True))
    return Chooser(_("Which source is joined to {base}?").format(base=base), columns, listed)


def columns_chooser(snapshot: Snapshot, link: Link) -> Chooser:
    """Return the question which columns a link brings, with the names they get in the dataset."""
    keys = set(link.on.values())
    listed = [
        Row(field.name, [field.name, field.type, _("a key") if field.name in keys else f"{link.prefix}{field.name}"])
        for field in snapshot.columns
    ]
    question = _("Which columns of {source} does it bring? None marked: all but the keys.").format(source=link.source)
    return Chooser(question, (Col("column"), Col("type"), Col("becomes", flex=True)), listed, marks=link.columns)


def time_chooser(snapshot: Snapshot, name: str) -> Chooser:
    """Return the question for a column of times, for `asof` or `time`; dismisses with ``=NAME``, ``=`` for none."""
    none = {"asof": _("no as-of join: every row with the key"), "time": _("every column of times is compared")}[name]
    question = {"asof": _("Take the latest row by which time?"), "time": _("Which time says when a row was known?")}[
        name
    ]
    times = [field for field in snapshot.columns if kind_of(field.type) == "time"]
    listed = [Row("=", ["–", none]), *(Row(f"={field.name}", [field.name, field.type]) for field in times)]
    return Chooser(question, (Col("column"), Col("type", flex=True)), listed)
