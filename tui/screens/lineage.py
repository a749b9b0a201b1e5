"""The lineage screen: what a thing comes from and what came of it, each step of which can be opened."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.lineage import Lineage
from lemnis.tui.actions import place_bindings
from lemnis.tui.address import Address, address
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.messages import PlaceWanted
from lemnis.tui.screens.traced import COLUMNS, NARROW, lines, place_of, step_rows
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

KEYS = (("enter", "open"), ("L", "its lineage"), ("(", "back"), ("y", "copy"), ("esc", "close"))


class LineageScreen(Dialog[None]):
    """One thing between its origins and its results."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *place_bindings(),
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The lineage is known, or why not."""

        found: Lineage | None
        error: LemnisError | None = None

    def __init__(self, engine: Engine, kind: str, key: str) -> None:
        super().__init__(classes="lineage")
        self.engine, self.kind, self.key = engine, kind, key
        self.found: Lineage | None = None

    def address(self) -> Address:
        return address("lineage", self.kind, self.key)

    def under_cursor(self) -> Address:
        """Return the place of the step under the cursor, which L asks for the lineage of."""
        step = next((one for way, one in lines(self.found) if f"{way} {one.node}" == self._table.key), None)
        return place_of(step.node) if step is not None and step.node is not None else self.address()

    def compose(self) -> ComposeResult:
        yield ErrorStrip()
        with Panel(_("Lineage"), id="lineage-panel"):
            yield Table(*COLUMNS, id="lineage", empty=_("Reading …"))
        yield Words(
            Content("  ").join([Content.assemble((f" {key} ", "$key"), f" {_(does)}") for key, does in KEYS]),
            classes="keys",
        )

    @property
    def _table(self) -> Table:
        return self.query_one("#lineage", Table)

    def on_mount(self) -> None:
        self._table.focus()
        self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="lineage")
    def read(self) -> None:
        """Read the lineage."""
        try:
            answer(self.post_message, self.Read(self.engine.lineage(self.kind, self.key)))
        except LemnisError as error:
            answer(self.post_message, self.Read(None, error))

    def on_lineage_screen_read(self, message: Read) -> None:
        if message.error is not None:
            self.query_one(ErrorStrip).show(message.error)
            self._table.empty = _("Nothing to show.")
            return
        self.found = message.found
        self.draw()
        subject = next((row.key for row in self._table.rows if row.key.startswith("this ")), "")
        self._table.select(subject)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw what was read."""
        found = self.found
        if found is None or found.subject.node is None:
            return
        place = place_of(found.subject.node)
        self.query_one(Panel).retitle(
            _("Lineage"),
            _("{place} · {origins} before, {results} after").format(
                place=place, origins=len(found.origins), results=len(found.results)
            ),
        )
        columns = NARROW if self.size.width < 100 else COLUMNS
        self._table.set_columns(columns)
        self._table.show(step_rows(found, columns))

    @on(Table.Opened)
    def open_step(self, message: Table.Opened) -> None:
        """Go to the step under the cursor."""
        message.stop()
        self.app.post_message(PlaceWanted(self.under_cursor()))
