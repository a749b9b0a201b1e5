"""The child of NodeWatch: asks a scheduler every two seconds and prints a line of JSON each time, until stdin ends."""

import argparse
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.cluster import ClusterClient
from lemnis.engine.config import load_config
from lemnis.engine.errors import LemnisError
from lemnis.engine.resources.nodes.reading import nodes_in
from lemnis.engine.resources.nodes.records import Nodes
from lemnis.engine.workspace import Workspace

PERIOD_S = 2.0


def read(connected: ClusterClient) -> Nodes:
    """Return the workers now.

    Raises:
        ClusterGone: The scheduler has gone.
    """
    connected.check()
    if connected.client.status != "running":
        return Nodes(at=now_ms(), address=connected.address, reason="the scheduler does not answer just now")
    with connected.kept():
        info: dict[str, Any] = connected.client.scheduler_info(n_workers=-1).get("workers", {})  # Any: untyped
        processing: dict[str, Any] = dict(connected.client.processing())
    nodes = nodes_in(info, processing, time.time())
    reason = "" if nodes else f"it has no worker: start one with dask worker {connected.address}"
    return Nodes(at=now_ms(), address=connected.address, nodes=nodes, reason=reason)


def follow(workspace: Workspace, stopping: threading.Event) -> None:
    """Print what is heard until asked to stop; a scheduler that has gone is tried again."""
    connected: ClusterClient | None = None
    while not stopping.is_set():
        try:
            if connected is None:
                connected = ClusterClient(load_config(workspace.config).cluster, workspace.root)
            heard = read(connected)
        except LemnisError as error:
            heard = Nodes(at=now_ms(), reason=f"{error.problem} {error.remedy}")
            if connected is not None:
                connected.close()
                connected = None
        print(msgspec.json.encode(heard).decode(), flush=True)
        stopping.wait(PERIOD_S)
    if connected is not None:
        connected.close()


def main() -> int:
    """Follow one workspace's cluster until stdin ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    workspace, stopping = Workspace(parser.parse_args().workspace), threading.Event()

    def until_closed() -> None:
        with suppress(OSError):
            sys.stdin.read()
        stopping.set()

    threading.Thread(target=until_closed, daemon=True).start()
    with suppress(BrokenPipeError):
        follow(workspace, stopping)
    return 0


if __name__ == "__main__":
    sys.exit(main())
