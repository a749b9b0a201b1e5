"""Panes of Evaluate: lines that fit their width, the threshold that can be moved, and the question for a row."""

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from lemnis.engine.evaluate import Evaluation, Importance
from lemnis.tui.format import number
from lemnis.tui.language import N_, _
from lemnis.tui.stages.evaluate import rows
from lemnis.tui.widgets import Bars, Chart, Facts, Panel, Series, Words
from lemnis.tui.widgets.dialog import Dialog
from lemnis.tui.widgets.field import Field

STEP = 0.01
MOST_BARS = 30  # what does not fit below is cut


class Drawn(Words):
    """Lines drawn for the width there is, and again when it changes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None):
        super().__init__(id=id, classes=classes)
        self._draw: Callable[[int], Sequence[Content]] = lambda width: ()

    def show(self, draw: Callable[[int], Sequence[Content]]) -> None:
        """Show what `draw` returns for a width in cells."""
        self._draw = draw
        width = self.scrollable_content_region.width or self.size.width
        if width:
            self.say(Content("\n").join(draw(width)))

    def on_resize(self) -> None:
        self.show(self._draw)


class ThresholdPane(Drawn, can_focus=True):
    """What the threshold does to the answers; the arrows move it while it has the focus."""

    def __init__(self, *, id: str | None = None):
        super().__init__(id=id)
        self.threshold: float | None = None
        self._evaluation: Evaluation | None = None

    def show_evaluation(self, evaluation: Evaluation | None) -> None:
        """Show an evaluation's sweep, at the problem's threshold until it is moved."""
        if evaluation is None or not evaluation.sweep:
            self._evaluation = None
            self.show(lambda width: confusion_or_nothing(evaluation, width))
            return
        if self._evaluation is None or self._evaluation.run_id != evaluation.run_id or self.threshold is None:
            self.threshold = evaluation.threshold if evaluation.threshold is not None else 0.5
        self._evaluation = evaluation
        self._redraw()

    def move(self, steps: int) -> None:
        """Move the threshold by hundredths, within 0 and 1."""
        if self._evaluation is not None and self.threshold is not None:
            self.threshold = round(min(1.0, max(0.0, self.threshold + steps * STEP)), 2)
            self._redraw()

    def choose(self) -> None:
        """Put the threshold at the problem's; if it is there, at the one that earns most."""
        found = self._evaluation
        if found is None or found.threshold is None or found.best_threshold is None:
            return
        self.threshold = found.best_threshold if self.threshold == found.threshold else found.threshold
        self._redraw()

    def _redraw(self) -> None:
        evaluation, threshold = self._evaluation, self.threshold
        if evaluation is not None and threshold is not None:
            brief = self.app.screen.has_class("-narrow")
            lines = rows.brief_threshold if brief else rows.threshold_lines
            self.show(lambda width: lines(evaluation, threshold, width))


def confusion_or_nothing(evaluation: Evaluation | None, width: int) -> list[Content]:
    """Return the confusion of several classes, or that there is no threshold."""
    if evaluation is not None and evaluation.matrix:
        return rows.confusion_rows(evaluation, width)
    return [Content.styled(_("No threshold: the problem is no yes-or-no question.") if evaluation else "", "$muted")]


def roc_series(evaluations: Sequence[Evaluation]) -> list[Series]:
    """Return the ROC curve of each held-out part and the diagonal of chance."""
    curves = [
        Series(one.part, [x for x, _ in one.roc], [y for _, y in one.roc], words=number(one.metrics.get("roc_auc")))
        for one in evaluations
        if one.roc and one.part != "train"
    ]
    return [*curves, Series(_("chance"), [0.0, 1.0], [0.0, 1.0], words="0.500")] if curves else []


def calibration_series(evaluations: Sequence[Evaluation]) -> list[Series]:
    """Return said probability against what happened for each held-out part, and the diagonal of perfection."""
    curves = [
        Series(
            one.part,
            [point[0] for point in one.calibration],
            [point[1] for point in one.calibration],
            words=_("off by {metrics}").format(metrics=number(one.metrics.get("ece"))),
        )
        for one in evaluations
        if one.calibration and one.part != "train"
    ]
    return [*curves, Series(_("perfect"), [0.0, 1.0], [0.0, 1.0], words="0")] if curves else []


class CurvesPane(Vertical):
    """What does not fit into a number: ROC and calibration, the months after training, contributions, speed."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="charts"):
            with Panel("ROC", id="roc-panel"):
                yield Chart(x=_("false positive rate"), y=_("true positive rate"), id="roc", empty=_("No curve."))
            with Panel(_("Calibration"), id="calibration-panel"):
                yield Chart(x=_("said"), y=_("happened"), id="calibration", empty=_("No curve."))
        with Horizontal(id="strips"):
            with Panel(_("By month, after training"), id="months-panel"):
                yield Drawn(id="months")
            with Vertical(id="side"):
                with Panel(_("Mean |contribution|"), id="importance-panel"):
                    yield Bars(id="importances")
                with Panel(_("Speed"), id="speed-panel"):
                    yield Facts(id="speed")

    def narrow_to(self, *, charts: bool, strips: bool) -> None:
        """Show the charts, the strips below them, both or nothing."""
        self.display = charts or strips
        self.query_one("#charts").display, self.query_one("#strips").display = charts, strips
        self.can_focus = charts != strips  # alone on the screen it must keep the keys of the stage

    def show(self, evaluations: Sequence[Evaluation], importances: Sequence[Importance], metric: str) -> None:
        """Show a run's curves; `metric` is the measure of the months."""
        for name, series in (("roc", roc_series(evaluations)), ("calibration", calibration_series(evaluations))):
            chart = self.query_one(f"#{name}", Chart)
            chart.bounds = (0.0, 1.0)
            chart.show(series)
        last = evaluations[-1] if evaluations else None
        months, worst = (last.months, last.worst_month) if last else ([], "")
        self.query_one("#months", Drawn).show(lambda width: rows.month_lines(months, worst, metric, width))
        self.query_one("#months-panel", Panel).retitle(_("By month, after training"), f"· {rows.title_of(metric)}")
        self.query_one("#importances", Bars).show(rows.importance_bars(importances, MOST_BARS))
        self.query_one("#speed", Facts).show(rows.speed_facts(last.speed if last else None))


class FindRow(Dialog[str | None]):
    """Asks for the key of a row; escape asks for nothing."""

    BINDINGS = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, keys: str, question: str = N_("Explain which row?"), does: str = N_("explain")) -> None:
        super().__init__()
        self.keys, self.question, self.does = keys, question, does

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content.styled(_(self.question), "bold"), markup=False)
            yield Static(
                Content.assemble((f"{_('Its key, or # and its number:')} ", "$muted"), self.keys), markup=False
            )
            yield Field(compact=True)
            keys = Content.assemble((" enter ", "$key"), f" {_(self.does)}   ", (" esc ", "$key"), f" {_('leave')}")
            yield Static(keys, classes="keys", markup=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.dismiss(message.value.strip() or None)

    def action_leave(self) -> None:
        self.dismiss(None)


class ChooseFolds(Dialog[str | None]):
    """Asks how rows are cut into folds; escape asks for nothing."""

    BINDINGS = [
        Binding("t", "choose('time')", "Time", show=False),
        Binding("k", "choose('k-fold')", "k-fold", show=False),
        Binding("g", "choose('group')", "Group", show=False),
        Binding("escape", "choose('')", "Leave", show=False),
    ]

    def compose(self) -> ComposeResult:
        keys = (
            ("t", _("time: each of the last 5 months by what learned from all before it")),
            ("k", _("k-fold: each fifth of the shuffled rows by a model of the others")),
            ("g", _("group: rows of one group (dataset.group) are never on both sides")),
            ("esc", _("leave")),
        )
        with Vertical(classes="dialog"):
            yield Static(
                Content.styled(_("Train this run's conditions again on 5 folds, cut by"), "bold"), markup=False
            )
            for key, words in keys:
                yield Static(Content.assemble((f" {key} ", "$key"), f" {_(words)}"), markup=False)

    def action_choose(self, scheme: str) -> None:
        self.dismiss(scheme or None)
