"""What Triton's clients ask beside the protocol: configuration, repository, trace, log and shared memory. Pure.

An endpoint serves the version that people promoted; what a client would change about that is refused in a sentence.
"""

from typing import Any, NamedTuple

from lemnis.engine.deploy import tensors
from lemnis.engine.features.signature import Signature

# Any: JSON values.
SERVED = ["binary_tensor_data", "model_configuration", "model_repository", "parameters", "statistics"]
TRACE = {"trace_level": ["OFF"], "trace_rate": "0", "trace_count": "0", "log_frequency": "0", "trace_file": ""}
LOGGING = {
    "log_file": "",
    "log_info": False,
    "log_warning": True,
    "log_error": True,
    "log_verbose_level": 0,
    "log_format": "default",
}
MEMORIES = ("systemsharedmemory", "cudasharedmemory")
PROMOTE = "Versions are promoted by people: `lemnis models promote`, or key p in Deploy."
MEMORY = "Memory is not shared with clients; send tensors in the request."


class Refused(NamedTuple):
    """A path that is known and refused, with the reason."""

    method: str
    path: str
    reason: str


def told(model: str) -> dict[str, Any]:
    """Return what is the same whoever asks, by path."""
    trace = dict.fromkeys(("/v2/trace/setting", f"/v2/models/{model}/trace/setting"), TRACE)
    return {**trace, "/v2/logging": LOGGING, **{f"/v2/{kind}/status": [] for kind in MEMORIES}}


def refused(model: str) -> list[Refused]:
    """Return what a client may ask and an endpoint does not do."""
    found = [
        Refused("POST", f"/v2/repository/models/{model}/unload", f"A served model can't be unloaded. {PROMOTE}"),
        Refused("POST", "/v2/logging", "What the server logs can't be changed by its clients."),
    ]
    for path in ("/v2", f"/v2/models/{model}"):
        found.append(Refused("POST", f"{path}/trace/setting", "This server traces no requests; see /metrics."))
    return found


def model_config(signature: Signature, *, model: str, version: int, platform: str) -> dict[str, Any]:
    """Return a model's configuration as Triton tells it; a dimension of -1 is the number of rows."""
    inputs = [{"name": f.name, "data_type": typed(tensors.datatype_of(f)), "dims": [-1]} for f in signature.features]
    outputs = [
        {"name": one["name"], "data_type": typed(one["datatype"]), "dims": one["shape"]}
        for one in tensors.output_metadata(signature)
    ]
    return {
        "name": model,
        "platform": platform,
        "backend": "lemnis",
        "version_policy": {"specific": {"versions": [version]}},
        "max_batch_size": 0,
        "input": inputs,
        "output": outputs,
    }


def typed(datatype: str) -> str:
    """Return a datatype as a configuration spells it."""
    return "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"


def repository_index(model: str, version: int | None) -> list[dict[str, Any]]:
    """Return the models there are and whether they are ready."""
    if version is None:
        return [{"name": model, "version": "", "state": "UNAVAILABLE", "reason": "no version is ready"}]
    return [{"name": model, "version": str(version), "state": "READY", "reason": ""}]
