"""The two forms of the label desk: what a new queue is to hold, and what is to be labelled at all."""

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.config import Labels
from lemnis.engine.explore.labels import KINDS
from lemnis.engine.text import safe
from lemnis.tui.language import N_, _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

USUAL_ROWS = 300


class QueueWish(Struct, frozen=True):
    """What a queue is to be made of."""

    kind: str
    rows: int = USUAL_ROWS
    overlap: float = 0.0
    model: str = ""


class QueueForm(Dialog[QueueWish | None]):
    """Asks which rows; enter on a kind makes the queue with the numbers below it."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.labels = name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog queue-form"):
            yield Static(
                Content.styled(_("New queue of {labels}").format(labels=safe(self.labels, limit=40)), "bold"),
                markup=False,
            )
            yield Table(Col("kind"), Col("rows", "which rows", flex=True), id="kinds")
            for name, label, value in (
                ("rows", _("rows at most"), str(USUAL_ROWS)),
                ("overlap", _("share asked of two"), "0"),
                ("model", _("model (empty: champion)"), ""),
            ):
                with Horizontal(classes="field"):
                    yield Static(Content.styled(label, "$muted"), markup=False)
                    yield Field(value, id=f"queue-{name}", compact=True)
            yield Words(id="queue-refused")
            keys = Content.assemble(
                (" enter ", "$key"),
                f" {_('make')}  ",
                (" tab ", "$key"),
                f" {_('numbers')}  ",
                (" esc ", "$key"),
                f" {_('leave')}",
            )
            yield Static(keys, classes="keys", markup=False)

    def on_mount(self) -> None:
        table = self.query_one(Table)
        table.show([Row(kind, (kind, told(words))) for kind, words in KINDS.items()])
        table.focus()

    @on(Table.Opened)
    @on(Input.Submitted)
    def make(self) -> None:
        """Answer with what was chosen, or say what is wrong with it."""
        rows, overlap, model = (
            self.query_one(f"#queue-{name}", Input).value.strip() for name in ("rows", "overlap", "model")
        )
        try:
            wish = QueueWish(self.query_one(Table).key, int(rows), float(overlap or 0), model)
        except ValueError:
            self.query_one("#queue-refused", Words).say(_("Rows is a whole number, the share a number from 0 to 1."))
            return
        self.dismiss(wish)

    def action_leave(self) -> None:
        self.dismiss(None)


class DeclareForm(Dialog[tuple[str, Labels] | None]):
    """Asks for a name, the column, its classes and the question; enter goes on, on the last line it declares."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]
    FIELDS = (
        ("name", N_("name"), "topic"),
        ("column", N_("column"), N_("the column that the labels fill")),
        ("classes", N_("classes, by commas"), N_("yes, no")),
        ("question", N_("question"), N_("what a labeller is asked")),
    )

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(_("Declare labels"), "bold"), markup=False)
            yield Static(_("Each class gets a key of the home row; lemnis.toml can name others."), markup=False)
            for name, label, example in self.FIELDS:
                with Horizontal(classes="field"):
                    yield Static(Content.styled(_(label), "$muted"), markup=False)
                    yield Field(placeholder=_(example), id=f"declare-{name}", compact=True)
            yield Words(id="declare-refused")
            keys = Content.assemble(
                (" enter ", "$key"), f" {_('next, then declare')}   ", (" esc ", "$key"), f" {_('leave')}"
            )
            yield Static(keys, classes="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#declare-name", Input).focus()

    @on(Input.Submitted)
    def go_on(self, message: Input.Submitted) -> None:
        message.stop()
        if message.input.id != "declare-question":
            self.focus_next(Input)
            return
        name, column, classes, question = (
            self.query_one(f"#declare-{field}", Input).value.strip() for field, _, _ in self.FIELDS
        )
        parts = [part.strip() for part in classes.split(",") if part.strip()]
        if not name or not column or len(parts) < 2:
            self.query_one("#declare-refused", Words).say(_("Labels need a name, a column and two classes or more."))
            return
        self.dismiss((name, Labels(column=column, classes=parts, question=question)))

    def action_leave(self) -> None:
        self.dismiss(None)
