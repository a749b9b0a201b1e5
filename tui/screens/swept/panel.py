"""The panel beside the trials: best so far, what decides, parallel axes, the Pareto front, what was done."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from lemnis.engine.experiments.sweep import Event, Sweep, Trial
from lemnis.tui.format import share
from lemnis.tui.language import N_, _
from lemnis.tui.screens.compared import plots
from lemnis.tui.screens.swept import tables
from lemnis.tui.widgets import Bars, Chart, Panel, Words

VIEWS = (N_("Trials"), N_("Best"), N_("Decides"), N_("Parallel"), N_("Pareto"), N_("Log"))
TRIALS, BEST, DECIDES, PARALLEL, PARETO, LOG = range(len(VIEWS))


class PicturePanel(Panel):
    """One view of a sweep; its owner says which, and which trial is in front."""

    def __init__(self, *, id: str) -> None:
        super().__init__(_("Best so far"), id=id)
        self._drawn: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Chart(x=_("trial"), empty=_("No trial has finished yet."))
        yield Bars(id="sweep-decides")
        yield Words(id="sweep-picture")

    def draw(self, view: int, sweep: Sweep, trials: Sequence[Trial], events: Sequence[Event], front: int) -> None:
        """Draw a view; beside the trials stand the best so far and what decides.

        Args:
            view: Its place in VIEWS.
            sweep: As it is.
            trials: In their order.
            events: The newest first.
            front: The number of the trial under the cursor.
        """
        self.query_one(Chart).display = view in (TRIALS, BEST)
        self.query_one("#sweep-decides").display = view in (TRIALS, DECIDES)
        self.query_one("#sweep-picture").display = view in (PARALLEL, PARETO, LOG)
        self.footnote("")
        if view in (TRIALS, BEST):
            self.retitle(_("Best so far"), sweep.objectives[0].words)
            self.query_one(Chart).show(tables.best_so_far(sweep, trials))
        if view in (TRIALS, DECIDES):
            self._draw_importances(sweep, alone=view == DECIDES)
        if view in (PARALLEL, PARETO):
            self._draw_text(view, sweep, trials, front)
        if view == LOG:
            self.retitle(_("What was done"), _("{events} acts, the newest first").format(events=len(events)))
            self.query_one("#sweep-picture", Words).say(tables.event_lines(events))

    def _draw_importances(self, sweep: Sweep, *, alone: bool) -> None:
        found = sweep.insight.importances if sweep.insight is not None else {}
        if alone:
            told = (
                _("PED-ANOVA over {ended} trials").format(ended=sweep.insight.ended)
                if sweep.insight is not None and found
                else ""
            )
            self.retitle(_("What decides"), told)
        bars = self.query_one("#sweep-decides", Bars)
        if found:
            bars.show([(name, part, share(part, 0)) for name, part in found.items()])
        else:
            bars.say(Content.styled(_("Which parameters decide is known after ten finished trials."), "$muted"))

    def _draw_text(self, view: int, sweep: Sweep, trials: Sequence[Trial], front: int) -> None:
        shown = [trial for trial in trials if trial.values or (view == PARALLEL and trial.state == "pruned")]
        plot = self.query_one("#sweep-picture", Words)
        area = (max(40, plot.size.width - 2), max(8, plot.size.height))
        first = next((place for place, trial in enumerate(shown) if trial.number == front), len(shown) - 1)
        if not shown:
            self.retitle(_(VIEWS[view]))
            plot.say(Content.styled(_("No trial has finished yet."), "$muted"))
            return
        if view == PARALLEL:
            self.retitle(
                _("Parallel axes"),
                _("{shown} trials, trial {number} in front").format(shown=len(shown), number=shown[first].number),
            )
            plot.say(plots.parallel(tables.parallel_axes(sweep, shown), area, first))
            return
        if len(sweep.objectives) < 2:
            self.retitle(_("Pareto front"))
            plot.say(
                Content.styled(
                    _("A Pareto front needs two objectives: lemnis sweep --objective auc --objective …"), "$muted"
                )
            )
            return
        best = {trial.number for trial in sweep.best(trials)}
        up, across = (
            tables.value_axis(goal.metric, [trial.values[place] for trial in shown])
            for place, goal in enumerate(sweep.objectives[:2])
        )
        ways = ", ".join(goal.words for goal in sweep.objectives[:2])
        self.retitle(
            _("Pareto front"),
            _("{best} of {shown} trials, marked ★ · {ways}").format(best=len(best), shown=len(shown), ways=ways),
        )
        labels = [f"{'★' if trial.number in best else ''}{trial.number}" for trial in shown]
        plot.say(plots.scatter(across, up, labels, area, first))
