"""The Explore room: what each column holds, one column in full, and the rows themselves."""

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from lemnis.engine import Engine
from lemnis.engine.data import Version
from lemnis.engine.errors import NotFound
from lemnis.engine.explore import ORDERS, Missingness, Order, Profile, in_order, missing_condition
from lemnis.engine.jobs import Job
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address, version_part
from lemnis.tui.format import number
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.messages import WHERE
from lemnis.tui.sentences import told
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.explore import rows
from lemnis.tui.stages.explore.browser import RowBrowser
from lemnis.tui.stages.explore.explained import CELLS, MISSING_TEXT, PROFILE_TEXT, ROWS_TEXT
from lemnis.tui.stages.explore.missing import MissingPane
from lemnis.tui.stages.explore.pane import ColumnPane
from lemnis.tui.stages.explore.places import asked_of, asked_options
from lemnis.tui.stages.stage import NO_VERSION, Stage
from lemnis.tui.widgets import Panel, Table, Words


class ExploreView(Struct, frozen=True):
    """One version, and what is measured of it so far."""

    versions: list[Version]
    version: Version | None
    profiles: dict[str, Profile]
    working: str
    failed: str
    missingness: Missingness | None


class ExploreStage(Stage[ExploreView]):
    """Columns, their distributions by class, and rows."""

    BINDINGS = bindings("explore")
    cells = CELLS
    topics = frozenset({"explore", "data", "jobs"})
    filter_hint = "dest = BUR and dep_delay > 60"

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.rows_open = False
        self.version_id = ""  # empty: the latest
        self.columns_order: Order = "interest"
        self.by = ""  # the column by whose classes the others are drawn; empty: the label
        self.missing_open = False
        self._wanted_rows = ""  # a condition that another tab asked for, until it is shown
        self._view: ExploreView | None = None

    def compose(self) -> ComposeResult:
        with Panel(_("Class balance"), id="balance-panel"):
            yield Words(id="balance")
        with Container(id="columns-view"):
            with Panel(_("Columns"), id="columns-panel"):
                yield Table(*rows.COLUMNS, id="columns", empty=NO_VERSION)
            yield ColumnPane(self.engine, id="detail-panel")
        yield MissingPane(id="missing-panel")
        yield RowBrowser(self.engine)

    def load(self) -> ExploreView:
        versions = self.engine.data.versions()
        version = next((v for v in versions if v.id == self.version_id), versions[0] if versions else None)
        if version is None:
            return ExploreView([], None, {}, "", "", None)
        profiles = {profile.name: profile for profile in self.engine.explore.profiles(version.id)}
        working, failed = self._profiling(version.id)
        missingness = self.engine.explore.missing(version.id) if self.missing_open else None
        return ExploreView(versions, version, profiles, working, failed, missingness)

    def _profiling(self, version_id: str) -> tuple[str, str]:
        """Return what the profiling of this version does now, and why the last one failed; empty for nothing."""
        jobs = [job for job in self.engine.jobs.jobs(limit=50) if job.kind == "explore.profile"]
        last = max((j for j in jobs if j.arguments.get("version") == version_id), key=lambda job: job.id, default=None)
        if last is None or last.state in ("finished", "cancelled"):
            return "", ""
        if last.ended:
            return "", _("The last attempt is {state}: {why}").format(state=_(last.state), why=told(last.why))
        return (
            _("measuring {progress_text}").format(progress_text=told(last.progress_text))
            if last.state == "running"
            else f"{_(last.state)}: {told(last.why)}"
        ), ""

    def show(self, view: ExploreView) -> None:
        self._view = view
        self._show_face()
        version = view.version
        if version is None:
            self.query_one("#balance", Words).say(keyed(_(NO_VERSION)))
            self.query_one("#columns", Table).show([])
            return
        self._show_balance()
        self._show_columns(view, version)
        self._show_detail()
        if self.missing_open:
            self.query_one(MissingPane).show(view.missingness)
        if self._wanted_rows:
            wanted, self._wanted_rows = self._wanted_rows, ""
            self.filter(wanted)
        elif self.rows_open:
            self.browser.open(version)

    def _show_balance(self) -> None:
        view = self._view
        if view is None or view.version is None:
            return
        words = self.query_one("#balance", Words)
        words.say(rows.balance_content(view.version, max(40, self.size.width - 4)))
        place = _("{title} · {rows} rows").format(title=view.version.title, rows=number(view.version.rows))
        self.query_one("#balance-panel", Panel).retitle(_("Class balance"), place)

    def _show_columns(self, view: ExploreView, version: Version) -> None:
        table = self.query_one("#columns", Table)
        columns = rows.columns_for(table.size.width)
        table.set_columns(columns)
        ranked = [profile.name for profile in in_order(list(view.profiles.values()), self.columns_order)]
        places = {name: place for place, name in enumerate(ranked)}
        listed = sorted(version.columns, key=lambda column: places.get(column.name, len(places)))
        table.show([rows.column_row(column, view.profiles.get(column.name), columns) for column in listed])
        panel = self.query_one("#columns-panel", Panel)
        exact = sum(profile.exact for profile in view.profiles.values())
        known = (
            ""
            if exact == len(version.columns)
            else _(", {profiles} measured, {exact} of them exactly").format(profiles=len(view.profiles), exact=exact)
        )
        panel.retitle(
            _("Columns"),
            _("{columns}{known} · by {order_words}").format(
                columns=len(version.columns),
                known=known,
                order_words=rows.order_words(self.columns_order, view.profiles),
            ),
        )
        panel.footnote(view.working)

    def _show_detail(self) -> None:
        view, pane = self._view, self.query_one("#detail-panel", ColumnPane)
        name = self.query_one("#columns", Table).key
        if view is None or view.version is None or not name:
            pane.show_nothing(_("No column yet. Link a version in Data ({app.go_data})."))
            return
        state = view.working or view.failed or _("This column is not measured yet.")
        pane.show_column(view.version, name, view.profiles.get(name), by=self.by, state=state)

    def on_resize(self) -> None:
        if self._view is not None and self._view.version is not None:
            self.call_after_refresh(self.show, self._view)

    @on(Table.Moved, "#columns")
    def show_column(self) -> None:
        self._show_detail()

    @on(Table.Opened, "#columns")
    def read_column(self) -> None:
        """Let the keys scroll the column's detail."""
        self.query_one("#detail-scroll").focus()

    @on(RowBrowser.Narrowed)
    def show_narrowed(self) -> None:
        """Show the rows when a filter was chosen from a column."""
        if not self.rows_open:
            self.action_rows()

    # Keys.

    @property
    def browser(self) -> RowBrowser:
        """The rows, with what filters them."""
        return self.query_one(RowBrowser)

    def filter(self, query: str) -> None:
        """Show the rows that fit a condition; an empty one shows all rows again."""
        version = self._view.version if self._view else None
        self.query_text = query
        if version is not None and (query or self.rows_open):
            self.browser.open(version)
            self.browser.type(query)
            self._turn(rows_open=True)

    def action_rows(self) -> None:
        """Change between columns and rows."""
        self._turn(rows_open=not self.rows_open)

    def action_missing(self) -> None:
        """Change between columns and what is missing together."""
        self._turn(missing_open=not self.missing_open)

    def _turn(self, *, rows_open: bool = False, missing_open: bool = False) -> None:
        """Show another face of the tab: the columns, the rows, or what is missing together."""
        self.rows_open, self.missing_open = rows_open, missing_open
        self._show_face()
        self._focus_face()
        self.reload()

    def action_row(self, what: str) -> None:
        """Do something with the rows' cursor, or with the values of the column that is looked at."""
        version = self._view.version if self._view else None
        if version is None:
            return
        browser = self.browser
        if self.rows_open:
            browser.do(what)
        elif what == "values":
            browser.open(version)
            browser.when_ready(lambda: browser.browse_values(self.query_one("#columns", Table).key))
        else:
            self.toast(_("That is for a cell of the rows; open them with r."))

    def _show_face(self) -> None:
        self.query_one("#columns-view").display = not (self.rows_open or self.missing_open)
        self.browser.display = self.rows_open
        self.query_one("#missing-panel").display = self.missing_open

    def _focus_face(self) -> None:
        face = "#rows" if self.rows_open else "#missing" if self.missing_open else "#columns"
        self.query_one(face).focus()

    @on(MissingPane.RowsWanted)
    def show_missing_rows(self, message: MissingPane.RowsWanted) -> None:
        """Show the rows of one pattern."""
        version = self._view.version if self._view else None
        if version is not None:
            self.filter(missing_condition(version, message.found, message.pattern))

    def action_split(self) -> None:
        """Draw all columns by the classes of the one under the cursor; by the label again where that is it."""
        version, name = self._view.version if self._view else None, self.query_one("#columns", Table).key
        if version is None or not name:
            return
        self.by = "" if name in (self.by, version.label) else name
        self._show_detail()
        by = self.by or version.label
        self.toast(_("Columns are drawn by {by}.").format(by=by) if by else _("Columns are drawn without classes."))

    def back(self) -> bool:
        if self.query_one("#detail-scroll").has_focus:
            self.query_one("#columns", Table).focus()
        elif self.rows_open and self.browser.asked.words:
            self.query_text = ""
            self.browser.clear()
        elif self.rows_open or self.missing_open:
            self._turn()
        elif self.by:
            self.by = ""
            self._show_detail()
        else:
            return False
        return True

    def address(self) -> Address:
        view = self._view
        if view is None or view.version is None:
            return Address("explore")
        part = version_part(view.version, view.versions)
        if self.rows_open:
            return address("explore", part, "rows", **asked_options(self.engine, view.version, self.browser.asked))
        if self.missing_open:
            return address("explore", part, "missing")
        column = self.query_one("#columns", Table).key
        return address("explore", part, *(("column", column) if column else ()))

    def visit(self, place: Address) -> None:
        if place.thing:
            self.seek(place, self.engine.data.version, place.thing, then=lambda version: self._visit(version, place))
        else:
            self.version_id = ""
            self._turn()

    def _visit(self, version: Version, place: Address) -> None:
        """Show one face of a version."""
        self.version_id = version.id
        if "rows" in place.parts:
            self.browser.open(version)
            self.browser.ask(asked_of(self.engine, version, place))
            self._turn(rows_open=True)
        elif "missing" in place.parts:
            self._turn(missing_open=True)
        else:
            self._turn()
            column = place.named("column")
            self.point("columns", column, f"{version.title} has no column {column}.")

    def goto(self, thing: str) -> None:
        """Show one column of the latest version, or the rows of it by a SQL condition (`WHERE` before it)."""
        if thing.startswith(WHERE):
            self._wanted_rows = thing.removeprefix(WHERE)
            self.reload()
            return
        self.rows_open = self.missing_open = False
        super().goto(thing)
        self.query_one("#columns", Table).select(thing)

    def action_profile(self) -> None:
        version = self._view.version if self._view else None
        if version is None:
            self.refuse(NotFound("There is no dataset version yet.", "Link one in Data ({app.go_data})."))
            return
        first = self.query_one("#columns", Table).key
        self.perform(
            self.engine.explore.start_profile,
            version.id,
            first=first,
            done=_("Queued: the profile of {title}.").format(title=version.title),
        )

    def action_label(self) -> None:
        """Open the label desk."""
        from lemnis.tui.screens.labels import LabelDesk

        self.app.push_screen(LabelDesk(self.engine))

    def action_order(self) -> None:
        """Go on to the next order of the columns."""
        self.columns_order = ORDERS[(ORDERS.index(self.columns_order) + 1) % len(ORDERS)]
        self.query_one("#columns", Table).sorted_by = None
        if self._view is not None:
            self.show(self._view)

    def action_stop(self) -> None:
        def found() -> Job | None:
            live = self.engine.jobs.jobs(states=("queued", "preparing", "running"))
            return next((job for job in live if job.kind == "explore.profile"), None)

        def asked(job: Job | None) -> None:
            if job is None:
                self.toast(_("No profile runs."))
                return
            self.ask(
                _("Stop “{title}”?").format(title=told(job.title)),
                lost=_("the column it is at; what is measured stays, and {explore.profile} goes on from there"),
                word=_("stop"),
                then=lambda: self.perform(self.engine.jobs.cancel, job.id, done=_("Asked it to stop.")),
            )

        self.perform(found, then=asked)

    def action_older(self) -> None:
        self._step(+1)

    def action_newer(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        """Go to the version before or after."""
        view = self._view
        if view is not None and view.version is not None:
            found = self.neighbour(view.versions, view.version, by, "version")
            if found is not None:
                self.version_id = found.id
                self.reload()

    def explain(self) -> tuple[str, str] | None:
        profile = self._view.profiles.get(self.query_one("#columns", Table).key) if self._view else None
        if self.missing_open:
            return _("Missing together"), MISSING_TEXT
        if profile is None or self.rows_open:
            return _("Rows"), ROWS_TEXT
        notes = "\n\n".join(f"{told(note.word)}: {told(note.detail)}" for note in profile.notes) or _(
            "Nothing to note."
        )
        return _("Column {name}").format(name=profile.name), f"{notes}\n\n{PROFILE_TEXT}"
