"""What a person decides in Deploy of a version or an endpoint: promote, roll back, see its card, start, stop, split."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.deploy import Candidate, Endpoint, ModelVersion
from lemnis.engine.errors import BadInput
from lemnis.engine.evaluate import CalibrationMap
from lemnis.engine.jobs import user_name
from lemnis.tui.language import _
from lemnis.tui.stages.deploy import rows
from lemnis.tui.stages.deploy.view import DeployView
from lemnis.tui.stages.stage import Stage

if TYPE_CHECKING:
    from lemnis.engine.deploy.sheet import Sheet
    from lemnis.tui.stages.deploy.splitting import Wanted


def register(stage: Stage[Any], run: Candidate, *, new: bool) -> None:
    """Register a run: as it is, or with one of its evaluation's maps; one without maps, if it is `new`, at once."""
    room = stage.engine.deploy

    def ask(maps: list[CalibrationMap]) -> None:
        from lemnis.tui.stages.deploy.registering import Registering

        if maps:
            title = _("Register run {run_id} {run_name} as {model} with which probabilities?").format(
                run_id=run.run_id, run_name=run.run_name, model=run.model
            )
            stage.app.push_screen(Registering(title, maps, plain=new), decided)
        elif new:
            decided("")
        else:
            stage.refuse(
                BadInput(
                    "There is no finished run that is not registered.",
                    "Train one in Experiments ({app.go_experiments}).",
                )
            )

    def decided(calibrate: str | None) -> None:
        if calibrate is None:
            return
        stage.toast(_("Checking run {run_id} and recording its golden answers.").format(run_id=run.run_id))
        why = "the latest finished run" if new else f"better probabilities by its {calibrate} map"
        stage.perform(
            room.register,
            run.run_id,
            run.model,
            user_name(),
            why,
            calibrate=calibrate,
            done=lambda made: _("{model} version {version} is registered.").format(
                model=made.model, version=made.version
            ),
        )

    stage.perform(room.maps_left, run.run_id, run.model, then=ask)


def promote(stage: Stage[Any], version: ModelVersion, alias: str) -> None:
    """Show the evidence for a version, ask for the model's name and a reason, and move the alias to it."""

    def ask(sheet: "Sheet") -> None:
        from lemnis.tui.screens.decision import Decision

        present, number = sheet.present, version.version
        if present is not None and present.version == number:
            stage.refuse(BadInput(f"{version.model}@{alias} is version {number} already.", "There is nothing to do."))
            return
        replaced = (
            _("It replaces version {version}.").format(version=present.version)
            if present is not None
            else _("There is no {alias} yet.").format(alias=alias)
        )
        said = _("Its gates say: {verdict}. Going on forces it, and the event says so.").format(
            verdict=sheet.version.verdict
        )
        against = said if sheet.objections else ""
        question = _("Make version {number} of {model} the {alias}?").format(
            number=number, model=version.model, alias=alias
        )
        shown = Decision(question, evidence=evidence_of(replaced, sheet), typed=version.model, warning=against)
        stage.app.push_screen(shown, lambda reason: decided(reason, force=bool(against)))

    def decided(reason: str | None, *, force: bool) -> None:
        if reason:
            done = _("{model}@{alias} is version {version}.").format(
                model=version.model, alias=alias, version=version.version
            )
            arguments = (version.model, version.version, alias, user_name(), reason)
            stage.perform(stage.engine.deploy.promote, *arguments, force=force, done=done)

    stage.perform(stage.engine.deploy.sheet, version.model, version.version, alias, then=ask)


def roll_back(stage: Stage[Any], model: str, alias: str) -> None:
    """Show the version before, ask for the model's name and a reason, and point the alias back at it."""

    def ask(sheet: "Sheet") -> None:
        from lemnis.tui.screens.decision import Decision

        question = _("Roll {model}@{alias} back to version {version}?").format(
            model=model, alias=alias, version=sheet.version.version
        )
        what = _("Endpoints that follow it change over without dropping a request.")
        stage.app.push_screen(Decision(question, evidence=evidence_of(what, sheet), typed=model), decided)

    def decided(reason: str | None) -> None:
        if reason:
            stage.perform(
                stage.engine.deploy.rollback,
                model,
                alias,
                user_name(),
                reason,
                done=lambda event: _("{model}@{alias} is version {version} again.").format(
                    model=model, alias=alias, version=event.version
                ),
            )

    stage.perform(stage.engine.deploy.rollback_sheet, model, alias, then=ask)


def evidence_of(first: str, sheet: "Sheet") -> rows.Content:
    """Return a sentence, then the gates of a version and its measures beside those of the one it replaces."""
    beside = sheet.present_metrics if sheet.present is not None else None
    lines = [*rows.gate_lines(sheet.gates), *rows.metric_lines(sheet.metrics, beside)]
    return rows.Content("\n").join([rows.Content(first), *lines])


def show_card(stage: Stage[Any], view: DeployView, model: str, version: int) -> None:
    """Show the model card of a version; its brackets go through the other versions of its model."""
    from lemnis.tui.screens.model_card import ModelCard

    known = sorted(one.version for one in view.versions if one.model == model)
    stage.app.push_screen(ModelCard(stage.engine, model, version, known))


def start(stage: Stage[Any], view: DeployView | None, endpoint: Endpoint | None, version: ModelVersion | None) -> None:
    """Start an endpoint again; without one, the first that is declared, or one that serves a version's model."""
    if endpoint is not None:
        where = (endpoint.name, endpoint.model, endpoint.alias, endpoint.host, endpoint.port)
    elif view is not None and view.declared:
        name, declared = next(iter(view.declared.items()))
        where = (name, declared.model, declared.alias, declared.host, declared.port)
    elif version is not None:
        where = (version.model, version.model, "champion", "127.0.0.1", 0)
    else:
        stage.refuse(BadInput("There is no model to serve.", "Register a run first: n."))
        return
    done = _("{name} is being started.").format(name=where[0])
    stage.perform(stage.engine.deploy.start_endpoint, *where, done=done)


def stop(stage: Stage[Any], endpoint: Endpoint) -> None:
    """Ask, then stop an endpoint."""
    name, room = endpoint.name, stage.engine.deploy
    stage.ask(
        _("Stop the endpoint {name}?").format(name=name),
        lost=_("whoever asks {url} gets no answer; its port and its log of predictions stay").format(url=endpoint.url),
        word=_("stop"),
        then=lambda: stage.perform(
            room.stop_endpoint, name, user_name(), done=_("{name} is being stopped.").format(name=name)
        ),
    )


def split(stage: Stage[Any], endpoint: Endpoint) -> None:
    """Begin a split of an endpoint, or ask whether to end the one that runs."""
    from lemnis.tui.stages.deploy.splitting import Splitting

    name, running, room = endpoint.name, endpoint.split, stage.engine.deploy
    if running is not None and running.state == "running":
        stage.ask(
            _("End the {mode} of version {challenger} at {name}?").format(
                mode=running.mode, challenger=running.challenger, name=name
            ),
            lost=_("its requests go back to the champion at once; what was counted stays on record"),
            word=_("end"),
            then=lambda: stage.perform(
                room.stop_split,
                name,
                user_name(),
                "ended in the console",
                done=_("{name} splits no more.").format(name=name),
            ),
        )
        return

    def wanted(wish: "Wanted | None") -> None:
        if wish is not None:
            arguments = (name, wish.alias, wish.percent, user_name(), wish.why)
            stage.perform(
                room.split, *arguments, mode=wish.mode, key=wish.key, done=_("{name} splits now.").format(name=name)
            )

    stage.app.push_screen(Splitting(name), wanted)
