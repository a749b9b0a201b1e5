"""The row editor: change a value by keyboard, and prediction, contributions and what would flip them follow."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from lemnis.engine import Engine, LemnisError
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate.whatif import Field, Flips, Tried, WhatIf
from lemnis.engine.evaluate.whatif.records import Cell, Values
from lemnis.tui.language import _
from lemnis.tui.screens.explain import Explanation
from lemnis.tui.sentences import told
from lemnis.tui.stages.evaluate import edited
from lemnis.tui.widgets import Panel, PromptLine, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

KEYS = (
    ("− +", "step"),
    ("enter", "type"),
    ("u", "undo"),
    ("r", "put back"),
    ("U", "all back"),
    ("esc", "close"),
)


class RowEditor(Dialog[None]):
    """One row of a run; the process that answers is ended with the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close", show=False),
        Binding("minus", "step(-1)", "Step down", show=False),
        Binding("plus,equals_sign", "step(1)", "Step up", show=False),
        Binding("left", "step(-1)", "Step down", show=False, priority=True),
        Binding("right", "step(1)", "Step up", show=False, priority=True),
        Binding("u", "undo", "Undo", show=False),
        Binding("r", "put_back", "Put back", show=False),
        Binding("U", "reset", "All back", show=False),
        Binding("y", "app.copy", "Copy", show=False),
        Binding("K", "explain", "Explain", show=False),
    ]

    @dataclass
    class Ready(Message):
        """The row is open."""

        row: WhatIf

    @dataclass
    class Answered(Message):
        """The model answered."""

        values: Values
        tried: Tried
        flips: Flips | None

    @dataclass
    class Failed(Message):
        """It could not be asked."""

        error: LemnisError

    def __init__(self, engine: Engine, run_id: int, key: str) -> None:
        super().__init__(classes="row-editor")
        self.engine, self.run_id, self.key = engine, run_id, key
        self.values: Values = {}
        self.now: Tried | None = None
        self._row: WhatIf | None = None
        self._past: list[tuple[str, Cell]] = []
        self._asking = self._gone = False
        self._order: list[int] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield ErrorStrip()
            with Panel(_("What if · {key}").format(key=self.key), id="edit-panel"):
                yield Words(_("Loading the model …"), id="edit-head")
                yield Table(id="edit-values", empty=_("Loading …"))
            with Panel(_("What would flip it"), id="flips-panel"):
                yield Table(*edited.FLIPS, id="flips", empty=_("Looking …"))
            yield PromptLine("=", id="edit-prompt")
        yield Words(keys_line(), classes="keys")

    def on_mount(self) -> None:
        for table in self.query(Table):
            table.show([])
        self.query_one("#edit-values", Table).focus()
        self.run_worker(self._open, group="what-if", thread=True, exit_on_error=False)

    def _open(self) -> None:
        try:
            row = self.engine.evaluate.what_if(self.run_id, self.key)
        except LemnisError as error:
            self.post_message(self.Failed(error))
            return
        if self._gone or not self.post_message(self.Ready(row)):
            row.close()  # the screen was left meanwhile

    def on_unmount(self) -> None:
        self._gone = True
        if self._row is not None:
            self._row.close()

    @on(Ready)
    def open_row(self, message: Ready) -> None:
        """Show the row as it is, then ask what would flip it."""
        self._row = message.row
        row = message.row.row
        self.values = {field.name: field.value for field in row.fields}
        self.now = row.first
        self._order = edited.ordered(row)
        self.query_one("#edit-panel", Panel).retitle(
            _("What if · run {run_id}").format(run_id=self.run_id), f"· {row.key}"
        )
        self._draw()
        self._ask()

    def _ask(self) -> None:
        """Ask about the values as they are; while an answer is awaited later changes wait and go together."""
        row = self._row
        if self._asking or row is None:
            return
        self._asking = True
        values = dict(self.values)

        def work() -> None:
            try:
                tried = row.answer(values)
                self.post_message(self.Answered(values, tried, None))
                if values == self.values:  # nothing was changed meanwhile: there is time to look further
                    self.post_message(self.Answered(values, tried, row.flips(values)))
            except LemnisError as error:
                self.post_message(self.Failed(error))
            finally:
                self.app.call_later(self._asked, values)

        self.run_worker(work, group="what-if", thread=True, exit_on_error=False)

    def _asked(self, values: Values) -> None:
        self._asking = False
        if values != self.values and not self._gone:
            self._ask()

    @on(Answered)
    def show_answer(self, message: Answered) -> None:
        if message.values != self.values or self._row is None:
            return
        self.now = message.tried
        self._draw()
        panel, table = self.query_one("#flips-panel", Panel), self.query_one("#flips", Table)
        if message.flips is None:
            panel.footnote(_("looking …"))
            return
        panel.footnote(_("{rows:,} held-out rows looked through").format(rows=message.flips.rows))
        table.empty = _("Nothing near gives another answer.")
        table.show(edited.flip_rows(self._row.row, message.flips))

    @on(Failed)
    def show_failure(self, message: Failed) -> None:
        self.query_one(ErrorStrip).show(message.error)
        if self._row is None:
            self.query_one("#edit-head", Words).say("")
            self.query_one("#edit-values", Table).empty = _("There is no row to edit.")

    def on_resize(self) -> None:
        if self._row is not None:
            self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self._row is None or self.now is None:
            return
        row, table = self._row.row, self.query_one("#edit-values", Table)
        table.set_columns(edited.columns(self.size.width))
        table.show(edited.field_rows(row, self.values, self.now, self._order))
        changed = sum(self.values[field.name] != field.value for field in row.fields)
        self.query_one("#edit-head", Words).say(edited.head(row, self.now, changed))
        self.query_one("#edit-panel", Panel).footnote(_("{changed} changed").format(changed=changed) if changed else "")

    def _field(self) -> Field | None:
        name = self.query_one("#edit-values", Table).key
        fields = self._row.row.fields if self._row else []
        return next((field for field in fields if field.name == name), None)

    def _set(self, name: str, value: Cell, *, keep: bool = True) -> None:
        """Change a value, remember what it was, and ask."""
        if self.values.get(name) == value and type(self.values.get(name)) is type(value):
            return
        if keep:
            self._past.append((name, self.values[name]))
        self.values[name] = value
        self.query_one(ErrorStrip).clear()
        self._draw()
        self._ask()

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrows to the line while a value is typed."""
        return not (action in ("step", "undo", "put_back", "reset") and self.query_one(PromptLine).display)

    def action_step(self, by: int) -> None:
        """Go to the next value."""
        field = self._field()
        if field is not None:
            self._set(field.name, edited.stepped(field, self.values[field.name], by))

    @on(Table.Opened, "#edit-values")
    def type_value(self, message: Table.Opened) -> None:
        """Ask for a value."""
        message.stop()
        field = self._field()
        if field is not None:
            value = self.values[field.name]
            hint = ", ".join(edited.value_text(step) for step in field.steps[:4])
            self.query_one(PromptLine).open("" if value is None else edited.value_text(value), hint)

    @on(PromptLine.Entered)
    def take(self, message: PromptLine.Entered) -> None:
        message.stop()
        field, prompt = self._field(), self.query_one(PromptLine)
        if field is None:
            return
        try:
            value = edited.typed(field, message.text)
        except ValueError as error:
            prompt.refuse(BadInput(told(str(error)), ""))
            return
        prompt.close()
        self.query_one("#edit-values", Table).focus()
        self._set(field.name, value)

    @on(PromptLine.Left)
    def left(self, message: PromptLine.Left) -> None:
        message.stop()
        self.query_one("#edit-values", Table).focus()

    def action_undo(self) -> None:
        """Take the last change back."""
        if self._past:
            name, value = self._past.pop()
            self._set(name, value, keep=False)

    def action_put_back(self) -> None:
        """Put the value under the cursor back."""
        field = self._field()
        if field is not None:
            self._set(field.name, field.value)

    def action_reset(self) -> None:
        """Put all values back; undo brings the changes again one by one."""
        for field in self._row.row.fields if self._row else []:
            self._set(field.name, field.value)

    def action_explain(self) -> None:
        """Say what all of this is."""
        self.app.push_screen(Explanation(_("What if"), edited.EDITOR_TEXT))

    def action_leave(self) -> None:
        self.dismiss(None)


def keys_line() -> Content:
    """Return the screen's keys."""
    return Content("").join([Content.assemble((f" {key} ", "$key"), f"{_(does)} ") for key, does in KEYS])
