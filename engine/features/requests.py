"""Rows of a request to the model's matrix: exact types, refusals that name row, column and value; no pyarrow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.errors import BadInput
from lemnis.engine.features.signature import Cell, Feature, Signature
from lemnis.engine.text import safe

Column: TypeAlias = "Sequence[Cell] | NDArray[Any]"  # a request's column: a list, or a tensor of any type
Matrix: TypeAlias = NDArray[np.float64]


def encode_rows(rows: Sequence[Mapping[str, Cell]], signature: Signature) -> Matrix:
    """Return the matrix of a request's rows, equal to `encode_table` of the same rows.

    A missing value is null and must be said; columns the model does not know are ignored.

    Raises:
        BadInput: A row lacks a feature or has a value of the wrong type; names row, column and value.
    """
    matrix = np.empty((len(rows), len(signature.features)), dtype=np.float64)
    readers = signature.readers
    for place, row in enumerate(rows):
        try:
            matrix[place] = [read(row[name]) for name, read in readers]
        except (TypeError, KeyError):
            raise wrong_row(place, row, signature) from None
    return matrix


def encode_columns(columns: Mapping[str, Column], signature: Signature) -> Matrix:
    """Return the matrix of a request that came as columns: lists of JSON values, or tensors.

    In a tensor of floats NaN stands for a missing value, as a tensor has no null; everything else as `encode_rows`.

    Raises:
        BadInput: A feature is absent, columns differ in length, or a value is of the wrong type.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise BadInput("The columns of the request differ in length.", "Send one value a row in every column.")
    rows = lengths.pop() if lengths else 0
    matrix = np.empty((rows, len(signature.features)), dtype=np.float64, order="F")
    for place, (name, read) in enumerate(signature.readers):
        if name not in columns:
            raise absent(name, "")
        values = columns[name]
        if isinstance(values, np.ndarray) and values.dtype.kind in "fiu" and not signature.features[place].logical:
            if signature.features[place].kind == "categorical" or np.isinf(values).any():
                raise wrong_value(name, values.dtype, f"column {safe(name)}", signature.features[place])
            matrix[:, place] = values
            continue
        listed = values.tolist() if isinstance(values, np.ndarray) else values
        try:
            matrix[:, place] = list(map(read, listed))
        except TypeError:
            row = next(number for number, value in enumerate(listed) if refuses(read, value))
            raise wrong_value(name, listed[row], f"row {row}", signature.features[place]) from None
    return matrix


def refuses(read: Callable[[Cell], float], value: Cell) -> bool:
    """Say whether a reader refuses a value."""
    try:
        read(value)
    except TypeError:
        return True
    return False


def wrong_row(place: int, row: Mapping[str, Cell], signature: Signature) -> BadInput:
    """Say which column of a refused row is wrong."""
    for feature, (name, read) in zip(signature.features, signature.readers, strict=True):
        if name not in row:
            return absent(name, f"row {place}")
        if refuses(read, row[name]):
            return wrong_value(name, row[name], f"row {place}", feature)
    return BadInput("The row can't be read.", "Send one JSON object a row.", f"row {place}")


def absent(name: str, where: str) -> BadInput:
    """Say which feature a request lacks."""
    return BadInput(f"The feature {safe(name)} is absent.", "Send it, as null where it has no value.", where)


def wrong_value(name: str, value: Cell, where: str, feature: Feature) -> BadInput:
    """Say what a value is and what it should be."""
    wanted = "true, false" if feature.logical else "a finite number" if feature.kind == "numeric" else "a text"
    return BadInput(
        f"{safe(name)} can't be {safe(repr(value), limit=60)}.", f"Send {wanted} or null.", f"{where}, {safe(name)}"
    )
