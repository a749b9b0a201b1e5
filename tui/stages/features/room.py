"""The Features room: what each column is worth, which ones leak, and the set that is chosen from them."""

import getpass
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from lemnis.engine import Engine
from lemnis.engine.clock import now_ms
from lemnis.engine.data import Version
from lemnis.engine.features import FeatureScore, FeatureSet, Matrix, Pair, Ranking
from lemnis.engine.features.matrices import strongest
from lemnis.engine.features.records import MEASURES
from lemnis.engine.jobs import Job
from lemnis.tui.actions import bindings
from lemnis.tui.stages import StageInfo
from lemnis.tui.stages.features import rows, texts
from lemnis.tui.stages.features.heat import HeatMap
from lemnis.tui.stages.features.pairing import PairScreen
from lemnis.tui.stages.features.pane import FeatureDetail, SaveSet
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Panel, Table, Words

WORKING = ("queued", "preparing", "running")
JOBS = ("features.rank", "features.associate")


@dataclass(frozen=True, slots=True)
class FeaturesView:
    """The latest version's columns, the sets to choose from, and a ranking under way."""

    version: Version | None
    candidates: list[str]
    scores: dict[str, FeatureScore]
    ranking: Ranking | None
    matrix: Matrix | None
    pairs: list[Pair]
    sets: list[FeatureSet]
    job: Job | None


class FeaturesStage(Stage[FeaturesView]):
    """Columns ranked, leaks named, a set marked with space and kept with who and why."""

    BINDINGS = bindings("features")
    topics = frozenset({"features", "data", "jobs", "problem"})

    def __init__(self, engine: Engine, info: StageInfo) -> None:
        super().__init__(engine, info)
        self.set_name = ""  # the set that is looked at; empty for the declared one
        self.mode, self.measure = "columns", "kind"
        self._view: FeaturesView | None = None
        self._shown: FeatureSet | None = None

    def compose(self) -> ComposeResult:
        with Panel("Feature set", id="set-panel"):
            yield Words(id="set")
        with Container(id="features-view"):
            with Panel("Columns", id="columns-panel"):
                yield Table(
                    *rows.columns_for(rows.WIDE),
                    id="columns",
                    empty="No dataset version yet. Link one in Data (2).",
                )
            with Panel("Column", id="detail-panel"):
                yield FeatureDetail(id="detail")
        with Panel("Association", id="matrix-panel"):
            yield HeatMap(id="heat")
            yield Words(id="pair-words")

    def load(self) -> FeaturesView:
        room = self.engine.features
        version = next(iter(self.engine.data.versions()), None)
        if version is None:
            return FeaturesView(None, [], {}, None, None, [], [], None)
        sets = room.sets()
        declared = room.feature_set()
        if declared.name not in {one.name for one in sets}:
            sets.append(declared)
        sets.sort(key=lambda one: one.name != declared.name)
        return FeaturesView(
            version=version,
            candidates=room.candidates(version.id),
            scores={score.name: score for score in room.scores(version.id)},
            ranking=room.ranking(version.id),
            matrix=(matrix := room.matrix(version.id)),
            pairs=[] if matrix is None else strongest(matrix, limit=len(matrix.names) ** 2),
            sets=sets,
            job=self._job(version.id),
        )

    def _job(self, version_id: str) -> Job | None:
        """Return the job that measures this version now."""
        jobs = self.engine.jobs.jobs(states=WORKING, limit=50)
        return next((job for job in jobs if job.kind in JOBS and job.arguments.get("version") == version_id), None)

    def show(self, view: FeaturesView) -> None:
        self._view = view
        table, panel = self.query_one("#columns", Table), self.query_one("#columns-panel", Panel)
        if view.version is None:
            table.show([])
            self.query_one("#set", Words).say("No dataset version yet.")
            return
        columns = rows.columns_for(table.size.width)
        table.set_columns(columns)
        known = [view.scores[name] for name in view.candidates if name in view.scores]
        known.sort(key=lambda score: (not score.leakage, -(score.mean("permutation") or 0.0), -(score.single or 0.0)))
        reach = rows.reach_of(known)
        unknown = [name for name in view.candidates if name not in view.scores]
        table.show(
            [rows.score_row(score, columns, reach) for score in known]
            + [rows.plain_row(name, columns) for name in unknown]
        )
        leaks = sum(bool(score.leakage) for score in known)
        panel.retitle("Columns", f"· {view.version.title} · {len(view.candidates)}, {leaks} leak" if known else "")
        panel.footnote(rows.job_words(view.job) or rows.ranking_words(view.ranking, now_ms()))
        self._show_matrix()
        self._take_set(view)
        self._show_detail()

    def _show_matrix(self) -> None:
        view = self._view
        self.query_one("#features-view").display = self.mode == "columns"
        self.query_one("#matrix-panel").display = self.mode == "matrix"
        if view is None or self.mode != "matrix":
            return
        panel, heat = self.query_one("#matrix-panel", Panel), self.query_one("#heat", HeatMap)
        heat.show(view.matrix, self.measure)
        panel.retitle(f"Association · {MEASURES[self.measure]}", rows.matrix_words(view.matrix))
        panel.footnote(rows.job_words(view.job) or "83 is 0.83, · below 0.10 · b next measure · enter opens a pair")
        self._say_pair()

    def _say_pair(self) -> None:
        heat, words = self.query_one("#heat", HeatMap), self.query_one("#pair-words", Words)
        if heat.matrix is None or heat.pair is None:
            words.say(
                Content.styled(
                    "Not measured yet. Press n to rank the columns and measure how they go together.", "$muted"
                )
            )
            return
        words.say(rows.pair_words(heat.matrix, heat.pair, self.measure))

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
        several = f"{self._place(view) + 1} of {len(view.sets)}" if view and len(view.sets) > 1 else ""
        self.query_one("#set-panel", Panel).retitle(title, several)
        self.query_one("#set", Words).say(words)

    def _show_detail(self) -> None:
        view, name = self._view, self.query_one("#columns", Table).key
        if view is None or not name:
            return
        pairs = [pair for pair in view.pairs if name in (pair.first, pair.second)]
        self.query_one("#detail-panel", Panel).retitle(name, "· in the set" if name in self._marks() else "")
        self.query_one("#detail", FeatureDetail).show(view.scores.get(name), view.ranking, pairs)

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

    @on(HeatMap.Moved, "#heat")
    def follow_pair(self) -> None:
        self._say_pair()

    @on(HeatMap.Opened, "#heat")
    def open_pair(self) -> None:
        """Look at two columns side by side."""
        heat, view = self.query_one("#heat", HeatMap), self._view
        if view is None or view.version is None or heat.matrix is None or heat.pair is None:
            return
        first, second = (heat.matrix.names[place] for place in heat.pair)
        if first == second:
            self.toast(f"{first} goes with itself: move to another cell.")
            return
        self.app.push_screen(PairScreen(self.engine, view.version.id, first, second))

    # Keys.

    def action_view(self) -> None:
        """Go to the association of the columns, or back."""
        self.mode = "matrix" if self.mode == "columns" else "columns"
        table, heat = self.query_one("#columns", Table), self.query_one("#heat", HeatMap)
        self._show_matrix()
        if self.mode == "matrix":
            heat.select(table.key)
            heat.focus()
        else:
            if heat.matrix is not None and heat.pair is not None:
                table.select(heat.matrix.names[heat.pair[0]])
            table.focus()

    def back(self) -> bool:
        if self.mode == "columns":
            return super().back()
        self.action_view()
        return True

    def action_measure(self) -> None:
        """Measure association by the next measure."""
        names = list(MEASURES)
        self.measure = names[(names.index(self.measure) + 1) % len(names)]
        if self.mode == "matrix":
            self._show_matrix()
        else:
            self.action_view()

    def action_representatives(self) -> None:
        """Leave one mark in each group of columns that say the same."""
        view, table = self._view, self.query_one("#columns", Table)
        if view is None or not view.scores:
            self.toast("The columns are not ranked yet: n ranks them.", warn=True)
            return
        kept = rows.representatives_of(table.marks, list(view.scores.values()))
        gone = [name for name in table.marks if name not in kept]
        if not gone:
            self.toast("No two marked columns say the same.")
            return
        table.mark_only(kept)
        self._show_set()
        self.toast(f"Unmarked {len(gone)}: {', '.join(gone)}. w saves the set, u undoes.")

    def action_stop(self) -> None:
        """Stop the ranking that runs."""
        job = self._view.job if self._view else None
        if job is None:
            self.toast("Nothing is being measured.")
            return
        self.perform(self.engine.jobs.cancel, job.id, done="Asked to stop: finished models are kept.")

    def action_rank(self) -> None:
        """Queue a ranking of the latest version."""
        self.perform(self.engine.features.start_rank, done="Queued: the columns are being ranked.")

    def action_save(self) -> None:
        """Ask for name and reason, then keep the marked columns as a set."""
        view, marked = self._view, self._marks()
        if view is None or self._shown is None:
            return
        features = [name for name in view.candidates if name in marked]
        leaks = [name for name in features if name in view.scores and view.scores[name].leakage]

        def answered(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                name, why = answer
                self.perform(
                    self.engine.features.choose,
                    name,
                    features,
                    getpass.getuser(),
                    why,
                    done=f"Kept: {len(features)} columns as set {name}.",
                    then=self._kept,
                )

        self.app.push_screen(SaveSet(self._shown.name, len(features), leaks), answered)

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
            self.toast("The marks are not saved: w saves them, u undoes them.", warn=True)
            return
        sets = self._view.sets
        self.set_name = sets[(self._place(self._view) + by) % len(sets)].name
        self._take_set(self._view)

    def explain(self) -> tuple[str, str] | None:
        table, view = self.query_one("#columns", Table), self._view
        if self.mode == "matrix":
            return texts.association(self.measure, view.matrix if view else None)
        score = view.scores.get(table.key) if view else None
        return texts.explanation(table.columns[table.column].name, score, view.ranking if view else None)
