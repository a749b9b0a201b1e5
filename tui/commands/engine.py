"""`lemnis engine`: the supervisor that works on jobs and keeps servers up."""

from typing import Any

import typer

from lemnis.engine import Engine
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.format import verdict

app = group("Start, stop and look at the supervisor.")


@app.command()
def start(context: typer.Context) -> None:
    """Start the supervisor, detached from this terminal; running already is fine.

    With --json: the same document as `lemnis engine status`.
    """
    session = session_of(context)
    session.engine.jobs.ensure_supervisor()
    show(session.engine, as_json=session.json)


@app.command()
def stop(context: typer.Context) -> None:
    """Stop the supervisor and the servers it keeps; running jobs go on to their end.

    With --json: {"stopped": true if one was running}.
    """
    session = session_of(context)
    stopped = session.engine.jobs.stop_supervisor()
    if session.json:
        print_json({"stopped": stopped})
    else:
        say("The supervisor is stopped; running jobs go on." if stopped else "No supervisor was running.")


@app.command()
def status(context: typer.Context) -> None:
    """Say whether the supervisor runs, and what it keeps up.

    With --json: {"supervisor": {"state", "pid"}, "tracking": {"url"}, "endpoints": [{"name", "url", "state"}],
    "services": [{"name", "state", "why", "restarts"}]}.
    """
    session = session_of(context)
    show(session.engine, as_json=session.json)


def show(engine: Engine, *, as_json: bool) -> None:
    """Print the state of the supervisor and of what it keeps up."""
    supervisor, services, endpoints = engine.jobs.status(), engine.jobs.services(), engine.deploy.endpoints()
    if as_json:
        document: dict[str, Any] = {  # Any: a JSON document
            "supervisor": {"state": supervisor.state, "pid": supervisor.pid},
            "tracking": {"url": ""},
            "endpoints": [{"name": e.name, "url": e.url, "state": e.state} for e in endpoints],
            "services": [{"name": s.name, "state": s.state, "why": s.why, "restarts": s.restarts} for s in services],
        }
        print_json(document)
        return
    pid = f" (pid {supervisor.pid})" if supervisor.pid else ""
    print_facts([("supervisor", f"{verdict(supervisor.state).text}{pid}")])
    if services:
        rows = [(s.name, verdict(s.state).text, str(s.restarts), s.why) for s in services]
        print_table(["service", "state", "restarts", "why"], rows, right={"restarts"})
    if endpoints:
        print_table(["endpoint", "state", "url"], [(e.name, verdict(e.state).text, e.url) for e in endpoints])
