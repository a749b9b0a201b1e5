"""What of a request does not fit the model's signature, column by column, with values as they were sent.

Only requests that are refused for their form, and those that send more than the model takes, are looked at this way:
so that whoever reads it later can tell a renamed column from two broken ones.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

import msgspec

from lemnis.engine.deploy import invocations, protocol
from lemnis.engine.deploy.asgi import Head
from lemnis.engine.deploy.faults import Fault
from lemnis.engine.deploy.tensors import MATRIX, Tensor, flattened
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import refuses
from lemnis.engine.features.signature import Cell, Signature

Columns: TypeAlias = dict[str, list[Cell]]

MOST_FAULTS = 16  # of one request
ROWS_READ = 200  # of a refused request
VALUES = 40  # of a column, as they were sent; enough to compare two distributions after some requests
LONGEST_NAME, LONGEST_TEXT = 80, 60


def faults_of_request(head: Head, body: bytes, signature: Signature) -> list[Fault]:
    """Return every column of a refused request that does not fit; nothing where it can't even be read.

    Args:
        head: Says in which dialect it is.
        body: As it came.
        signature: What the model takes.
    """
    with suppress(BadInput):
        columns = (
            sent_rows(body, head.content_type, signature)
            if head.path == "/invocations"
            else sent_tensors(body if head.header_length is None else body[: head.header_length])
        )
        return faults_of(columns, signature) if columns else []
    return []


def sent_rows(body: bytes, content_type: str, signature: Signature) -> Columns:
    """Return the columns of a body of /invocations, those too that the model does not take."""
    if content_type.partition(";")[0].strip().lower() == "text/csv":
        rows = invocations.csv_rows(body, signature, everything=True)[:ROWS_READ]
    else:
        invocation = protocol.decoded(invocations.decoder.decode, body)
        rows = invocations.invoked_rows(invocation, signature)[:ROWS_READ]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row[name] for row in rows if name in row] for name in names}


def sent_tensors(body: bytes) -> Columns:
    """Return the columns of a v2 request; a binary tensor has no values here."""
    inputs: list[Tensor] = protocol.decoded(protocol.infer_decoder.decode, body).inputs
    if any(tensor.name == MATRIX for tensor in inputs):
        return {}
    return {tensor.name: listed(tensor)[:ROWS_READ] for tensor in inputs}


def listed(tensor: Tensor) -> list[Cell]:
    """Return a tensor's values as they stand in the JSON."""
    data = tensor.data
    if data is msgspec.UNSET or not data:
        return []
    return flattened(data, tensor.name) if isinstance(data[0], list) else list(data)


def faults_of(columns: Mapping[str, Sequence[Cell]], signature: Signature) -> list[Fault]:
    """Return where columns as they were sent differ from what the model takes, at most MOST_FAULTS."""
    rows = max((len(values) for values in columns.values()), default=0)
    found: list[Fault] = []
    for name, read in signature.readers:
        if name not in columns:
            found.append(Fault("absent", name, max(rows, 1)))
        elif wrong := [value for value in columns[name] if refuses(read, value)]:
            found.append(Fault("mistyped", name, len(wrong), [plain(value) for value in wrong[:VALUES]]))
    return [*found, *unknown_columns(columns, signature)][:MOST_FAULTS]


def unknown_columns(columns: Mapping[str, Sequence[Cell]], signature: Signature) -> list[Fault]:
    """Return the columns that the model does not take."""
    return [
        Fault("unknown", name[:LONGEST_NAME], max(len(values), 1), [plain(value) for value in values[:VALUES]])
        for name, values in columns.items()
        if name not in signature.by_name
    ][:MOST_FAULTS]


def plain(value: Cell) -> Cell:
    """Return a value as sent, short enough to be kept: a number, a truth value, null, or text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 62:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return (value if isinstance(value, str) else repr(value))[:LONGEST_TEXT]
