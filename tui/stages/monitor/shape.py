"""The dialog of schema and skew: each difference with its evidence, its examples, and the change that takes it in."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import now_ms
from lemnis.engine.jobs import user_name
from lemnis.tui.answers import answer
from lemnis.tui.language import _
from lemnis.tui.stages.monitor.shaped import COLUMNS, WIDE, ShapeView, detail, headline, nothing, shape_rows
from lemnis.tui.terminal.pace import every
from lemnis.tui.widgets import Panel, Table, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.strip import ErrorStrip

LIVE_SECONDS = 3.0
NARROW = 110  # columns; below it the list leaves out what the detail tells
KEYS = (("space", "mark"), ("a", "write into lemnis.toml"), ("y", "copy"), ("esc", "back"))


class ShapeScreen(Dialog[None]):
    """The differences of one endpoint, worst first; what is taken is written into lemnis.toml at once."""

    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-short"), (30, "-tall")]
    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("a", "take", "Take", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    def __init__(self, engine: Engine, endpoint: str) -> None:
        super().__init__()
        self.engine, self.endpoint = engine, endpoint
        self._view: ShapeView | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog shape"):
            yield ErrorStrip()
            yield Words(_("Reading …"), id="shape-head")
            with Panel(_("Schema and skew"), id="shape-panel"):
                yield Table(*COLUMNS, id="shape", empty=_("Reading …"))
            with Panel(_("Difference"), id="shape-detail-panel"), VerticalScroll(can_focus=True):
                yield Words(id="shape-detail")
            keys = [part for key, word in KEYS for part in ((f" {key} ", "$key"), f" {_(word)} ")]
            yield Words(Content.assemble(*keys), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self._load()
        every(self, LIVE_SECONDS, self._load)

    @work(thread=True, exclusive=True, exit_on_error=False, group="shape")
    def _load(self) -> None:
        room = self.engine.monitor.schema
        try:
            inspected = next((one for one in room.inspected() if one.endpoint == self.endpoint), None)
            findings = room.findings(self.endpoint)
            view = ShapeView(
                endpoint=self.endpoint,
                findings=findings,
                diffs={one.id: room.diff(one) for one in findings if one.edits},
                skew=next(iter(room.skews(self.endpoint)), None),
                inspected=inspected,
            )
        except LemnisError as error:
            answer(self.call_later, self._refused, error)
        else:
            answer(self.call_later, self._show, view)

    def _refused(self, error: LemnisError) -> None:
        self.query_one(ErrorStrip).show(error)

    def _show(self, view: ShapeView) -> None:
        if not self.is_mounted or view == self._view:
            return
        self._view = view
        self.query_one(ErrorStrip).clear()
        self.draw()

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the list as wide as there is room for."""
        view = self._view
        assert view is not None
        wide = self.size.width >= NARROW
        self.query_one("#shape-head", Words).say(headline(view, now_ms()))
        table = self.query_one("#shape", Table)
        table.empty = nothing([view.inspected] if view.inspected else [], now_ms())
        table.set_columns(WIDE if wide else COLUMNS)
        table.show(shape_rows(view, wide=wide))
        self.show_detail()

    @on(Table.Moved, "#shape")
    def show_detail(self) -> None:
        """Show the row under the cursor in full."""
        if self._view is not None:
            key = self.query_one("#shape", Table).key or ""
            self.query_one("#shape-detail", Words).say(detail(self._view, key))

    def action_take(self) -> None:
        """Write what is proposed for the marked rows, or the one under the cursor, into lemnis.toml."""
        table = self.query_one("#shape", Table)
        keys = list(table.marks) or ([table.key] if table.key else [])
        chosen = [int(key[1:]) for key in keys if key.startswith("f")]
        diffs = self._view.diffs if self._view else {}
        takeable = [one for one in chosen if diffs.get(one)]
        if not takeable:
            self.notify(
                _("Nothing in lemnis.toml mends this; the detail says what to do."), severity="warning", markup=False
            )
        elif not self.engine.store.read_only:
            table.marks.clear()
            self._accept(takeable)

    @work(thread=True, exit_on_error=False, group="shape-take")
    def _accept(self, chosen: list[int]) -> None:
        try:
            taken = self.engine.monitor.schema.accept(chosen, who=user_name())
        except LemnisError as error:
            self.app.call_later(self._refused, error)
        else:
            self.app.call_later(self._accepted, len(taken))

    def _accepted(self, taken: int) -> None:
        self.notify(
            _("{taken} written into lemnis.toml; sources are read so from the next sync on.").format(taken=taken),
            markup=False,
        )
        self._load()
