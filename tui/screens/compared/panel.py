"""The panel that plots a comparison: curves with smoothing, zoom and read-off, a scatter, parallel axes."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from lemnis.engine.experiments import Comparison, Curve
from lemnis.engine.experiments.compare import metric_place
from lemnis.tui.format import number
from lemnis.tui.language import _
from lemnis.tui.screens.compared import plots, tables
from lemnis.tui.screens.compared.words import DIGITS, Compared
from lemnis.tui.widgets import Chart, Col, Panel, Row, Words

STEPS = 40  # strides of the reading line from one end of the shown span to the other
MOST_LINES = 8  # of the chart


class PlotPanel(Panel):
    """What is plotted of the runs, and how; its owner says which runs and which of them is in front."""

    def __init__(self, *, id: str) -> None:
        super().__init__(_("Curves"), id=id)
        self.kind, self.metric, self.parameter = "", "", 0
        self.smoothing, self.logarithmic = 0, False
        self.span: tuple[float, float] | None = None
        self.read_at: float | None = None
        self._comparison: Comparison | None = None
        self._curves: list[dict[str, Curve]] = []

    def compose(self) -> ComposeResult:
        yield Chart(x=_("round"), empty=_("No round yet."))
        yield Words(id="plot")

    def take(self, kind: str, found: Compared, curves: list[dict[str, Curve]]) -> None:
        """Take what is plotted: ``Curves``, ``Scatter`` or ``Parallel`` of these runs."""
        self.kind, self._comparison, self._curves = kind, found.comparison, curves
        if self.metric not in self.metrics():
            self.metric = next(iter(self.metrics()), "")
        self.query_one(Chart).display = kind == "Curves"
        self.query_one("#plot").display = kind != "Curves"

    def metrics(self) -> list[str]:
        """Return the metrics that can be plotted."""
        if self.kind == "Curves":
            return sorted({key for curves in self._curves for key in curves}, key=metric_place)
        return [row.name for row in self._comparison.metrics] if self._comparison is not None else []

    def curves(self) -> list[Curve]:
        """Return each run's curve of the metric, smoothed as asked; empty where it has none."""
        weight = plots.SMOOTHINGS[self.smoothing]
        return [plots.smoothed(found.get(self.metric, []), weight) for found in self._curves]

    def runs_table(self, found: Compared) -> tuple[list[Col], list[Row]]:
        """Return the plotted runs with their values where the reading line stands, or at their best round."""
        at = (
            _("at round {read_at}").format(read_at=number(self.read_at, 0))
            if self.read_at is not None
            else _("at best round")
        )
        columns = [Col("run", most=34), Col("value", f"{self.metric} {at}", right=True), Col("last", right=True)]
        if self.kind != "Curves":
            columns = [columns[0], Col("last", self.metric, right=True)]
        rows: list[Row] = []
        names = [column.said for column in tables.run_columns(found)[1:]]
        for run, curve, name in zip(found.comparison.runs, self.curves(), names, strict=True):
            best = dict(curve).get(run.best_round or 0)
            value = plots.read_off(curve, self.read_at) if self.read_at is not None else best
            last = run.metrics.get(self.metric, curve[-1][1] if curve else None)
            cells = [name, number(value, DIGITS), number(last, DIGITS)]
            rows.append(Row(str(run.id), cells if self.kind == "Curves" else [cells[0], cells[2]]))
        return columns, rows

    def draw(self, first: int) -> None:
        """Draw what was taken with one run in front."""
        if self._comparison is None or not self.kind:
            return
        self.footnote("")
        if self.kind == "Curves":
            self._draw_curves(self._comparison, first)
        else:
            self._draw_text(self._comparison, first)

    def _draw_curves(self, comparison: Comparison, first: int) -> None:
        weight = plots.SMOOTHINGS[self.smoothing]
        smooth = _("smoothed {weight:g}").format(weight=weight) if weight else _("not smoothed")
        zoom = (
            _(", rounds {span:.0f} to {span2:.0f}").format(span=self.span[0], span2=self.span[1])
            if self.span is not None
            else ""
        )
        self.retitle(self.metric or _("Curves"), f"{smooth}{(_(', log axis') if self.logarithmic else '')}{zoom}")
        shown = plots.overlaid(comparison.runs, self.curves(), first)
        if len(shown) > MOST_LINES:
            self.footnote(
                _("{most_lines} of {shown} runs are drawn, the one under the cursor first").format(
                    most_lines=MOST_LINES, shown=len(shown)
                )
            )
        if self.span is not None:
            shown = [plots.within(line, self.span) for line in shown]
        chart = self.query_one(Chart)
        chart.x_bounds, chart.read_x = self.span, self.read_at
        chart.show(shown)
        chart.relabel(logarithmic=self.logarithmic)

    def _draw_text(self, comparison: Comparison, first: int) -> None:
        runs, plot = comparison.runs, self.query_one("#plot", Words)
        area = (max(40, plot.size.width - 2), max(8, plot.size.height))
        parameters = [row for row in comparison.parameters if row.differs]
        values = [None if (value := run.metrics.get(self.metric)) is None else repr(value) for run in runs]
        if not parameters or not self.metric:
            self.retitle(_(self.kind))
            plot.say(Content.styled(_("The runs differ in no parameter, or have no metric."), "$muted"))
            return
        up = plots.axis_of(self.metric, values)
        if self.kind == "Scatter":
            row = parameters[self.parameter % len(parameters)]
            across = plots.axis_of(row.name, row.values)
            rank = plots.rank_correlation(across, up)
            known = (
                _("rank correlation {rank}").format(rank=number(rank, 2))
                if rank is not None
                else _("too few runs for a correlation")
            )
            self.retitle(
                _("{metric} by {name}").format(metric=self.metric, name=row.name),
                _("{runs} runs, {known}").format(runs=len(runs), known=known),
            )
            plot.say(plots.scatter(across, up, [f"#{run.id}" for run in runs], area, first))
            return
        axes: Sequence[plots.Axis] = [*(plots.axis_of(row.name, row.values) for row in parameters), up]
        self.retitle(
            _("Parallel axes"),
            _("{parameters} parameters that differ, then {metric}").format(
                parameters=len(parameters), metric=self.metric
            ),
        )
        plot.say(plots.parallel(axes, area, first))

    # What keys change; the owner draws afterwards.

    def next_metric(self) -> None:
        names = self.metrics()
        if names:
            self.metric = names[(names.index(self.metric) + 1) % len(names)] if self.metric in names else names[0]

    def next_smoothing(self) -> None:
        self.smoothing = (self.smoothing + 1) % len(plots.SMOOTHINGS)

    def move_line(self, by: int) -> None:
        """Move the line that values are read off at."""
        whole = plots.span_of(self.curves())
        if self.kind == "Curves" and whole is not None:
            self.read_at = plots.moved(self.read_at, by, self.span or whole, STEPS)

    def zoom(self, factor: float) -> None:
        """Show less or more of the rounds around the reading line; 0 shows all."""
        whole = plots.span_of(self.curves())
        if self.kind == "Curves" and whole is not None:
            self.span = plots.zoomed(self.span or whole, self.read_at, factor, whole)
