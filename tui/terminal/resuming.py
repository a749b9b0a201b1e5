"""The part of the console that keeps where a person is, and goes on there after it was killed or hung up."""

from typing import cast

from textual import on
from textual.css.query import NoMatches
from textual.widgets import Input

from lemnis.engine import Engine
from lemnis.tui.actions import GLOBAL
from lemnis.tui.stages.stage import Stage
from lemnis.tui.terminal.driver import TerminalDriver
from lemnis.tui.terminal.place import Cursor, Keeper, Place
from lemnis.tui.travel import TravellingApp
from lemnis.tui.widgets.prompt import PromptLine
from lemnis.tui.widgets.table import Table

KEEP_SECONDS = 1.0
TRIES, TRY_SECONDS = 20, 0.15  # after which a row that was not found is gone
FIELDS = "Input, TextArea"


class ResumingApp(TravellingApp):
    """An app that knows its place.

    Attributes:
        here: The name of the open tab.
        keeper: Where the place is kept; None for a console that keeps none.
    """

    here: str

    def __init__(self, engine: Engine, *, supervise: bool) -> None:
        super().__init__(engine, supervise=supervise)
        self.keeper: Keeper | None = None
        self._place, self._pending = Place(), Place()
        self._unread: set[str] = set()  # tabs of the place that was left that were not opened yet
        self._sought: set[str] = set()
        self._heard, self._begun = -1, 0

    def resume(self, keeper: Keeper) -> None:
        """Keep the place from now on, and begin at the one that was left there, if any; called before the app runs."""
        self.keeper = keeper
        left = keeper.left()
        if left is None:
            return
        self.here, self._pending = left.stage, left
        self._place = Place(stage=left.stage, filters=dict(left.filters), cursors=dict(left.cursors))
        self._unread = {*left.filters, *left.cursors, left.stage}

    async def on_mount(self) -> None:
        if self.keeper is not None:
            self.set_interval(KEEP_SECONDS, self.keep_place)
        if self._pending.at is not None:
            self.travel(self._pending.at)

    def leave(self, code: int) -> None:
        self._heard = -1
        self.keep_place()
        super().leave(code)

    # Keeping.

    def keep_place(self) -> None:
        """Keep the place if anything was typed since; not before the last one is found again."""
        heard = self.inputs()
        seeking = self.here in self._pending.cursors and self.here not in self._sought
        if self.keeper is None or seeking or (heard and heard == self._heard):
            return
        if not self.framing(PromptLine):
            return  # the console is being made or left
        self._heard = heard
        self._look()
        self.keeper.keep(self._place)

    def inputs(self) -> int:
        """Return how many keys and clicks there were; 0 where that is not counted."""
        return self._driver.heard if isinstance(self._driver, TerminalDriver) else 0

    def _look(self) -> None:
        place, main = self._place, self.screen_stack[0]
        place.stage, place.at = self.here, self.engine.at
        if main.focused is not None and main.focused.id:
            place.focus = main.focused.id
        stage = self._stage_called(self.here)
        if stage is not None:
            place.filters[self.here] = stage.query_text
            place.cursors[self.here] = {
                table.id: Cursor(table.key, table.cursor) for table in stage.query(Table) if table.id and table.total
            }
        prompt = main.query_one(PromptLine)
        place.prompt = prompt.query_one(Input).value if prompt.display else None
        typed = [] if len(self.screen_stack) == 1 else [text_of(field) for field in self.screen.query(FIELDS)]
        place.form, place.typed = (type(self.screen).__name__, typed) if any(typed) else ("", [])
        place.opened_by = self.opened_by if place.form else ("", "")

    # Going on.

    @on(Stage.Loaded)
    def find_again(self) -> None:
        """Find again in a tab, when it is read first, what it was narrowed to and what was under the cursor."""
        stage = self._stage_called(self.here)
        if stage is None or self.here not in self._unread:
            return
        self._unread.remove(self.here)
        query = self._pending.filters.get(self.here, "")
        if query and query != stage.query_text:
            stage.filter(query)
        self._seek(stage, dict(self._pending.cursors.get(self.here, {})))

    def _seek(self, stage: "Stage[object]", wanted: dict[str, Cursor], tries: int = TRIES) -> None:
        """Move the cursors of a tab to their rows; some are read later than others."""
        for table in stage.query(Table):
            cursor = wanted.get(table.id or "")
            if cursor is not None and table.total and (table.select(cursor.key) or far_down(table, cursor)):
                del wanted[table.id or ""]
        if wanted and tries and self.inputs() == self._begun:  # a person who went on is not taken back
            self.set_timer(TRY_SECONDS, lambda: self._seek(stage, wanted, tries - 1))
            return
        self._sought.add(stage.info.name)
        if stage.info.name == self._pending.stage and self.inputs() == self._begun:
            self._focus_again(stage, self._pending.focus)
            self.call_after_refresh(self._type_again, stage)

    def _focus_again(self, stage: "Stage[object]", name: str) -> None:
        for widget in stage.query(f"#{name}") if name else ():
            if widget.focusable:
                self.screen_stack[0].set_focus(widget)

    async def _type_again(self, stage: "Stage[object]") -> None:
        """Open the prompt or the dialog that was open, with what had been typed."""
        pending = self._pending
        if pending.prompt is not None:
            prompt = self.screen_stack[0].query_one(PromptLine)
            prompt.open(pending.prompt, stage.filter_hint, stage.history)
        scope, action = pending.opened_by
        if pending.form and action:
            await self.run_action(action, self if scope == GLOBAL else stage)
            self.call_after_refresh(self._fill)
        pending.prompt = None

    def _fill(self, tries: int = 20) -> None:
        """Put what had been typed into the dialog, once it is there; its tables and lists may still be read."""
        fields = list(self.screen.query(FIELDS)) if type(self.screen).__name__ == self._pending.form else []
        if len(fields) == len(self._pending.typed):
            for field, text in zip(fields, self._pending.typed, strict=True):
                fill(field, text)
        elif tries:
            self.set_timer(0.1, lambda: self._fill(tries - 1))

    def _stage_called(self, name: str) -> "Stage[object] | None":
        try:
            return cast("Stage[object]", self.screen_stack[0].query_one(f"#stage-{name}", Stage))
        except (NoMatches, IndexError):
            return None


def text_of(field: object) -> str:
    """Return what was typed into a field; a secret is not kept."""
    if isinstance(field, Input):
        return "" if field.password else field.value
    from textual.widgets import TextArea

    return field.text if isinstance(field, TextArea) else ""


def fill(field: object, text: str) -> None:
    """Put a text into a field, with the cursor behind it."""
    from textual.widgets import TextArea

    if isinstance(field, Input):
        field.value = text
        field.cursor_position = len(text)
    elif isinstance(field, TextArea):
        field.load_text(text)
        field.move_cursor(field.document.end)


def far_down(table: Table, cursor: Cursor) -> bool:
    """Move to a row that is not read yet by its number; says whether there is such a row."""
    if len(table.rows) == table.total or cursor.index >= table.total:
        return False
    table.cursor = cursor.index
    return True
