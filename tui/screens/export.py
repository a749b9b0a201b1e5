"""Writes the rows that are shown into a file: asks where, says how far it is, and can be stopped."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from lemnis.engine import LemnisError
from lemnis.engine.explore import View, export_rows
from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.widgets import Meter, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field


class Export(Dialog[None]):
    """One line for the path, then the progress; escape stops and leaves no file."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", show=False)]

    class Written(Message):
        """So many rows are in the file."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Export.Written)

    def __init__(self, view: View, target: Path) -> None:
        super().__init__()
        self.view, self.target = view, target
        self.leaving = self.writing = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Words(Content.styled(_("Write these rows into a file"), "bold $stage-accent"))
            yield Words(safe(self.view.asked.words) or _("All rows."))
            yield Field(str(self.target), compact=True)
            yield Meter(_("written"), id="export-meter")
            yield Words(_("The ending says the format: .csv, .jsonl or .parquet."), id="export-said")
            yield Words(
                Content.assemble((" enter ", "$key"), f" {_('write')}   ", (" esc ", "$key"), f" {_('stop')}"),
                classes="keys",
            )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def write(self, message: Input.Submitted) -> None:
        """Write in a thread."""
        message.stop()
        if self.writing or not message.value.strip():
            return
        self.writing = True
        path = Path(message.value.strip()).expanduser()

        def work() -> None:
            try:
                rows = export_rows(self.view, path, tell=self._tell, wanted=self._wanted)
            except LemnisError as error:
                self.app.call_later(self._refused, error)
            else:
                self.app.call_later(self._ended, rows, path)

        self.query_one("#export-said", Words).say(_("Writing …"))
        self.run_worker(work, group="export", thread=True, exit_on_error=False)

    def _tell(self, rows: int) -> None:
        self.post_message(self.Written(rows))

    def _wanted(self) -> bool:
        return not self.leaving

    @on(Written)
    def show_progress(self, message: Written) -> None:
        of = max(1, self.view.matched)
        text = _("{rows} of {matched}").format(rows=number(message.rows), matched=number(self.view.matched))
        self.query_one(Meter).show(message.rows / of, text, warn=2, bad=2)

    def _refused(self, error: LemnisError) -> None:
        self.writing = False
        if self.is_attached and not self.leaving:
            self.query_one("#export-said", Words).say(
                Content.styled(safe(f"{told(error.problem)} {told(error.remedy)}"), "$bad")
            )

    def _ended(self, rows: int, path: Path) -> None:
        self.app.notify(_("{rows} rows are in {path}").format(rows=number(rows), path=path), markup=False)
        if self.is_attached and not self.leaving:
            self.dismiss()

    def action_leave(self) -> None:
        self.leaving = True
        self.dismiss()
