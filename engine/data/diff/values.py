"""The values of one column in both versions as arrays that can be compared: numbers, times, or codes of texts."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lemnis.engine.data.diff.records import Nature
from lemnis.engine.data.plain import plain_column
from lemnis.engine.data.versions import Version

Array = NDArray[Any]  # Any: integers of any width, or floats
Bits = NDArray[np.bool_]
Rows = NDArray[np.int64]


class Values(NamedTuple):
    """One value a row; `missing` says which rows are null (their value means nothing), None if none is."""

    values: Array
    missing: Bits | None = None

    def of(self, rows: "slice | Rows") -> "Values":
        """Return the values of these rows."""
        return Values(self.values[rows], None if self.missing is None else self.missing[rows])


class Pair(NamedTuple):
    """One column before and after.

    Attributes:
        nature: What the values are.
        before, after: Equal values are equal numbers in both; of texts these are codes.
        names: Of texts the value of each code, as an Arrow array.
        kind: Of times the Arrow type.
        figures: The numbers behind `before` and `after` where those are codes: of decimals.
    """

    nature: Nature
    before: Values
    after: Values
    names: Any = None  # Any: a pyarrow array
    kind: Any = None  # Any: a pyarrow type
    figures: tuple[Values, Values] | None = None


class Reader:
    """An open version of which columns are read whole; text comes as a dictionary."""

    def __init__(self, version: Version) -> None:
        self.version, self.file = version, version.file
        self.metadata: Any = pq.read_metadata(self.file)  # Any: pyarrow ships no types
        self.texts = [column.name for column in version.columns if column.type in ("string", "large_string")]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return all rows of one column."""
        with pq.ParquetFile(self.file, metadata=self.metadata, read_dictionary=self.texts) as file:
            return file.read(columns=[name]).column(name)


def pair_of(before: pa.ChunkedArray, after: pa.ChunkedArray) -> Pair:
    """Return both sides of a column in comparable form.

    Whole and floating numbers are compared by value whatever their width; texts, truth values, times and decimals with
    their like. Anything else, and values of two unlike types, are compared by what they are written as.
    """
    if pa.types.is_null(before.type) and not pa.types.is_null(after.type):
        before = before.cast(plain_type(after.type))
    if pa.types.is_null(after.type) and not pa.types.is_null(before.type):
        after = after.cast(plain_type(before.type))
    one, other = plain_type(before.type), plain_type(after.type)
    if pa.types.is_boolean(one) and pa.types.is_boolean(other):
        return Pair("boolean", numbers_of(before.cast(pa.uint8())), numbers_of(after.cast(pa.uint8())))
    if is_number(one) and is_number(other):
        if pa.types.is_decimal(one) and one == other:
            codes = coded(before, after)
            doubles = [numbers_of(side.cast(pa.float64())) for side in (before, after)]
            return codes._replace(nature="numeric", figures=(doubles[0], doubles[1]))
        return Pair("numeric", numbers_of(before), numbers_of(after))
    if pa.types.is_temporal(one) and one == other:
        return Pair("time", moments_of(before), moments_of(after), kind=one)
    if one != other or not (pa.types.is_string(one) or pa.types.is_large_string(one)):
        before, after = written(before), written(after)
    return coded(before, after)


def plain_type(kind: Any) -> Any:
    """Return the type of the values of a dictionary, else the type itself. Any: pyarrow types."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_number(kind: Any) -> bool:
    """Say whether a pyarrow type holds numbers. Any: a pyarrow type."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def numbers_of(column: pa.ChunkedArray) -> Values:
    """Return a column of numbers; decimals and half floats as doubles."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type) or pa.types.is_float16(column.type):
        column = column.cast(pa.float64())
    if not column.null_count:
        return Values(column.to_numpy())
    return Values(column.fill_null(0).to_numpy(), column.is_null().to_numpy())


def moments_of(column: pa.ChunkedArray) -> Values:
    """Return a column of times as whole numbers in its own unit."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if column.type.bit_width == 32:
        column = column.cast(pa.int32())
    return numbers_of(column.cast(pa.int64()))


def written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of anything as text."""
    kind = plain_type(column.type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    texts = [None if value is None else str(value) for value in plain_column(column)]
    return pa.chunked_array([pa.array(texts, pa.string())])


def coded(before: pa.ChunkedArray, after: pa.ChunkedArray) -> Pair:
    """Return the values of both sides as codes of one list of names; the code of null is -1."""
    if before.type != after.type:
        before, after = before.cast(plain_type(before.type)), after.cast(plain_type(after.type))
    both = pa.chunked_array([*before.chunks, *after.chunks], before.type)
    both = both if pa.types.is_dictionary(both.type) else both.dictionary_encode()
    both = both.unify_dictionaries()
    names = both.chunk(0).dictionary if both.num_chunks else pa.array([], plain_type(before.type))
    parts = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in both.chunks]
    codes = np.concatenate([part.astype(np.int32, copy=False) for part in parts]) if parts else np.empty(0, np.int32)
    sides = [
        Values(part, part < 0 if column.null_count else None)
        for part, column in zip(np.split(codes, [len(before)]), (before, after), strict=True)
    ]
    return Pair("text", sides[0], sides[1], names=names)


def differing(before: Values, after: Values) -> Bits:
    """Return which rows differ, shape (n,); null equals null, NaN equals NaN, and -0.0 equals 0.0."""
    one, other = before.values, after.values
    found: Bits = one != other
    if one.dtype.kind == "f" and other.dtype.kind == "f" and found.any():
        found &= ~(np.isnan(one) & np.isnan(other))
    if before.missing is None and after.missing is None:
        return found
    gone = [side.missing if side.missing is not None else np.zeros(len(found), np.bool_) for side in (before, after)]
    return np.where(gone[0] | gone[1], gone[0] != gone[1], found)


def chosen(rows: Rows) -> "slice | Rows":
    """Return places that follow each other as a slice, which copies nothing; others as they are."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def mixed(hashes: NDArray[np.uint64], side: Values, seed: int) -> NDArray[np.uint64]:
    """Return hashes of rows with one more column in them; rows that `differing` calls equal stay equal.

    Args:
        hashes: Of the columns before, shape (n,).
        side: The column's values; both sides of a pair must have been brought to one type by `alike`.
        seed: Another seed gives an independent hash.

    Source: the finalizer of splitmix64 (Steele, Lea and Flood 2014).
    """
    values = side.values
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values.astype(np.float64) + 0.0)
    bits = values.astype(np.float64 if values.dtype.kind == "f" else np.int64).view(np.uint64)
    if side.missing is not None:
        bits = np.where(side.missing, np.uint64(0x9E3779B97F4A7C15), bits)
    hashes = (hashes ^ (bits + np.uint64(seed))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def alike(pair: Pair) -> tuple[Values, Values]:
    """Return both sides as numbers of one type, so that equal values have equal bits."""
    before, after = pair.before, pair.after
    if "f" in (before.values.dtype.kind, after.values.dtype.kind):
        return tuple(side._replace(values=side.values.astype(np.float64)) for side in (before, after))  # pyright: ignore[reportReturnType]
    return before, after
