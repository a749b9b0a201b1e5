"""`lemnis endpoints` that roll out: splits between two versions, the way back, and the log of every step."""

import time
from typing import Annotated, Any

import msgspec
import typer

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.deploy import DeployRoom, EndpointEvent, Split, Worker
from lemnis.engine.errors import Unavailable
from lemnis.engine.jobs import user_name
from lemnis.tui.commands import completing
from lemnis.tui.commands.group import print_facts, print_json, print_table, say, session_of
from lemnis.tui.format import MISSING, age, meter, number, share, verdict, when

app = typer.Typer(rich_markup_mode=None)
POLL_SECONDS = 0.02

EndpointName = Annotated[
    str,
    typer.Argument(
        help="An endpoint's name, see `lemnis endpoints list`.", metavar="NAME", autocompletion=completing.endpoints
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence; it is kept with the event.")]


@app.command()
def split(
    context: typer.Context,
    name: EndpointName,
    challenger: Annotated[str, typer.Argument(help="The alias of the other version.", metavar="[ALIAS]")] = "",
    percent: Annotated[float, typer.Argument(help="Its share of the requests.", metavar="[PERCENT]")] = 5.0,
    shadow: Annotated[bool, typer.Option("--shadow", help="It answers nobody: it scores the same rows.")] = False,
    key: Annotated[str, typer.Option(help="What tells requests apart: a column, a parameter, or header:NAME.")] = "",
    stop: Annotated[bool, typer.Option("--stop", help="End the split that runs.")] = False,
    reason: Reason = "",
) -> None:
    """Let a second version answer a share of the requests, give it another share, or show where its test stands.

    A request's key always gets the same version, and a larger share only adds keys to the challenger's. Without --key
    it is the header X-Lemnis-Key, `parameters.key`, the first of `parameters.keys` or the request's id; a request
    without any falls by chance. A shadow is scored after the answer from the log and no client ever sees it. Errors,
    latency and the scores' drift are tested after every answer; when one is shown to be worse than allowed, with at
    most 5 % chance of a false alarm however long it runs, the share is 0 at once.
    With --json: {"id", "endpoint", "mode" (canary, shadow), "champion", "challenger", "alias", "percent", "key",
    "alpha", "bounds", "reference", "state" (running, stopped, aborted, promoted), "why", "who", "started_at" (ms),
    "ended_at", "standings": [{"measure" (errors, latency, drift), "champion": {"n", "total"}, "challenger", "allowed",
    "evidence" (ln e-value), "needed", "judged", "why"}], "skipped"}, or null when there was none.
    Exit code 1 when the last split was aborted.
    """
    session = session_of(context)
    room = session.engine.deploy
    if stop:
        found: Split | None = room.stop_split(name, user_name(), reason or "stopped from the command line")
    elif challenger:
        mode = "shadow" if shadow else "canary"
        found = room.split(name, challenger, percent, user_name(), reason, mode=mode, key=key)
    else:
        found = room.split_of(name)
    if session.json:
        print_json(msgspec.to_builtins(found))
    elif found is None:
        say(f"{name} never split. Begin with `lemnis endpoints split {name} challenger 5`.")
    else:
        print_facts(split_facts(found))
    if found is not None and found.state == "aborted" and not challenger and not stop:
        raise typer.Exit(1)


@app.command("rollback")
def roll_back(
    context: typer.Context,
    name: EndpointName,
    reason: Reason,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its workers; 0 to return at once.", min=0)] = 30.0,
) -> None:
    """Point the alias that an endpoint follows back at the version before, and say when every worker has it.

    The version before is loaded still and was asked its golden rows again, so nothing is loaded for it.
    With --json: {"event": as in `models history`, "workers": as in `list`, "took_ms" (from the event to the last
    worker's first answer; null with --wait 0)}.
    """
    session = session_of(context)
    room = session.engine.deploy
    event = room.roll_back_endpoint(name, user_name(), reason)
    workers = changed(room, name, event.version, wait) if wait else room.endpoint(name).workers
    took = max((worker.swap_ms or 0.0 for worker in workers), default=0.0) if wait else None
    if session.json:
        print_json({"event": event, "workers": workers, "took_ms": took})
        return
    after = f" after {took:,.0f} ms" if took else ""
    say(f"{name} answers with version {event.version} again{after}, was {event.previous or MISSING}.")


def changed(room: DeployRoom, name: str, version: int | None, seconds: float) -> list[Worker]:
    """Wait until all workers that are up answer with a version, and return them.

    Raises:
        Unavailable: They did not in time; what they say is the reason.
    """
    deadline = monotonic_s() + seconds
    while True:
        endpoint = room.endpoint(name)
        up = [worker for worker in endpoint.workers if worker.live and worker.ready]
        if endpoint.state == "down" or (up and all(worker.version == version for worker in up)):
            return endpoint.workers
        if monotonic_s() > deadline:
            raise Unavailable(
                f"{name} does not answer with version {version} after {seconds:g} s: {endpoint.why or endpoint.state}.",
                f"Read `lemnis endpoints logs {name}`.",
            )
        time.sleep(POLL_SECONDS)


@app.command("events")
def list_events(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Only this endpoint.", metavar="[NAME]", autocompletion=completing.endpoints)
    ] = "",
    limit: Annotated[int, typer.Option(help="Most events.", min=1)] = 50,
) -> None:
    """Every step of the endpoints, newest first: who swapped, split or aborted what, why, and how long it took.

    With --json: {"events": [{"id", "endpoint", "at" (ms), "kind" (swap, drill, refuse, split, share, stop, abort,
    promoted), "worker" (null: all), "version", "who", "why", "took_ms"}]}.
    """
    session = session_of(context)
    if name:
        session.engine.deploy.endpoint(name)
    found = session.engine.deploy.endpoint_events(name, limit)
    if session.json:
        print_json({"events": found})
        return
    if not found:
        say("No endpoint has made a step yet.")
        return
    headers = ["when", "endpoint", "what", "worker", "version", "ms", "who", "why"]
    print_table(headers, [step_line(step) for step in found], right={"worker", "version", "ms"})


def step_line(step: EndpointEvent) -> list[str]:
    """Return one row of `lemnis endpoints events`."""
    took = number(step.took_ms, 1)
    worker, version = str(step.worker or MISSING), str(step.version or MISSING)
    return [when(step.at, seconds=True), step.endpoint, step.kind, worker, version, took, step.who, step.why]


def worker_line(worker: Worker) -> str:
    """Return one worker in a line: its state, what it answers with, and how the way back was drilled."""
    state = verdict("ready" if worker.ready else "starting" if worker.live else "down").text
    serves = f"version {worker.version or MISSING}"
    drill = ""
    if worker.drill_ms is not None:
        drill = worker.drill or f"way back to {worker.standby} drilled in {worker.drill_ms:,.1f} ms"
    swap = f"changed in {worker.swap_ms:,.0f} ms" if worker.swap_ms is not None else ""
    return ", ".join(filter(None, (f"{state}  pid {worker.pid}", serves, swap, drill, worker.why)))


def split_facts(found: Split | None) -> list[tuple[str, str]]:
    """Return a split as labels and values, empty for none."""
    if found is None:
        return []
    moment = found.ended_at or found.started_at
    state = f"{verdict(found.state).text}  {age(moment, now_ms())} ago by {found.who}"
    words = f"{found.percent:g} % of the requests go to version {found.challenger}, the rest to {found.champion}"
    if found.mode == "shadow":
        words = f"version {found.challenger} scores {found.percent:g} % of what version {found.champion} is asked"
    key = found.key or "the request's own key"
    skipped = [("left out", f"{number(found.skipped)} requests, because too many waited")] if found.skipped else []
    return [
        ("split", f"{found.mode}, {state}"),
        ("", words),
        ("told apart by", key),
        *([("why", found.why)] if found.why else []),
        *skipped,
        *[(entry.measure, standing_line(entry)) for entry in found.standings],
    ]


def standing_line(entry: Any) -> str:  # Any: a Standing, which is no record of the door
    """Return where the test of one measure stands."""
    if not entry.judged:
        return f"not judged: {entry.why}"
    rates = " against ".join(share(arm.mean) for arm in (entry.challenger, entry.champion))
    return (
        f"{meter(entry.share)} {entry.share:4.0%} of the evidence to abort   {rates} of {number(entry.challenger.n)} "
        f"and {number(entry.champion.n)} answers, {share(entry.allowed, 0)} apart is allowed"
    )
