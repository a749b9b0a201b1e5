"""The Features room: what each column is worth, which ones leak, and the set that is chosen from them."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from lemnis.engine import Engine
from lemnis.engine.features import FeatureSet
from lemnis.tui.actions import bindings
from lemnis.tui.address import Address, address
from lemnis.tui.keys.named import keyed
from lemnis.tui.language import _
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.features import acts, rows, texts
from lemnis.tui.stages.features.choices import Choices
from lemnis.tui.stages.features.heat import HeatMap
from lemnis.tui.stages.features.matrix import Association
from lemnis.tui.stages.features.pane import FeatureDetail
from lemnis.tui.stages.features.view import FeaturesView, read_view
from lemnis.tui.stages.stage import NO_VERSION, Stage
from lemnis.tui.widgets import Panel, Table, Words


class FeaturesStage(Stage[FeaturesView]):
    """Columns ranked, leaks named, a set marked with space and kept with who and why."""

    BINDINGS = bindings("features")
    cells = texts.CELLS
    topics = frozenset({"features", "data", "jobs", "problem", "experiments", "evaluate"})

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.set_name = ""  # the set that is looked at; empty for the declared one
        self.mode = "columns"
        self._view: FeaturesView | None = None
        self._shown: FeatureSet | None = None

    def compose(self) -> ComposeResult:
        with Panel(_("Feature set"), id="set-panel"):
            yield Words(id="set")
        with Container(id="features-view"):
            with Panel(_("Columns"), id="columns-panel"):
                yield Table(
                    *rows.columns_for(rows.WIDE),
                    id="columns",
                    empty=NO_VERSION,
                )
            with Panel(_("Column"), id="detail-panel"):
                yield FeatureDetail(id="detail")
        yield Association(id="matrix-panel")
        yield Choices(id="choices-view")

    def load(self) -> FeaturesView:
        return read_view(self.engine)

    def show(self, view: FeaturesView) -> None:
        self._view = view
        table, panel = self.query_one("#columns", Table), self.query_one("#columns-panel", Panel)
        if view.version is None:
            table.show([])
            self.query_one("#set", Words).say(keyed(_(NO_VERSION)))
            self._show_modes()
            return
        columns = rows.columns_for(table.size.width)
        table.set_columns(columns)
        known = [view.scores[name] for name in view.candidates if name in view.scores]
        known.sort(key=lambda score: (not score.leakage, -(score.mean("permutation") or 0.0), -(score.single or 0.0)))
        reach = rows.reach_of(known)
        unknown = [name for name in view.candidates if name not in view.scores]
        table.show(
            [rows.score_row(score, columns, reach, view.ablations.get(score.name)) for score in known]
            + [rows.plain_row(name, columns) for name in unknown]
        )
        leaks = sum(bool(score.leakage) for score in known)
        panel.retitle(
            _("Columns"),
            _("· {title} · {candidates}, {leaks} leak").format(
                title=view.version.title, candidates=len(view.candidates), leaks=leaks
            )
            if known
            else "",
        )
        panel.footnote(rows.job_words(view.job) or rows.ranking_words(view.ranking, self.engine.now_ms()))
        self._show_modes()
        self._take_set(view)
        self._show_detail()

    def _show_modes(self) -> None:
        """Show the view in force and hide the others."""
        view = self._view
        for name, widget in (("columns", "#features-view"), ("matrix", "#matrix-panel"), ("choices", "#choices-view")):
            self.query_one(widget).display = self.mode == name
        if view is not None and self.mode == "matrix":
            self.query_one("#matrix-panel", Association).show(view.matrix, rows.job_words(view.job))
        if view is not None and self.mode == "choices":
            self.query_one("#choices-view", Choices).show(view.choices)

    def _take_set(self, view: FeaturesView) -> None:
        """Mark what the set has, unless the person has marks of their own that are not saved."""
        saved, table = view.sets[self._place(view)], self.query_one("#columns", Table)
        changed = self._shown is not None and set(table.marks) != set(self._shown.features)
        if self._shown is None or (saved != self._shown and not changed):
            self._shown = saved
            table.mark_only(saved.features)
        self._show_set()

    def _place(self, view: FeaturesView) -> int:
        return next((place for place, one in enumerate(view.sets) if one.name == self.set_name), 0)

    def _show_set(self) -> None:
        view, marks = self._view, self.query_one("#columns", Table).marks
        title, words = rows.set_title(self._shown, marks, len(view.candidates) if view else 0)
        several = (
            _("{place} of {sets}").format(place=self._place(view) + 1, sets=len(view.sets))
            if view and len(view.sets) > 1
            else ""
        )
        self.query_one("#set-panel", Panel).retitle(title, several)
        self.query_one("#set", Words).say(words)

    def _show_detail(self) -> None:
        view, name = self._view, self.query_one("#columns", Table).key
        if view is None or not name:
            return
        pairs = [pair for pair in view.pairs if name in (pair.first, pair.second)]
        self.query_one("#detail-panel", Panel).retitle(name, _("· in the set") if name in self._marks() else "")
        self.query_one("#detail", FeatureDetail).show(
            view.scores.get(name), view.ranking, pairs, view.ablations.get(name)
        )

    def _marks(self) -> list[str]:
        return self.query_one("#columns", Table).marks

    @on(Table.Moved, "#columns")
    def follow_cursor(self) -> None:
        self._show_detail()

    @on(Table.Marked, "#columns")
    def follow_marks(self) -> None:
        self._show_set()

    def on_resize(self) -> None:
        if self._view is not None:
            self.show(self._view)

    @on(HeatMap.Opened, "#heat")
    def open_pair(self) -> None:
        """Look at two columns side by side."""
        from lemnis.tui.stages.features.pairing import PairScreen

        heat, view = self.query_one("#matrix-panel", Association).heat, self._view
        if view is None or view.version is None or heat.matrix is None or heat.pair is None:
            return
        first, second = (heat.matrix.names[place] for place in heat.pair)
        if first == second:
            self.toast(_("{first} goes with itself: move to another cell.").format(first=first))
            return
        self.app.push_screen(PairScreen(self.engine, view.version.id, first, second))

    # Keys.

    def action_view(self) -> None:
        """Go on from the columns to how they go together, to the choices of sets, and back."""
        table, association = self.query_one("#columns", Table), self.query_one("#matrix-panel", Association)
        if self.mode == "columns":
            self._go("matrix")
            association.heat.select(table.key)
        elif self.mode == "matrix":
            table.select(association.name_here)
            self._go("choices")
        else:
            self._go("columns")

    def _go(self, mode: str) -> None:
        self.mode = mode
        self._show_modes()
        self.query_one({"columns": "#columns", "matrix": "#heat", "choices": "#choices"}[mode]).focus()

    def address(self) -> Address:
        if self.mode != "columns":
            return address("features", self.mode, set=self.set_name)
        column = self.query_one("#columns", Table).key
        return address("features", *(("column", column) if column else ()), set=self.set_name)

    def under_cursor(self) -> Address:
        version = self._view.version if self._view else None
        return address("data", version.short) if version is not None else self.address()

    def visit(self, place: Address) -> None:
        self.set_name, self._shown = place.option("set"), None
        self._go(place.thing if place.thing in ("matrix", "choices") else "columns")
        if self.mode == "columns":
            column = place.named("column")
            self.point("columns", column, f"There is no column {column}.")
        else:
            self.reload()

    def back(self) -> bool:
        if self.mode == "columns":
            return super().back()
        self._go("columns")
        return True

    def action_measure(self) -> None:
        """Measure association by the next measure."""
        if self.mode == "matrix":
            self.query_one("#matrix-panel", Association).next_measure()
        else:
            self._go("matrix")

    @on(Table.Opened, "#choices")
    def look_at_choice(self) -> None:
        """Mark what a choice has, as a change of the set that can be saved."""
        choice = self.query_one("#choices-view", Choices).current
        view = self._view
        if choice is None or view is None:
            return
        gone = [name for name in choice.features if name not in view.candidates]
        self.query_one("#columns", Table).mark_only([name for name in choice.features if name not in gone])
        self._go("columns")
        self._show_set()
        if gone:
            self.toast(
                _("Not in {title}: {gone}.").format(
                    title=view.version.title if view.version else "", gone=", ".join(gone)
                ),
                warn=True,
            )
        else:
            self.toast(
                _("Marked as in {reference}: {{features.save}} saves it, {{features.undo}} undoes.").format(
                    reference=choice.reference
                )
            )

    def action_rename(self) -> None:
        """Ask for another name of the set."""
        chosen = self._chosen()
        if chosen is not None:
            acts.rename(self, chosen)

    def action_note(self) -> None:
        """Ask for a remark on the choice."""
        chosen = self._chosen()
        if chosen is not None:
            acts.note(self, chosen)

    def _chosen(self) -> FeatureSet | None:
        """Return the choice that is looked at; say so if nobody has chosen it."""
        choice = self.query_one("#choices-view", Choices).current if self.mode == "choices" else self._shown
        if choice is None or not choice.revision:
            self.toast(_("Nobody has chosen this set yet: {features.save} saves it."), warn=True)
            return None
        return choice

    def action_ablate(self) -> None:
        """Train the same model without the column under the cursor."""
        name = self.query_one("#columns", Table).key
        if self.mode != "columns" or not name:
            self.toast(_("Go to a column first: {features.view} goes on to the columns."), warn=True)
            return
        self.perform(
            self.engine.experiments.start_ablation,
            [name],
            version=self._version_id(),
            done=lambda run: _("Queued: run {run} trains without {name}.").format(run=run, name=name),
        )

    def action_ablate_marked(self) -> None:
        """Train one model without each of the marked columns; asks first."""
        marks, version_id = self._marks(), self._version_id()
        if not marks:
            self.toast(_("No column is marked: {table.mark} marks one."), warn=True)
            return

        def start() -> list[int]:
            return [self.engine.experiments.start_ablation([name], version=version_id) for name in marks]

        self.ask(
            _("Train {marks} models, each without one of the marked columns?").format(marks=len(marks)),
            lost=_("nothing; they wait in the queue and can be stopped in Experiments ({app.go_experiments})"),
            word=_("train"),
            then=lambda: self.perform(start, done=lambda runs: _("Queued: {runs} runs.").format(runs=len(runs))),
        )

    def _version_id(self) -> str | None:
        return self._view.version.id if self._view and self._view.version else None

    def action_representatives(self) -> None:
        """Leave one mark in each group of columns that say the same."""
        view, table = self._view, self.query_one("#columns", Table)
        if view is None or not view.scores:
            self.toast(_("The columns are not ranked yet: {features.rank} ranks them."), warn=True)
            return
        kept = rows.representatives_of(table.marks, list(view.scores.values()))
        gone = [name for name in table.marks if name not in kept]
        if not gone:
            self.toast(_("No two marked columns say the same."))
            return
        table.mark_only(kept)
        self._show_set()
        self.toast(
            _("Unmarked {gone}: {gone2}. {{features.save}} saves the set, {{features.undo}} undoes.").format(
                gone=len(gone), gone2=", ".join(gone)
            )
        )

    def action_stop(self) -> None:
        """Stop the ranking that runs."""
        job = self._view.job if self._view else None
        if job is None:
            self.toast(_("Nothing is being measured."))
            return
        self.perform(self.engine.jobs.cancel, job.id, done=_("Asked to stop: finished models are kept."))

    def action_rank(self) -> None:
        """Queue a ranking of the latest version."""
        self.perform(self.engine.features.start_rank, done=_("Queued: the columns are being ranked."))

    def action_save(self) -> None:
        """Ask for name and reason, then keep the marked columns as a set."""
        view, marked = self._view, self._marks()
        if view is None or self._shown is None:
            return
        features = [name for name in view.candidates if name in marked]
        leaks = [name for name in features if name in view.scores and view.scores[name].leakage]

        acts.keep(self, self._shown.name, features, leaks, then=self._kept)

    def _kept(self, chosen: FeatureSet) -> None:
        self._shown, self.set_name = chosen, chosen.name
        self.query_one("#columns", Table).mark_only(chosen.features)

    def action_undo(self) -> None:
        """Mark what the saved set has."""
        if self._shown is not None:
            self.query_one("#columns", Table).mark_only(self._shown.features)
            self._show_set()

    def action_previous_set(self) -> None:
        """Look at the set before."""
        self._step(-1)

    def action_next_set(self) -> None:
        """Look at the next set."""
        self._step(+1)

    def _step(self, by: int) -> None:
        if self._view is None or not self._view.sets:
            return
        if self._shown is not None and set(self._marks()) != set(self._shown.features):
            self.toast(
                _("The marks are not saved: {features.save} saves them, {features.undo} undoes them."), warn=True
            )
            return
        sets = self._view.sets
        self.set_name = sets[(self._place(self._view) + by) % len(sets)].name
        self._take_set(self._view)

    def explain(self) -> tuple[str, str] | None:
        table, view = self.query_one("#columns", Table), self._view
        if self.mode == "matrix":
            return texts.association(
                self.query_one("#matrix-panel", Association).measure, view.matrix if view else None
            )
        score = view.scores.get(table.key) if view else None
        return texts.explanation(table.columns[table.column].name, score, view.ranking if view else None)
