"""The failure types of a run: the list, the rows of the type under the cursor, and what became of earlier types."""

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content

from lemnis.engine.config import Check
from lemnis.engine.evaluate import Failures, FailureType
from lemnis.engine.validate.suggest import checks_toml
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.stages.evaluate import failed
from lemnis.tui.stages.evaluate.pane import Drawn
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog

DOES = N_("{evaluate.what_if} edits, {evaluate.label} labels, {evaluate.check} checks")


class FailuresPane(Horizontal):
    """Failure types at the left, what is known of the one under the cursor at the right."""

    def __init__(self) -> None:
        super().__init__(id="failures-view")
        self._found: Failures | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="types-side"):
            with Panel(_("Failure types"), id="types-panel"):
                yield Table(*failed.TYPES, id="types", empty=failed.NOT_YET)
            with Panel(_("Since earlier runs"), id="followed-panel"):
                yield Drawn(id="followed")
        with Panel(_("Rows"), id="failed-panel"):
            yield Table(*failed.EXAMPLES, id="failed-rows", empty=_("No type is chosen."))

    def show(self, found: Failures | None) -> None:
        """Show a run's failure types; None before they were looked for."""
        self._found = found
        table, panel = self.query_one("#types", Table), self.query_one("#types-panel", Panel)
        table.empty = (found.note or _("There is no error.")) if found else failed.NOT_YET
        table.show(failed.type_rows(found) if found else [])
        panel.retitle(_("Failure types"), failed.title(found) if found else "")
        panel.footnote(found.rule if found else "")
        self._show_type()

    @property
    def place(self) -> int | None:
        """Which type is under the cursor, from 0."""
        key = self.query_one("#types", Table).key
        return int(key) if key and self._found and self._found.types else None

    @property
    def row_key(self) -> str:
        """The key of the row under the cursor; empty for none."""
        return self.query_one("#failed-rows", Table).key

    @on(Table.Moved, "#types")
    def _show_type(self) -> None:
        found, one, place = self._found, self._type(), self.place
        self.query_one("#failed-rows", Table).show(failed.example_rows(one) if one else [])
        detail = (
            _("· of type {place}, {keyed}").format(place=place + 1, keyed=keyed(_(DOES))) if place is not None else ""
        )
        self.query_one("#failed-panel", Panel).retitle(_("Rows"), detail)
        followed = self.query_one("#followed", Drawn)
        followed.show(lambda width: failed.detail_lines(found, one, width) if found else ())

    def _type(self) -> FailureType | None:
        place = self.place
        return self._found.types[place] if self._found and place is not None else None


class CheckPreview(Dialog[bool]):
    """Shows a check as it would stand in lemnis.toml; dismisses with True for y."""

    BINDINGS = [
        Binding("y", "answer(True)", "Write", show=False),
        Binding("n,escape", "answer(False)", "Not", show=False),
    ]

    def __init__(self, check: Check) -> None:
        super().__init__()
        self.check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Words(Content.styled(_("Write this check into lemnis.toml?"), "bold"))
            yield Words(checks_toml([self.check]))
            yield Words(
                Content.assemble((" y ", "$key"), f" {_('write')}   ", (" esc ", "$key"), f" {_('not')}"),
                classes="keys",
            )

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
