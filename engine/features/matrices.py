"""Association matrices: kept and read, SQLite only; the numbers as one block of bytes, read without NumPy."""

import math
import sys
from array import array

import msgspec

from lemnis.engine.features.records import Matrix, Pair
from lemnis.engine.store import Store


def save_matrix(store: Store, matrix: Matrix, job_id: int | None) -> None:
    """Keep a matrix in place of the version's earlier one."""
    numbers = array("d", [value for values in matrix.values.values() for value in values])
    if sys.byteorder == "big":
        numbers.byteswap()
    empty: dict[str, list[float]] = {measure: [] for measure in matrix.values}
    detail = msgspec.json.encode(msgspec.structs.replace(matrix, values=empty)).decode()
    row = {"version_id": matrix.version_id, "detail": detail, "cells": numbers.tobytes()}
    with store.write() as db:
        row |= {"computed_at": matrix.computed_at, "job_id": job_id}
        db.table("feature_matrices").insert(row, replace=True)


def find_matrix(store: Store, version_id: str) -> Matrix | None:
    """Return how a version's columns go together, None before it was measured."""
    row = store.row("select detail, cells from feature_matrices where version_id = ?", [version_id])
    if row is None:
        return None
    matrix = msgspec.json.decode(row["detail"], type=Matrix)
    numbers = array("d")
    numbers.frombytes(row["cells"])
    if sys.byteorder == "big":
        numbers.byteswap()
    size = len(matrix.names) ** 2
    blocks = {measure: numbers[at * size : (at + 1) * size].tolist() for at, measure in enumerate(matrix.values)}
    return msgspec.structs.replace(matrix, values=blocks)


def strongest(matrix: Matrix, measure: str = "kind", feature: str = "", limit: int = 50) -> list[Pair]:
    """Return the pairs that go together most, of one column if `feature` is given, strongest first; not the target's.

    Args:
        matrix: The matrix.
        measure: A key of `pairing.MEASURES`; pairs that it does not suit are left out.
        feature: A column.
        limit: How many at most.
    """
    found: list[Pair] = []
    places = [place for place, name in enumerate(matrix.names) if name != matrix.target]
    for at, first in enumerate(places):
        for second in places[at + 1 :]:
            names = (matrix.names[first], matrix.names[second])
            value = matrix.value(measure, first, second)
            if not math.isnan(value) and (not feature or feature in names):
                used = measure_of(matrix, measure, first, second)
                found.append(Pair(first=names[0], second=names[1], association=value, measure=used))
    found.sort(key=lambda pair: (-abs(pair.association), pair.first, pair.second))
    return found[:limit]


def measure_of(matrix: Matrix, measure: str, first: int, second: int) -> str:
    """Return the measure of one pair: what suits its kinds where that was asked for."""
    if measure != "kind":
        return measure
    numbers = (matrix.numbers[first], matrix.numbers[second])
    return "spearman" if all(numbers) else "ratio" if any(numbers) else "cramers_v"
