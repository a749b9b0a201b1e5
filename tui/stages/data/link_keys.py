"""All keys of one kind, those with the most rows first; they can be written to a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from lemnis.engine.data import SIDES, LinkBench, LinkDraft, Side
from lemnis.engine.errors import LemnisError
from lemnis.engine.text import safe
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.stages.data.link_rows import key_rows, keys_line
from lemnis.tui.widgets import Col, Panel, PromptLine, Row, Table, Words
from lemnis.tui.widgets.dialog import Dialog


class KeysScreen(Dialog[None]):
    """All keys of one kind, those with the most rows first, read a page at a time; E writes them to a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("E", "export", "Export", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Told(Message):
        """What came of an export."""

        words: str
        error: LemnisError | None = None

    def __init__(self, bench: LinkBench, draft: LinkDraft, side: Side, total: int, top: int) -> None:
        """Make the list of `total` keys, of which none has more than `top` rows."""
        super().__init__(classes="link-builder")
        self.bench, self.draft, self.total, self.top = bench, draft, total, top
        self.side: Side = side

    def compose(self) -> ComposeResult:
        names = self.draft.link.on.keys() if self.side == "left" else self.draft.link.on.values()
        columns = [Col("key", safe(", ".join(names), limit=60), most=90), Col("rows", right=True)]
        columns += [Col("asked", "asked by", right=True)] if self.side == "duplicates" else []
        with Panel(_("Keys"), id="keys-panel"):
            yield Table(*columns, Col("bar", "most first", flex=True), id="every-key", empty=_("None."))
        yield PromptLine("✎")
        yield Words(keys_line(("E", _("write to a file")), ("y", "copy"), ("esc", "back")), classes="keys")

    def on_mount(self) -> None:
        joined = f"· {self.draft.dataset.base} ⟕ {self.draft.link.source}"
        self.query_one(Panel).retitle(f"{number(self.total)} {SIDES[self.side]}", joined)
        table = self.query_one(Table)
        table.show_window(self.total, self.page)
        table.focus()

    def page(self, offset: int, limit: int) -> list[Row]:
        """Return some of the keys; called in a thread."""
        keys = self.bench.keys(self.draft, self.side, offset, limit).rows
        return key_rows(keys, self.top, slim=False, asked=self.side == "duplicates", offset=offset)

    def action_export(self) -> None:
        """Ask for the file."""
        kinds = {"left": "orphans", "right": "unused", "duplicates": "repeated"}
        self.query_one(PromptLine).open(f"{self.draft.link.source}-{kinds[self.side]}.csv", "orphans.csv")

    def on_prompt_line_entered(self, message: PromptLine.Entered) -> None:
        self.query_one(PromptLine).close()
        self.query_one(Table).focus()
        if message.text.strip():
            self.write(Path(message.text.strip()).expanduser())

    def on_prompt_line_left(self) -> None:
        self.query_one(Table).focus()

    @work(thread=True, exit_on_error=False, group="link-export")
    def write(self, path: Path) -> None:
        """Write all keys to a file."""
        try:
            count = self.bench.export(self.draft, self.side, path)
        except LemnisError as error:
            self.post_message(self.Told("", error))
        else:
            self.post_message(self.Told(_("{count} keys are in {path}.").format(count=number(count), path=path)))

    def on_keys_screen_told(self, message: Told) -> None:
        if message.error is None:
            self.notify(message.words, markup=False)
        else:
            self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)

    def action_leave(self) -> None:
        self.dismiss(None)
