"""The tracking server's process: `python -m lemnis.engine.tracking.server --workspace W --host H --port P`."""

import argparse
import os
import signal
import sys
from pathlib import Path

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.endpoints import url_of
from lemnis.engine.deploy.guard import Guard, is_loopback, read_token
from lemnis.engine.deploy.server import listen, server_config
from lemnis.engine.deploy.wire import BODY_S, BoundedHttp, BoundedServer
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.store import Store
from lemnis.engine.tracking.application import Application
from lemnis.engine.tracking.service import SERVICE, token_path
from lemnis.engine.workspace import Workspace

SLOWEST = 16_384  # bytes a second that a large body must come at


class ArtifactHttp(BoundedHttp):
    """A connection whose body may take as long as its length needs, at a pace that no attacker can use."""

    def on_body(self, body: bytes) -> None:
        self.deadline = min(self.deadline + len(body) / SLOWEST, self.loop.time() + 6 * BODY_S)
        super().on_body(body)


def main() -> int:
    """Serve one workspace until SIGTERM; requests under way are finished first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    os.umask(0o077)
    store = Store(Workspace(options.workspace))
    try:
        serve(store, options.host, options.port)
    except LemnisError as error:
        print(f"{error.problem} {error.remedy}", file=sys.stderr)
        return 1
    return 0


def serve(store: Store, host: str, port: int) -> None:
    """Answer MLflow's clients at an address.

    Raises:
        Unavailable: The port is taken, or the address needs a token that is not there or not private.
    """
    token = read_token(token_path(store.workspace))
    if token is None and not is_loopback(host):
        raise Unavailable(
            f"{host} can be reached from other machines, and there is no token.",
            "Make one with `lemnis engine token`.",
        )
    listening = listen(host, port)
    server = BoundedServer(
        server_config(Application(store, Guard(host, {"admin": token} if token else {})), ArtifactHttp)
    )

    def leave(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    with store.write() as db:
        db.execute(
            "update services set url = ?, updated_at = ? where name = ?", [url_of(host, port), now_ms(), SERVICE]
        )
    server.run(sockets=[listening])


if __name__ == "__main__":
    sys.exit(main())
