"""A small real model, a workspace that has trained it, and a server for it."""

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa

from lemnis.engine.data.versions import record_version
from lemnis.engine.deploy import DeployRoom, endpoints, recorder
from lemnis.engine.features.matrix import encode_table, fit_signature, target_vector
from lemnis.engine.features.signature import Signature
from lemnis.engine.files import sha256_of
from lemnis.engine.store import Store
from lemnis.engine.workspace import create_workspace

FEATURES = ["carrier", "distance", "wind", "holiday"]
CONFIG = '[problem]\ntitle = "Late flights"\ntask = "binary"\ntarget = "late"\n'


def flights(rows: int, seed: int) -> pa.Table:
    """Return made-up flights with a category, missing values and truth values."""
    chance = np.random.default_rng(seed)
    carrier = chance.choice(["AA", "B6", "DL", "UA", "ü€"], rows)
    distance = chance.integers(80, 3000, rows)
    wind = chance.gamma(2, 5, rows)
    gone = chance.random(rows) < 0.1
    holiday = chance.random(rows) < 0.2
    score = (carrier == "B6") + wind / 10 + holiday - distance / 2000
    return pa.table(
        {
            "carrier": pa.array(carrier, mask=chance.random(rows) < 0.05),
            "distance": pa.array(distance),
            "wind": pa.array(wind, mask=gone),
            "holiday": pa.array(holiday),
            "late": pa.array(score + chance.normal(0, 0.5, rows) > 1.4),
            "flown": pa.array(np.arange(rows) * 60_000_000, pa.timestamp("us", tz="UTC")),
        }
    )


@dataclass(frozen=True)
class Trained:
    """A model file and its signature, made once and copied into each workspace."""

    folder: Path
    table: pa.Table
    signature: Signature
    sha256: str

    def booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_file=str(self.folder / "model.txt"))

    def request_rows(self, count: int) -> list[dict[str, object]]:
        return self.table.select(FEATURES).slice(0, count).to_pylist()


def train(folder: Path, seed: int, rounds: int = 12, *, wrong: bool = False) -> Trained:
    """Train a real model of `rounds` trees; a `wrong` one learns the opposite of what is true."""
    folder.mkdir(parents=True)
    table = flights(1500, seed)
    signature = fit_signature(table, FEATURES, task="binary", target="late", threshold=0.4)
    data = lightgbm.Dataset(
        encode_table(table, signature),
        1 - target_vector(table, signature) if wrong else target_vector(table, signature),
        categorical_feature=signature.categorical,
        free_raw_data=True,
    )
    parameters = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": seed}
    lightgbm.train(parameters, data, num_boost_round=rounds).save_model(str(folder / "model.txt"))
    signature.save(folder / "signature.json")
    return Trained(folder, table, signature, sha256_of(folder / "model.txt"))


@dataclass
class Bench:
    """A workspace with a store and the deploy room, and runs to register."""

    store: Store
    room: DeployRoom
    version_id: str
    trained: list[Trained] = field(default_factory=list[Trained])

    def add_run(self, trained: Trained, *, state: str = "finished", gates: dict[str, str] | None = None) -> int:
        """Record a run as training would leave it, with one gate verdict a metric."""
        with self.store.write() as db:
            row = {
                "name": f"run-{len(self.trained) + 1}",
                "state": state,
                "why": state,
                "version_id": self.version_id,
                "model_sha256": trained.sha256,
                "created_at": 1,
            }
            run_id = int(str(db.table("runs").insert(row).last_pk))
            for place, (metric, verdict) in enumerate((gates or {}).items()):
                gate = {"position": place, "metric": metric, "part": "test", "rule": ">= 0.6", "observed": 0.5}
                db.table("gates").insert(
                    {"run_id": run_id, **gate, "verdict": verdict, "why": "0.5 is too low", "at": 1}
                )
        folder = self.store.workspace.run_dir(run_id)
        shutil.copytree(trained.folder, folder)
        self.trained.append(trained)
        return run_id


def bench_at(folder: Path, trained: Trained, config: str = CONFIG) -> Bench:
    """Make a workspace with the model's training rows as its dataset version."""
    store = Store(create_workspace(folder / "workspace", config))
    version = record_version(store, trained.table, name="flights", roles={"late": "label", "flown": "time"}, split={})
    return Bench(store, DeployRoom(store), version.id)


@dataclass
class Server:
    """A model server's process, the one that records what it is asked, and how to talk to it."""

    process: "subprocess.Popen[bytes]"
    port: int
    bench: Bench
    recorder: "subprocess.Popen[bytes]"

    def ask(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send one request on a connection of its own; return status and JSON, or the text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return response.status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def wait_ready(self, version: int) -> None:
        """Wait until this version answers."""
        until(lambda: self.version() == version, self)

    def version(self) -> int | None:
        try:
            status, document = self.ask("GET", "/v2/health/ready")
        except OSError:
            return None
        return int(document["version"]) if status == 200 else None

    def why(self) -> str:
        return str(self.bench.store.value("select why from endpoints"))


def until(true: Callable[[], object], server: "Server | None" = None, seconds: float = 60.0) -> None:
    """Wait for a condition; fail when it does not come, or when the server died meanwhile."""
    deadline = time.monotonic() + seconds
    while not true():
        assert server is None or server.process.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def spawn(bench: Bench, *, host: str = "127.0.0.1", port: int = 0, worker: int = 1, count: int = 1) -> Server:
    """Declare the endpoint `late` and start a process of it as the supervisor would."""
    endpoints.start(bench.store, bench.room.jobs, "late", "late", "champion", host=host, port=port, count=count)
    port = bench.store.value("select port from endpoints")
    root = str(bench.store.workspace.root)
    log = open(bench.store.workspace.hidden / "server.log", "ab")  # noqa: SIM115  # the child holds it
    module, here = [sys.executable, "-m"], ["--workspace", root]
    command = [*module, endpoints.MODULE, *here, "--endpoint", "late", "--worker", str(worker)]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    recording = subprocess.Popen([*module, recorder.MODULE, *here], stdout=log, stderr=log)
    log.close()
    return Server(process, port, bench, recording)


def end(server: Server) -> None:
    """Stop a server and then what records it, by force if they do not leave."""
    for process in (server.process, server.recorder):
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
