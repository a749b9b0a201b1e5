"""One check in full: what was found, the offending values, its history, its query, and its first failing rows."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from lemnis.engine.validate import CheckResult, HistoryPoint
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.stages.validate import rows
from lemnis.tui.widgets import Bars, Chart, Facts, Panel, Table, Words


class CheckDetail(Horizontal):
    """The check under the cursor."""

    def compose(self) -> ComposeResult:
        with Panel(_("Check"), id="check-panel"), VerticalScroll(id="check-scroll", can_focus=True):
            yield Facts(id="check-facts")
            yield Words(id="offenders-title", classes="heading")
            yield Bars(id="offenders")
            yield Words(_("history"), id="history-title", classes="heading")
            yield Chart(id="check-chart", x=_("run"), empty="")
            yield Words(id="check-history")
            yield Words(_("query of the failing rows"), id="sql-title", classes="heading")
            yield Words(id="check-sql")
        with Panel(_("First failing rows"), id="sample-panel"):
            yield Table(id="sample")

    def show(self, result: CheckResult, points: Sequence[HistoryPoint], now: int, *, tall: bool) -> None:
        """Show a check and how it went up to its run; its history is charted where the screen is tall."""
        panel = self.query_one("#check-panel", Panel)
        panel.retitle(result.name, result.kind.replace("_", " "))
        panel.footnote(_("enter: the failing rows") if result.listable else "")
        self.query_one("#check-facts", Facts).show(rows.detail_facts(result, now))
        title = self.query_one("#offenders-title", Words)
        title.display = self.query_one("#offenders").display = bool(result.top)
        title.say(rows.offenders_title(result))
        self.query_one("#offenders", Bars).show(rows.offender_bars(result), marks=["$warn"] * len(result.top))
        series = rows.history_series(points) if tall else []
        self.query_one("#check-chart", Chart).display = bool(series)
        self.query_one("#check-chart", Chart).show(series)
        self.query_one("#check-history", Words).say(rows.history_lines(points))
        self.query_one("#check-sql", Words).say(result.sql)
        self.query_one("#sql-title").display = bool(result.sql)
        sample = self.query_one("#sample", Table)
        sample.empty = rows.no_sample(result)
        sample.set_columns(rows.sample_columns(result.sample))
        sample.show(rows.sample_rows(result.sample))
        shown = len(result.sample.rows)
        detail = _("{shown} of {failing}").format(shown=shown, failing=number(result.failing)) if shown else ""
        self.query_one("#sample-panel", Panel).retitle(_("First failing rows"), detail)


CHECKS_TEXT = (
    "Checks are declared as [[checks]] in lemnis.toml ({app.edit} edits it). A check fails when more rows break it "
    "than it allows; with severity warn it warns, and warn_if and error_if set thresholds as counts or shares. A "
    "waiver lets a failing check only warn until its day is over. A failed check keeps the data from being trained "
    "on.\n\n"
    "Not evaluated means that nothing is known: a source or a column is missing, the query is wrong or ran past its "
    "limits, or a learned row count has too little history. It is never taken for a pass.\n\n"
    "References, code lists and ranges say nothing of missing values; that is what not_null is for. Commands: lemnis "
    "validate run, history, failures NAME --export FILE, why NAME, codes, waive NAME, suggest."
)
