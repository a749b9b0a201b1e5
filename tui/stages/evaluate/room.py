"""The Evaluate room: a run's gates first, then its measures, the threshold, curves, months, speed, and single rows."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from lemnis.engine import Engine
from lemnis.engine.evaluate import Explanation
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import N_, _
from lemnis.tui.messages import WHERE, StageWanted
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.evaluate import acts, failed, rows, swarms, texts, waterfall
from lemnis.tui.stages.evaluate.failures import FailuresPane
from lemnis.tui.stages.evaluate.features import FeaturesPane
from lemnis.tui.stages.evaluate.listing import ListingPane
from lemnis.tui.stages.evaluate.pane import ChooseFolds, CurvesPane, Drawn, ThresholdPane
from lemnis.tui.stages.evaluate.verified.baselines import against_words
from lemnis.tui.stages.evaluate.view import (
    CHARTS,
    FAILURES,
    FEATURES,
    FOLDS,
    LISTED,
    LOAD,
    ROWS,
    SLICES,
    VIEWS,
    EvaluateView,
    found_run,
    read_view,
    views_line,
)
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Panel, Table, Words

FIRST = {"regression": "rmse"}
NO_RUN = N_("No finished run yet. Train one in Experiments ({app.go_experiments}).")
NOT_YET = N_("Not evaluated yet. Press {evaluate.run}.")


class EvaluateStage(Stage[EvaluateView]):
    """Verification and interpretation of one finished run."""

    BINDINGS = bindings("evaluate")
    cells = texts.CELLS
    topics = frozenset({"evaluate", "experiments", "deploy", "jobs"})

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.open_view = "quality"
        self._view: EvaluateView | None = None

    def compose(self) -> ComposeResult:
        with Panel(_("Run"), id="run-panel"):
            yield Words(id="run")
        yield Drawn(id="views")
        with Horizontal(id="quality"):
            with Vertical(id="verdicts"):
                with Panel(_("Gates"), id="gates-panel"):
                    yield Table(*rows.GATES, id="gates", empty=NOT_YET)
                    yield Words(id="why")
                with Panel(_("Threshold"), id="threshold-panel"):
                    yield ThresholdPane(id="threshold")
            with Panel(_("Measures"), id="metrics-panel"):
                yield Table(id="metrics", empty=_("Nothing is measured yet. Press {evaluate.run}."))
        yield CurvesPane(id="curves")
        yield ListingPane(id="listed")
        with Horizontal(id="rows-view"):
            with Panel(_("Rows"), id="rows-panel"):
                yield Table(
                    *waterfall.ROWS,
                    id="rows",
                    empty=_("No row is explained yet. Press {evaluate.run}, or {evaluate.explain_row} for one row."),
                )
            with Panel(_("Contributions"), id="waterfall-panel"):
                yield Drawn(id="waterfall")
        yield FeaturesPane()
        yield FailuresPane()

    def load(self) -> EvaluateView:
        return read_view(self.engine, self.thing)

    def show(self, view: EvaluateView) -> None:
        self._view = view
        self._arrange()
        run, last = view.run, view.last
        if run is None:
            self.query_one("#run", Words).say(keyed(_(NO_RUN)))
            for table in (self.query_one("#gates", Table), self.query_one("#metrics", Table)):
                table.empty = NO_RUN
                table.show([])
            return
        self.query_one("#run", Words).say(rows.run_words(run.name, run.data_version, last, view.aliases))
        panel = self.query_one("#run-panel", Panel)
        place = [one.id for one in view.runs].index(run.id) + 1
        panel.retitle(
            _("Run {id}").format(id=run.id), _("· {place} of {runs} finished").format(place=place, runs=len(view.runs))
        )
        panel.footnote(view.working)
        gated, measured = self.query_one("#gates", Table), self.query_one("#metrics", Table)
        gated.empty, measured.empty = NOT_YET, _("Nothing is measured yet. Press {evaluate.run}.")
        gated.show([rows.gate_row(gate) for gate in view.gates])
        gates = self.query_one("#gates-panel", Panel)
        gates.retitle(_("Gates"), f"· {rows.gates_title(view.gates)}" if view.gates else "")
        gates.styles.height = min(9, 4 + max(1, len(view.gates))) if self._narrow else None
        self._show_why()
        self._show_metrics(view)
        self._show_listing(view)
        self.query_one("#threshold", ThresholdPane).show_evaluation(last)
        self.query_one("#threshold-panel", Panel).retitle(
            _("Threshold"), _("· {part} rows").format(part=last.part) if last else ""
        )
        self.query_one(CurvesPane).show(view.evaluations, view.importances, FIRST.get(run.task, "roc_auc"))
        self.query_one("#rows", Table).show([waterfall.explained_row(one) for one in view.explanations])
        self.query_one("#rows-panel", Panel).retitle(
            _("Rows"), f"· {waterfall.summary(view.explanations)}" if view.explanations else ""
        )
        self._show_waterfall()
        self.query_one(FeaturesPane).show(view.interpreted)
        self.query_one(FailuresPane).show(view.failures)

    def _show_metrics(self, view: EvaluateView) -> None:
        table = self.query_one("#metrics", Table)
        if not view.evaluations:
            table.show([])
            return
        self.query_one("#metrics-panel", Panel).footnote(against_words(view.last))
        columns = rows.metric_columns([one.part for one in view.evaluations], table.size.width)
        table.set_columns(columns)
        table.show(rows.metric_rows(view.evaluations, columns))

    def _show_listing(self, view: EvaluateView) -> None:
        pane = self.query_one(ListingPane)
        if pane.display:
            from lemnis.tui.stages.evaluate.verified.listings import listing_of

            pane.show(listing_of(self.open_view, view, pane.table.size.width))

    def _arrange(self) -> None:
        """Show the open view; a wide screen has room for quality and curves together."""
        both = self._shows_both() and self.open_view in CHARTS
        views = self._views()
        here = self.open_view if self.open_view in views else CHARTS[0]
        self.query_one("#views", Drawn).show(lambda width: [views_line(views, here, width)])
        self.query_one(ListingPane).display = self.open_view in LISTED
        self.query_one("#quality").display = both or self.open_view == "quality"
        self.query_one(CurvesPane).narrow_to(
            charts=both or self.open_view == "curves", strips=both or self.open_view == "months"
        )
        self.query_one("#rows-view").display = self.open_view == ROWS
        features = self.query_one(FeaturesPane)
        features.display = self.open_view == FEATURES
        self.query_one(FailuresPane).display = self.open_view == FAILURES
        features.narrow_to(narrow=self._narrow)

    @on(Table.Moved, "#gates")
    def _show_why(self) -> None:
        key = self.query_one("#gates", Table).key
        gates = self._view.gates if self._view else []
        gate = next((gate for gate in gates if rows.gate_row(gate).key == key), None)
        self.query_one("#why", Words).say(rows.styled_why(gate))

    @on(Table.Moved, "#rows")
    def _show_waterfall(self) -> None:
        found = self._explanation()
        pane, panel = self.query_one("#waterfall", Drawn), self.query_one("#waterfall-panel", Panel)
        panel.retitle(_("Contributions"), f"· {found.key}" if found else "")
        if found is None:
            pane.show(lambda width: ())
            return
        most = max(4, (panel.size.height or 16) - 5)
        pane.show(lambda width: waterfall.waterfall_lines(found, width, most))

    def _explanation(self) -> Explanation | None:
        key = self.query_one("#rows", Table).key
        explanations = self._view.explanations if self._view else []
        return next((one for one in explanations if one.key == key), None)

    @on(Table.Opened)
    def open_rows(self, message: Table.Opened) -> None:
        """Go from the measures to the rows, where the cursor explains each."""
        from lemnis.tui.stages.evaluate.verified.slices import slice_at

        message.stop()
        if self.open_view in CHARTS:
            self._open(ROWS)
        elif self.open_view == SLICES and self._view is not None:
            found = slice_at(self._view.slices, message.key)
            if found is not None and found.where:
                self.post_message(StageWanted("explore", f"{WHERE}{found.where}"))

    def on_resize(self) -> None:
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)

    def address(self) -> Address:
        run = self._view.run if self._view else None
        return address("evaluate", *((run.id, self.open_view) if run is not None else ()))

    def visit(self, place: Address) -> None:
        wanted = place.parts[1] if place.parts[1:] else "quality"
        if place.thing:
            self.seek(place, found_run, self.engine, place.thing, then=lambda run: self.goto(str(run.id)))
        self._open(wanted if wanted in self._views() else "quality")

    def back(self) -> bool:
        if self.open_view != "quality":
            self._open("quality")
            return True
        return super().back()

    # Keys.

    def action_run(self) -> None:
        """Queue an evaluation of this run."""
        run = self._view.run if self._view else None
        if run is not None:
            self.perform(
                self.engine.evaluate.start, run.id, done=_("Queued: run {id} is being evaluated.").format(id=run.id)
            )

    def action_folds(self) -> None:
        """Ask how rows are cut, and queue trainings of this run's conditions on folds."""
        run = self._view.run if self._view else None
        if run is None:
            return

        def answered(scheme: str | None) -> None:
            if scheme:
                self._open(FOLDS)
                queue = self.engine.evaluate.start_folds
                self.perform(
                    queue,
                    run.id,
                    scheme,
                    done=_("Queued: run {id} is trained on folds by {scheme}.").format(id=run.id, scheme=scheme),
                )

        self.app.push_screen(ChooseFolds(), answered)

    def action_load(self) -> None:
        """Queue a load test of the endpoint that serves this run."""
        run = self._view.run if self._view else None
        if run is None:
            return
        self._open(LOAD)
        acts.put_under_load(self, run.id)

    def action_older(self) -> None:
        """Look at the finished run before."""
        self._step(+1)

    def action_newer(self) -> None:
        """Look at the finished run after."""
        self._step(-1)

    def _step(self, by: int) -> None:
        view = self._view
        if view is not None and view.run is not None:
            found = self.neighbour([run.id for run in view.runs], view.run.id, by, "run")
            if found is not None:
                self.goto(str(found))

    def action_lower(self) -> None:
        """Lower the threshold."""
        self.query_one("#threshold", ThresholdPane).move(-1)

    def action_higher(self) -> None:
        """Raise the threshold."""
        self.query_one("#threshold", ThresholdPane).move(+1)

    def action_chosen(self) -> None:
        """Put the threshold at the problem's, then at the best."""
        self.query_one("#threshold", ThresholdPane).choose()

    def action_view(self) -> None:
        """Go on to the next view."""
        self._turn(+1)

    def action_view_back(self) -> None:
        """Go back to the view before."""
        self._turn(-1)

    def _turn(self, by: int) -> None:
        views = self._views()
        place = views.index(self.open_view) if self.open_view in views else 0
        self._open(views[(place + by) % len(views)])

    def _views(self) -> tuple[str, ...]:
        """Return the views there are; a large screen shows the charts with the first of them."""
        return tuple(name for name in VIEWS if name not in CHARTS[1:]) if self._shows_both() else VIEWS

    def _shows_both(self) -> bool:
        return not self._narrow and self.size.height >= 34

    @property
    def _narrow(self) -> bool:
        return self.app.screen.has_class("-narrow")

    def _open(self, name: str) -> None:
        self.open_view = name
        self._arrange()
        if self._view is not None:
            self.call_after_refresh(self.show, self._view)
        if name == FEATURES:
            self.call_after_refresh(self.query_one(FeaturesPane).focus_list)
            return
        focused = {ROWS: "#rows", FAILURES: "#types", "quality": "#gates"}.get(
            name, "#listing" if name in LISTED else "#curves"
        )
        self.call_after_refresh(self.query_one(focused).focus)

    def action_features(self) -> None:
        """Show what features do; on a small screen go on to its next part."""
        if self.open_view == FEATURES and self._narrow:
            self.query_one(FeaturesPane).next_part()
        self._open(FEATURES)

    def action_interpret(self) -> None:
        """Queue the interpretation of this run."""
        run = self._view.run if self._view else None
        if run is not None:
            self.perform(
                self.engine.evaluate.start_interpret,
                run.id,
                done=_("Queued: run {id} is interpreted.").format(id=run.id),
            )

    def action_failures(self) -> None:
        """Show what the errors have in common."""
        self._open(FAILURES)

    def action_label(self) -> None:
        """Make a label queue of the failure type under the cursor."""
        self._with_type(acts.label_type)

    def action_check(self) -> None:
        """Make the failure type under the cursor a check."""
        self._with_type(acts.check_type)

    def _with_type(self, act: Callable[[Stage[EvaluateView], int, int], None]) -> None:
        run, place = self._view.run if self._view else None, self.query_one(FailuresPane).place
        if run is None or place is None:
            self.toast(_("Look for failure types first: {evaluate.interpret}, then {evaluate.failures}."))
        else:
            self._open(FAILURES)
            act(self, run.id, place)

    def action_what_if(self) -> None:
        """Change the values of the row under the cursor, or of one that is asked for."""
        run, found = self._view.run if self._view else None, self._explanation()
        if run is not None:
            shown = {ROWS: found.key if found else "", FAILURES: self.query_one(FailuresPane).row_key}
            acts.edit_row(self, run.id, shown.get(self.open_view, ""), found.key if found else "")

    def action_card(self) -> None:
        """Show the model card of the version that this run is registered as."""
        if self._view is not None and self._view.run is not None:
            acts.show_card(self, self._view.run.id)

    def action_centre(self) -> None:
        """Draw changes from the first value, or answers."""
        self.query_one(FeaturesPane).centre()

    def action_next_class(self) -> None:
        """Interpret the next class."""
        self.query_one(FeaturesPane).next_output()

    def action_explain_row(self) -> None:
        """Ask for a row's key and queue its explanation."""
        run = self._view.run if self._view else None
        if run is None:
            return
        known = self._view.explanations if self._view else []
        acts.explain_row(self, run.id, known[0].key if known else "", lambda: self._open(ROWS))

    def explain(self) -> tuple[str, str] | None:
        from lemnis.tui.stages.evaluate.verified.listings import EXPLAINED

        if self.open_view == ROWS:
            return _("Contributions"), waterfall.WATERFALL_TEXT
        if self.open_view in EXPLAINED:
            title, text = EXPLAINED[self.open_view]
            return _(title), text
        if self.open_view == FAILURES:
            return _("Failure types"), failed.FAILURES_TEXT
        if self.open_view == FEATURES:
            return _("Features"), swarms.FEATURES_TEXT
        metrics = self.query_one("#metrics", Table)
        if metrics.has_focus and metrics.key in texts.MEASURES:
            return rows.title_of(metrics.key), texts.MEASURES[metrics.key]
        return _("Gates"), texts.GATE_TEXT
