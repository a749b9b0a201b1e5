"""A column of text, or of what can be written as text, as a number per row and the words they stand for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.explore.statistics import Counts

Array = Any  # pyarrow ships no types


@dataclass(frozen=True, slots=True)
class Encoded:
    """Words and, per row, which of them it holds.

    Attributes:
        words: A pyarrow array of text, shape (k,), each used by a row at least.
        cells: The place of the row's word, counted from 1; 0 where it is missing. Shape (rows,).
        counts: Rows without a word, then rows of each, shape (k + 1,).
    """

    words: Array
    cells: NDArray[np.int64]
    counts: Counts

    def named(self, places: list[int]) -> list[str]:
        """Return the words at places, counted from 0."""
        return self.words.take(pa.array(places, pa.int64())).to_pylist()

    def rows_of(self, words: list[str]) -> list[int]:
        """Return how many rows hold each of some words."""
        places = pc.index_in(pa.array(words, self.words.type), value_set=self.words).to_pylist()
        return [0 if place is None else int(self.counts[place + 1]) for place in places]

    def ends(self) -> tuple[str | None, str | None]:
        """Return the first and the last word by code point."""
        found = pc.min_max(self.words).as_py()
        return found["min"], found["max"]


def encoded_column(column: Array) -> Encoded:
    """Return the distinct values of a pyarrow chunked array as text, and which of them each row holds."""
    if pa.types.is_boolean(column.type):
        codes = pc.fill_null(column.combine_chunks().cast(pa.int8()), -1).cast(pa.int64())
        return used_only(pa.array(["false", "true"]), codes.to_numpy(zero_copy_only=False) + 1)
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs: their text stands for them
            texts = [None if value is None else str(value) for value in column.to_pylist()]
            column = pa.chunked_array([pa.array(texts, pa.string())]).dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    words = array.dictionary
    if not pa.types.is_string(words.type):
        words = pa.array([str(word) for word in words.to_pylist()], pa.string())
    indices = pc.fill_null(array.indices.cast(pa.int64()), -1)
    return used_only(words, indices.to_numpy(zero_copy_only=False) + 1)


def used_only(words: Array, cells: NDArray[np.int64]) -> Encoded:
    """Return the words that a row uses; a dictionary may hold others."""
    counts = np.bincount(cells, minlength=len(words) + 1)
    unused = counts[1:] == 0
    if unused.any():
        place = np.append(0, np.cumsum(~unused))
        words, cells, counts = words.filter(pa.array(~unused)), place[cells], counts[np.append(True, ~unused)]
    return Encoded(words, cells, counts)
