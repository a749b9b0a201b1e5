"""The compare screen: runs side by side, only what differs unless asked, deltas to the baseline, curves overlaid."""

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from lemnis.engine import Engine, LemnisError
from lemnis.engine.experiments import Comparison, Curve, MetricRow, Run
from lemnis.engine.experiments.compare import Row as Condition
from lemnis.engine.experiments.compare import metric_place
from lemnis.engine.text import safe
from lemnis.tui.format import MISSING, number, styled, verdict
from lemnis.tui.widgets import Cell, Chart, Col, Panel, Row, Series, Table, Words

POINTS = 240
LIVE_SECONDS = 1.0
DIGITS = 4


@dataclass(frozen=True, slots=True)
class CompareView:
    """What is compared, and the curves of each run in the comparison's order."""

    comparison: Comparison
    curves: list[dict[str, Curve]]


class Compare(ModalScreen[None]):
    """Two or more runs side by side; reads again while one of them trains."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss", "Back", show=False),
        Binding("z", "differ", "Differences", show=False),
        Binding("v", "metric", "Metric", show=False),
        Binding("p", "baseline", "Baseline", show=False),
        Binding("y", "app.copy", "Copy", show=False),
    ]

    @dataclass
    class Read(Message):
        """The runs were read."""

        view: CompareView

    @dataclass
    class Refused(Message):
        """They could not be read."""

        error: LemnisError

    def __init__(self, engine: Engine, run_ids: list[int], baseline: int | None = None) -> None:
        super().__init__(classes="compare")
        self.engine, self.run_ids, self.baseline = engine, run_ids, baseline
        self.only_different, self.metric = True, ""
        self._view: CompareView | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            with Panel("Compare", id="compare-panel"):
                yield Table(id="compared", empty="These runs are alike in everything. z shows it all.")
            with Panel("Curves", id="curves-panel"):
                yield Chart(x="round", empty="No round yet.")
        yield Words(keys_line(), classes="keys")

    def on_mount(self) -> None:
        self.query_one(Table).focus()
        self.set_interval(LIVE_SECONDS, self.read_live)
        self.read()

    def read_live(self) -> None:
        """Read again if a run still changes."""
        if self._view is not None and any(not run.ended for run in self._view.comparison.runs):
            self.read()

    @work(thread=True, exclusive=True, exit_on_error=False, group="compare")
    def read(self) -> None:
        """Read the runs and their curves."""
        room = self.engine.experiments
        try:
            comparison = room.compare(self.run_ids, self.baseline)
            curves = [room.curve(run.id, points=POINTS) for run in comparison.runs]
        except LemnisError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Read(CompareView(comparison, curves)))

    def on_compare_read(self, message: Read) -> None:
        self._view = message.view
        self.draw()

    def on_compare_refused(self, message: Refused) -> None:
        self.notify(message.error.remedy, title=message.error.problem, severity="error", markup=False)
        self.dismiss()

    def draw(self) -> None:
        """Draw what was read."""
        if self._view is None:
            return
        comparison = self._view.comparison
        table = self.query_one(Table)
        table.set_columns(compare_columns(comparison))
        table.show(compare_rows(comparison, only_different=self.only_different))
        rows = [*comparison.conditions, *comparison.parameters, *comparison.metrics]
        equal = sum(not row.differs for row in rows)
        panel = self.query_one("#compare-panel", Panel)
        panel.retitle(
            f"Compare {len(comparison.runs)} runs", "only what differs" if self.only_different else "everything"
        )
        panel.footnote(f"{equal} lines are equal: z shows them" if self.only_different and equal else "")
        names = sorted({key for curves in self._view.curves for key in curves}, key=metric_place)
        if self.metric not in names:
            self.metric = names[0] if names else ""
        self.query_one("#curves-panel", Panel).retitle(self.metric or "Curves", "v draws the next metric")
        self.query_one(Chart).show(overlaid(comparison.runs, self._view.curves, self.metric))

    def action_differ(self) -> None:
        """Show only what differs, or everything."""
        self.only_different = not self.only_different
        self.draw()

    def action_metric(self) -> None:
        """Draw the next metric's curves."""
        if self._view is not None:
            names = sorted({key for curves in self._view.curves for key in curves}, key=metric_place)
            if names:
                self.metric = names[(names.index(self.metric) + 1) % len(names)] if self.metric in names else names[0]
            self.draw()

    def action_baseline(self) -> None:
        """Refer the deltas to the run whose column the cursor is in."""
        place = self.query_one(Table).column - 1
        if self._view is not None and 0 <= place < len(self._view.comparison.runs):
            self.baseline = self._view.comparison.runs[place].id
            self.read()


def keys_line() -> Content:
    """Return the screen's keys."""
    keys = (("z", "differences"), ("p", "baseline: this column"), ("v", "next metric"), ("y", "copy"), ("esc", "back"))
    return Content("").join([Content.assemble((f" {key} ", "$key"), f" {does}  ") for key, does in keys])


def compare_columns(comparison: Comparison) -> list[Col]:
    """Return one column for the names and one for each run, the baseline's with its star."""
    columns = [Col("what", most=22)]
    for place, run in enumerate(comparison.runs):
        star = "" if place else "★ "
        columns.append(Col(f"run {run.id}", safe(f"{star}#{run.id} {run.name}", limit=30), most=34))
    return columns


def compare_rows(comparison: Comparison, *, only_different: bool) -> list[Row]:
    """Return metrics, parameters and conditions as rows under a heading each."""
    blank = [""] * len(comparison.runs)
    found: list[Row] = []
    metrics = [row for row in comparison.metrics if row.differs or not only_different]
    if metrics:
        found.append(Row("# metrics", [Content.styled("metrics", "bold $stage-accent"), *blank]))
        found += [Row(f"metric {row.name}", [f"  {row.name}", *metric_cells(row)]) for row in metrics]
    for title, rows in (("parameters", comparison.parameters), ("conditions", comparison.conditions)):
        shown = [row for row in rows if row.differs or not only_different]
        if shown:
            found.append(Row(f"# {title}", [Content.styled(title, "bold $stage-accent"), *blank]))
            found += [Row(f"{title} {row.name}", [f"  {row.name}", *value_cells(row)]) for row in shown]
    return found


def metric_cells(row: MetricRow) -> list[Cell]:
    """Return a metric's values with signed deltas; the colour says what the sign and the direction mean together."""
    digits = 1 if row.name in ("train_seconds", "peak_memory_mib") else DIGITS
    cells: list[Cell] = []
    for value, difference, better in zip(row.values, row.deltas, row.better, strict=True):
        shown = Content(number(value, digits))
        if difference is not None:
            word, style = {True: (" better", "$ok"), False: (" worse", "$bad"), None: ("", "$muted")}[better]
            shown = Content.assemble(shown, "  ", styled(f"{difference:+,.{digits}f}".replace("-", "−") + word, style))
        cells.append(shown)
    return cells


def value_cells(row: Condition) -> list[Cell]:
    """Return a condition in each run, muted where it is as in the baseline."""
    cells: list[Cell] = []
    for place, value in enumerate(row.values):
        if row.name == "state" and value:
            cells.append(verdict(value).content)
        elif place and value == row.values[0]:
            cells.append(styled(safe(value or MISSING), "$muted"))
        else:
            cells.append(value or MISSING)
    return cells


def overlaid(runs: list[Run], curves: list[dict[str, Curve]], metric: str) -> list[Series]:
    """Return one metric of each run as lines over each other."""
    return [
        Series(f"#{run.id} {run.name}", [step for step, _ in found[metric]], [value for _, value in found[metric]])
        for run, found in zip(runs, curves, strict=True)
        if found.get(metric)
    ]
