"""Requests and answers of MLflow's /invocations: four forms of JSON, and CSV. Pure; refusals as in `protocol`."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from lemnis.engine.deploy import protocol
from lemnis.engine.deploy.protocol import Asked, Cell, decoded, labels_of, named_rows
from lemnis.engine.deploy.reasons import Reason, reason_objects
from lemnis.engine.deploy.tensors import TooLarge
from lemnis.engine.errors import BadInput
from lemnis.engine.features.requests import encode_rows
from lemnis.engine.features.signature import Signature
from lemnis.engine.text import safe

CSV_TRUTH = {"true": True, "false": False, "1": True, "0": False, "": None}


class Split(Struct, frozen=True, kw_only=True):
    """MLflow's ``dataframe_split``."""

    columns: list[str]
    data: list[list[Cell]]
    index: list[Cell] = []


class Invocation(Struct, frozen=True, kw_only=True):
    """The body of /invocations: exactly one of the four; `params` carries keys, event times and reason codes."""

    dataframe_split: Split | None = None
    dataframe_records: list[dict[str, Cell]] | None = None
    instances: list[Cell] | None = None
    inputs: dict[str, list[Cell]] | list[Cell] | None = None
    params: dict[str, Any] | None = None  # Any: clients may add parameters that we ignore


decoder = msgspec.json.Decoder(Invocation)


def parse_invocation(body: bytes, content_type: str, signature: Signature) -> Asked:
    """Read a body of /invocations: JSON in one of MLflow's four forms, or CSV with a header line.

    Columns that the model does not take are ignored, as MLflow does.

    Raises:
        TooLarge: More than protocol.MOST_ROWS rows.
        BadInput: Anything else that can't be used.
    """
    if content_type.partition(";")[0].strip().lower() == "text/csv":
        rows, params = csv_rows(body, signature), {}
    else:
        invocation = decoded(decoder.decode, body)
        rows, params = invoked_rows(invocation, signature), invocation.params or {}
    if not rows:
        raise BadInput("The request has no rows.", "Send at least one.")
    if len(rows) > protocol.MOST_ROWS:
        raise TooLarge(f"The request has {len(rows):,} rows.", f"Send at most {protocol.MOST_ROWS:,} at once.")
    encoded = encoded_rows(rows, signature)
    sent: list[Sequence[Cell]] = [[row[name] for name in signature.by_name] for row in rows]
    more = not_taken(rows, signature) if len(rows[0]) > len(sent[0]) else {}
    return Asked(encoded=encoded, sent=sent, more=more, **named_rows(params, len(rows)))


def not_taken(rows: list[dict[str, Cell]], signature: Signature) -> dict[str, list[Cell]]:
    """Return the columns of the first row that the model does not take."""
    names = [name for name in rows[0] if name not in signature.by_name]
    return {name: [row[name] for row in rows if name in row] for name in names}


def encoded_rows(rows: list[dict[str, Cell]], signature: Signature) -> NDArray[np.float64] | list[float]:
    """Return rows as the matrix, or as a list where there is one; raises BadInput as `encode_rows`."""
    if len(rows) == 1:
        try:
            return [read(rows[0][name]) for name, read in signature.readers]
        except (TypeError, KeyError):
            pass  # said in full below
    return encode_rows(rows, signature)


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


def csv_rows(body: bytes, signature: Signature, *, everything: bool = False) -> list[dict[str, Cell]]:
    """Return the rows of a CSV body with a header line; an empty field is a missing value.

    Columns that the model does not take are left out, unless `everything` is asked for: then they are text.
    """
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        lines = [line for _, line in zip(range(protocol.MOST_ROWS + 2), reader, strict=False) if line]
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
    used = [
        (place, name, readers.get(name, csv_text)) for place, name in enumerate(header) if everything or name in readers
    ]
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


def invocation_answer(
    scores: list[list[float]],
    signature: Signature,
    *,
    model: str,
    version: int,
    why: Sequence[Sequence[Reason]] = (),
) -> bytes:
    """Return the body that answers /invocations: MLflow's ``predictions``, one object a row, with reasons if asked."""
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
    for prediction, row in zip(predictions, why, strict=False):
        prediction["reasons"] = reason_objects(row)
    document: dict[str, Any] = {"predictions": predictions, "model_name": model, "model_version": str(version)}
    if signature.task == "binary":
        document["threshold"] = signature.threshold
    return msgspec.json.encode(document)
