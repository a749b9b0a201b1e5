"""What MLflow, MLServer and BentoML need to serve a LightGBM file: folders, settings, and the row as each wants it."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from serving_load import Kind

PEERS = Path(__file__).parents[2] / "build" / "peers"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "BENTOML_DO_NOT_TRACK": "True"}
SAVE = "import lightgbm, sys, mlflow.lightgbm as m; m.save_model(lightgbm.Booster(model_file=sys.argv[1]), sys.argv[2])"
SERVICE = """
import os
import bentoml, lightgbm, numpy as np

@bentoml.service(workers=1)
class Flights:
    def __init__(self):
        self.booster = lightgbm.Booster(model_file=os.environ["MODEL"])

    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[float]:
        return self.booster.predict(np.asarray(rows), num_threads=1).tolist()
"""


def peers(folder: Path, model: Path, row: Sequence[float], ports: Sequence[int]) -> dict[str, Kind]:
    """Return the servers by name: MLflow's, MLServer with its workers and in one process, BentoML's."""
    rows = json.dumps({"rows": [list(row)]}).encode()
    inputs = json.dumps({"inputs": [list(row)]}).encode()
    tensor = {"name": "x", "shape": [1, len(row)], "datatype": "FP64", "data": list(row)}
    infer = json.dumps({"inputs": [tensor]}).encode()
    found = {"mlflow": mlflow(folder / "mlflow", model, inputs, ports[0])}
    for place, workers in enumerate((1, 0)):
        name = "mlserver" if workers else "mlserver_in_process"
        found[name] = mlserver(folder / name, model, infer, ports[1 + 3 * place : 4 + 3 * place], workers)
    return {**found, "bentoml": bentoml(folder / "bentoml", model, rows, ports[7])}


def environment(peer: str, **more: str) -> dict[str, str]:
    return {**QUIET, "PATH": f"{PEERS / peer / 'bin'}:/usr/bin:/bin", **more}


def mlflow(folder: Path, model: Path, body: bytes, port: int) -> Kind:
    folder.mkdir()
    home = environment("mlflow", HOME=str(folder))
    python = str(PEERS / "mlflow" / "bin" / "python")
    subprocess.run([python, "-c", SAVE, model, folder / "model"], check=True, capture_output=True, cwd=folder, env=home)
    command = [str(PEERS / "mlflow" / "bin" / "mlflow"), "models", "serve", "-m", str(folder / "model")]
    command += ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "-w", "1"]
    return Kind(command, port, "/invocations", body, folder, home)


def mlserver(folder: Path, model: Path, body: bytes, ports: Sequence[int], workers: int) -> Kind:
    folder.mkdir()
    parameters = {"uri": str(model)}
    settings = {"name": "late", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": parameters}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    http, grpc, metrics = ports
    server = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics, "debug": False}
    (folder / "settings.json").write_text(json.dumps({**server, "parallel_workers": workers}))
    command = [str(PEERS / "mlserver" / "bin" / "mlserver"), "start", "."]
    return Kind(command, http, "/v2/models/late/infer", body, folder, environment("mlserver", HOME=str(folder)))


def bentoml(folder: Path, model: Path, body: bytes, port: int) -> Kind:
    folder.mkdir()
    (folder / "service.py").write_text(SERVICE)
    command = [str(PEERS / "bentoml" / "bin" / "bentoml"), "serve", "service:Flights"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    home = environment("bentoml", HOME=str(folder), MODEL=str(model))
    return Kind(command, port, "/predict", body, folder, home)
