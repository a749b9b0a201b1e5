"""What `@` asks: to which past moment the whole console goes, typed or chosen among what happened."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from lemnis.engine import Engine, LemnisError
from lemnis.engine.moments import NOT_KEPT, Moment
from lemnis.engine.text import safe
from lemnis.tui.format import when
from lemnis.tui.language import _
from lemnis.tui.moment import EXAMPLES, moment_ms
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Col, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

COLUMNS = (Col("when"), Col("what"), Col("happened", flex=True))


class Past(Dialog[int | None]):
    """Dismisses with a moment (epoch ms), or with None to stay where one is."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("down", "list", "List", show=False),
    ]

    class Found(Message):
        """What happened came back from the thread."""

        def __init__(self, moments: list[Moment]) -> None:
            super().__init__()
            self.moments = moments

    def __init__(self, engine: Engine) -> None:
        """Make the question; `engine` is the one of now."""
        super().__init__()
        self.engine = engine

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(_("Go to a time"), "bold $stage-accent"))
            yield Field(placeholder=EXAMPLES, compact=True)
            yield Words(id="past-refused")
            yield Table(*COLUMNS, id="moments", empty=_("Nothing has happened here yet."))
            yield Words(Content.styled(NOT_KEPT, "$muted"), id="past-not-kept")
            keys = (
                (" enter ", "$key"),
                f" {_('go there')}   ",
                (" tab ", "$key"),
                f" {_('what happened')}   ",
                (" esc ", "$key"),
            )
            yield Words(Content.assemble(*keys, f" {_('stay')}"), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.find()

    @work(thread=True, exit_on_error=False, group="moments")
    def find(self) -> None:
        """Read what happened."""
        try:
            self.post_message(self.Found(self.engine.moments()))
        except LemnisError as error:
            self.app.call_later(self.refuse, error)

    @on(Found)
    def show(self, message: Found) -> None:
        self.query_one(Table).show([moment_row(place, each) for place, each in enumerate(message.moments)])
        self.moments = message.moments

    @on(Input.Submitted)
    def typed(self, message: Input.Submitted) -> None:
        try:
            self.dismiss(moment_ms(message.value, self.engine.now_ms()))
        except LemnisError as error:
            self.refuse(error)

    @on(Table.Opened)
    def choose(self, message: Table.Opened) -> None:
        message.stop()
        self.dismiss(self.moments[int(message.key)].at)

    def refuse(self, error: LemnisError) -> None:
        """Say what is wrong with what was typed."""
        self.query_one("#past-refused", Words).say(
            Content.styled(safe(f"{told(error.problem)} {told(error.remedy)}"), "$bad")
        )

    def action_list(self) -> None:
        self.query_one(Table).focus()

    def action_leave(self) -> None:
        self.dismiss(None)


def moment_row(place: int, moment: Moment) -> Row:
    """Return the cells of something that happened."""
    return Row(str(place), [when(moment.at, seconds=True), moment.kind, moment.text])
