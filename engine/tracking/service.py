"""The tracking server as a service of the supervisor: declared once, at one port, and found again."""

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

from lemnis.engine.clock import monotonic_s
from lemnis.engine.deploy.endpoints import free_port
from lemnis.engine.deploy.guard import is_loopback, make_token, read_token
from lemnis.engine.errors import Unavailable
from lemnis.engine.jobs import JobsRoom, Service
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

SERVICE = "tracking"
MODULE = "lemnis.engine.tracking.server"
LOOPBACK = "127.0.0.1"
READY_S = 20.0


def token_path(workspace: Workspace) -> Path:
    """Return where the server's token is, if it has one."""
    return workspace.hidden / "tokens" / "tracking"


def create_token(store: Store) -> str:
    """Make the server's token and return it: it is shown once; the server asks for it from its next start on."""
    return make_token(token_path(store.workspace))


def declared(jobs: JobsRoom) -> Service | None:
    """Return the service, None if it was never asked for."""
    return next((service for service in jobs.services() if service.name == SERVICE), None)


def address(service: Service) -> tuple[str, int]:
    """Return the host and the port that a service was declared with."""
    arguments = dict(zip(service.arguments[::2], service.arguments[1::2], strict=True))
    return arguments["--host"], int(arguments["--port"])


def declare(store: Store, jobs: JobsRoom, host: str = "", port: int = 0) -> None:
    """Ask for the server to be up, where it was before unless another address is named.

    Raises:
        Unavailable: No port is free, or the address needs a token.
    """
    known = declared(jobs)
    before = address(known) if known is not None else (LOOPBACK, 0)
    host = host or before[0]
    if not is_loopback(host) and read_token(token_path(store.workspace)) is None:
        raise Unavailable(
            f"{host} can be reached from other machines, and there is no token.",
            "Make one first with `lemnis engine token`.",
        )
    port = port or (before[1] if host == before[0] else 0) or free_port(store, host, SERVICE)
    if known is not None and known.state in ("starting", "up") and (host, port) == before and known.wanted == "up":
        return
    if known is not None and (host, port) != before:
        restart(jobs)
    arguments = ["--workspace", str(store.workspace.root), "--host", host, "--port", str(port)]
    jobs.declare_service(SERVICE, MODULE, arguments)


def restart(jobs: JobsRoom) -> None:
    """Stop the server that runs, so that its next start has what was declared last."""
    jobs.withdraw_service(SERVICE)
    deadline = monotonic_s() + READY_S
    while (known := declared(jobs)) is not None and known.identity is not None and jobs.status().state == "up":
        if monotonic_s() > deadline:
            raise Unavailable("The tracking server did not stop.", "Stop it with `lemnis engine stop`.")
        time.sleep(0.05)


def url(jobs: JobsRoom) -> str:
    """Return where the server answers, empty while it is not up.

    It answers a moment before the supervisor has seen that it is up.
    """
    known = declared(jobs)
    return known.url if known is not None and known.wanted == "up" and known.state in ("starting", "up") else ""


def wait(store: Store, jobs: JobsRoom, seconds: float = READY_S) -> str:
    """Return the server's address once it answers.

    Raises:
        Unavailable: It does not come up; the reason is its own.
    """
    deadline = monotonic_s() + seconds
    while True:
        known = declared(jobs)
        if known is not None and known.url and answers(known.url, read_token(token_path(store.workspace))):
            return known.url
        failed = known is not None and known.state == "failed"
        if failed or monotonic_s() > deadline:
            said = known.why if known is not None and known.why else "it does not answer"
            raise Unavailable(f"The tracking server did not start: {said}.", "Read its log with `lemnis engine log`.")
        time.sleep(0.05)


def answers(url: str, token: str | None) -> bool:
    """Say whether the server at an address is well."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=3)
    try:
        connection.request("GET", "/health", headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
