"""Which columns are missing together. Pure NumPy, no I/O."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_PATTERNS = 50
DENSE = 1 << 12  # patterns that may be numbered before those that no row has are left out


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
    codes, kinds = np.zeros(rows, dtype=np.int64), 1  # each pattern so far has a number
    for bits in packed.values():
        codes += codes
        codes += np.unpackbits(bits, count=rows)
        kinds *= 2
        if kinds > DENSE:
            codes, kinds = renumbered(codes, kinds)
    codes, kinds = renumbered(codes, kinds)
    counts = np.bincount(codes, minlength=kinds)
    first = np.empty(kinds, dtype=np.int64)
    first[codes[::-1]] = np.arange(rows - 1, -1, -1)
    order = np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    found = [
        Pattern(tuple(name for name, bits in packed.items() if is_missing(bits, int(first[place]))), int(counts[place]))
        for place in order
    ]
    return found, kinds


def renumbered(codes: NDArray[np.int64], kinds: int) -> tuple[NDArray[np.int64], int]:
    """Return numbers below `kinds` without those that no row has, in the same order, and how many are left."""
    held = np.zeros(kinds, dtype=np.bool_)
    held[codes] = True
    places = np.cumsum(held) - 1
    return places[codes], int(places[-1]) + 1


def is_missing(bits: NDArray[np.uint8], row: int) -> bool:
    """Return one row's mark."""
    return bool(bits[row >> 3] >> (7 - (row & 7)) & 1)
