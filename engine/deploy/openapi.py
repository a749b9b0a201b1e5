"""The server's own description: an OpenAPI document with the model's features filled in."""

from typing import Any

from lemnis.engine.deploy.reasons import MOST_ROWS, PARAMETER
from lemnis.engine.deploy.tensors import DATATYPES, MATRIX, datatype_of
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.version import VERSION

ROUTES = (
    ("get", "/v2", "Name, version and extensions of this server."),
    ("get", "/v2/health/live", "200 while the process answers."),
    ("get", "/v2/health/ready", "200 when a version has given its golden answers in this process."),
    ("get", "/v2/models/{model}", "Inputs and outputs of the model."),
    ("get", "/v2/models/{model}/ready", "200 when the model is ready."),
    ("get", "/v2/models/{model}/stats", "Requests and rows since the process started."),
    ("get", "/v2/models/{model}/config", "The model's configuration as Triton tells it."),
    ("get", "/v2/models/stats", "As /v2/models/{model}/stats."),
    ("post", "/v2/repository/index", "The models there are and whether they are ready."),
    ("post", "/v2/models/{model}/infer", "Open Inference Protocol v2: one tensor a feature, JSON or binary."),
    ("post", "/invocations", "MLflow: dataframe_split, dataframe_records, instances or inputs; or text/csv."),
    ("post", "/feedback", 'What turned out true: {"actuals": [{"key": …, "actual": …}]}.'),
    ("get", "/ping", "As /v2/health/ready."),
    ("get", "/health", "As /v2/health/ready."),
    ("get", "/version", "Versions of the server and of the model."),
    ("get", "/metrics", "Prometheus metrics."),
)

REASONS_SCHEMA = {
    "type": "integer",
    "minimum": 1,
    "description": f"How many features that weighed most are told of each row, at most {MOST_ROWS} rows: outputs "
    "reason_feature and reason_contribution of infer, reasons of each prediction of /invocations. Contributions are to "
    "the raw score, of two classes towards the positive one, of several towards the one that is answered.",
}


def openapi_document(model: str, signature: Signature | None) -> dict[str, Any]:
    """Return OpenAPI 3.1 of an endpoint; without a signature the bodies stay open. Any: JSON."""
    paths: dict[str, Any] = {}
    for method, path, text in ROUTES:
        operation: dict[str, Any] = {"summary": text, "responses": {"200": {"description": "Fine."}}}
        if method == "post":
            operation["responses"]["400"] = {"description": 'What is wrong, as {"error": …}.'}
            if path != "/v2/repository/index":
                operation["requestBody"] = {"content": {"application/json": body_of(path, signature)}}
        paths.setdefault(path.replace("{model}", model), {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Lemnis model server: {model}", "version": VERSION},
        "paths": paths,
    }


def body_of(path: str, signature: Signature | None) -> dict[str, Any]:
    """Return schema and example of a request body. Any: JSON."""
    if path == "/feedback":
        actual = {"key": {"type": ["string", "integer"]}, "actual": {"type": ["string", "number", "boolean"]}}
        return {
            "schema": listing("actuals", {"type": "object", "properties": actual, "required": list(actual)}),
            "example": {"actuals": [{"key": "row-1", "actual": 1}]},
        }
    if signature is None:
        return {}
    if path == "/invocations":
        row: dict[str, Any] = {"type": "object", "properties": {f.name: schema_of(f) for f in signature.features}}
        row["required"] = signature.names
        return {"schema": asking(listing("dataframe_records", row), "params")}
    tensor: dict[str, Any] = {
        "name": {"enum": [*signature.names, MATRIX]},
        "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
        "datatype": {"enum": list(DATATYPES)},
        "data": {"type": "array"},
    }
    items = {"type": "object", "properties": tensor, "required": list(tensor)}
    return {"schema": asking(listing("inputs", items), "parameters"), "example": infer_example(signature)}


def asking(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a body's schema with the object in which reason codes are asked for. Any: JSON."""
    asked = {"type": "object", "properties": {PARAMETER: REASONS_SCHEMA}}
    return {**schema, "properties": {**schema["properties"], name: asked}}


def listing(name: str, items: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with one list. Any: JSON."""
    return {"type": "object", "properties": {name: {"type": "array", "items": items}}, "required": [name]}


def schema_of(feature: Feature) -> dict[str, Any]:
    """Return the JSON schema of one feature's value. Any: JSON."""
    if feature.kind == "categorical":
        return {"type": ["string", "null"], "examples": feature.categories[:5]}
    kind = "boolean" if feature.logical else "number"
    known = {"minimum seen": feature.low, "maximum seen": feature.high}
    return {"type": [kind, "null"], "description": ", ".join(f"{k} {v:g}" for k, v in known.items() if v is not None)}


def infer_example(signature: Signature) -> dict[str, Any]:
    """Return a v2 request of one row that the model accepts. Any: JSON."""
    return {
        "inputs": [
            {"name": f.name, "shape": [1], "datatype": datatype_of(f), "data": [sample_value(f)]}
            for f in signature.features
        ]
    }


def sample_value(feature: Feature) -> Any:
    """Return a value that training has seen. Any: text, number or truth value."""
    if feature.kind == "categorical":
        return feature.categories[0] if feature.categories else None
    return False if feature.logical else feature.low
