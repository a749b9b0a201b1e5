"""The label, or another column, as a class per row: what columns are drawn by and what they are asked to tell."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lemnis.engine.explore.ordering import Rows
from lemnis.engine.explore.profile import CLASSES
from lemnis.engine.explore.texts import encoded_column

Array = Any  # pyarrow ships no types
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Classes:
    """A class per row: `codes` index `names`, -1 where there is none."""

    names: list[str]
    codes: NDArray[np.int64]

    @cached_property
    def rows(self) -> list[int]:
        """How many rows each class has."""
        return np.bincount(self.codes + 1, minlength=len(self.names) + 1)[1:].tolist()

    @cached_property
    def others(self) -> list[tuple[int, Rows]]:
        """The rows of each class but the first, and of none (-1); what is left of all rows is the first class."""
        found = [(code, np.flatnonzero(self.codes == code)) for code in (-1, *range(1, len(self.names)))]
        return [(code, rows) for code, rows in found if len(rows)]


def label_classes(label: Array, *, rare: bool = False) -> Classes | None:
    """Return the classes of a column, most frequent first; the quarters of its rows for a number or a time.

    None when it has fewer than two values, or more than CLASSES that are no numbers.

    Args:
        label: A pyarrow chunked array.
        rare: Whether a column of more than CLASSES values gives its most frequent ones, and the rest no class.
    """
    if pa.types.is_floating(label.type):
        label = pc.if_else(pc.is_nan(label), None, label)
    number = pa.types.is_integer(label.type) or pa.types.is_floating(label.type)
    if pa.types.is_timestamp(label.type) or (number and pc.count_distinct(label).as_py() > CLASSES):
        return quarters(label)
    encoded = encoded_column(label)
    if len(encoded.words) < 2 or (len(encoded.words) > CLASSES and not rare):
        return None
    order = np.argsort(-encoded.counts[1:], kind="stable")[:CLASSES]
    rank = np.full(len(encoded.words) + 1, -1, dtype=np.int64)
    rank[order + 1] = np.arange(len(order))
    return Classes(encoded.named(order.tolist()), rank[encoded.cells])


def quarters(label: Array) -> Classes | None:
    """Return a column of numbers or times cut at its quartiles, the lowest quarter first."""
    time = pa.types.is_timestamp(label.type)
    if time:
        label = label.cast(pa.timestamp("ms", tz=label.type.tz), safe=False).cast(pa.int64())
    values: NDArray[np.float64] = label.cast(pa.float64()).combine_chunks().to_numpy(zero_copy_only=False)
    held = np.isfinite(values)
    edges = np.unique(np.quantile(values[held], QUARTERS)) if held.any() else np.empty(0)
    edges = edges[edges > values[held].min()] if edges.size else edges
    if not edges.size:
        return None
    words = [edge_text(edge, time) for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(words)]
    names = [f"under {words[0]}", *between, f"from {words[-1]}"]
    return Classes(names, np.where(held, np.searchsorted(edges, values, side="right"), -1).astype(np.int64))


def edge_text(edge: float, time: bool) -> str:
    """Return a border between two classes in words."""
    return str(np.datetime64(int(edge), "ms"))[:10] if time else f"{edge:,.6g}"
