"""The label as a class per row: what columns are drawn by and what they are asked to tell."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.explore.profile import CLASSES

Array = Any  # pyarrow ships no types


class Classes(NamedTuple):
    """A number per row: `codes` index `names`, -1 where there is no value.

    Attributes:
        drawn: Whether the names are the label's own values; if not they are ranges of a number, told but not drawn.
    """

    names: list[str]
    codes: NDArray[np.int32]
    drawn: bool = True


def label_classes(label: Array) -> Classes | None:
    """Return the classes of a label column, most frequent first; tenths of its range of ranks for a number.

    None when it has fewer than two values, or more than CLASSES that are no numbers.
    """
    if pa.types.is_floating(label.type):
        label = pc.if_else(pc.is_nan(label), None, label)
    if (pa.types.is_integer(label.type) or pa.types.is_floating(label.type)) and pc.count_distinct(
        label
    ).as_py() > CLASSES:
        return tenths(label)
    encoded = encoded_column(label)
    if not 1 < len(encoded.names) <= CLASSES:
        return None
    return by_frequency(encoded)


def tenths(label: Array) -> Classes | None:
    """Return a numeric label cut into tenths of its rows."""
    values: NDArray[np.float64] = label.cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    held = np.isfinite(values)
    edges = np.unique(np.quantile(values[held], np.linspace(0, 1, 11)[1:-1])) if held.any() else np.empty(0)
    if not edges.size:
        return None
    codes = np.where(held, np.searchsorted(edges, values, side="right"), -1).astype(np.int32)
    names = [f"tenth {place + 1}" for place in range(len(edges) + 1)]
    return by_frequency(Classes(names, codes))._replace(drawn=False)


def by_frequency(encoded: Classes) -> Classes:
    """Return classes numbered from the most frequent one."""
    counts = np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(encoded.names))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    return Classes([encoded.names[place] for place in order], rank[encoded.codes])


def encoded_column(column: Array) -> Classes:
    """Return a column's distinct values as text and, per row, which of them it holds (-1 where missing)."""
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs: their text stands for them
            texts = [None if value is None else str(value) for value in column.to_pylist()]
            column = pa.chunked_array([pa.array(texts, pa.string())]).dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    indices = pc.fill_null(array.indices.cast(pa.int32()), -1)
    codes: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False)
    words: list[Any] = array.dictionary.to_pylist()
    used = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=len(words)))
    if len(used) < len(words):  # a dictionary may hold values that no row uses
        rank = np.full(len(words) + 1, -1, dtype=np.int32)
        rank[used] = np.arange(len(used), dtype=np.int32)
        words, codes = [words[place] for place in used], rank[codes]
    return Classes([str(word).lower() if isinstance(word, bool) else str(word) for word in words], codes)
