"""Requests and answers of the Open Inference Protocol v2, and of /feedback. Pure.

Whatever a client sends becomes an Asked or a BadInput that names the column and the value; nothing else is raised.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.clock import parse_ms
from lemnis.engine.deploy import reasons, tensors
from lemnis.engine.deploy.reasons import Reason
from lemnis.engine.deploy.tensors import HOLDING, MATRIX, Column, RequestedTensor, Tensor, TooLarge, columns_of
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_columns
from lemnis.engine.features.signature import Signature
from lemnis.engine.text import safe

Cell: TypeAlias = Any  # a value of a request: what JSON can hold
T = TypeVar("T")

MOST_ROWS = 20_000
ONE, ONE_COLUMN = [1], [1, 1]  # shapes of a tensor with one value
UNKNOWN_WISHES = {  # of an output: a client that asks for them would read something else
    "classification": "Ask for label and probability.",
    "shared_memory_region": "Read it from the answer.",
}
LONGEST_KEY = 200


class Asked(Struct, frozen=True, kw_only=True):
    """One request for predictions, read and judged.

    Attributes:
        encoded: The matrix of the rows, or the one row as a list: a single row is worth its own way.
        sent: The values as they were sent, a list a row in the signature's order, for the log.
        keys: The caller's name of each row; empty when it gave none.
        event_times: Epoch ms of each row; empty when the caller gave none.
        outputs: The outputs that are wanted; empty for all.
        binary: Outputs travel as bytes unless they say otherwise.
        reasons: Reason codes a row; 0 for none.
        more: Columns that were sent and that the model does not take; they are ignored.
    """

    encoded: NDArray[np.float64] | list[float]
    sent: Sequence[Sequence[Cell]]
    keys: list[str] = []
    event_times: list[int] = []
    id: str = ""
    outputs: list[RequestedTensor] = []
    binary: bool = False
    reasons: int = 0
    more: dict[str, list[Cell]] = {}

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The encoded rows, shape (rows, features)."""
        return np.array([self.encoded]) if isinstance(self.encoded, list) else self.encoded


class InferRequest(Struct, frozen=True, kw_only=True):
    """The JSON part of a v2 inference request."""

    inputs: list[Tensor]
    id: str = ""
    outputs: list[RequestedTensor] = []
    parameters: dict[str, Any] = {}  # Any: clients may add parameters that we ignore


class Actual(Struct, frozen=True, kw_only=True):
    """What turned out to be true of one row."""

    key: str | int
    actual: Cell


class Feedback(Struct, frozen=True, kw_only=True):
    """The body of /feedback."""

    actuals: list[Actual]


infer_decoder = msgspec.json.Decoder(InferRequest)
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
    plain = None if tail else plain_row(request.inputs, signature)
    if plain is not None:
        sent, encoded = [plain[0]], plain[1]
    else:
        columns = columns_of(request.inputs, tail, signature, most_rows=MOST_ROWS)
        encoded, sent = encoded_columns(columns, signature), tensors.rows_of(columns)
    return Asked(
        encoded=encoded,
        sent=sent,
        id=request.id,
        outputs=request.outputs,
        binary=request.parameters.get("binary_data_output") is True,
        **named_rows(request.parameters, len(sent)),
    )


def plain_row(inputs: list[Tensor], signature: Signature) -> tuple[list[Cell], list[float]] | None:
    """Return the row as it was sent and as the model takes it, of what most clients send: a JSON value a feature.

    None for everything else, and for what is wrong: `columns_of` and `encoded_columns` read that, or say why not.
    """
    sent: list[Cell] = []
    row: list[float] = []
    try:
        for tensor, (name, holds, read) in zip(inputs, signature.layout, strict=True):
            if tensor.name != name or tensor.datatype not in HOLDING[holds] or tensor.parameters:
                return None
            if tensor.shape != ONE and tensor.shape != ONE_COLUMN:
                return None
            data = cast("list[Cell]", tensor.data)
            (value,) = data
            row.append(read(value))
            sent.append(value)
    except (TypeError, ValueError):
        return None
    return sent, row


def encoded_columns(columns: dict[str, Column], signature: Signature) -> NDArray[np.float64] | list[float]:
    """Return columns as the matrix, or as a list where there is one row; raises BadInput as `encode_columns`."""
    try:
        if all(len(values) == 1 and isinstance(values, list) for values in columns.values()):
            return [read(columns[name][0]) for name, read in signature.readers]
    except TypeError:
        pass  # said in full below
    return encode_columns(columns, signature)


def named_rows(parameters: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return ``keys`` and ``event_times`` of a request, each empty or one a row, and ``reasons``. Any: checked here.

    Raises:
        BadInput: There are more or fewer than rows, one is neither a name nor a time, or reasons can't be given.
    """
    found: dict[str, Any] = {}
    if not parameters:
        return found
    for name, read in (("keys", read_key), ("event_times", read_time)):
        values = parameters.get(name)
        if values is None:
            continue
        if not isinstance(values, list):
            raise BadInput(f"{name} is {safe(repr(values), limit=60)}.", "Send a list, one entry a row.")
        entries = cast("list[Cell]", values)
        if len(entries) != rows:
            raise BadInput(f"{name} has {len(entries)} entries for {rows} rows.", "Send one entry a row.")
        found[name] = [read(entry) for entry in entries]
    if reasons.PARAMETER in parameters:
        found["reasons"] = reasons.read_count(parameters[reasons.PARAMETER], rows)
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
    asked: Asked,
    scores: list[list[float]],
    signature: Signature,
    *,
    model: str,
    version: int,
    why: Sequence[Sequence[Reason]] = (),
) -> Answered:
    """Return the v2 response to a request; reasons, where they were asked for, are two more outputs.

    Raises:
        BadInput: An output is wanted that the model does not have.
    """
    produced = tensors.outputs_of(scores, labels_of(scores, signature), signature)
    if why:
        produced |= reasons.reason_outputs(why)
    outputs, chunks = list(produced.values()), list[bytes]()
    if asked.outputs or asked.binary:
        outputs, chunks = wanted_outputs(asked, produced)
    document: dict[str, Any] = {"model_name": model, "model_version": str(version), "outputs": outputs}
    if asked.id:
        document["id"] = asked.id
    if signature.task == "binary":
        document["parameters"] = {"threshold": signature.threshold}
    head = msgspec.json.encode(document)
    return Answered(body=b"".join([head, *chunks]), header_length=len(head)) if chunks else Answered(body=head)


def wanted_outputs(asked: Asked, produced: dict[str, dict[str, Any]]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Return the outputs that are wanted, and the bytes of those that travel as such; reasons are always wanted.

    Raises:
        BadInput: The model does not have one, or it can't come as it is wished.
    """
    wanted = asked.outputs or [RequestedTensor(name=name) for name in produced]
    named = {one.name for one in wanted}
    more = [name for name in reasons.OUTPUTS if name in produced and name not in named]
    wanted = [*wanted, *(RequestedTensor(name=name) for name in more)]
    outputs: list[dict[str, Any]] = []
    chunks: list[bytes] = []
    for request in wanted:
        if request.name not in produced:
            raise BadInput(f"There is no output {safe(request.name, limit=80)!r}.", f"Outputs: {', '.join(produced)}.")
        for asked_for, instead in UNKNOWN_WISHES.items():
            if asked_for in request.parameters:
                raise BadInput(f"{safe(request.name, limit=80)} can't come by {asked_for}.", instead)
        output = dict(produced[request.name])
        if request.parameters.get("binary_data", asked.binary) is True:
            chunk = tensors.to_bytes(output.pop("data"), output["datatype"])
            output["parameters"] = {"binary_data_size": len(chunk)}
            chunks.append(chunk)
        outputs.append(output)
    return outputs, chunks


def model_metadata(signature: Signature, *, model: str, version: int, platform: str) -> dict[str, Any]:
    """Return the v2 metadata document of a model."""
    return {
        "name": model,
        "versions": [str(version)],
        "platform": platform,
        "inputs": [{"name": f.name, "datatype": tensors.datatype_of(f), "shape": [-1]} for f in signature.features],
        "outputs": tensors.output_metadata(signature),
        "parameters": {
            "matrix_input": MATRIX,
            "target": signature.target,
            "classes": signature.classes,
            "threshold": signature.threshold,
        },
    }
