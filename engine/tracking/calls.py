"""Which call is answered by which function, and a request's body and query as the record that the function takes."""

import re
import types
from collections.abc import Callable
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from lemnis.engine.errors import BadInput
from lemnis.engine.store import Store
from lemnis.engine.tracking import experiments, files, models, protocol, registry, runs, versions
from lemnis.engine.tracking.protocol import Document

BASES = ("/api/2.0/mlflow/", "/api/3.0/mlflow/", "/ajax-api/2.0/mlflow/")


class Call(NamedTuple):
    """One call.

    Attributes:
        kind: The record of what is asked.
        answer: Does it. Any: every function has a record of its own.
        fixed: What the path says. Any: texts and numbers.
    """

    kind: type[Struct]
    answer: Callable[[Store, Any], Document]
    fixed: dict[str, Any] = {}


CALLS: dict[tuple[str, str], Call] = {
    ("POST", "experiments/create"): Call(protocol.CreateExperiment, experiments.create),
    ("GET", "experiments/get"): Call(protocol.AskExperiment, experiments.get),
    ("GET", "experiments/get-by-name"): Call(protocol.AskExperimentByName, experiments.get_by_name),
    ("GET", "experiments/search"): Call(protocol.SearchExperiments, experiments.search),
    ("POST", "experiments/search"): Call(protocol.SearchExperiments, experiments.search),
    ("POST", "experiments/update"): Call(protocol.UpdateExperiment, experiments.update),
    ("POST", "experiments/delete"): Call(protocol.AskExperiment, experiments.delete),
    ("POST", "experiments/restore"): Call(protocol.AskExperiment, experiments.restore),
    ("POST", "experiments/set-experiment-tag"): Call(protocol.ExperimentTag, experiments.set_tag),
    ("POST", "experiments/delete-experiment-tag"): Call(protocol.ExperimentTag, experiments.delete_tag),
    ("POST", "runs/create"): Call(protocol.CreateRun, runs.create_run),
    ("GET", "runs/get"): Call(protocol.AskRun, runs.get),
    ("POST", "runs/update"): Call(protocol.UpdateRun, runs.update_run),
    ("POST", "runs/delete"): Call(protocol.AskRun, runs.delete_run),
    ("POST", "runs/restore"): Call(protocol.AskRun, runs.restore_run),
    ("POST", "runs/log-metric"): Call(protocol.LogMetric, runs.log_metric),
    ("POST", "runs/log-parameter"): Call(protocol.RunPair, runs.log_parameter),
    ("POST", "runs/log-batch"): Call(protocol.LogBatch, runs.log_batch),
    ("POST", "runs/set-tag"): Call(protocol.RunPair, runs.set_tag),
    ("POST", "runs/delete-tag"): Call(protocol.RunPair, runs.delete_tag),
    ("POST", "runs/log-inputs"): Call(protocol.LogInputs, runs.log_inputs),
    ("POST", "runs/outputs"): Call(protocol.LogOutputs, runs.log_outputs),
    ("POST", "runs/log-model"): Call(protocol.LogModel, runs.log_model),
    ("POST", "runs/search"): Call(protocol.SearchRuns, runs.search_runs),
    ("GET", "metrics/get-history"): Call(protocol.AskHistory, runs.history),
    ("GET", "artifacts/list"): Call(protocol.AskArtifacts, files.list_artifacts),
    ("POST", "logged-models"): Call(models.CreateModel, models.create),
    ("POST", "logged-models/search"): Call(models.SearchModels, models.search),
    ("POST", "registered-models/create"): Call(registry.CreateRegistered, registry.create),
    ("GET", "registered-models/get"): Call(registry.AskRegistered, registry.get),
    ("GET", "registered-models/search"): Call(registry.SearchRegistered, registry.search),
    ("POST", "registered-models/rename"): Call(registry.RenameRegistered, registry.rename),
    ("PATCH", "registered-models/update"): Call(registry.DescribeRegistered, registry.describe),
    ("DELETE", "registered-models/delete"): Call(registry.AskRegistered, registry.delete),
    ("POST", "registered-models/set-tag"): Call(registry.RegisteredTag, registry.set_tag),
    ("DELETE", "registered-models/delete-tag"): Call(registry.RegisteredTag, registry.delete_tag),
    ("POST", "registered-models/alias"): Call(registry.Alias, registry.set_alias),
    ("GET", "registered-models/alias"): Call(registry.Alias, registry.by_alias),
    ("DELETE", "registered-models/alias"): Call(registry.Alias, registry.delete_alias),
    ("GET", "registered-models/get-latest-versions"): Call(registry.AskLatest, registry.latest),
    ("POST", "registered-models/get-latest-versions"): Call(registry.AskLatest, registry.latest),
    ("POST", "model-versions/create"): Call(versions.CreateVersion, versions.create),
    ("GET", "model-versions/get"): Call(versions.AskVersion, versions.get),
    ("GET", "model-versions/get-download-uri"): Call(versions.AskVersion, versions.download_uri),
    ("GET", "model-versions/search"): Call(versions.SearchVersions, versions.search),
    ("PATCH", "model-versions/update"): Call(versions.DescribeVersion, versions.describe),
    ("POST", "model-versions/transition-stage"): Call(versions.MoveVersion, versions.move),
    ("DELETE", "model-versions/delete"): Call(versions.AskVersion, versions.delete),
    ("POST", "model-versions/set-tag"): Call(versions.VersionTag, versions.set_tag),
    ("DELETE", "model-versions/delete-tag"): Call(versions.VersionTag, versions.delete_tag),
}
# Calls with an id inside their path.
ONE = r"logged-models/(?P<model_id>[\w.-]+)"
PATTERNS: tuple[tuple[str, re.Pattern[str], Call], ...] = (
    ("GET", re.compile(ONE), Call(models.AskModel, models.get)),
    ("PATCH", re.compile(ONE), Call(models.FinalizeModel, models.finalize)),
    ("DELETE", re.compile(ONE), Call(models.AskModel, models.delete)),
    ("PATCH", re.compile(f"{ONE}/tags"), Call(models.ModelPairs, models.set_tags)),
    ("DELETE", re.compile(rf"{ONE}/tags/(?P<tag_key>.+)"), Call(models.ModelTag, models.delete_tag)),
    ("POST", re.compile(f"{ONE}/params"), Call(models.ModelPairs, models.log_params)),
    ("GET", re.compile(f"{ONE}/artifacts/directories"), Call(files.AskModelFiles, files.list_model_files)),
)


def call_of(method: str, path: str, job_id: int = 0) -> Call | None:
    """Return the call of a method and path, None if there is none; `job_id` is whose address it came to."""
    base = next((base for base in BASES if path.startswith(base)), None)
    if base is None:
        return None
    name = path[len(base) :]
    call = CALLS.get((method, name))
    if call is not None:
        return call._replace(fixed={"job_id": job_id}) if call.kind is protocol.CreateRun else call
    for wanted, pattern, known in PATTERNS:
        parts = pattern.fullmatch(name)
        if parts is not None and wanted == method:
            return known._replace(fixed=parts.groupdict())
    return None


def request_of(call: Call, query: bytes, body: bytes) -> Struct:
    """Return what is asked as the call's record; unknown fields are left alone, and null is as good as nothing.

    Raises:
        BadInput: It is no JSON object, or a value is of the wrong kind.
    """
    try:
        values: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any]) if body else from_query(call, query)
    except msgspec.DecodeError as error:
        raise BadInput(f"The body is no JSON object: {error}.", "Send what an MLflow client sends.") from None
    values = {key: value for key, value in values.items() if value is not None} | call.fixed
    try:
        return msgspec.convert(values, call.kind, strict=False)
    except msgspec.ValidationError as error:
        text = str(error).replace("`", "'")
        raise BadInput(f"This can't be used: {text}.", "Send what an MLflow client sends.") from None


def from_query(call: Call, query: bytes) -> dict[str, Any]:
    """Return the values of an address. Any: texts, or lists of them."""
    try:
        found = parse_qs(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise BadInput("The address can't be read.", "Encode it as UTF-8.") from None
    lists = {name for name, hint in get_type_hints(call.kind, include_extras=False).items() if is_list(hint)}
    return {key: values if key in lists else values[-1] for key, values in found.items()}


def is_list(hint: Any) -> bool:  # Any: type hints have no common type
    """Say whether a field takes several values."""
    options = get_args(hint) if get_origin(hint) is types.UnionType else (hint,)
    return any(get_origin(option) is list for option in options)
