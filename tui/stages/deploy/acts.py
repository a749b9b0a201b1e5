"""What a person decides in Deploy about a version or an endpoint: promote, roll back, see its card, split."""

from typing import Any

from lemnis.engine.deploy import Candidate, Endpoint, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate import CalibrationMap
from lemnis.engine.jobs import user_name
from lemnis.tui.screens.decision import Decision
from lemnis.tui.screens.model_card import ModelCard
from lemnis.tui.stages.deploy import rows
from lemnis.tui.stages.deploy.registering import Registering
from lemnis.tui.stages.deploy.splitting import Splitting, Wanted
from lemnis.tui.stages.deploy.view import DeployView
from lemnis.tui.stages.stage import Stage


def register(stage: Stage[Any], run: Candidate, *, new: bool) -> None:
    """Register a run: as it is, or with one of its evaluation's maps; one without maps, if it is `new`, at once."""
    room = stage.engine.deploy

    def ask(maps: list[CalibrationMap]) -> None:
        if maps:
            title = f"Register run {run.run_id} {run.run_name} as {run.model} with which probabilities?"
            stage.app.push_screen(Registering(title, maps, plain=new), decided)
        elif new:
            decided("")
        else:
            stage.refuse(BadInput("There is no finished run that is not registered.", "Train one in Experiments (6)."))

    def decided(calibrate: str | None) -> None:
        if calibrate is None:
            return
        stage.toast(f"Checking run {run.run_id} and recording its golden answers.")
        why = "the latest finished run" if new else f"better probabilities by its {calibrate} map"
        stage.perform(
            room.register,
            run.run_id,
            run.model,
            user_name(),
            why,
            calibrate=calibrate,
            done=lambda made: f"{made.model} version {made.version} is registered.",
        )

    stage.perform(room.maps_left, run.run_id, run.model, then=ask)


def promote(stage: Stage[Any], view: DeployView, version: ModelVersion, alias: str) -> None:
    """Show the evidence for a version, ask for the model's name and a reason, and move the alias to it."""
    fine = version.verdict in ("pass", "no gates")
    against = "" if fine else f"Its gates say: {version.verdict}. Going on forces it, and the event says so."
    gates, metrics = view.gates.get(version.run_id, []), view.metrics.get(version.run_id, {})
    present = next((v for v in view.versions if v.model == version.model and alias in v.aliases), None)
    beside = view.metrics.get(present.run_id, {}) if present is not None else None
    replaced = f"It replaces version {present.version}." if present is not None else f"There is no {alias} yet."
    evidence = rows.Content("\n").join(
        [rows.Content(replaced), *rows.gate_lines(gates), *rows.metric_lines(metrics, beside)]
    )

    def decided(reason: str | None) -> None:
        if reason:
            done = f"{version.model}@{alias} is version {version.version}."
            arguments = (version.model, version.version, alias, user_name(), reason)
            stage.perform(stage.engine.deploy.promote, *arguments, force=bool(against), done=done)

    question = f"Make version {version.version} of {version.model} the {alias}?"
    stage.app.push_screen(Decision(question, evidence=evidence, typed=version.model, warning=against), decided)


def roll_back(stage: Stage[Any], model: str, alias: str) -> None:
    """Ask for the model's name and a reason, and point the alias back at the version before."""

    def decided(reason: str | None) -> None:
        if reason:
            stage.perform(
                stage.engine.deploy.rollback,
                model,
                alias,
                user_name(),
                reason,
                done=lambda event: f"{model}@{alias} is version {event.version} again.",
            )

    what = rows.Content.styled("Endpoints that follow it change over without dropping a request.", "$muted")
    question = f"Roll {model}@{alias} back to the version before?"
    stage.app.push_screen(Decision(question, evidence=what, typed=model), decided)


def show_card(stage: Stage[Any], view: DeployView, model: str, version: int) -> None:
    """Show the model card of a version; its brackets go through the other versions of its model."""
    known = sorted(one.version for one in view.versions if one.model == model)
    stage.app.push_screen(ModelCard(stage.engine, model, version, known))


def split(stage: Stage[Any], endpoint: Endpoint) -> None:
    """Begin a split of an endpoint, or ask whether to end the one that runs."""
    name, running, room = endpoint.name, endpoint.split, stage.engine.deploy
    if running is not None and running.state == "running":
        stage.ask(
            f"End the {running.mode} of version {running.challenger} at {name}?",
            lost="its requests go back to the champion at once; what was counted stays on record",
            word="end",
            then=lambda: stage.perform(
                room.stop_split, name, user_name(), "ended in the console", done=f"{name} splits no more."
            ),
        )
        return

    def wanted(wish: Wanted | None) -> None:
        if wish is not None:
            arguments = (name, wish.alias, wish.percent, user_name(), wish.why)
            stage.perform(room.split, *arguments, mode=wish.mode, key=wish.key, done=f"{name} splits now.")

    stage.app.push_screen(Splitting(name), wanted)
