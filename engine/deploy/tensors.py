"""Tensors of the Open Inference Protocol v2, in JSON and in bytes, to columns of values and back. Pure."""

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.text import safe

Cell: TypeAlias = Any  # a value of a request: what JSON can hold
Column: TypeAlias = "Sequence[Cell] | NDArray[Any]"

MATRIX = "matrix"  # the one input that holds whole rows, encoded: shape [rows, features]
NUMPY = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
DATATYPES = (*NUMPY, "BYTES")
HOLDING = {"text": frozenset({"BYTES"}), "truth": frozenset({"BOOL"}), "number": frozenset(NUMPY) - {"BOOL"}}


class TooLarge(BadInput):
    """More than one request may hold."""

    code = "too_large"


class Tensor(Struct, frozen=True, kw_only=True):
    """One input: its values as JSON in `data`, or as bytes behind the JSON."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Cell] | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Any] = {}  # Any: clients may add parameters that we ignore


class RequestedTensor(Struct, frozen=True, kw_only=True):
    """One output that is wanted."""

    name: str
    parameters: dict[str, Any] = {}  # Any: as above


def columns_of(inputs: list[Tensor], tail: bytes, signature: Signature, *, most_rows: int) -> dict[str, Column]:
    """Return one column of values a feature in the signature's order, each of the same length.

    Nothing is allocated before shape and data are known to agree.

    Raises:
        TooLarge: More rows than `most_rows`.
        BadInput: A tensor is unknown, absent, sent twice, or does not fit its shape or datatype.
    """
    if len(inputs) == 1 and inputs[0].name == MATRIX:
        rows = row_count(inputs[0], len(signature.features), most_rows)
        values, offset = values_of(inputs[0], rows * len(signature.features), tail, 0)
        columns = matrix_columns(values, len(signature.features), signature)
    else:
        columns, offset = feature_columns(inputs, tail, signature, most_rows)
    if offset != len(tail):
        raise BadInput(f"{len(tail) - offset} bytes follow the last tensor.", "Check each binary_data_size.")
    return columns


def rows_of(columns: dict[str, Column]) -> list[Sequence[Cell]]:
    """Return columns of the same length as rows of plain values."""
    return [*zip(*(column if isinstance(column, list) else listed(column) for column in columns.values()), strict=True)]


def listed(column: Any) -> list[Cell]:
    """Return a tensor's values as a list. Any: NumPy arrays of any type."""
    return column.tolist()


def feature_columns(
    inputs: list[Tensor], tail: bytes, signature: Signature, most_rows: int
) -> tuple[dict[str, Column], int]:
    """Return one column a feature and the offset behind the last tensor's bytes; raises as `columns_of`."""
    features = signature.by_name
    found: dict[str, Column] = {}
    offset, rows = 0, -1
    for tensor in inputs:
        feature = features.get(tensor.name)
        if feature is None:
            raise BadInput(f"The model takes no input {safe(tensor.name, limit=80)}.", inputs_wanted(signature))
        if tensor.name in found:
            raise BadInput(f"The input {safe(tensor.name, limit=80)} was sent twice.", "Send each input once.")
        if tensor.datatype not in datatypes_for(feature):
            raise wrong_datatype(tensor, feature)
        count = row_count(tensor, 1, most_rows)
        if rows not in (-1, count):
            raise BadInput(
                f"{safe(tensor.name)} has {count} rows, others have {rows}.", "Send one value a row in each."
            )
        rows = count
        found[tensor.name], offset = values_of(tensor, count, tail, offset)
    for name in features:
        if name not in found:
            raise BadInput(
                f"The feature {safe(name)} is absent.", "Send it, as null where it has no value.", safe(name)
            )
    return {name: found[name] for name in features}, offset


def inputs_wanted(signature: Signature) -> str:
    """Say what a request may send."""
    return safe(f"Inputs: {', '.join(signature.names)}, or one {MATRIX}.", limit=400)


def row_count(tensor: Tensor, width: int, most_rows: int) -> int:
    """Return the rows of a tensor: shape [rows] or [rows, 1] for a feature, [rows, width] for the matrix.

    Raises:
        TooLarge: More than `most_rows`.
        BadInput: It has another shape, or no row.
    """
    shape = tensor.shape
    fits = shape[1:] == [width] or (len(shape) == 1 and width == 1 and tensor.name != MATRIX)
    if not fits or shape[0] < 1:
        wanted = f"[rows, {width}]" if tensor.name == MATRIX else "[rows] or [rows, 1]"
        raise BadInput(
            f"{safe(tensor.name, limit=80)} has the shape {safe(shape, limit=60)}.",
            f"Send {wanted}, with at least one row.",
        )
    if shape[0] > most_rows:
        raise TooLarge(f"{safe(tensor.name, limit=80)} has {shape[0]:,} rows.", f"Send at most {most_rows:,} at once.")
    return shape[0]


def values_of(tensor: Tensor, count: int, tail: bytes, offset: int) -> tuple[Column, int]:
    """Return a tensor's values and the offset behind its bytes.

    Raises:
        BadInput: There are more or fewer values than its shape says, or bytes that can't be read.
    """
    size = tensor.parameters.get("binary_data_size")
    data = tensor.data
    if size is None and data is not msgspec.UNSET and len(data) == count and not isinstance(data[0], list):
        return data, offset
    name = safe(tensor.name, limit=80)
    if tensor.datatype not in DATATYPES:
        raise wrong_datatype(tensor, None)
    if size is None:
        if data is msgspec.UNSET:
            raise BadInput(f"{name} has neither data nor binary_data_size.", "Send its values.", name)
        if data and isinstance(data[0], list):
            data = flattened(data, name)
        if len(data) != count:
            raise BadInput(f"{name} has {len(data)} values, its shape says {count}.", "Make them agree.", name)
        return data, offset
    if data is not msgspec.UNSET:
        raise BadInput(f"{name} has data and binary_data_size.", "Send its values once.", name)
    if type(size) is not int or not 0 <= size <= len(tail) - offset:
        raise BadInput(
            f"{name} has the binary_data_size {safe(repr(size), limit=40)}; {len(tail) - offset} bytes are left.",
            "Send as many bytes as it says.",
            name,
        )
    return from_bytes(tail[offset : offset + size], tensor.datatype, count, name), offset + size


def flattened(data: list[Cell], name: str) -> list[Cell]:
    """Return nested rows as one list; deeper or ragged nesting is refused by its values or its count."""
    if not all(isinstance(row, list) for row in data):
        raise BadInput(f"{name} mixes values and lists.", "Send either a flat list or one list a row.", name)
    lengths = {len(row) for row in data}
    if len(lengths) > 1:
        raise BadInput(f"{name} has rows of different lengths.", "Send one value a feature in each row.", name)
    return [value for row in data for value in row]


def from_bytes(data: bytes, datatype: str, count: int, name: str) -> Column:
    """Return the values of a binary tensor.

    Raises:
        BadInput: Their number or size does not fit.
    """
    if datatype == "BYTES":
        texts = [text.decode("utf-8", "replace") for text in length_prefixed(data, name)]
        if len(texts) != count:
            raise BadInput(f"{name} has {len(texts)} values, its shape says {count}.", "Make them agree.", name)
        return texts
    kind = np.dtype(NUMPY[datatype])
    if len(data) != count * kind.itemsize:
        raise BadInput(
            f"{name} has {len(data)} bytes, {count} values of {datatype} need {count * kind.itemsize}.",
            "Make them agree.",
            name,
        )
    if datatype == "BOOL":
        flags: NDArray[Any] = np.frombuffer(data, dtype=np.uint8)
        return flags.astype(bool)
    return np.frombuffer(data, dtype=kind)


def length_prefixed(data: bytes, name: str) -> Iterator[bytes]:
    """Yield the elements of a BYTES tensor: each a 4-byte little-endian length and as many bytes."""
    offset = 0
    while offset < len(data):
        if offset + 4 > len(data):
            raise BadInput(f"{name} ends inside a length.", "Send 4 bytes of length before each text.", name)
        (length,) = struct.unpack_from("<I", data, offset)
        offset += 4
        if offset + length > len(data):
            raise BadInput(f"{name} ends inside a text of {length} bytes.", "Check the lengths.", name)
        yield data[offset : offset + length]
        offset += length


def datatypes_for(feature: Feature) -> frozenset[str]:
    """Return the datatypes that can hold a feature's values."""
    return HOLDING[feature.holds]


def wrong_datatype(tensor: Tensor, feature: Feature | None) -> BadInput:
    """Say which datatype a tensor came with, and which it should have."""
    came = f"{safe(tensor.name, limit=80)} came with the datatype {safe(tensor.datatype, limit=20)!r}."
    return BadInput(came, f"Send {datatype_of(feature) if feature else 'FP64'}.", safe(tensor.name, limit=80))


def datatype_of(feature: Feature) -> str:
    """Return the datatype a feature is announced with."""
    return {"text": "BYTES", "truth": "BOOL", "number": "FP64"}[feature.holds]


def matrix_columns(values: Column, width: int, signature: Signature) -> dict[str, Column]:
    """Return the columns of encoded rows as a client would have sent them: codes become their categories.

    Raises:
        BadInput: A code is no category, or a value is no number.
    """
    listed: Sequence[Cell] = values.tolist() if isinstance(values, np.ndarray) else values
    return {
        feature.name: [decoded_cell(value, feature) for value in listed[place::width]]
        for place, feature in enumerate(signature.features)
    }


def decoded_cell(value: Cell, feature: Feature) -> Cell:
    """Return one encoded value as it reads in a row; null and NaN are missing."""
    if value is None or (type(value) is float and math.isnan(value)):
        return None
    if feature.kind == "numeric" and not feature.logical:
        return value
    top = 2 if feature.logical else len(feature.categories)
    if type(value) in (int, float) and value in range(top):
        return bool(value) if feature.logical else feature.categories[int(value)]
    raise BadInput(
        f"{safe(feature.name)} can't be {safe(repr(value), limit=60)} in the {MATRIX}.",
        f"Send a whole number from 0 to {top - 1}, or null.",
        safe(feature.name),
    )


def outputs_of(scores: list[list[float]], labels: list[Any], signature: Signature) -> dict[str, dict[str, Any]]:
    """Return the outputs of a request by name, as v2 response tensors. Any: JSON."""
    rows, flat = len(scores), [score for row in scores for score in row]
    if signature.task == "regression":
        return {"value": {"name": "value", "datatype": "FP64", "shape": [rows], "data": flat}}
    shape = [rows] if signature.task == "binary" else [rows, len(signature.classes)]
    return {
        "probability": {"name": "probability", "datatype": "FP64", "shape": shape, "data": flat},
        "label": {"name": "label", "datatype": "BYTES", "shape": [rows], "data": labels},
    }


def output_metadata(signature: Signature) -> list[dict[str, Any]]:
    """Return what the model answers: a value, or a probability (one a class beyond two) and a label."""
    if signature.task == "regression":
        return [{"name": "value", "datatype": "FP64", "shape": [-1]}]
    shape = [-1] if signature.task == "binary" else [-1, len(signature.classes)]
    return [
        {"name": "probability", "datatype": "FP64", "shape": shape},
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
    ]


def to_bytes(data: list[Any], datatype: str) -> bytes:
    """Return an output's values as the bytes of a binary tensor. Any: text for BYTES, else numbers."""
    if datatype == "BYTES":
        encoded = [text.encode() for text in data]
        return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
    return np.asarray(data, dtype=NUMPY[datatype]).tobytes()
