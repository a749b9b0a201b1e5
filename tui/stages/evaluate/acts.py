"""What a person does with a failure type, a row or a run of Evaluate: label, check, change values, explain, load."""

from collections.abc import Callable
from typing import Any

from lemnis.engine import Engine
from lemnis.engine.config import Check
from lemnis.engine.errors import NotFound
from lemnis.engine.explore.labels import Queue
from lemnis.engine.jobs import user_name
from lemnis.tui.language import _
from lemnis.tui.stages.evaluate.failures import CheckPreview
from lemnis.tui.stages.evaluate.pane import FindRow
from lemnis.tui.stages.stage import Stage


def label_type(stage: Stage[Any], run_id: int, place: int) -> None:
    """Make a label queue of a failure type, and say where it is."""

    def made(queue: Queue) -> str:
        return _("Queue {id} of {labels} has {rows:,} rows. Label them in Explore (3) with L.").format(
            id=queue.id, labels=queue.labels, rows=queue.rows
        )

    stage.perform(stage.engine.labelling.queue_failures, run_id, place, user_name() or "somebody", done=made)


def check_type(stage: Stage[Any], run_id: int, place: int) -> None:
    """Show the check that a failure type makes, and write it when that is wanted."""
    engine: Engine = stage.engine

    def show(check: Check) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                stage.perform(
                    engine.validate.declare,
                    [check],
                    who=user_name() or "somebody",
                    why=f"failure type of run {run_id}",
                    done=_("{name} is declared. Run it in Validate (5) with n.").format(name=check.name),
                )

        stage.app.push_screen(CheckPreview(check), answered)

    stage.perform(engine.evaluate.failure_check, run_id, place, then=show)


def edit_row(stage: Stage[Any], run_id: int, key: str, known: str) -> None:
    """Open the row editor on a row, or ask which row first.

    Args:
        stage: Evaluate.
        run_id: Whose model answers.
        key: The row's; empty to ask.
        known: The key of a row, as an example; may be empty.
    """

    def answered(asked: str | None) -> None:
        from lemnis.tui.stages.evaluate.editor import RowEditor

        if asked:
            stage.app.push_screen(RowEditor(stage.engine, run_id, asked))

    if key:
        answered(key)
    else:
        stage.app.push_screen(FindRow(example_of(known), _("Change the values of which row?"), _("open")), answered)


def explain_row(stage: Stage[Any], run_id: int, known: str, then: Callable[[], None]) -> None:
    """Ask for a row's key, queue its explanation and do something; `known` is a key as an example, or empty."""

    def answered(key: str | None) -> None:
        if key:
            then()
            done = _("Queued: the row will stand on top of the list.")
            stage.perform(stage.engine.evaluate.start_explain, run_id, key, done=done)

    stage.app.push_screen(FindRow(example_of(known)), answered)


def example_of(key: str) -> str:
    """Return what stands where a row's key is to be typed."""
    return _("like {key}").format(key=key) if key else _("e.g. #0")


def show_card(stage: Stage[Any], run_id: int) -> None:
    """Show the model card of the latest version that a run is registered as, or say that it is not."""
    deploy = stage.engine.deploy

    def registered() -> tuple[str, int, list[int]] | None:
        for model in deploy.models():
            versions = deploy.versions(model.name)
            mine = [version.version for version in versions if version.run_id == run_id]
            if mine:
                return model.name, max(mine), sorted(version.version for version in versions)
        return None

    def show(found: tuple[str, int, list[int]] | None) -> None:
        from lemnis.tui.screens.model_card import ModelCard

        if found is None:
            stage.toast(_("A card is made of a registered version: register the run in Deploy (8) with n."))
        else:
            stage.app.push_screen(ModelCard(stage.engine, *found))

    stage.perform(registered, then=show)


def put_under_load(stage: Stage[Any], run_id: int) -> None:
    """Queue a load test of the endpoint that serves a run."""
    deploy = stage.engine.deploy

    def start() -> int:
        served = [one for one in deploy.endpoints() if one.version or one.wanted_version]
        for one in served:
            if deploy.version(one.model, one.version or one.wanted_version or 0).run_id == run_id:
                return deploy.start_load(one.name)
        raise NotFound(f"No endpoint serves run {run_id}.", "Register and deploy it in Deploy ({app.go_deploy}).")

    stage.perform(
        start, done=_("Queued: a server of its own is put under load with run {run_id}.").format(run_id=run_id)
    )
