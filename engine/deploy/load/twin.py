"""A server as an endpoint's, for a load test alone: what it answers is logged aside and counted nowhere.

`python -m lemnis.engine.deploy.load.twin --workspace W --scratch S --endpoint NAME --model M --version N`: it prints
its port as soon as it listens, and ends when its standard input does.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from lemnis.engine.deploy.application import Application
from lemnis.engine.deploy.direct import DirectHttp
from lemnis.engine.deploy.guard import Guard
from lemnis.engine.deploy.predictions import PredictionLog
from lemnis.engine.deploy.server import listen, server_config, usable_cores
from lemnis.engine.deploy.serving import load_served
from lemnis.engine.deploy.wire import BoundedServer
from lemnis.engine.store import Store
from lemnis.engine.workspace import Workspace

HOST = "127.0.0.1"


def main() -> int:
    """Serve one version until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", type=int, required=True)
    options = parser.parse_args()
    os.umask(0o077)
    store = Store(Workspace(options.workspace), read_only=True)
    listening = listen(HOST, 0)
    log = PredictionLog(Store(Workspace(options.scratch)), options.endpoint, options.model)
    application = Application(store, options.endpoint, options.model, guard=Guard(HOST, {}), log=log)
    server = BoundedServer(server_config(application, DirectHttp))
    print(listening.getsockname()[1], flush=True)

    def leave() -> None:
        sys.stdin.read()
        server.should_exit = True

    def load() -> None:
        application.serve(load_served(store, options.model, options.version, cores=usable_cores()))

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the job that started it ends it
    for work in (leave, load):
        threading.Thread(target=work, daemon=True).start()
    log.start()
    try:
        server.run(sockets=[listening])
    finally:
        log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
