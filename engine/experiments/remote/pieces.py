"""Pieces: rows of a dataset version that one worker learns from, read where the file is seen, or sent as Parquet."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportMissingParameterType=false

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lemnis.engine.data.split import Column, time_within
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput, LemnisError
from lemnis.engine.experiments.remote.order import Piece
from lemnis.engine.features.matrix import column_of, encode_table, labelled, learn_signature
from lemnis.engine.features.signature import Signature

if TYPE_CHECKING:
    from lemnis.engine.experiments.fit import Rows


class Missing(LemnisError):
    """The dataset version is not seen from here; its rows have to be sent."""

    code = "missing"


def pieces_of(version: Version, name: str, pieces: int = 1) -> list[Piece]:
    """Return a part of the split in so many pieces of as many rows each, in the file's order; fewer if rows are few.

    Reads the column of the time only.

    Raises:
        NotFound: There is no such part.
        BadInput: It has no rows.
    """
    span, time = version.part(name), version.column(version.time)
    column = pq.read_table(version.file, columns=[time.name])
    places = np.flatnonzero(within(column, version, span.start, span.end))
    if not len(places):
        raise BadInput(f"The split's {name} span has no rows.", "Check [dataset.split].", version.title)
    size = version.path.stat().st_size
    return [
        Piece(
            path=str(version.path.resolve()),
            bytes=size,
            rows=(int(some[0]), int(some[-1]) + 1),
            time=msgspec.json.encode(time).decode(),
            span=(span.start, span.end),
        )
        for some in np.array_split(places, pieces)
        if len(some)
    ]


def within(table: pa.Table, version: Version, start: int, end: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which rows of a table with the version's time are in a span."""
    numbered = table.append_column("#", pa.array(np.arange(table.num_rows)))
    found = np.zeros(table.num_rows, dtype=np.bool_)
    found[numbered.filter(time_within(version.column(version.time), start, end)).column("#").to_numpy()] = True
    return found


def read_piece(piece: Piece, columns: Sequence[str]) -> pa.Table:
    """Return the rows of a piece; of the file only the row groups that have some of them are read.

    Raises:
        Missing: The file is not seen from here.
    """
    path = Path(piece.path)
    try:
        seen = path.stat().st_size == piece.bytes
    except OSError:
        seen = False
    if not seen:
        raise Missing(f"{path.name} is not seen from here.", "Its rows are sent instead.")
    time = msgspec.json.decode(piece.time, type=Column)
    wanted, (low, high) = list(dict.fromkeys([*columns, time.name])), piece.rows
    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        groups = [group for group in range(len(sizes)) if starts[group] < high and starts[group + 1] > low]
        table = file.read_row_groups(groups, columns=wanted)
    first = int(starts[groups[0]])
    table = table.slice(low - first, high - low)
    return table.filter(time_within(time, *piece.span)).select(list(columns))


def packed(piece: Piece, columns: Sequence[str]) -> bytes:
    """Return the rows of a piece as a Parquet file in memory."""
    sink = pa.BufferOutputStream()
    pq.write_table(read_piece(piece, columns), sink, compression="zstd")
    return sink.getvalue().to_pybytes()


def encoded(tables: Sequence[pa.Table], signature: Signature) -> "Rows | None":
    """Return tables as LightGBM takes them, without rows that have no label; None if no row has one."""
    from lemnis.engine.experiments.fit import Rows

    table, target = labelled(pa.concat_tables(tables), signature)
    return Rows(encode_table(table, signature), target) if len(target) else None


def signature_of(version: Version, features: Sequence[str], *, task: str, target: str, threshold: float) -> Signature:
    """Learn what `fit_signature` learns, a column at a time: a table that is larger than the memory may be trained on.

    Raises:
        NotFound: The split has no training part, or the version lacks a feature.
        BadInput: A column can't be a feature, or the target no target; no training row has a label.
    """
    span = version.part("train")
    condition = time_within(version.column(version.time), span.start, span.end)

    def read(name: str) -> pa.ChunkedArray:
        return column_of(
            pq.read_table(version.file, columns=[version.column(name).name], filters=condition), name
        )  # fmt: skip

    if pc.count(read(target)).as_py() == 0:
        raise BadInput(
            f"No training row has a value of {target}.", "Check the target and the split's train span.", version.title
        )
    known: Any = task  # Any: one of the three words, by the table's own check
    return learn_signature(read, features, task=known, target=target, threshold=threshold)
