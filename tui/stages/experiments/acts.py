"""What a person does with runs: train, stop, resume, reproduce, delete and bring back, pin, compare."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from lemnis.engine import LemnisError
from lemnis.engine.experiments import Run, Shelf, Started
from lemnis.engine.validate import Standing
from lemnis.tui.language import _
from lemnis.tui.stages.experiments.listing import Listing
from lemnis.tui.stages.experiments.pane import CurveLine, CurvePanel, Look
from lemnis.tui.stages.stage import Stage
from lemnis.tui.widgets import Table

if TYPE_CHECKING:
    from lemnis.tui.stages.experiments.train import Training

Queued = TypeVar("Queued")


class ExperimentsView(Struct, frozen=True):
    """The runs that are asked for, and a look at one of them."""

    listing: Listing
    baseline: Run | None
    look: Look | None
    now_ms: int


class RunsStage(Stage[ExperimentsView]):
    """The actions of the Experiments tab on the run under the cursor, the open one, or the marked ones."""

    run_id = 0  # under the cursor; 0 on a group
    line = ""  # the key of the line under the cursor: a run's number, or a group
    beside_id = 0  # shown beside the list: the run under the cursor, or the best of the group
    open_id = 0  # shown in full; 0 for the list
    shelf: Shelf = "active"
    undoable: list[tuple[Callable[[list[int]], int], list[int]]]  # what takes back what was done, the last one last
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
        from lemnis.tui.stages.experiments.train import TrainDialog

        try:
            presets = self.engine.experiments.presets()
        except LemnisError as error:
            self.refuse(error)
            return
        dialog = TrainDialog(self.engine, presets)
        self.app.push_screen(dialog, self.start)
        self.perform(self._standing, then=dialog.tell)

    def _standing(self) -> Standing | None:
        return self.engine.validate.standing() if self.engine.data.versions() else None

    def start(self, training: "Training | None") -> None:
        """Queue what was chosen and go to it."""
        if training is not None:
            call = partial(
                self.engine.experiments.start,
                training.preset,
                overrides=training.overrides,
                despite_checks=training.despite_checks,
            )
            self.perform(
                self.queue,
                call,
                done=lambda run_id: _("Run {run_id} is queued.").format(run_id=run_id),
                then=self.go_to_run,
            )

    def action_grid(self) -> None:
        """Choose what is varied, train every combination, and list those runs."""
        from lemnis.tui.stages.experiments.grid import GridScreen

        def queued(started: Started | None) -> None:
            if started is not None and started.run_ids:
                self.toast(
                    _("{run_ids} runs are queued as {group}.").format(run_ids=len(started.run_ids), group=started.group)
                )
                self.filter(f"group = '{started.group}'")

        self.app.push_screen(GridScreen(self.engine), queued)

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
            done = _("Queued: the conditions of run {run_id} once more.").format(run_id=run_id)
            self.perform(self.queue, self.engine.experiments.reproduce, run_id, done=done, then=self.go_to_run)

    def action_resume(self) -> None:
        """Queue the run under the cursor again."""
        run_id = self.open_id or self.run_id
        if run_id:
            done = _("Run {run_id} goes on from its checkpoint.").format(run_id=run_id)
            self.perform(self.queue, self.engine.experiments.resume, run_id, done=done)

    def action_stop(self) -> None:
        """Ask, then stop the run under the cursor."""
        run = self.run_here()
        if run is None or run.ended:
            self.toast(_("Only a waiting or running run can be stopped."), warn=True)
            return
        lost = (
            _("nothing: it can go on from its checkpoint ({experiments.resume})")
            if run.state == "running"
            else _("its place in the queue")
        )
        self.ask(
            _("Stop run {id} {name}?").format(id=run.id, name=run.name),
            lost=lost,
            word=_("stop"),
            then=lambda: self.perform(
                self.engine.experiments.cancel, run.id, done=_("Run {id} is asked to stop.").format(id=run.id)
            ),
        )

    def action_delete(self) -> None:
        """Ask, then hide the marked runs."""
        ids, room = self.chosen, self.engine.experiments
        if ids and self.shelf == "deleted":
            self.put(room.restore, ids, _("Back again."), room.delete)
        elif ids:
            lost = _("nothing for good: {experiments.undo} brings them back, their files stay")
            self.ask(
                _("Delete {named}?").format(named=named(ids)),
                lost=lost,
                word=_("delete"),
                then=lambda: self.put(room.delete, ids, _("Deleted. Press {experiments.undo} to undo."), room.restore),
            )

    def action_archive(self) -> None:
        """Put the marked runs aside, or back among the others."""
        ids, room = self.chosen, self.engine.experiments
        if ids and self.shelf == "archived":
            self.put(room.unarchive, ids, _("Among the others again."), room.archive)
        elif ids:
            done = _(
                "Archived {named}: {{experiments.shelf}} shows what is archived, {{experiments.undo}} undoes it."
            ).format(named=named(ids))
            self.put(room.archive, ids, done, room.unarchive)

    def put(
        self, call: Callable[[list[int]], int], ids: list[int], done: str, back: Callable[[list[int]], int]
    ) -> None:
        """Move runs somewhere else, and remember how they come back."""

        def moved(_: int) -> None:
            self.undoable.append((back, ids))
            self.query_one("#runs", Table).mark_only([])

        self.perform(call, ids, done=done, then=moved)

    def action_undo(self) -> None:
        """Take back what was deleted or archived last."""
        if not self.undoable:
            self.toast(_("Nothing was deleted or archived here."))
            return
        back, ids = self.undoable.pop()
        self._select = ids[0]
        self.perform(back, ids, done=_("Back again."))

    def action_tag(self) -> None:
        """Ask for a tag and give it to the marked runs; with a minus before it, take it away."""
        from lemnis.tui.stages.experiments.forms import Line

        ids = self.chosen
        if ids:
            text = _("TAG or TAG=VALUE; -TAG takes it away. tag:TAG finds them.")
            self.app.push_screen(
                Line(
                    _("Tag {named}").format(named=named(ids)),
                    text,
                    word=_("tag"),
                    refuse=lambda line: "" if line.strip("-=") else _("Write a tag."),
                ),
                lambda line: (
                    self.perform(self.tag, ids, line, done=_("Tagged {named}.").format(named=named(ids)))
                    if line
                    else None
                ),
            )

    def tag(self, ids: list[int], line: str) -> None:
        """Give runs a tag, or take it away; runs in a thread."""
        room = self.engine.experiments
        key, _, value = line.removeprefix("-").partition("=")
        for run_id in ids:
            if line.startswith("-"):
                room.untag(run_id, key)
            else:
                room.tag(run_id, key, value)

    def action_note(self) -> None:
        """Write the run's note, in Markdown, in the person's editor."""
        run = self.run_here()
        if run is None:
            return
        from lemnis.tui.declaration import edited

        note, problem = edited(run.note, self.app.suspend(), suffix=".md")
        self.app.refresh(layout=True)
        if problem:
            self.toast(problem, warn=True)
        elif note != run.note:
            self.perform(
                self.engine.experiments.note, run.id, note, done=_("The note of run {id} is kept.").format(id=run.id)
            )

    def action_pin(self) -> None:
        """Make the run under the cursor the baseline, or take that away."""
        run = self.run_here()
        if run is not None:
            done = _("No baseline.") if run.pinned else _("Run {id} is the baseline.").format(id=run.id)
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
            self.toast(_("Mark two or more runs with {table.mark}, then press {experiments.compare}."), warn=True)
            return
        from lemnis.tui.screens.compare import Compare

        self.app.push_screen(Compare(self.engine, ids))

    def action_sweeps(self) -> None:
        """Show the sweeps, that of the run under the cursor first."""
        from lemnis.tui.screens.sweeps import SweepsScreen

        run = self.run_here()
        self.app.push_screen(
            SweepsScreen(self.engine, run.group_name if run is not None else ""),
            lambda run_id: self.goto(str(run_id)) if run_id is not None else None,
        )

    def run_here(self) -> Run | None:
        """Return the run under the cursor, or the one that is open."""
        wanted = self.open_id or self.run_id
        known = [*([self._look.run] if self._look else []), *(self._view.listing.runs if self._view else [])]
        return next((run for run in known if run.id == wanted), None)


def named(ids: list[int]) -> str:
    """Return which runs these are, in words."""
    return _("run {ids}").format(ids=ids[0]) if len(ids) == 1 else _("{ids:,} runs").format(ids=len(ids))
