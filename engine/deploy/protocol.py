"""Requests and answers of the Open Inference Protocol v2 and of MLflow's /invocations. Pure.

Whatever a client sends becomes an Asked or a BadInput that names the column and the value; nothing else is raised.
"""

import csv
import io
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.clock import parse_ms
from lemnis.engine.deploy import tensors
from lemnis.engine.deploy.tensors import MATRIX, Column, RequestedTensor, Tensor, TooLarge, columns_of
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_columns, encode_rows
from lemnis.engine.features.signature import Signature
from lemnis.engine.text import safe

Cell: TypeAlias = Any  # a value of a request: what JSON can hold
T = TypeVar("T")

MOST_ROWS = 20_000
LONGEST_KEY = 200
CSV_TRUTH = {"true": True, "false": False, "1": True, "0": False, "": None}


class Asked(Struct, frozen=True, kw_only=True):
    """One request for predictions, read and judged.

    Attributes:
        matrix: The encoded rows, shape (rows, features).
        columns: The values as they were sent, by feature, for the log.
        keys: The caller's name of each row; empty when it gave none.
        event_times: Epoch ms of each row; empty when the caller gave none.
        outputs: The outputs that are wanted; empty for all.
        binary: Outputs travel as bytes unless they say otherwise.
    """

    matrix: NDArray[np.float64]
    columns: dict[str, Column]
    keys: list[str] = []
    event_times: list[int] = []
    id: str = ""
    outputs: list[RequestedTensor] = []
    binary: bool = False


class InferRequest(Struct, frozen=True, kw_only=True):
    """The JSON part of a v2 inference request."""

    inputs: list[Tensor]
    id: str = ""
    outputs: list[RequestedTensor] = []
    parameters: dict[str, Any] = {}  # Any: clients may add parameters that we ignore


class Split(Struct, frozen=True, kw_only=True):
    """MLflow's ``dataframe_split``."""

    columns: list[str]
    data: list[list[Cell]]
    index: list[Cell] = []


class Invocation(Struct, frozen=True, kw_only=True):
    """The body of /invocations: exactly one of the four; `params` carries keys and event times."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: list[Cell] | None = None
    inputs: dict[str, list[Cell]] | list[Cell] | None = None
    params: dict[str, Any] | None = None  # Any: as `parameters` above


class Actual(Struct, frozen=True, kw_only=True):
    """What turned out to be true of one row."""

    key: str | int
    actual: Cell


class Feedback(Struct, frozen=True, kw_only=True):
    """The body of /feedback."""

    actuals: list[Actual]


infer_decoder = msgspec.json.Decoder(InferRequest)
invocation_decoder = msgspec.json.Decoder(Invocation)
feedback_decoder = msgspec.json.Decoder(Feedback)


def decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    """Return a JSON body as a record.

    Raises:
        BadInput: It is no JSON (NaN and Infinity are none), nests too deeply, or has another shape.
    """
    try:
        return decode(body)
    except RecursionError:
        raise BadInput("The request nests too deeply.", "Send flat JSON.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadInput(
            f"The request can't be read: {safe(error, limit=200)}.", "Send the JSON that /docs describes."
        ) from None


def parse_infer(body: bytes, signature: Signature, header_length: int | None = None) -> Asked:
    """Read a v2 inference request: one tensor a feature, or one tensor ``matrix`` of encoded rows.

    Args:
        body: JSON, followed by the bytes of binary tensors when `header_length` is given.
        signature: What the model takes.
        header_length: Bytes of the JSON part, from Inference-Header-Content-Length.

    Raises:
        TooLarge: More than MOST_ROWS rows.
        BadInput: Anything else that can't be used.
    """
    if header_length is not None and not 0 <= header_length <= len(body):
        raise BadInput(
            f"Inference-Header-Content-Length is {header_length}, the body has {len(body)} bytes.",
            "Give the length of the JSON part.",
        )
    head, tail = (body, b"") if header_length is None else (body[:header_length], body[header_length:])
    request = decoded(infer_decoder.decode, head)
    columns = columns_of(request.inputs, tail, signature, most_rows=MOST_ROWS)
    return Asked(
        matrix=encode_columns(columns, signature),
        columns=columns,
        id=request.id,
        outputs=request.outputs,
        binary=request.parameters.get("binary_data_output") is True,
        **named_rows(request.parameters, len(next(iter(columns.values())))),
    )


def parse_invocation(body: bytes, content_type: str, signature: Signature) -> Asked:
    """Read a body of /invocations: JSON in one of MLflow's four forms, or CSV with a header line.

    Columns that the model does not take are ignored, as MLflow does.

    Raises:
        TooLarge: More than MOST_ROWS rows.
        BadInput: Anything else that can't be used.
    """
    if content_type.partition(";")[0].strip().lower() == "text/csv":
        rows, params = csv_rows(body, signature), {}
    else:
        invocation = decoded(invocation_decoder.decode, body)
        rows, params = invoked_rows(invocation, signature), invocation.params or {}
    if not rows:
        raise BadInput("The request has no rows.", "Send at least one.")
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"The request has {len(rows):,} rows.", f"Send at most {MOST_ROWS:,} at once.")
    matrix = encode_rows(rows, signature)
    columns: dict[str, Column] = {name: [row[name] for row in rows] for name in signature.names}
    return Asked(matrix=matrix, columns=columns, **named_rows(params, len(rows)))


def invoked_rows(invocation: Invocation, signature: Signature) -> list[dict[str, Cell]]:
    """Return the rows of /invocations as objects, whichever form they came in."""
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    given = [name for name in forms if getattr(invocation, name) is not None]
    if len(given) != 1:
        raise BadInput(
            f"The request has {' and '.join(given) or 'none of the known forms'}.",
            f"Send exactly one of {', '.join(forms)}.",
        )
    if invocation.dataframe_split is not None:
        split = invocation.dataframe_split
        if len(set(split.columns)) != len(split.columns):
            raise BadInput("dataframe_split names a column twice.", "Send each column once.")
        return [listed_row(row, split.columns, place) for place, row in enumerate(split.data)]
    if invocation.dataframe_records is not None:
        return invocation.dataframe_records
    if isinstance(invocation.inputs, dict):
        return transposed(invocation.inputs)
    listed = invocation.instances if invocation.instances is not None else invocation.inputs
    return [any_row(row, signature.names, place) for place, row in enumerate(listed or [])]


def any_row(row: Cell, names: list[str], place: int) -> dict[str, Cell]:
    """Return a row that came as an object, or as a list in the signature's order."""
    if isinstance(row, dict):
        return row  # pyright: ignore[reportUnknownVariableType]  # JSON objects have text keys
    if isinstance(row, list):
        return listed_row(row, names, place)  # pyright: ignore[reportUnknownArgumentType]
    raise BadInput(f"Row {place} is {safe(repr(row), limit=60)}.", "Send an object, or a list of values, a row.")


def listed_row(row: list[Cell], names: list[str], place: int) -> dict[str, Cell]:
    """Return a row that came as a list."""
    if len(row) != len(names):
        raise BadInput(f"Row {place} has {len(row)} values for {len(names)} columns.", "Send one value a column.")
    return dict(zip(names, row, strict=True))


def transposed(columns: dict[str, list[Cell]]) -> list[dict[str, Cell]]:
    """Return rows of columns."""
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BadInput(
            f"The columns differ in length: {safe(lengths, limit=200)}.", "Send one value a row in every column."
        )
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def csv_rows(body: bytes, signature: Signature) -> list[dict[str, Cell]]:
    """Return the rows of a CSV body with a header line; an empty field is a missing value."""
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        lines = [line for _, line in zip(range(MOST_ROWS + 2), reader, strict=False) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The CSV can't be read: {safe(error, limit=200)}.", "Send UTF-8 with a header line.") from None
    if not lines:
        return []
    header = lines[0]
    if len(set(header)) != len(header):
        raise BadInput("The CSV names a column twice.", "Send each column once.")
    readers = {
        f.name: csv_text if f.kind == "categorical" else csv_truth if f.logical else csv_number
        for f in signature.features
    }
    used = [(place, name, readers[name]) for place, name in enumerate(header) if name in readers]
    rows: list[dict[str, Cell]] = []
    for number, line in enumerate(lines[1:]):
        if len(line) != len(header):
            raise BadInput(f"Row {number} has {len(line)} fields for {len(header)} columns.", "Mend the line.")
        rows.append({name: read(line[place]) for place, name, read in used})
    return rows


def csv_text(field: str) -> Cell:
    """Return a CSV field as a category; empty is missing."""
    return field or None


def csv_truth(field: str) -> Cell:
    """Return a CSV field as a truth value; what is none stays text and is refused by name."""
    return CSV_TRUTH.get(field.strip().lower(), field)


def csv_number(field: str) -> Cell:
    """Return a CSV field as a number; what is none, or not finite, stays text and is refused by name."""
    if not field.strip():
        return None
    try:
        number = float(field)
    except ValueError:
        return field
    return number if math.isfinite(number) else field


def named_rows(parameters: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return ``keys`` and ``event_times`` of a request, each empty or one a row. Any: JSON in, checked here.

    Raises:
        BadInput: There are more or fewer than rows, or one is neither a name nor a time.
    """
    found: dict[str, Any] = {}
    for name, read in (("keys", read_key), ("event_times", read_time)):
        values = parameters.get(name)
        if values is None:
            continue
        if not isinstance(values, list):
            raise BadInput(f"{name} is {safe(repr(values), limit=60)}.", "Send a list, one entry a row.")
        entries: list[Cell] = values
        if len(entries) != rows:
            raise BadInput(f"{name} has {len(entries)} entries for {rows} rows.", "Send one entry a row.")
        found[name] = [read(entry) for entry in entries]
    return found


def read_key(value: Cell) -> str:
    """Return a row's name: text, or a whole number as text."""
    if type(value) is int and abs(value) < 1 << 63:
        return str(value)
    if type(value) is str and len(value) <= LONGEST_KEY:
        return value
    raise BadInput(
        f"{safe(repr(value), limit=60)} can't name a row.", f"Send a text of at most {LONGEST_KEY} characters."
    )


def read_time(value: Cell) -> int:
    """Return epoch ms of a row's time: a number of ms, or ISO 8601 text."""
    if type(value) in (int, float) and abs(value) < 1e15:
        return int(value)
    if type(value) is str and len(value) <= 64:
        try:
            return parse_ms(value)
        except (ValueError, OverflowError):
            pass
    raise BadInput(f"{safe(repr(value), limit=60)} is no time.", "Send epoch milliseconds or ISO 8601.")


def parse_feedback(body: bytes) -> list[tuple[str, Cell]]:
    """Return the keys and actual answers of a /feedback body; the answers are still to be judged by the model.

    Raises:
        TooLarge: More than MOST_ROWS.
        BadInput: It can't be read, or is empty.
    """
    actuals = decoded(feedback_decoder.decode, body).actuals
    if not actuals:
        raise BadInput("The request has no actuals.", "Send at least one.")
    if len(actuals) > MOST_ROWS:
        raise TooLarge(f"The request has {len(actuals):,} actuals.", f"Send at most {MOST_ROWS:,} at once.")
    return [(read_key(entry.key), entry.actual) for entry in actuals]


class Answered(Struct, frozen=True, kw_only=True):
    """A response: its body, and how many bytes of it are JSON when binary tensors follow."""

    body: bytes
    header_length: int | None = None


def labels_of(scores: Sequence[Sequence[float]], signature: Signature) -> list[Any]:
    """Return the label of each row: the class's name, or the value itself for regression. Any: text or float."""
    if signature.task == "regression":
        return [row[0] for row in scores]
    if signature.task == "binary":
        negative, positive = signature.classes if len(signature.classes) == 2 else ("0", "1")
        return [positive if row[0] >= signature.threshold else negative for row in scores]
    return [signature.classes[max(range(len(row)), key=row.__getitem__)] for row in scores]


def infer_answer(
    asked: Asked, scores: list[list[float]], signature: Signature, *, model: str, version: int
) -> Answered:
    """Return the v2 response to a request.

    Raises:
        BadInput: An output is wanted that the model does not have.
    """
    produced = tensors.outputs_of(scores, labels_of(scores, signature), signature)
    wanted = asked.outputs or [RequestedTensor(name=name) for name in produced]
    chunks: list[bytes] = []
    outputs: list[dict[str, Any]] = []
    for request in wanted:
        if request.name not in produced:
            raise BadInput(f"There is no output {safe(request.name, limit=80)!r}.", f"Outputs: {', '.join(produced)}.")
        output = dict(produced[request.name])
        if request.parameters.get("binary_data", asked.binary) is True:
            chunk = tensors.to_bytes(output.pop("data"), output["datatype"])
            output["parameters"] = {"binary_data_size": len(chunk)}
            chunks.append(chunk)
        outputs.append(output)
    document: dict[str, Any] = {"model_name": model, "model_version": str(version), "outputs": outputs}
    if asked.id:
        document["id"] = asked.id
    if signature.task == "binary":
        document["parameters"] = {"threshold": signature.threshold}
    head = msgspec.json.encode(document)
    return Answered(body=b"".join([head, *chunks]), header_length=len(head)) if chunks else Answered(body=head)


def invocation_answer(scores: list[list[float]], signature: Signature, *, model: str, version: int) -> bytes:
    """Return the body that answers /invocations: MLflow's ``predictions``, one object a row."""
    labels = labels_of(scores, signature)
    if signature.task == "regression":
        predictions: list[Any] = [{"value": value} for value in labels]
    elif signature.task == "binary":
        pairs = zip(scores, labels, strict=True)
        predictions = [{"probability": row[0], "label": label} for row, label in pairs]
    else:
        pairs = zip(scores, labels, strict=True)
        predictions = [
            {"probability": dict(zip(signature.classes, row, strict=True)), "label": label} for row, label in pairs
        ]
    document: dict[str, Any] = {"predictions": predictions, "model_name": model, "model_version": str(version)}
    if signature.task == "binary":
        document["threshold"] = signature.threshold
    return msgspec.json.encode(document)


def model_metadata(signature: Signature, *, model: str, version: int) -> dict[str, Any]:
    """Return the v2 metadata document of a model."""
    return {
        "name": model,
        "versions": [str(version)],
        "platform": "lightgbm_lightgbm",
        "inputs": [{"name": f.name, "datatype": tensors.datatype_of(f), "shape": [-1]} for f in signature.features],
        "outputs": tensors.output_metadata(signature),
        "parameters": {
            "matrix_input": MATRIX,
            "target": signature.target,
            "classes": signature.classes,
            "threshold": signature.threshold,
        },
    }
