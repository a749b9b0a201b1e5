"""The Validate room: what holds of the data and what does not, worst first, down to the failing rows."""

from msgspec import Struct
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from lemnis.engine import Engine
from lemnis.engine.explore import Page
from lemnis.engine.validate import CheckResult, CheckRun, HistoryPoint, Reason, Which
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address, chosen
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.sentences import told
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.stage import NO_VERSION, Stage
from lemnis.tui.stages.validate import acts, rows
from lemnis.tui.stages.validate.acts import WHICH
from lemnis.tui.stages.validate.explained import CELLS
from lemnis.tui.stages.validate.pane import CHECKS_TEXT, CheckDetail
from lemnis.tui.widgets import Panel, Row, Table, Words, numbered_rows

PAGE_ROWS = 200
RUNS = 30
AGE_SECONDS = 10.0
TALL = 40  # lines from which a check's history is charted too


class Asked(Struct, frozen=True):
    """Whose failing rows are shown."""

    check_run_id: int
    check: str
    which: Which = "all"


class ValidateView(Struct, frozen=True):
    """One run of the checks, how each went before, and the first failing rows if they are open."""

    now: int
    runs: list[CheckRun]
    run: CheckRun | None
    results: dict[str, CheckResult]
    histories: dict[str, list[HistoryPoint]]
    working: str
    notice: str
    asked: Asked | None
    page: Page | None
    nothing: str = rows.NOT_RUN  # why there is no verdict, and what to do


class ValidateStage(Stage[ValidateView]):
    """Checks, verdicts, failing rows."""

    BINDINGS = bindings("validate")
    cells = CELLS
    topics = frozenset({"validate", "jobs"})

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.run_id = 0  # 0: the latest
        self.opened = ""  # the check whose failing rows are open
        self.which: Which = "all"
        self._view: ValidateView | None = None
        self._asked: Asked | None = None

    def compose(self) -> ComposeResult:
        with Panel(_("Latest run"), id="summary-panel"):
            yield Words(id="summary")
        with Vertical(id="checks-view"):
            with Panel(_("Checks"), id="checks-panel"):
                yield Table(*rows.COLUMNS, id="checks", empty=rows.NOT_RUN)
            yield CheckDetail(id="below")
        with Panel(_("Failing rows"), id="failures-panel"):
            yield Table(id="failures", empty=_("Reading …"))

    def on_mount(self) -> None:
        self.set_interval(AGE_SECONDS, self._show_summary)

    def load(self) -> ValidateView:
        room = self.engine.validate
        runs = room.runs(RUNS)
        run = next((run for run in runs if run.id == self.run_id), runs[0] if runs else None)
        if run is None:
            nothing = rows.NOT_RUN if self.engine.data.versions() else NO_VERSION
            working, notice = self._working(), self._notice(None)
            return ValidateView(self.engine.now_ms(), [], None, {}, {}, working, notice, None, None, nothing)
        results = {result.name: result for result in room.results(run.id)}
        asked, page = None, None
        if self.opened:
            asked = Asked(run.id, self.opened, self.which)
            page = self._page(asked, 0, PAGE_ROWS) if asked != self._asked else None
        histories, notice = room.histories(RUNS), self._notice(runs[0])
        return ValidateView(self.engine.now_ms(), runs, run, results, histories, self._working(), notice, asked, page)

    def _page(self, asked: Asked, offset: int, limit: int) -> Page:
        return self.engine.validate.failures(
            asked.check, offset, limit, check_run_id=asked.check_run_id, which=asked.which
        )

    def _working(self) -> str:
        """Return what a run of the checks does now, in words; empty when there is none."""
        for job in self.engine.jobs.jobs(states=("queued", "preparing", "running"), limit=50):
            if job.kind == "validate.run":
                return (
                    _("running: {progress_text}").format(progress_text=told(job.progress_text))
                    if job.state == "running"
                    else f"{_(job.state)}: {told(job.why)}"
                )
        return ""

    def _notice(self, latest: CheckRun | None) -> str:
        """Return why the latest run may not be the last word: a newer attempt that failed, or a newer version."""
        since = latest.ended_at if latest else 0
        attempts = [job for job in self.engine.jobs.jobs(limit=50) if job.kind == "validate.run"]
        last = max(attempts, key=lambda job: job.id, default=None)
        if last is not None and last.state in ("failed", "lost", "cancelled") and last.created_at > since:
            return _("the last attempt is {state}: {why}").format(state=_(last.state), why=told(last.why))
        newest = next(iter(self.engine.data.versions()), None)
        if latest is not None and newest is not None and newest.id != latest.version_id:
            return _("{title} is newer and was not checked").format(title=newest.title)
        return ""

    def show(self, view: ValidateView) -> None:
        self._view = view
        self._show_layer()
        self._show_summary()
        title = (
            _("Latest run") if view.run is None or view.run == view.runs[0] else _("Run {id}").format(id=view.run.id)
        )
        summary = self.query_one("#summary-panel", Panel)
        summary.retitle(title, _("run {id} of {id2}").format(id=view.run.id, id2=view.runs[0].id) if view.run else "")
        summary.footnote(view.working)
        table = self.query_one("#checks", Table)
        columns = rows.columns_for(table.size.width)
        table.set_columns(columns)
        table.empty = view.nothing
        table.show(
            [rows.check_row(result, self._points(view, result.name), columns) for result in view.results.values()]
        )
        self.query_one("#checks-panel", Panel).retitle(_("Checks"), number(len(view.results)) if view.results else "")
        self._show_check()
        if view.asked is not None and view.page is not None:
            self._show_failures(view.asked, view.page)

    def _show_summary(self) -> None:
        """Say how the run went and how long ago; asked again and again, for time passes without a reload."""
        if self._view is not None and self.visible_now:
            view = self._view
            self.query_one("#summary", Words).say(
                rows.summary_content(
                    view.run, self.engine.now_ms(), self.size.width, notice=view.notice, nothing=view.nothing
                )
            )

    def _points(self, view: ValidateView, name: str) -> list[HistoryPoint]:
        """Return how a check went up to the run that is shown."""
        until = view.run.id if view.run else 0
        return [point for point in view.histories.get(name, []) if point.check_run_id <= until]

    def _show_layer(self) -> None:
        self.query_one("#checks-view").display = not self.opened
        self.query_one("#failures-panel").display = bool(self.opened)

    @property
    def _result(self) -> CheckResult | None:
        """The result under the cursor."""
        return self._view.results.get(self.query_one("#checks", Table).key) if self._view else None

    def _show_check(self) -> None:
        view, result = self._view, self._result
        detail = self.query_one(CheckDetail)
        detail.display = result is not None
        if view is not None and result is not None:
            detail.show(result, self._points(view, result.name), view.now, tall=self.size.height >= TALL)

    def _show_failures(self, asked: Asked, page: Page) -> None:
        self._asked = asked
        table = self.query_one("#failures", Table)
        table.set_columns(rows.page_columns(page))

        def fetch(offset: int, limit: int) -> list[Row]:
            shown = page if (offset, limit) == (0, PAGE_ROWS) else self._page(asked, offset, limit)
            return numbered_rows(shown.offset, shown.rows)

        table.cursor = 0
        table.show_window(page.total, fetch)
        table.empty = _("No {which} rows.").format(which=asked.which) if asked.which != "all" else _("No row fails it.")
        panel = self.query_one("#failures-panel", Panel)
        panel.retitle(_(WHICH[asked.which]), f"{asked.check} · {number(page.total)}")
        panel.footnote(_("v: new, persisting, fixed   f: why   E: export"))

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    @on(Table.Moved, "#checks")
    def show_check(self) -> None:
        self._show_check()

    @on(Table.Opened, "#checks")
    def open_check(self) -> None:
        """Show the failing rows of the check under the cursor."""
        result = self._result
        if result is None:
            return
        if not result.listable:
            self.toast(f"{result.name}: {rows.no_sample(result)}", warn=result.failing is None)
            return
        self.opened, self.which, self._asked = result.name, "all", None
        self._show_layer()
        self.query_one("#failures-panel", Panel).retitle(
            _("Failing rows"), _("{name} · reading …").format(name=result.name)
        )
        self.query_one("#failures", Table).focus()
        self.reload()

    # Keys.

    def back(self) -> bool:
        if self.opened:
            self.opened = ""
            self._show_layer()
        elif not self.query_one("#check-scroll").has_focus and not self.query_one("#sample", Table).has_focus:
            return False
        self.query_one("#checks", Table).focus()
        return True

    def address(self) -> Address:
        run = self.run_id or None
        if self.opened:
            return address("check", self.opened, "rows", run=run, which="" if self.which == "all" else self.which)
        key = self.query_one("#checks", Table).key
        return address("check", key, run=run) if key else address("validate", run=run)

    def under_cursor(self) -> Address:
        run = self._view.run if self._view else None
        return address("validate", run=run.id) if run is not None else self.address()

    def visit(self, place: Address) -> None:
        run = place.option("run")
        self.run_id = int(run) if run.isdecimal() else 0
        self.opened = place.thing if "rows" in place.parts[1:] else ""
        self.which, self._asked = chosen(list(WHICH), place.option("which")), None
        self._show_layer()
        if self.opened:
            self.point("failures", "")
        else:
            self.point("checks", place.thing, f"This run has no check {place.thing}.")

    def goto(self, thing: str) -> None:
        """Show one check of the latest run."""
        self.opened, self.run_id = "", 0
        super().goto(thing)
        self.query_one("#checks", Table).select(thing)

    def action_run(self) -> None:
        self.run_id = 0
        self.perform(self.engine.validate.start, done=_("Queued: all checks on the latest version."))

    def action_waive(self) -> None:
        """Waive the check under the cursor for a while."""
        result = self._result
        if result is None:
            self.toast(_("There is no check to waive."), warn=True)
            return
        if result.failing is None:
            self.toast(
                _("{name} was not evaluated; a waiver would hide that nothing is known.").format(name=result.name),
                warn=True,
            )
            return

        def again(_job: int) -> None:
            self.run_id = 0

        acts.waive(self, result.name, then=again)

    def _listed(self) -> CheckResult | None:
        """Return the check whose failing rows a key is about; say so when it has none."""
        result = self._view.results.get(self.opened) if self._view and self.opened else self._result
        if result is not None and not result.listable:
            self.toast(f"{result.name}: {rows.no_sample(result)}", warn=result.failing is None)
            return None
        return result

    def action_codes(self) -> None:
        """Show the codes that the check under the cursor does not know; what is changed counts from the next run on."""
        from lemnis.tui.stages.validate.codes import CodesScreen

        view = self._view
        result = view.results.get(self.opened or (self._result.name if self._result else "")) if view else None
        if view is None or view.run is None or result is None or result.kind not in ("code_list", "reference"):
            self.toast(_("Choose a check that judges codes: code_list or reference."))
            return

        def left(changed: bool | None) -> None:
            if changed:
                self.toast(_("The codes were changed. Press {validate.run} to run the checks again."))

        self.app.push_screen(CodesScreen(self.engine, result.name, view.run.id), left)

    def action_propose(self) -> None:
        """Show checks that are worth declaring, and try some if the newest version was not tried yet."""
        from lemnis.tui.stages.validate.proposing import ProposalsScreen

        def left(taken: int | None) -> None:
            if taken:
                self.toast(_("{taken} checks are declared. Press {{validate.run}} to run them.").format(taken=taken))

        self.app.push_screen(ProposalsScreen(self.engine), left)

    def action_reasons(self) -> None:
        """Show which values stand among the failing rows too often."""
        result, view = self._listed(), self._view
        if result is None or view is None or view.run is None:
            return

        def show(found: list[Reason]) -> None:
            from lemnis.tui.stages.validate.reasons import Reasons

            self.app.push_screen(Reasons(result.name, found))

        self.perform(self.engine.validate.reasons, result.name, check_run_id=view.run.id, then=show)

    def action_which(self) -> None:
        """Go on from all failing rows to the new, the persisting and the fixed ones."""
        view = self._view
        result = view.results.get(self.opened or (self._result.name if self._result else "")) if view else None
        if result is None:
            return
        if result.compared is None:
            self.toast(_("{name} was not compared with a run before.").format(name=result.name))
            return
        order = list(WHICH)
        self.which = order[(order.index(self.which) + 1) % len(order)] if self.opened else "new"
        self.opened, self._asked = result.name, None
        self._show_layer()
        self.query_one("#failures", Table).focus()
        self.reload()

    def action_export(self) -> None:
        """Write the failing rows to a file, those of the class that is open."""
        result, view = self._listed(), self._view
        if result is None or view is None or view.run is None:
            return
        acts.export(self, view.run.id, result.name, self.which if self.opened else "all")

    def action_older(self) -> None:
        self._step(+1)

    def action_newer(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        """Go to the run before or after."""
        view = self._view
        if view is not None and view.run is not None:
            found = self.neighbour(view.runs, view.run, by, "run")
            if found is not None:
                self.run_id = found.id
                self.reload()

    def explain(self) -> tuple[str, str] | None:
        result = self._result
        if result is None:
            return _("Checks"), CHECKS_TEXT
        parts = [f"{told(result.rule)} ({told(result.source)}).", result.why, told(result.message), CHECKS_TEXT]
        return _("Check {name}").format(name=result.name), "\n\n".join(filter(None, parts))
