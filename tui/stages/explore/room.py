"""The Explore room: what each column holds, one column in full, and the rows themselves."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll

from lemnis.engine import Engine, LemnisError
from lemnis.engine.data import Version
from lemnis.engine.errors import NotFound
from lemnis.engine.explore import ORDERS, Order, Page, Profile, View, in_order
from lemnis.engine.jobs import Job
from lemnis.tui.actions import bindings
from lemnis.tui.format import number, share
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.explore import rows
from lemnis.tui.stages.explore.detail import detail_content
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Empty, Panel, Row, Table, Words, numbered_rows

PAGE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are shown: of which version, in which order, under which condition."""

    version_id: str
    order: str = ""
    descending: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class ExploreView:
    """One version, what is measured of it so far, and the first rows if they are open."""

    versions: list[Version]
    version: Version | None
    profiles: dict[str, Profile]
    working: str
    failed: str
    asked: Asked | None
    page: Page | None


class ExploreStage(Stage[ExploreView]):
    """Columns, their distributions by class, and rows."""

    BINDINGS = bindings("explore")
    topics = frozenset({"explore", "data", "jobs"})
    filter_hint = "dest = 'BUR' and dep_delay > 60"

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.rows_open = False
        self.version_id = ""  # empty: the latest
        self.order, self.descending = "", False
        self.columns_order: Order = "interest"
        self._view: ExploreView | None = None
        self._asked: Asked | None = None
        self._rows: tuple[Asked, View] | None = None

    def compose(self) -> ComposeResult:
        with Panel("Class balance", id="balance-panel"):
            yield Words(id="balance")
        with Container(id="columns-view"):
            with Panel("Columns", id="columns-panel"):
                yield Table(*rows.COLUMNS, id="columns", empty="No dataset version yet. Link one in Data (2).")
            with Panel("Column", id="detail-panel"), VerticalScroll(id="detail-scroll", can_focus=True):
                yield Empty("Nothing is measured yet.", "n", "Profile now", id="detail")
        with Panel("Rows", id="rows-panel"):
            yield Table(id="rows", empty="No row fits. Press escape to see all again.")

    def load(self) -> ExploreView:
        versions = self.engine.data.versions()
        version = next((v for v in versions if v.id == self.version_id), versions[0] if versions else None)
        if version is None:
            return ExploreView([], None, {}, "", "", None, None)
        profiles = {profile.name: profile for profile in self.engine.explore.profiles(version.id)}
        asked, page = None, None
        if self.rows_open:
            asked = Asked(version.id, self.order, self.descending, self.query_text)
            page = self._page(asked, 0) if asked != self._asked else None
        working, failed = self._profiling(version.id)
        return ExploreView(versions, version, profiles, working, failed, asked, page)

    def _page(self, asked: Asked, offset: int, limit: int = PAGE_ROWS) -> Page:
        found = self.engine.data.version(asked.version_id)
        if self._rows is None or self._rows[0] != asked:
            self.on_unmount()
            reader = self.engine.explore.reader(found.id)
            wanted = self.engine.explore.asked(found, [asked.where], asked.order, descending=asked.descending)
            view = View(reader, wanted)
            try:
                view.find()
            except LemnisError:
                reader.close()
                raise
            self._rows = (asked, view)
        return self._rows[1].page(offset, limit, [column.name for column in found.columns])

    def on_unmount(self) -> None:
        """Let go of the rows."""
        if self._rows is not None:
            self._rows[1].reader.close()
            self._rows = None

    def _profiling(self, version_id: str) -> tuple[str, str]:
        """Return what the profiling of this version does now, and why the last one failed; empty for nothing."""
        jobs = [job for job in self.engine.jobs.jobs(limit=50) if job.kind == "explore.profile"]
        last = max((j for j in jobs if j.arguments.get("version") == version_id), key=lambda job: job.id, default=None)
        if last is None or last.state in ("finished", "cancelled"):
            return "", ""
        if last.ended:
            return "", f"The last attempt is {last.state}: {last.why}"
        return (f"measuring {last.progress_text}" if last.state == "running" else f"{last.state}: {last.why}"), ""

    def show(self, view: ExploreView) -> None:
        self._view = view
        self.query_one("#columns-view").display = not self.rows_open
        self.query_one("#rows-panel").display = self.rows_open
        version = view.version
        if version is None:
            self.query_one("#balance", Words).say("No dataset version yet.")
            self.query_one("#columns", Table).show([])
            return
        self._show_balance()
        self._show_columns(view, version)
        self._show_detail()
        if view.asked is not None and view.page is not None:
            self._show_rows(view.asked, view.page, version)

    def _show_balance(self) -> None:
        view = self._view
        if view is None or view.version is None:
            return
        words = self.query_one("#balance", Words)
        words.say(rows.balance_content(view.version, max(40, self.size.width - 4)))
        place = f"{view.version.title} · {number(view.version.rows)} rows"
        self.query_one("#balance-panel", Panel).retitle("Class balance", place)

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
        known = "" if exact == len(version.columns) else f", {len(view.profiles)} measured, {exact} of them exactly"
        panel.retitle("Columns", f"{len(version.columns)}{known} · by {self.columns_order}")
        panel.footnote(view.working)

    def _show_detail(self) -> None:
        view, detail = self._view, self.query_one("#detail", Empty)
        name = self.query_one("#columns", Table).key
        profile = view.profiles.get(name) if view else None
        panel = self.query_one("#detail-panel", Panel)
        if profile is None:
            panel.retitle(name or "Column")
            working, failed = (view.working, view.failed) if view else ("", "")
            reason = working or failed or "This column is not measured yet."
            detail.show(reason, "" if working else "n", "Profile now")
            return
        panel.retitle(name, f"{profile.role} · {profile.type} · {rows.looked_at(profile)}")
        width = self.query_one("#detail-scroll").scrollable_content_region.width - 2
        detail.say(detail_content(profile, max(36, width), compact=self.app.screen.has_class("-narrow")))

    def _show_rows(self, asked: Asked, page: Page, version: Version) -> None:
        self._asked = asked
        table = self.query_one("#rows", Table)
        table.set_columns(rows.row_columns(version))

        def fetch(offset: int, limit: int) -> list[Row]:
            shown = page if (offset, limit) == (0, PAGE_ROWS) else self._page(asked, offset, limit)
            return numbered_rows(shown.offset, shown.rows)

        table.show_window(page.total, fetch)
        found = f"{number(page.total)} of {number(version.rows)} ({share(page.total / max(1, version.rows))})"
        condition = f"where {asked.where} · {found}" if asked.where else number(page.total)
        self.query_one("#rows-panel", Panel).retitle("Rows", condition)

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

    @on(Table.Sorted, "#rows")
    def sort_rows(self, message: Table.Sorted) -> None:
        view = self._view
        if view is None or view.version is None:
            return
        place = message.column.removeprefix("c")
        self.order = view.version.columns[int(place)].name if place.isdecimal() else ""
        self.descending = message.descending
        self.reload()

    # Keys.

    def filter(self, query: str) -> None:
        """Show the rows that fit a SQL condition; an empty one shows all rows again."""
        self.rows_open = self.rows_open or bool(query)
        super().filter(query)
        self.query_one("#rows-panel").display = self.rows_open
        self.query_one("#rows" if self.rows_open else "#columns", Table).focus()

    def action_rows(self) -> None:
        """Change between columns and rows."""
        self.rows_open = not self.rows_open
        self.query_one("#columns-view").display = not self.rows_open
        self.query_one("#rows-panel").display = self.rows_open
        self.query_one("#rows" if self.rows_open else "#columns", Table).focus()
        self.reload()

    def back(self) -> bool:
        if self.query_one("#detail-scroll").has_focus:
            self.query_one("#columns", Table).focus()
        elif self.query_text:
            self.filter("")
        elif self.rows_open:
            self.action_rows()
        else:
            return False
        return True

    def goto(self, thing: str) -> None:
        """Show one column of the latest version."""
        self.rows_open = False
        super().goto(thing)
        self.query_one("#columns", Table).select(thing)

    def action_profile(self) -> None:
        version = self._view.version if self._view else None
        if version is None:
            self.refuse(NotFound("There is no dataset version yet.", "Link one in Data (2)."))
            return
        first = self.query_one("#columns", Table).key
        self.perform(
            self.engine.explore.start_profile, version.id, first=first, done=f"Queued: the profile of {version.title}."
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
                self.toast("No profile runs.")
                return
            self.ask(
                f"Stop “{job.title}”?",
                lost="the column it is at; what is measured stays, and n goes on from there",
                word="stop",
                then=lambda: self.perform(self.engine.jobs.cancel, job.id, done="Asked it to stop."),
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
        if profile is None or self.rows_open:
            return "Rows", ROWS_TEXT
        notes = "\n\n".join(f"{note.word}: {note.detail}" for note in profile.notes) or "Nothing to note."
        return f"Column {profile.name}", f"{notes}\n\n{PROFILE_TEXT}"


PROFILE_TEXT = (
    "Columns come by interest: a point at most for missing half of the rows, telling a quarter of the target's "
    "uncertainty, drift of PSI 0.25 against the version before, and four notes; v changes the order. From a million "
    "rows on, a sample of 131,072 rows in 8 places comes first, marked ~, with 95% margins from the spread between "
    "the places; the exact figures replace it.\n\n"
    "Exact figures come from one read and one sort of the column. Quantiles are linear between two values. A "
    "histogram leaves out a long thin tail (at most 0.5% of the rows at either end) and says how many rows that are. "
    "The last figure of a bin is the share of the rarest class among its labelled rows.\n\n"
    "Notes: missing from 20% of the rows; skewed from a skewness of 3; high cardinality from 51 categories; nearly "
    "constant from 99% of one value; missing with the target when the classes differ by 10 points between rows "
    "without and with a value; outliers when 1% of the values lie more than 3.5 robust deviations from the median; "
    "zeros from half of them; drifted from PSI 0.25; gaps when a period within the time span has no row; spellings "
    "when values differ only by case, spaces, width or, rare ones, by one letter. IQR fences stand 1.5 interquartile "
    "ranges beyond the quartiles. Commands: lemnis explore profile, missing, rows."
)
ROWS_TEXT = (
    "Rows come straight from the version's Parquet file, a page at a time. s and S sort by the cursor's column; "
    "/ takes a SQL condition such as dest = 'BUR' and dep_delay > 60. What you type runs in a process of its own with "
    "bounded time, memory and reach. Command: lemnis explore rows --where … --sort …"
)
