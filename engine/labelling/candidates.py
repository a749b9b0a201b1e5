"""Candidates: the rows of a version that may be asked about, read row group by row group and bounded."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lemnis.engine.data import Version
from lemnis.engine.explore.labels.cards import key_texts
from lemnis.engine.features.signature import class_name

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 200_000  # rows that a model is asked about; of more, so many are drawn


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows of a version.

    Attributes:
        keys: The key of each row.
        numbers: The place of each row in the version, ascending, shape (n,).
        table: The columns that were asked for.
        given: The label that the version itself has, as text; None where it has none.
    """

    keys: list[str]
    numbers: NDArray[np.int64]
    table: "pa.Table"
    given: list[str | None]

    def __len__(self) -> int:
        return len(self.keys)

    def take(self, places: NDArray[np.int64]) -> "Candidates":
        """Return some of the rows, in the order of `places`."""
        chosen = places.tolist()
        return Candidates(
            [self.keys[place] for place in chosen],
            self.numbers[places],
            self.table.take(places),
            [self.given[place] for place in chosen],
        )


def read_candidates(
    version: Version,
    column: str,
    columns: Sequence[str],
    accept: Callable[[str, str | None], bool],
    *,
    most: int = MOST,
    first: bool = False,
    seed: int = 1,
    on_group: Callable[[float, int], None] = lambda share, rows: None,
) -> Candidates:
    """Return the rows of a version that are accepted.

    Args:
        version: With a key.
        column: The label's column, which the version may lack.
        columns: Columns of the table.
        accept: Called with a row's key and the label the version has.
        most: The most rows that are returned: evenly drawn by a hash of their key, so that the same rows come again.
        first: Take the first rows instead of drawing, and read no further than they go.
        seed: Of the hash.
        on_group: Called with the share that was read and the rows found; may raise to stop.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    has_label = any(known.name == column for known in version.columns)
    needed = list(dict.fromkeys([*version.keys, *columns, *([column] if has_label else [])]))
    parts: list[Candidates] = []
    found = 0
    with pq.ParquetFile(version.file) as file:
        groups = file.metadata.num_row_groups
        start = 0
        for group in range(groups):
            table: Any = file.read_row_group(group, columns=needed)
            parts.append(_accepted(table, start, version.keys, column if has_label else "", accept))
            start += table.num_rows
            found += len(parts[-1])
            if first and found >= most:
                break
            if found > 2 * most:
                parts, found = [_drawn(_joined(parts), most, seed)], most
            on_group((group + 1) / groups, found)
    if not parts:
        empty = pa.table({name: [] for name in needed})
        return Candidates([], np.zeros(0, np.int64), empty, [])
    whole = _joined(parts)
    if first:
        return whole.take(np.arange(min(most, len(whole))))
    return _drawn(whole, most, seed) if len(whole) > most else whole


def _accepted(table: Any, start: int, keys: Sequence[str], column: str, accept: Callable[..., bool]) -> Candidates:
    texts = key_texts(table, keys)
    values = table.column(column).to_pylist() if column else [None] * table.num_rows
    given = [None if value is None else class_name(value) for value in values]
    places = [
        p for p, (key, label) in enumerate(zip(texts, given, strict=True)) if key is not None and accept(key, label)
    ]
    chosen = np.array(places, dtype=np.int64)
    return Candidates(
        [str(texts[place]) for place in places], chosen + start, table.take(chosen), [given[place] for place in places]
    )


def _joined(parts: list[Candidates]) -> Candidates:
    import pyarrow as pa

    return Candidates(
        [key for part in parts for key in part.keys],
        np.concatenate([part.numbers for part in parts]),
        pa.concat_tables([part.table for part in parts]),
        [label for part in parts for label in part.given],
    )


def _drawn(rows: Candidates, most: int, seed: int) -> Candidates:
    """Return `most` rows by the smallest hashes, in their own order."""
    places = np.argsort(hashes(rows.keys, seed), kind="stable")[:most]
    return rows.take(np.sort(places).astype(np.int64))


def hashes(keys: Sequence[str], seed: int) -> NDArray[np.uint64]:
    """Return a number of 64 bits for each key, the same on every machine: a draw that later versions repeat."""
    salt = seed.to_bytes(8, "little", signed=True)
    digests = b"".join(hashlib.blake2b(key.encode(), digest_size=8, key=salt).digest() for key in keys)
    return np.frombuffer(digests, dtype="<u8")
