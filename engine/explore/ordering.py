"""A column of numbers or times put in order: all of its rows, or those of one class."""

from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.explore.statistics import Counts, Numbers, Ordered, gathered, tallied

Array = Any  # pyarrow ships no types

TALLY = 1 << 17  # whole numbers in a range up to this are counted and not sorted: the counts stay in the cache
Rows = NDArray[np.intp]


class Part(NamedTuple):
    """Some rows of a column: the finite values in order, and how many of the others are missing or infinite."""

    ordered: Ordered
    missing: int
    infinite: int = 0


class Ordering(Protocol):
    """One column, ready to be put in order."""

    def part(self, rows: Rows | None = None) -> Part:
        """Return these rows, or all, in order."""
        ...

    def missing(self) -> NDArray[np.bool_]:
        """Return whether each row is missing."""
        ...

    def beyond(self, value: float, *, above: bool) -> tuple[Rows, Numbers]:
        """Return the rows with a finite value at or below a value, or at or above it, and what they hold."""
        ...


def ordering_of(column: Array) -> Ordering:
    """Return a pyarrow chunked array of numbers or times, ready to be put in order; times as epoch ms."""
    array = column.combine_chunks()
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.timestamp("ms", tz=getattr(array.type, "tz", None)), safe=False).cast(pa.int64())
    if not pa.types.is_integer(array.type):
        return Floats(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
    if pa.types.is_uint64(array.type):
        return Integers.of(array)
    array = array.cast(pa.int64())
    ends = pc.min_max(array).as_py()
    low, high = (0, 0) if ends["min"] is None else (ends["min"], ends["max"])
    wide = high - low >= min(TALLY, 4 * len(array) + 1024) or low == np.iinfo(np.int64).min
    return Integers.of(array) if wide else Tallies.of(array, low, high)


class Tallies:
    """Whole numbers of a small range: counted, which is faster than sorting."""

    def __init__(self, offsets: Counts, low: int, width: int) -> None:
        self.offsets, self.low, self.width = offsets, low, width  # offset 0 is a missing row, 1 is the lowest number

    @classmethod
    def of(cls, array: Array, low: int, high: int) -> "Tallies":
        filled = pc.fill_null(array, low - 1) if array.null_count else array
        return cls(filled.to_numpy(zero_copy_only=False) - (low - 1), low, high - low + 2)

    def part(self, rows: Rows | None = None) -> Part:
        counts = np.bincount(self.offsets if rows is None else self.offsets[rows], minlength=self.width)
        return Part(tallied(counts[1:], self.low), int(counts[0]))

    def missing(self) -> NDArray[np.bool_]:
        return self.offsets == 0

    def beyond(self, value: float, *, above: bool) -> tuple[Rows, Numbers]:
        place = int(value) - self.low + 1
        found = self.offsets >= place if above else (self.offsets <= place) & (self.offsets > 0)
        rows = np.flatnonzero(found)
        return rows, self.offsets[rows] + (self.low - 1)


class Integers:
    """Whole numbers of a large range."""

    def __init__(self, values: Numbers, present: NDArray[np.bool_] | None) -> None:
        self.values, self.present = values, present

    @classmethod
    def of(cls, array: Array) -> "Integers":
        if not array.null_count:
            return cls(array.to_numpy(zero_copy_only=False), None)
        filled = pc.fill_null(array, 0).to_numpy(zero_copy_only=False)
        return cls(filled, array.is_valid().to_numpy(zero_copy_only=False))

    def part(self, rows: Rows | None = None) -> Part:
        values, present = self.values, self.present
        if rows is not None:
            values, present = values[rows], None if present is None else present[rows]
        held = values if present is None else values[present]
        return Part(gathered(np.sort(held)), len(values) - len(held))

    def missing(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.values), dtype=np.bool_) if self.present is None else ~self.present

    def beyond(self, value: float, *, above: bool) -> tuple[Rows, Numbers]:
        found = self.values >= value if above else self.values <= value
        rows = np.flatnonzero(found if self.present is None else found & self.present)
        return rows, self.values[rows]


class Floats:
    """Floating point numbers; a missing one is NaN, and NumPy sorts it behind all others."""

    def __init__(self, values: Numbers) -> None:
        self.values = values

    def part(self, rows: Rows | None = None) -> Part:
        ordered = np.sort(self.values if rows is None else self.values[rows])
        first = int(ordered.searchsorted(-np.inf, side="right"))
        behind, known = (int(place) for place in ordered.searchsorted([np.inf, np.nan]))
        return Part(gathered(ordered[first:behind]), len(ordered) - known, first + known - behind)

    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def beyond(self, value: float, *, above: bool) -> tuple[Rows, Numbers]:
        rows = np.flatnonzero(self.values >= value if above else self.values <= value)
        rows = rows[np.isfinite(self.values[rows])]
        return rows, self.values[rows]
