"""`lemnis engine`: the supervisor that works on jobs and keeps servers up, and the tracking server."""

from typing import Annotated, Any

import typer

from lemnis.engine import Engine
from lemnis.tui.commands.group import group, print_facts, print_json, print_table, say, session_of
from lemnis.tui.format import verdict

app = group("Start, stop and look at the supervisor.")


@app.command()
def start(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where the tracking server listens; not loopback: with a token.")] = "",
    port: Annotated[int, typer.Option(help="Its port; 0 for the one it had, at first a free one.", min=0)] = 0,
) -> None:
    """Start the supervisor and the tracking server, detached from this terminal; running already is fine.

    The tracking server speaks MLflow's REST: with MLFLOW_TRACKING_URI set to its address an unmodified client logs
    here. It keeps its address over restarts.

    With --json: the same document as `lemnis engine status`.
    """
    session = session_of(context)
    session.engine.tracking.start(host, port)
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
def token(context: typer.Context) -> None:
    """Make the token of the tracking server and show it, once; clients send it as MLFLOW_TRACKING_TOKEN.

    It is asked for from the server's next start on, at every address.

    With --json: {"token"}.
    """
    session = session_of(context)
    made = session.engine.tracking.create_token()
    print_json({"token": made}) if session.json else say(made)


@app.command()
def log(context: typer.Context) -> None:
    """Show the end of the tracking server's log.

    With --json: {"log"}.
    """
    session = session_of(context)
    text = session.engine.tracking.log()
    print_json({"log": text}) if session.json else say(text.rstrip("\n"))


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
    tracking = engine.tracking.url()
    if as_json:
        document: dict[str, Any] = {  # Any: a JSON document
            "supervisor": {"state": supervisor.state, "pid": supervisor.pid},
            "tracking": {"url": tracking},
            "endpoints": [{"name": e.name, "url": e.url, "state": e.state} for e in endpoints],
            "services": [{"name": s.name, "state": s.state, "why": s.why, "restarts": s.restarts} for s in services],
        }
        print_json(document)
        return
    pid = f" (pid {supervisor.pid})" if supervisor.pid else ""
    print_facts(
        [
            ("supervisor", f"{verdict(supervisor.state).text}{pid}"),
            ("tracking", f"MLFLOW_TRACKING_URI={tracking}" if tracking else "down; `lemnis engine start` starts it"),
        ]
    )
    if services:
        rows = [(s.name, verdict(s.state).text, str(s.restarts), s.why) for s in services]
        print_table(["service", "state", "restarts", "why"], rows, right={"restarts"})
    if endpoints:
        print_table(["endpoint", "state", "url"], [(e.name, verdict(e.state).text, e.url) for e in endpoints])
