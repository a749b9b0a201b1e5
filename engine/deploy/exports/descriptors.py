"""The texts that other applications read beside a model: MLflow's MLmodel, KServe's and Triton's descriptors. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from lemnis.engine.deploy.records import ModelVersion
from lemnis.engine.features.signature import Feature, Signature

DOCKERFILE = """FROM python:{python}-slim
{threads}WORKDIR /model
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .
RUN python score.py --check
USER 1000
EXPOSE 8080
CMD ["python", "score.py", "--serve", "8080", "--host", "0.0.0.0", "--name", {name}]
"""
THREADS = "RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*\n"
NAME_LENGTH = 40  # of an InferenceService: Kubernetes allows 63, of which KServe and Knative use some for endings
LABEL_LENGTH = 63
KSERVE = """# Build the folder's Dockerfile, push the image, write its name below, then: kubectl apply -f kserve.yaml
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: "{name}"
  labels: {{lemnis/model: {label}, lemnis/version: "{version}"}}
spec:
  predictor:
    containers:
      - name: kserve-container
        image: registry.example/{name}:{version}
        ports: [{{containerPort: 8080, protocol: TCP}}]
        readinessProbe: {{httpGet: {{path: /v1/models/{model}, port: 8080}}}}
        resources: {{requests: {{cpu: "1", memory: 1Gi}}, limits: {{cpu: "1", memory: 1Gi}}}}
"""
TRITON = """# Rows as the model takes them: signature.json says which number a category is; NaN for no value.
name: {name}
backend: "fil"
max_batch_size: 32768
input [ {{ name: "input__0" data_type: TYPE_FP32 dims: [ {width} ] }} ]
output [ {{ name: "output__0" data_type: TYPE_FP32 dims: [ {outputs} ] }} ]
instance_group [ {{ kind: KIND_AUTO }} ]
parameters [
  {{ key: "model_type" value: {{ string_value: "lightgbm" }} }},
  {{ key: "output_class" value: {{ string_value: "{classes}" }} }},
  {{ key: "predict_proba" value: {{ string_value: "{classes}" }} }},
  {{ key: "threshold" value: {{ string_value: "{threshold}" }} }},
  {{ key: "storage_type" value: {{ string_value: "AUTO" }} }}
]
"""


def dockerfile(version: ModelVersion, python: str, *, trees: bool = True) -> str:
    """Return the text of a Dockerfile that answers the golden rows while it is built; LightGBM needs libgomp1."""
    return DOCKERFILE.format(python=python, threads=THREADS if trees else "", name=json.dumps(version.model))


def kserve(version: ModelVersion) -> str:
    """Return KServe's InferenceService; its name and its label have only what KServe and Kubernetes allow."""
    lower = re.sub(r"[^a-z0-9]+", "-", version.model.lower())
    name = re.sub(r"^[^a-z]+", "", lower)[:NAME_LENGTH].strip("-") or "model"
    label = json.dumps(version.model[:LABEL_LENGTH].strip("._-"))
    return KSERVE.format(name=name, label=label, model=version.model, version=version.version)


def triton(version: ModelVersion, signature: Signature) -> str:
    """Return the config.pbtxt of Triton's FIL backend."""
    classes = {"regression": 1, "binary": 2}.get(signature.task, len(signature.classes))
    return TRITON.format(
        name=json.dumps(version.model),
        width=len(signature.features),
        outputs=classes,
        classes=str(signature.task != "regression").lower(),
        threshold=signature.threshold,
    )


def requirements(versions: Mapping[str, str]) -> str:
    """Return a requirements.txt of exact versions; of any where none is known."""
    return "".join(f"{name}{f'=={version}' if version else ''}\n" for name, version in versions.items())


def mlmodel(version: ModelVersion, signature: Signature, integers: frozenset[str], facts: Mapping[str, str]) -> str:
    """Return MLflow's MLmodel: JSON inside YAML, as MLflow itself writes a signature.

    Args:
        version: The version.
        signature: What it takes and answers.
        integers: Features that are whole numbers; the others are doubles.
        facts: ``python`` and ``created`` as texts; ``lightgbm`` of trees alone.
    """
    inputs = [column_type(feature, whole=feature.name in integers) for feature in signature.features]
    names = ["value"] if signature.task == "regression" else ["probability", "label"]
    if signature.task == "multiclass":
        names = [*(f"probability_{name}" for name in signature.classes), "label"]
    outputs = [{"type": "string" if name == "label" else "double", "name": name, "required": True} for name in names]
    trees = {"data": "data/model.txt", "model_class": "lightgbm.basic.Booster"}
    document = {
        "artifact_path": "model",
        "flavors": {
            **({"lightgbm": trees | {"lgb_version": facts["lightgbm"]}} if "lightgbm" in facts else {}),
            "python_function": {
                "loader_module": "lemnis_score",
                "code": "code",
                "data": "data",
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "python_version": facts["python"],
            },
        },
        "metadata": {"lemnis.model": version.model, "lemnis.version": version.version, "sha256": version.sha256},
        "model_uuid": version.sha256[:32],
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "utc_time_created": facts["created"],
    }
    return yaml_text(document)


def column_type(feature: Feature, *, whole: bool) -> dict[str, Any]:
    """Return a column of MLflow's signature. Any: texts and truth values."""
    kind = "string" if feature.kind == "categorical" else "boolean" if feature.logical else "double"
    if whole and kind == "double" and not feature.nullable:
        kind = "long"
    return {"type": kind, "name": feature.name, "required": True}


def yaml_text(values: Mapping[str, Any], indent: str = "") -> str:
    """Return nested mappings of texts and numbers as YAML; every scalar is as JSON has it."""
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}:\n{yaml_text(value, indent + '  ')}")  # pyright: ignore[reportUnknownArgumentType]
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}\n")
    return "".join(lines)


def conda(python: str, versions: Mapping[str, str]) -> str:
    """Return MLflow's conda.yaml."""
    packages = "".join(f"  - {line}\n" for line in requirements(versions).splitlines())
    return f"name: mlflow-env\nchannels:\n- conda-forge\ndependencies:\n- python={python}\n- pip\n- pip:\n{packages}"


def python_env(python: str) -> str:
    """Return MLflow's python_env.yaml."""
    return f"python: {python}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"
