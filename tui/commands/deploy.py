"""`lemnis deploy`: keep a model server up."""

import time
from typing import Annotated

import typer

from lemnis.engine.clock import monotonic_s
from lemnis.engine.deploy import DeployRoom, Endpoint
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.tui.commands import completing
from lemnis.tui.commands.endpoints import endpoint_document
from lemnis.tui.commands.group import print_json, say, session_of, single
from lemnis.tui.format import verdict

app = single()
POLL_SECONDS = 0.1


@app.command()
def deploy(
    context: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(
            help="The model and the alias to follow.", metavar="MODEL@ALIAS", autocompletion=completing.references
        ),
    ],
    name: Annotated[str, typer.Option(help="The endpoint's name; the model's if it is not given.")] = "",
    host: Annotated[str, typer.Option(help="The address; any but loopback needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 keeps the endpoint's port, or chooses one.", min=0, max=65535)] = 0,
    workers: Annotated[
        int,
        typer.Option(help="Processes that answer on the port; 0: as in lemnis.toml, or as many as it had.", min=0),
    ] = 0,
    wait: Annotated[float, typer.Option(help="Seconds to wait until it is ready; 0 to return at once.", min=0)] = 60.0,
) -> None:
    """Serve the version an alias names, now and whenever it moves.

    What it answers is watched from now on: see `lemnis monitor status` and `lemnis alerts rules`.

    Several workers share the port, change one after another, and each keeps the version before loaded for the way back.

    With --json: the endpoint as in `lemnis endpoints list`.
    """
    session = session_of(context)
    model, _, alias = reference.partition("@")
    if alias.removeprefix("v").isdecimal():
        raise BadInput(
            f"An endpoint follows an alias, and {alias!r} is a version.",
            f"Promote it with `lemnis models promote {model} {alias.removeprefix('v')} --alias NAME` first.",
        )
    room = session.engine.deploy
    endpoint = room.start_endpoint(name or model, model, alias or "champion", host, port, workers=workers)
    session.engine.monitor.ensure_watch()
    if wait:
        endpoint = ready(room, endpoint.name, wait)
    if session.json:
        print_json(endpoint_document(endpoint))
        return
    version = f" with version {endpoint.version}" if endpoint.version else ""
    say(f"{endpoint.name}  {verdict(endpoint.state).text}{version} at {endpoint.url}")


def ready(room: DeployRoom, name: str, seconds: float) -> Endpoint:
    """Wait until an endpoint answers.

    Raises:
        Unavailable: It failed, or did not become ready in time.
    """
    deadline = monotonic_s() + seconds
    while True:
        endpoint = room.endpoint(name)
        if endpoint.state == "ready":
            return endpoint
        if endpoint.state == "failed":
            raise Unavailable(f"{name} failed: {endpoint.why}", f"Read `lemnis endpoints logs {name}`.")
        if monotonic_s() > deadline:
            raise Unavailable(
                f"{name} is {endpoint.state} after {seconds:g} s: {endpoint.why}",
                f"It goes on trying; see `lemnis endpoints show {name}`.",
            )
        time.sleep(POLL_SECONDS)
