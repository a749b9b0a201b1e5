"""What a person does with runs: train, stop, resume, reproduce, delete and bring back, pin, compare."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from lemnis.engine import LemnisError
from lemnis.engine.experiments import Run
from lemnis.engine.validate import Standing
from lemnis.tui.stages.experiments.listing import Listing
from lemnis.tui.stages.experiments.pane import CurveLine, CurvePanel, Look
from lemnis.tui.stages.experiments.train import TrainDialog, Training
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Table

Queued = TypeVar("Queued")


@dataclass(frozen=True, slots=True)
class ExperimentsView:
    """The runs that are asked for, and a look at one of them."""

    listing: Listing
    baseline: Run | None
    look: Look | None
    now_ms: int


class RunsStage(Stage[ExperimentsView]):
    """The actions of the Experiments tab on the run under the cursor, the open one, or the marked ones."""

    run_id = 0  # under the cursor
    open_id = 0  # shown in full; 0 for the list
    deleted: list[list[int]]  # what can be brought back, the last one last
    _select: int | None = None
    _view: ExperimentsView | None = None
    _look: Look | None = None

    @property
    def chosen(self) -> list[int]:
        """The marked runs, else the one under the cursor."""
        marks = [int(key) for key in self.query_one("#runs", Table).marks]
        return marks or [self.open_id or self.run_id][: bool(self.open_id or self.run_id)]

    def action_train(self) -> None:
        """Ask which preset and start it; say how the checks of the data stand as soon as that is read."""
        try:
            presets = self.engine.experiments.presets()
        except LemnisError as error:
            self.refuse(error)
            return
        dialog = TrainDialog(presets)
        self.app.push_screen(dialog, self.start)
        self.perform(self._standing, then=dialog.tell)

    def _standing(self) -> Standing | None:
        return self.engine.validate.standing() if self.engine.data.versions() else None

    def start(self, training: Training | None) -> None:
        """Queue what was chosen and go to it."""
        if training is not None:
            call = partial(
                self.engine.experiments.start,
                training.preset,
                overrides=training.overrides,
                despite_checks=training.despite_checks,
            )
            self.perform(self.queue, call, done=lambda run_id: f"Run {run_id} is queued.", then=self.go_to_run)

    def queue(self, call: Callable[..., Queued], *arguments: int) -> Queued:
        """Call what queues work and see that somebody does it; runs in a thread."""
        queued = call(*arguments)
        self.engine.jobs.ensure_supervisor()
        return queued

    def go_to_run(self, run_id: int) -> None:
        """Put the cursor on a run once it is in the table."""
        self._select = run_id

    def action_reproduce(self) -> None:
        """Train the run under the cursor again."""
        run_id = self.open_id or self.run_id
        if run_id:
            done = f"Queued: the conditions of run {run_id} once more."
            self.perform(self.queue, self.engine.experiments.reproduce, run_id, done=done, then=self.go_to_run)

    def action_resume(self) -> None:
        """Queue the run under the cursor again."""
        run_id = self.open_id or self.run_id
        if run_id:
            done = f"Run {run_id} goes on from its checkpoint."
            self.perform(self.queue, self.engine.experiments.resume, run_id, done=done)

    def action_stop(self) -> None:
        """Ask, then stop the run under the cursor."""
        run = self.run_here()
        if run is None or run.ended:
            self.toast("Only a waiting or running run can be stopped.", warn=True)
            return
        lost = "nothing: it can go on from its checkpoint (r)" if run.state == "running" else "its place in the queue"
        self.ask(
            f"Stop run {run.id} {run.name}?",
            lost=lost,
            word="stop",
            then=lambda: self.perform(self.engine.experiments.cancel, run.id, done=f"Run {run.id} is asked to stop."),
        )

    def action_delete(self) -> None:
        """Ask, then hide the marked runs."""
        ids = self.chosen
        if ids:
            named = f"run {ids[0]}" if len(ids) == 1 else f"{len(ids)} runs"
            lost = "nothing for good: u brings them back, their files stay"
            self.ask(f"Delete {named}?", lost=lost, word="delete", then=lambda: self.hide(ids))

    def hide(self, ids: list[int]) -> None:
        """Hide runs and remember them for undo."""

        def done(_: int) -> None:
            self.deleted.append(ids)
            self.query_one("#runs", Table).mark_only([])

        self.perform(self.engine.experiments.delete, ids, done="Deleted. Press u to undo.", then=done)

    def action_undo(self) -> None:
        """Bring back what was hidden last."""
        if not self.deleted:
            self.toast("Nothing was deleted here.")
            return
        ids = self.deleted.pop()
        self._select = ids[0]
        self.perform(self.engine.experiments.restore, ids, done="Back again.")

    def action_pin(self) -> None:
        """Make the run under the cursor the baseline, or take that away."""
        run = self.run_here()
        if run is not None:
            done = "No baseline." if run.pinned else f"Run {run.id} is the baseline."
            self.perform(self.engine.experiments.pin, None if run.pinned else run.id, done=done)

    def action_metric(self) -> None:
        """Draw the next metric."""
        for curve in self.query(CurvePanel):
            curve.next_metric()
        curve = self.query_one("#curve", CurvePanel)
        self.query_one(CurveLine).show(curve.look, curve.metric)

    def action_compare(self) -> None:
        """Compare the marked runs; with one marked, against the baseline."""
        ids, baseline = self.chosen, self._view.baseline if self._view else None
        if len(ids) == 1 and baseline is not None:
            ids = [baseline.id, *ids]
        if len(set(ids)) < 2:
            self.toast("Mark two or more runs with space, then press c.", warn=True)
            return
        from lemnis.tui.screens.compare import Compare

        self.app.push_screen(Compare(self.engine, ids))

    def run_here(self) -> Run | None:
        """Return the run under the cursor, or the one that is open."""
        wanted = self.open_id or self.run_id
        known = [*([self._look.run] if self._look else []), *(self._view.listing.runs if self._view else [])]
        return next((run for run in known if run.id == wanted), None)
