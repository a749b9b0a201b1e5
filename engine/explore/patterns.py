"""Which columns are missing together. Pure NumPy, no I/O."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_PATTERNS = 50


class Pattern(NamedTuple):
    """Rows in which exactly these columns have no value; no column: the rows that are complete."""

    columns: tuple[str, ...]
    rows: int


def missing_patterns(packed: Mapping[str, NDArray[np.uint8]], rows: int) -> tuple[list[Pattern], int]:
    """Return the most frequent patterns, the one with most rows first, and how many there are in all.

    Args:
        packed: By column, whether each row is missing, packed eight rows a byte.
        rows: How many rows there are.
    """
    if not rows:
        return [], 0
    names = list(packed)
    marks = np.random.default_rng(20130101).integers(1, 2**63, size=len(names), dtype=np.uint64)
    known: NDArray[np.uint64] = np.zeros(rows, dtype=np.uint64)
    for name, mark in zip(names, marks, strict=True):  # each set of columns has its own sum of marks
        known ^= unpacked(packed[name], rows) * mark
    _, first, counts = np.unique(known, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    found = [
        Pattern(tuple(name for name in names if is_missing(packed[name], int(first[place]))), int(counts[place]))
        for place in order
    ]
    return found, len(counts)


def unpacked(bits: NDArray[np.uint8], rows: int) -> NDArray[Any]:
    """Return packed marks as one 0 or 1 a row."""
    return np.unpackbits(bits, count=rows).astype(np.uint64)


def is_missing(bits: NDArray[np.uint8], row: int) -> bool:
    """Return one row's mark."""
    return bool(bits[row >> 3] >> (7 - (row & 7)) & 1)
