"""One process of a model server: `python -m lemnis.engine.deploy.server --workspace W --endpoint NAME [--worker N]`."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn import Config

from lemnis.engine.clock import now_ms
from lemnis.engine.deploy.application import Application
from lemnis.engine.deploy.direct import DirectHttp
from lemnis.engine.deploy.endpoints import row_of, tokens_of, url_of
from lemnis.engine.deploy.guard import Guard, is_loopback
from lemnis.engine.deploy.predictions import PredictionLog
from lemnis.engine.deploy.rollout import ports, workers
from lemnis.engine.deploy.rollout.metered import Keeper
from lemnis.engine.deploy.rollout.workers import worker_service
from lemnis.engine.deploy.serving import Declared, Follower, declaration
from lemnis.engine.deploy.wire import BoundedHttp, BoundedServer
from lemnis.engine.errors import LemnisError, Unavailable
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

IDLE_S = 15
DRAIN_S = 10


def main() -> int:
    """Serve one endpoint until SIGTERM; requests under way are finished first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--worker", type=int, default=1)
    options = parser.parse_args()
    os.umask(0o077)
    store = Store(Workspace(options.workspace))
    try:
        serve(store, options.endpoint, options.worker)
    except LemnisError as error:
        workers.tell(store, options.endpoint, options.worker, ready=0, why=f"{error.problem} {error.remedy}")
        print(f"{error.problem} {error.remedy}", file=sys.stderr)
        return 1
    return 0


def serve(store: Store, name: str, worker: int) -> None:
    """Answer at the endpoint's address.

    Where it has several workers, one that has no version yet takes no connection: the others answer meanwhile.

    Raises:
        NotFound: There is no such endpoint.
        Unavailable: Its port is taken, or its address needs a token that is not there or not private.
    """
    declared = declaration(store, name)
    tokens = tokens_of(store.workspace, name)
    if not tokens and not is_loopback(declared.host):
        raise Unavailable(
            f"{declared.host} can be reached from other machines, and this endpoint has no token.",
            f"Make one with `lemnis endpoints token {name}`.",
        )
    bound, held = ports.shared(declared.host, declared.port, f"endpoint {name} of {store.workspace.root}")
    log = PredictionLog(store, name, declared.model)
    application = Application(store, name, declared.model, guard=Guard(declared.host, tokens), log=log)
    meters = Keeper(store, name, worker, lambda: application.meters.counted(log.dropped))
    application.meters.others, application.meters.published = meters.others, meters.published
    server = BoundedServer(server_config(application, DirectHttp))

    def leave(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it has drained; what follows `run` below must happen all the same.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)

    follower = Follower(store, declared, application, leave, worker=worker, cores=usable_cores())
    announce(store, declared, worker)
    log.start()
    meters.start()
    follower.start()
    try:
        if row_of(store, name)["workers"] > 1:
            while not follower.ready.wait(0.05) and not server.should_exit:
                pass
        server.run(sockets=[bound])
    finally:
        log.close()
        meters.close()
        follower.close()
        held.close()
        workers.tell(store, name, worker, ready=0)


def listen(host: str, port: int) -> socket.socket:
    """Bind an address.

    Raises:
        Unavailable: It is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"{host}:{port} can't be listened on: {error.strerror}.",
            "Stop what uses it, or deploy with another --port.",
        ) from None
    listening.set_inheritable(False)
    return listening


def server_config(application: Callable[..., Any], protocol: type[BoundedHttp] = BoundedHttp) -> Config:
    """Return how uvicorn runs an ASGI application: one process, our bounds, no log line a request. Any: ASGI's own."""
    return Config(
        application,
        http=protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )


def announce(store: Store, declared: Declared, worker: int) -> None:
    """Write where the worker answers, and that it has no version yet."""
    url, now = url_of(declared.host, declared.port), now_ms()
    with store.write() as db:
        db.execute(
            "update services set url = ?, updated_at = ? where name = ?",
            [url, now, worker_service(declared.name, worker)],
        )
    empty = dict.fromkeys(("version", "standby", "event", "swap_ms", "drill_ms", "challenger"))
    workers.tell(store, declared.name, worker, pid=os.getpid(), ready=0, why="", drill="", **empty)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
