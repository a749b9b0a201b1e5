"""Serving against a raw ASGI echo: requests per second and p50 of one row, in turn inside one run; JSON on stdout.

    python tests/bench/bench_serving.py [--rounds 5] [--seconds 1]

Both servers run on uvicorn with uvloop and httptools, pinned to one core where there are several; the load comes from
this process on another, over kept connections. The model has 200 trees of 31 leaves over 12 features; requests are
checked, predicted and logged as in production.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import uvloop

from lemnis.engine.data.versions import record_version
from lemnis.engine.deploy import DeployRoom, endpoints
from lemnis.engine.features.matrix import encode_table, fit_signature, target_vector
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

FEATURES = [f"x{place}" for place in range(11)] + ["carrier"]
ECHO = """
import sys
import uvicorn
async def app(scope, receive, send):
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off", ws="none",
            access_log=False, log_level="error")
"""


def prepared(folder: Path) -> Store:
    """Return a workspace that serves a real model as `late`."""
    chance = np.random.default_rng(1)
    rows = 20_000
    columns: dict[str, Any] = {name: chance.normal(size=rows) for name in FEATURES[:-1]}
    columns["carrier"] = chance.choice(["AA", "B6", "DL", "UA"], rows)
    score = columns["x0"] + columns["x1"] * columns["x2"] + (columns["carrier"] == "B6")
    table = pa.table(columns | {"late": score + chance.normal(size=rows) > 0.5})
    signature = fit_signature(table, FEATURES, task="binary", target="late")
    store = Store(create_workspace(folder, '[problem]\ntarget = "late"\n'))
    data = lightgbm.Dataset(
        encode_table(table, signature), target_vector(table, signature), categorical_feature=signature.categorical
    )
    parameters = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 2}
    run = store.workspace.run_dir(1)
    run.mkdir(parents=True)
    lightgbm.train(parameters, data, num_boost_round=200).save_model(str(run / "model.txt"))
    signature.save(run / "signature.json")
    version = record_version(store, table, name="bench", roles={"late": "label"}, split={})
    with store.write() as db:
        facts = {"id": 1, "name": "bench", "state": "finished", "why": "", "created_at": 1}
        db.table("runs").insert(facts | {"version_id": version.id, "model_sha256": sha256_of(run / "model.txt")})
    room = DeployRoom(store)
    room.register(1, "late", "bench", "to measure")
    room.promote("late", 1, "champion", "bench", "to measure")
    endpoints.start(store, room.jobs, "late", "late", "champion", host="127.0.0.1", port=0)
    return store


def request_of(path: str, body: bytes) -> bytes:
    """Return one request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class Client(asyncio.Protocol):
    """One kept connection that asks again as soon as it is answered; each wait is seconds."""

    def __init__(self, request: bytes, waits: list[float]) -> None:
        self.request, self.waits = request, waits
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._got = b""
        self._began = 0.0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self._began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(self._got.decode())
        self.waits.append(time.perf_counter() - self._began)
        self._got = b""
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(None)


async def asked(port: int, request: bytes, seconds: float, connections: int) -> list[float]:
    """Ask on several connections for a while and return every wait."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    clients = [
        (await loop.create_connection(lambda: Client(request, waits), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    waits.clear()
    await asyncio.sleep(seconds)
    found = list(waits)
    for client in clients:
        client.transport.abort()
        await client.lost
    return found


def measured(port: int, request: bytes, seconds: float, connections: int) -> tuple[float, float]:
    """Return requests per second and the median wait in ms."""
    waits = uvloop.run(asked(port, request, seconds, connections))
    return len(waits) / seconds, statistics.median(waits) * 1000


def started(command: list[str], port: int) -> "subprocess.Popen[bytes]":
    """Start a server on the first core and return once it answers with 200."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid, cores[:1])
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return process
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{command} did not become ready")


def main() -> None:
    """Measure in turn and print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        store = prepared(Path(folder) / "workspace")
        port, echo_port = store.value("select port from endpoints"), probe.getsockname()[1]
        probe.close()
        row = {name: 0.5 for name in FEATURES[:-1]} | {"carrier": "B6"}
        kinds = {name: "FP64" for name in FEATURES[:-1]} | {"carrier": "BYTES"}
        inputs = [{"name": n, "shape": [1], "datatype": kinds[n], "data": [v]} for n, v in row.items()]
        requests = {
            "echo": (echo_port, request_of("/", json.dumps({"inputs": inputs}).encode())),
            "infer": (port, request_of("/v2/models/late/infer", json.dumps({"inputs": inputs}).encode())),
            "invocations": (port, request_of("/invocations", json.dumps({"dataframe_records": [row]}).encode())),
        }
        root = str(store.workspace.root)
        servers = [
            started([sys.executable, "-c", ECHO, str(echo_port)], echo_port),
            started([sys.executable, "-m", endpoints.MODULE, "--workspace", root, "--endpoint", "late"], port),
        ]
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[1:] or cores)
        found: dict[str, dict[str, list[float]]] = {name: {"rate": [], "p50": []} for name in requests}
        try:
            for _ in range(options.rounds):
                for name, (where, request) in requests.items():
                    found[name]["rate"].append(measured(where, request, options.seconds, 16)[0])
                    found[name]["p50"].append(measured(where, request, options.seconds, 1)[1])
        finally:
            for server in servers:
                server.terminate()
                server.wait(30)
        unlogged = store.value("select coalesce(sum(dropped), 0) from traffic", name="predictions")
    figures = {name: {kind: statistics.median(values) for kind, values in one.items()} for name, one in found.items()}
    report = {
        name: {
            "requests_per_s_16": round(one["rate"]),
            "p50_ms_1": round(one["p50"], 4),
            "ratio_requests_per_s": round(one["rate"] / figures["echo"]["rate"], 3),
            "ratio_p50": round(one["p50"] / figures["echo"]["p50"], 3),
        }
        for name, one in figures.items()
    }
    print(json.dumps({"bench": "serving", "rounds": options.rounds, "unlogged": unlogged, **report}, indent=2))


if __name__ == "__main__":
    main()
