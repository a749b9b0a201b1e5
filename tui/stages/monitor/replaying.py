"""What the keys of a replay do: begin one after it was planned, stop it, let it pause and go on."""

from functools import partial
from typing import Any

from msgspec import Struct

from lemnis.engine import Engine, LemnisError
from lemnis.engine.monitor import File, Planned
from lemnis.tui.keys.named import key_of
from lemnis.tui.language import _
from lemnis.tui.screens.form import Options
from lemnis.tui.stages.monitor.form import names_file, replay_form, replay_plan, sources
from lemnis.tui.stages.monitor.pane import MonitorView
from lemnis.tui.stages.stage import Stage


class Proposal(Struct, frozen=True):
    """Where to, and what to fill in: rows, from, until; `versions` are the dataset's."""

    endpoint: str
    filled: dict[str, str]
    versions: list[str]


def proposal(engine: Engine, wanted: str) -> Proposal:
    """Return what is worth replaying, to the wanted endpoint if there is one, else to the first. Blocks."""
    endpoints = [one.name for one in engine.deploy.endpoints()]
    endpoint = wanted if wanted in endpoints else endpoints[0] if endpoints else ""
    if not endpoint:
        return Proposal("", {}, [])
    versions = [f"v{one.number}" for one in engine.data.versions()]
    try:
        source, start, end = engine.monitor.proposed_replay(endpoint)
    except LemnisError:  # its version does not say when rows happened: a file still can
        return Proposal(endpoint, {}, versions)
    return Proposal(endpoint, {"rows": source, "from": start, "until": end}, versions)


def begin(stage: Stage[MonitorView], view: MonitorView) -> None:
    """Ask what to replay, or whether to stop the replay that runs."""
    engine = stage.engine
    if view.status.replays:
        replay = view.status.replays[0]
        stop = partial(stage.perform, engine.monitor.stop_replay, replay.job_id, done=_("The replay stops."))
        stage.ask(
            _(
                "Stop the replay to {endpoint} (job {job_id})? {key_of} lets it go on where it was."
            ).format(endpoint=replay.endpoint, job_id=replay.job_id, key_of=key_of('monitor.pause')),
            lost="", word=_('stop'), then=stop,
        )  # fmt: skip
    else:
        stage.perform(proposal, engine, view.endpoint, then=partial(fill_in, stage))


def fill_in(stage: Stage[MonitorView], found: Proposal) -> None:
    """Open the form, and begin the replay that was filled in."""
    if not found.endpoint:
        stage.toast(_("Nothing is served yet: deploy a model first ({app.go_deploy})."), warn=True)
        return
    room, root = stage.engine.monitor, stage.engine.workspace.root

    def plan(filled: dict[str, str]) -> Planned:
        return room.plan_replay(found.endpoint, **replay_plan(filled, root))

    def columns(place: int) -> Options:
        def names(text: str, filled: dict[str, str]) -> list[str]:
            source: Any = replay_plan(filled, root)["source"] if names_file(filled["rows"]) else None
            known = room.columns_of(source)[place] if isinstance(source, File) else []
            return [name for name in known if name.startswith(text)]

        return names

    def answered(filled: dict[str, str] | None) -> None:
        if filled is not None:
            said = _("Queued as job {job_id}: live traffic to {endpoint}; {key} pauses it.")
            done = partial(said.format, endpoint=found.endpoint, key=key_of("monitor.pause"))
            stage.perform(room.start_replay, found.endpoint, **replay_plan(filled, root), done=done)

    options = {"rows": sources(root, found.versions), "time": columns(1), "key": columns(0)}
    stage.app.push_screen(replay_form(found.endpoint, found.filled, options, plan), answered)


def pause(stage: Stage[MonitorView], view: MonitorView) -> None:
    """Pause the replay that runs, or let the paused one go on."""
    room = stage.engine.monitor
    running = [one for one in view.status.replays if one.endpoint == view.endpoint] or view.status.replays
    paused = [one for one in view.status.paused if one.endpoint == view.endpoint] or view.status.paused
    if running:
        stage.perform(
            room.stop_replay, running[0].job_id, done=_("It pauses; {monitor.pause} lets it go on where it was.")
        )
    elif paused:
        stage.perform(room.resume_replay, paused[0].job_id, done=_("It goes on where it was."))
    else:
        stage.toast(_("Nothing is replayed: {monitor.replay} begins a replay."))
