"""What an exported folder says to Docker, KServe and Triton, read by what they read it with, or done as it stands."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from late_flights import Bench

from lemnis.engine.deploy.exports import descriptors
from lemnis.engine.deploy.exports.writing import export
from lemnis.engine.deploy.records import ModelVersion
from lemnis.engine.deploy.registry import NAME
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.jobs.context import JobContext

ISVC_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # KServe's webhook: IsvcNameFmt of its v1beta1 API
LABEL = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")  # Kubernetes: a label's value
STARTED_S = 60.0


def version(model: str) -> ModelVersion:
    return ModelVersion(
        model=model, version=3, run_id=1, run_name="", sha256="0", path=Path(), bytes=0, threshold=None, golden_rows=0,
        verdict="pass", aliases=[], who="", why="", created_at=0,
    )  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(st.one_of(st.from_regex(NAME, fullmatch=True), st.sampled_from(["true", "null", "_1", "___", "a" * 64, "on."])))
def test_every_model_has_a_service_that_kubernetes_accepts(model: str) -> None:
    document = yaml.safe_load(descriptors.kserve(version(model)))
    name, label = document["metadata"]["name"], document["metadata"]["labels"]["lemnis/model"]
    assert ISVC_NAME.fullmatch(name)
    assert len(name) <= 40
    assert LABEL.fullmatch(label)
    assert len(label) <= 63
    # These fields, so nested, pass the schema of serving.kserve.io/v1beta1 (2026-08) with unknown fields refused.
    assert document == {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "labels": {"lemnis/model": label, "lemnis/version": "3"}},
        "spec": {
            "predictor": {
                "containers": [
                    {
                        "name": "kserve-container",
                        "image": f"registry.example/{name}:3",
                        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                        "readinessProbe": {"httpGet": {"path": f"/v1/models/{model}", "port": 8080}},
                        "resources": {
                            "requests": {"cpu": "1", "memory": "1Gi"},
                            "limits": {"cpu": "1", "memory": "1Gi"},
                        },
                    }
                ]
            }
        },
    }


def model_config(text: str) -> Any:
    """Return a config.pbtxt as Triton's own message, without gRPC. Any: protobuf makes the type."""
    package = find_spec("tritonclient")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    loader = SourceFileLoader("model_config_pb2", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return text_format.Parse(text, module.ModelConfig())


@pytest.mark.parametrize(
    ("task", "classes", "outputs", "chooses"),
    [
        ("binary", ["false", "true"], 2, "true"),
        ("multiclass", ["a", "b", "c"], 3, "true"),
        ("regression", [], 1, "false"),
    ],
)
def test_triton_reads_its_config_as_it_is_meant(task: Any, classes: list[str], outputs: int, chooses: str) -> None:
    features = [Feature(name=f"f{place}", kind="numeric") for place in range(5)]
    signature = Signature(features=features, task=task, target="t", classes=classes, threshold=0.25)
    config = model_config(descriptors.triton(version("late.one"), signature))
    assert (config.name, config.backend, config.max_batch_size) == ("late.one", "fil", 32768)
    for tensors, name, width in ((config.input, "input__0", 5), (config.output, "output__0", outputs)):
        (tensor,) = tensors
        assert (tensor.name, list(tensor.dims)) == (name, [width])
        assert (
            type(config.input[0])
            .DESCRIPTOR.fields_by_name["data_type"]
            .enum_type.values_by_number[tensor.data_type]
            .name
            == "TYPE_FP32"
        )
    told = {name: one.string_value for name, one in config.parameters.items()}
    assert told == {
        "model_type": "lightgbm", "output_class": chooses, "predict_proba": chooses, "threshold": "0.25",
        "storage_type": "AUTO",
    }  # fmt: skip


@pytest.mark.slow
def test_the_dockerfile_is_followed_without_docker_and_its_server_answers_and_ends(
    two_versions: Bench, tmp_path: Path
) -> None:
    job = two_versions.room.jobs.job(two_versions.room.start_export("late@1", tmp_path / "out", "folder", "ada"))
    export(JobContext.for_test(two_versions.store), job.arguments)
    model, clean = tmp_path / "model", tmp_path / "venv"
    model.mkdir()
    subprocess.run([sys.executable, "-m", "venv", clean], check=True)
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    alone["PATH"] = f"{clean / 'bin'}:{alone['PATH']}"
    begun: list[str] = []
    for line in (tmp_path / "out" / "Dockerfile").read_text().splitlines():
        instruction, _, value = line.partition(" ")
        if instruction == "COPY":
            what, to = value.split()
            assert to == "."
            source = tmp_path / "out" / what
            shutil.copytree(source, model, dirs_exist_ok=True) if source.is_dir() else shutil.copy(source, model)
        elif instruction == "RUN" and not value.startswith("apt-get"):
            subprocess.run(shlex.split(value), cwd=model, env=alone, check=True, capture_output=True)
        elif instruction == "CMD":
            begun = json.loads(value)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = [str(port) if part == "8080" else part for part in begun]
    golden = json.loads((model / "golden.json").read_text())
    server = subprocess.Popen([shutil.which(begun[0], path=alone["PATH"]) or "", *begun[1:]], cwd=model, env=alone)
    try:
        address = f"http://127.0.0.1:{port}/v1/models/late"
        assert ready(address) == {"name": "late", "ready": True}
        asked = json.dumps({"instances": golden["rows"]}).encode()
        with urllib.request.urlopen(f"{address}:predict", data=asked, timeout=STARTED_S) as answer:
            predictions = json.load(answer)["predictions"]
        assert [one["probability"] for one in predictions] == pytest.approx([one[0] for one in golden["answers"]])
        server.terminate()
        assert server.wait(STARTED_S) == 0
    finally:
        server.kill()
        server.wait()


def ready(address: str) -> Any:
    """Return what a server says of itself, as soon as it answers. Any: JSON."""
    deadline = time.monotonic() + STARTED_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=STARTED_S) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            assert time.monotonic() < deadline, f"{address} does not answer"
            time.sleep(0.05)
