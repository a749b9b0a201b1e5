"""Stage: what every tab is, so that a stage's own files say only what it loads and how that looks.

How to write a stage (`stages/<name>/room.py`, class `<Title>Stage`; the app finds it by that name)::

    class DataStage(Stage[DataView]):
        BINDINGS = bindings("data")            # declared in lemnis.tui.actions, section DATA; action_sync below
        topics = frozenset({"data", "jobs"})   # reload when these move in the store (see engine/store/revisions.py)
        live_seconds = 0.0                     # >0: also reload on this period while visible
        filter_hint = "name ~ plan or rows > 1000"   # set it if `/` filters here; then define filter(query)

        def compose(self) -> ComposeResult:    # widgets from lemnis.tui.widgets, panes from pane.py
            with Panel("versions"):
                yield Table(Col("name"), Col("rows", right=True), id="versions", empty="None. Press {data.link}.")

        def load(self) -> DataView:            # in a thread: call self.engine.*, return frozen records; no widgets here
            return DataView(self.engine.data.versions(), self.query)

        def show(self, view: DataView) -> None:   # on the UI thread: hand the records to the panes
            self.query_one("#versions", Table).show([version_row(v) for v in view.versions])

        def action_sync(self) -> None:
            self.perform(self.engine.data.start_sync, done="Queued: the sources are being read.")

        def action_drop(self) -> None:         # destructive: ask; the answer is `y`, so no such action may have key y
            self.ask("Delete snapshot 3?", lost="12,004 rows of `flights`", word="delete",
                     then=lambda: self.perform(self.engine.data.drop, 3, done="Deleted."))

What comes for free: load() never runs while the tab is hidden and never twice at once (a wish that comes meanwhile
runs once afterwards); a LemnisError is drawn as a strip with problem, place and remedy while the last good view stays;
the age in the footer; `-narrow` on the app below 100 columns and `-short` below 30 lines (for pane.tcss).
Calls of the engine that change something go through `self.perform` (`run_action` is Textual's own name).
Rules: data text is given as `str` (widgets pass it through safe() and never read markup) or as Content/rich Text made
by lemnis.tui.format; titles that carry data go through `Panel.retitle`; toasts through `self.toast`.
`pane.tcss` beside room.py is loaded by the app: write rules under the stage's id, `#stage-data { … }`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.worker import get_current_worker  # pyright: ignore[reportUnknownVariableType]

from lemnis.engine import Engine, LemnisError
from lemnis.engine.clock import monotonic_s
from lemnis.tui.actions import ACTIONS
from lemnis.tui.address import Address, address
from lemnis.tui.bugs import unexpected
from lemnis.tui.language import N_, _, paragraphs
from lemnis.tui.screens.cellwise import cell_explained
from lemnis.tui.stages import StageInfo
from lemnis.tui.terminal.pace import every, pace
from lemnis.tui.widgets.strip import ErrorStrip
from lemnis.tui.widgets.table import Table

if TYPE_CHECKING:
    from lemnis.engine.query import Completion

View = TypeVar("View")
T = TypeVar("T")
WRITES = {(action.scope, action.name) for action in ACTIONS if action.writes}
NO_VERSION = N_("No dataset version yet. Link one in Data ({app.go_data}).")


class Stage(Vertical, Generic[View]):
    """One tab: loads a view of the engine's facts in a thread and shows it.

    Attributes:
        topics: Store topics that make it reload while it is visible.
        live_seconds: Reload on this period while visible; 0 for stages that only follow their topics.
        beside: It reads more beside its view, and posts Complete itself when that is shown.
        ahead: Read once before anybody opens the tab, so that it opens with what it showed then, and is read anew.
        filter_hint: An example query for the `/` prompt; empty where nothing is filtered.
        query_text: The query in force.
        history: Queries that were applied here, the latest last.
        cells: What `K` says of a column, by the table's id and the column's name: ``endpoints.p99``.
        thing: What another stage or the palette asked to see here (a run's id, a window …); empty for nothing.
    """

    topics: ClassVar[frozenset[str]] = frozenset()
    live_seconds: ClassVar[float] = 0.0
    beside: ClassVar[bool] = False
    ahead: ClassVar[bool] = False
    filter_hint: ClassVar[str] = ""
    cells: ClassVar[Mapping[str, str]] = {}

    class Loaded(Message):
        """A view came back from the thread."""

        # Any: each stage has its own view; show() of the same stage receives it.
        def __init__(self, view: Any) -> None:
            super().__init__()
            self.view = view

    class LoadFailed(Message):
        """load() raised."""

        def __init__(self, error: LemnisError) -> None:
            super().__init__()
            self.error = error

    class Complete(Message):
        """All that is seen at first has been read."""

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(id=f"stage-{info.name}", classes="stage")
        self.engine, self.info = engine, info
        self.query_text, self.thing = "", ""
        self.history: list[str] = []
        self.loaded_at: float | None = None
        self._busy = self._wanted_again = False
        self.failed: LemnisError | None = None  # why the last load did
        self.sought: Address | None = None  # the place that was asked for last
        self._pointing: tuple[str, str, str] | None = None  # what the load that runs was begun for
        self._pointed: tuple[str, str, str] | None = None  # table, row and what is said without it, until it is read

    # What a stage defines.

    def load(self) -> View:
        """Return what show() draws; runs in a thread, may raise LemnisError, touches no widget."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Draw a view; runs on the UI thread and calls nothing that waits."""
        raise NotImplementedError

    def filter(self, query: str) -> None:
        """Apply a query from the `/` prompt; the default keeps it in `query_text` and reloads."""
        self.query_text = query
        self.reload()

    def preview(self, query: str, tell: Callable[[str], None]) -> None:
        """Say what a query would find while it is typed, by `tell` on the UI thread; the default says nothing."""

    def complete(self, text: str, offer: "Callable[[Completion], None]") -> None:
        """Say what may stand at the end of a query, by `offer` on the UI thread; the default knows nothing."""
        from lemnis.engine.query import Completion

        offer(Completion(len(text), []))

    def goto(self, thing: str) -> None:
        """Show one thing; the default keeps its name in `thing` and reloads."""
        self.thing = thing
        self.reload()

    def address(self) -> Address:
        """Return what names what is seen here; `visit` takes it."""
        return address(self.info.name, **({"q": self.query_text} if self.filter_hint else {}))

    def under_cursor(self) -> Address:
        """Return what names the thing under the cursor, whose lineage `L` shows; the default is the place itself."""
        return self.address()

    def visit(self, place: Address) -> None:
        """Go to a place of this stage."""
        if self.filter_hint:
            self.filter(place.option("q"))

    def back(self) -> bool:
        """Go back one layer inside the stage; return False when there was none."""
        if self.query_text:
            self.filter("")
            return True
        return False

    def explain(self) -> tuple[str, str] | None:
        """Return title and text of what `K` explains under the cursor, None for nothing."""
        return None

    def explained(self) -> tuple[str, str] | None:
        """Return what `K` shows: the cell under the cursor, by its column's definition, before what the stage says."""
        focused, told = self.screen.focused, self.explain()
        cell = cell_explained(focused, self.cells) if isinstance(focused, Table) else None
        if cell is None or told is None:
            return cell or told
        return cell[0], f"{cell[1]}\n\n{told[0]}\n{paragraphs(told[1])}"

    # What a stage uses.

    def reload(self) -> bool:
        """Load and show again soon, and say so; many wishes while one load runs become one more load."""
        unread = self.ahead and self.loaded_at is None
        if not self.is_attached or not (self.visible_now or unread):
            return False
        if self._busy:
            self._wanted_again = True
            return True
        self._busy, self._pointing = True, self._pointed
        self.run_worker(
            self._load_in_thread, name="load", group=self.info.name, thread=True, exit_on_error=False, exclusive=False
        )
        return True

    def perform(
        self,
        call: Callable[..., Any],  # Any: whatever the engine's method takes and returns
        *arguments: Any,
        done: str | Callable[[Any], str] = "",
        then: Callable[[Any], None] | None = None,
        **options: Any,
    ) -> None:
        """Call the engine in a thread; toast the outcome and reload.

        Args:
            call: A method of the engine.
            arguments: What it is called with.
            done: The toast when it worked: a sentence, or a function of the result that returns one.
            then: Called on the UI thread with the result before the reload.
            options: What it is called with by name.
        """

        def finished(result: Any) -> None:
            message = done(result) if callable(done) else done
            if message:
                self.toast(message)
            if then is not None:
                then(result)
            self.reload()

        def work() -> None:
            try:
                result = call(*arguments, **options)
            except LemnisError as error:
                self._on_ui(self.refuse, error)
            else:
                self._on_ui(finished, result)

        self.run_worker(work, name="action", group=f"{self.info.name}-action", thread=True, exit_on_error=False)

    def ask(self, question: str, *, lost: str, word: str, then: Callable[[], None], typed: str = "") -> None:
        """Ask before something that can't be undone, and call `then` on a yes.

        Args:
            question: What is about to happen, naming the thing.
            lost: What is lost by it.
            word: The verb on the key that does it, e.g. "stop".
            then: Called on a yes.
            typed: A name that has to be typed in full first, for the gravest.
        """
        from lemnis.tui.widgets.confirm import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                then()

        self.app.push_screen(Confirm(question, lost=lost, word=word, typed=typed), answered)

    def seek(
        self,
        place: Address,
        call: Callable[..., T],
        *arguments: Any,  # whatever the engine's method takes
        then: Callable[[T], None],
    ) -> None:
        """Ask the engine in a thread for what a place names, and go there unless another place was asked for since."""

        def found(result: T) -> None:
            if self.sought is place:
                then(result)

        self.perform(call, *arguments, then=found)

    def point(self, table: str, key: str, absent: str = "") -> None:
        """Put the cursor of a table on a row once it is read, and the focus there; say what is wrong if it is absent.

        Args:
            table: The table's id.
            key: The row's key; an empty one only moves the focus.
            absent: A sentence for the case that there is no such row.
        """
        self._pointed = (table, key, absent)
        self.reload()

    def _point(self) -> None:
        if self._pointed is None:
            return
        (name, key, absent), self._pointed = self._pointed, None
        table = self.query_one(f"#{name}", Table)
        if key and not table.select(key):
            self.toast(absent, warn=True)
        table.focus()

    def neighbour(self, items: Sequence[T], shown: T, by: int, noun: str) -> T | None:
        """Return the item `by` places after the shown one (lists are newest first); at an end say so, return None."""
        place = items.index(shown) + by
        if 0 <= place < len(items):
            return items[place]
        self.toast(
            _("This is the oldest {noun}.").format(noun=noun)
            if by > 0
            else _("This is the newest {noun}.").format(noun=noun)
        )
        return None

    def toast(self, message: str, *, warn: bool = False) -> None:
        """Show a short message for a few seconds."""
        self.notify(message, severity="warning" if warn else "information", markup=False)

    def refuse(self, error: LemnisError) -> None:
        """Show an expected failure: what happened and what to do."""
        self.notify(
            "\n".join(filter(None, (error.place, error.remedy))), title=error.problem, severity="error", markup=False
        )

    @property
    def visible_now(self) -> bool:
        """Whether this is the tab a person sees."""
        return bool(self.display)

    @property
    def age_text(self) -> str:
        """How old the view is, in words; the same words as long as nothing needs saying."""
        if self.loaded_at is None:
            return _("not read") if self.failed else _("reading …")
        if not self.live_seconds or self.engine.at is not None:
            return ""
        if self.stale:
            return _("stale: {age:.0f} s old").format(age=monotonic_s() - self.loaded_at)
        return _("live {seconds:g} s").format(seconds=self.live_seconds * pace(self))

    @property
    def stale(self) -> bool:
        """Whether a view that should be live is older than it may be."""
        if self.loaded_at is None or not self.live_seconds or self.engine.at is not None:
            return False
        return monotonic_s() - self.loaded_at > max(3 * self.live_seconds * pace(self), 5)

    # How it works.

    def on_mount(self) -> None:
        self.mount(ErrorStrip(), before=0)
        if self.live_seconds and self.engine.at is None:
            every(self, self.live_seconds, self.reload)
        self.reload()

    def compose(self) -> ComposeResult:
        yield from ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what writes when the workspace is open read-only."""
        if self.engine.store.read_only and (self.info.name, action) in WRITES:
            return None
        return True

    def topics_moved(self, topics: frozenset[str]) -> None:
        """Reload if something shown here moved."""
        if topics & self.topics:
            self.reload()

    def _load_in_thread(self) -> None:
        message: Message
        try:
            message = self.Loaded(self.load())
        except LemnisError as error:
            message = self.LoadFailed(error)
        except BaseException as error:  # a bug: shown here, and raised for the log and the tests
            self.post_message(self.LoadFailed(unexpected(error)))
            raise
        if not get_current_worker().is_cancelled:
            self.post_message(message)

    def _on_ui(self, call: Callable[[Any], None], value: Any) -> None:
        """Run a function on the UI thread, unless the app is leaving."""
        self.call_later(call, value)

    def on_stage_loaded(self, message: Loaded) -> None:
        if not self.children:
            return  # the console is being left
        self.loaded_at, self.failed = monotonic_s(), None
        strip = self.query_one(ErrorStrip)
        try:
            self.show(message.view)
        except Exception as error:  # a bug in one pane must not take the console from a person on call
            if self.app.is_headless:
                raise
            strip.show(unexpected(error))
        else:
            strip.clear()
        if self._pointing is self._pointed:  # else it is read next
            self._point()
        self._load_ended()

    def on_stage_load_failed(self, message: LoadFailed) -> None:
        message.stop()
        self.failed, self._pointed = message.error, None
        for strip in self.query(ErrorStrip):
            strip.show(message.error)
        self._load_ended()

    def _load_ended(self) -> None:
        self._busy = False
        if not self.beside:
            self.post_message(self.Complete())
        if self._wanted_again:
            self._wanted_again = False
            self.reload()
