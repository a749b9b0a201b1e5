"""`lemnis endpoints`: what is being served, where, and how it answers."""

import time
from typing import Annotated, Any

import typer

from lemnis.engine.deploy import Endpoint
from lemnis.engine.deploy.records import TokenScope
from lemnis.engine.jobs import user_name
from lemnis.tui.commands import endpoint_load, rollout
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.commands.rollout import EndpointName, split_facts, worker_line
from lemnis.tui.format import MISSING, age, number, spark, verdict
from lemnis.tui.stages.deploy.logged import log_words

app = group("What is being served.")
app.add_typer(rollout.app)
app.add_typer(endpoint_load.app)
FOLLOW_SECONDS = 0.3


@app.command("list")
def list_endpoints(context: typer.Context) -> None:
    """List the endpoints.

    With --json: {"endpoints": [{"name", "url", "state" (starting, ready, degraded, backing off, failed, down), "why",
    "model", "alias", "version", "wanted_version", "pid", "restarts", "requests", "errors", "rows", "dropped",
    "log_lag_s" (how long the oldest answered request waits for the log), "p50_ms", "p99_ms" (of the last 5 minutes),
    "per_second" (by 10 s), "last_at" (ms), "wanted_workers", "workers": [{"number", "pid",
    "live", "ready", "version", "standby", "why", "swap_ms", "drill" (empty: passed), "drill_ms", "challenger",
    "changed_at" (ms)}], "split" (as in `split`, or null)}]}.
    """
    session = session_of(context)
    endpoints = session.engine.deploy.endpoints()
    if session.json:
        print_json({"endpoints": [endpoint_document(endpoint) for endpoint in endpoints]})
        return
    if not endpoints:
        say("Nothing is served. Serve a model with `lemnis deploy MODEL@champion`.")
        return
    headers = ["name", "state", "serves", "version", "requests", "errors", "p50 ms", "p99 ms", "url", "why"]
    rows = [endpoint_line(endpoint) for endpoint in endpoints]
    print_table(headers, rows, right={"version", "requests", "errors", "p50 ms", "p99 ms"})


@app.command()
def show(context: typer.Context, name: EndpointName) -> None:
    """Show one endpoint, with a command that asks it.

    With --json: the endpoint as in `list`, with "curl".
    """
    session = session_of(context)
    room = session.engine.deploy
    endpoint, curl = room.endpoint(name), room.curl(name)
    if session.json:
        print_json(endpoint_document(endpoint) | {"curl": curl})
        return
    print_facts(
        [
            ("endpoint", endpoint.name),
            ("state", f"{verdict(endpoint.state).text}  {endpoint.why}".rstrip()),
            ("url", endpoint.url),
            ("serves", f"{endpoint.model}@{endpoint.alias}"),
            ("version", str(endpoint.version or MISSING)),
            ("requests", f"{number(endpoint.requests)}, {number(endpoint.errors)} refused or failed"),
            ("rows", number(endpoint.rows)),
            ("log", log_words(endpoint)),
            ("p50, p99", f"{number(endpoint.p50_ms, 2)} ms, {number(endpoint.p99_ms, 2)} ms"),
            ("last 5 min", f"{spark(list(endpoint.per_second))} {number(endpoint.per_second[-2], 1)} requests/s"),
            ("last asked", age(endpoint.last_at, session.engine.now_ms())),
            ("restarts", str(endpoint.restarts)),
            *[(f"worker {worker.number}", worker_line(worker)) for worker in endpoint.workers],
            *split_facts(endpoint.split),
        ]
    )
    say(f"\n{curl}")


@app.command()
def stop(context: typer.Context, name: EndpointName) -> None:
    """Stop an endpoint; requests under way are finished, its port and its log of predictions stay.

    With --json: the endpoint as in `list`.
    """
    session = session_of(context)
    session.engine.deploy.stop_endpoint(name, user_name())
    if session.json:
        print_json(endpoint_document(session.engine.deploy.endpoint(name)))
        return
    say(f"{name} is being stopped.")


@app.command()
def logs(
    context: typer.Context,
    name: EndpointName,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until interrupted.")] = False,
    worker: Annotated[int, typer.Option(help="Which of its workers.", min=1)] = 1,
) -> None:
    """Print the end of a worker's log.

    With --json: {"name", "log"}.
    """
    session = session_of(context)
    room = session.engine.deploy
    if session.json:
        print_json({"name": name, "log": room.endpoint_log(name, worker)})
        return
    said = ""
    while True:
        log = room.endpoint_log(name, worker)
        added = log.removeprefix(said)
        if added:
            say(added.rstrip("\n"))
        said = log
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)


@app.command()
def token(
    context: typer.Context,
    name: EndpointName,
    scope: Annotated[
        TokenScope, typer.Option(help="read (metadata, metrics), serve (predictions too), admin.")
    ] = "serve",
) -> None:
    """Make a token that an endpoint asks of its clients, and show it this once.

    An address that other machines can reach needs one before `lemnis deploy --host`. With --json: {"name", "scope",
    "token"}.
    """
    session = session_of(context)
    made = session.engine.deploy.create_token(name, scope)
    if session.json:
        print_json({"name": name, "scope": scope, "token": made})
        return
    say(made)


def endpoint_line(endpoint: Endpoint) -> list[str]:
    """Return one row of `lemnis endpoints list`."""
    return [
        endpoint.name,
        verdict(endpoint.state).text,
        f"{endpoint.model}@{endpoint.alias}",
        str(endpoint.version or MISSING),
        number(endpoint.requests),
        number(endpoint.errors),
        number(endpoint.p50_ms, 2),
        number(endpoint.p99_ms, 2),
        endpoint.url,
        endpoint.why,
    ]


def endpoint_document(endpoint: Endpoint) -> dict[str, Any]:  # Any: a JSON document
    """Return an endpoint as `lemnis endpoints list --json` gives it."""
    names = ("name", "url", "state", "why", "model", "alias", "version", "wanted_version", "pid", "restarts")
    traffic = ("requests", "errors", "rows", "dropped", "log_lag_s", "p50_ms", "p99_ms", "per_second", "last_at")
    rollout = ("wanted_workers", "workers", "split")
    return {name: getattr(endpoint, name) for name in (*names, *traffic, *rollout)}
