"""Cells of a Parquet file by row number and column: only the chunks asked for are decoded, and some are kept."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

from lemnis.engine.data import Version
from lemnis.engine.errors import Cancelled
from lemnis.engine.explore.pages import Wanted, always
from lemnis.engine.lean import let_pyarrow_be_alone

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.signedinteger[Any]]"

KEPT_BYTES = 256 << 20  # of decoded chunks: about 500 of 65,536 numbers
ROW = "row"  # the column of row numbers in a batch; the others are c0, c1 …, whatever their names are


class Cells:
    """The cells of one version's file; any thread may read, several at once.

    A chunk is one column of one row group, the least that can be decoded: one to five milliseconds for 65,536 rows.
    Times with a zone are turned to UTC.
    """

    def __init__(self, version: Version, threads: int = 1) -> None:
        let_pyarrow_be_alone()
        import numpy as np
        import pyarrow.parquet as pq

        self.file, self.threads = version.file, threads
        self.metadata: Any = pq.read_metadata(self.file)  # Any: pyarrow ships no types
        self.schema: Any = self.metadata.schema.to_arrow_schema()
        rows = [self.metadata.row_group(group).num_rows for group in range(self.metadata.num_row_groups)]
        self.starts: Numbers = np.concatenate([[0], np.cumsum(rows, dtype=np.int64)]).astype(np.int64)
        self.places = {column.name: place for place, column in enumerate(version.columns)}
        self.texts = [column.name for column in version.columns if column.type in ("string", "large_string")]
        self._chunks: OrderedDict[tuple[int, str], pa.ChunkedArray] = OrderedDict()
        self._bytes, self._closed = 0, False
        self._lock = threading.Lock()

    def read(self, rows: Numbers, columns: Sequence[str], wanted: Wanted = always) -> dict[str, "pa.ChunkedArray"]:
        """Return the named columns of the numbered rows, in the order of the numbers; nothing for no rows.

        Args:
            rows: Row numbers of the file, in any order.
            columns: Their names.
            wanted: Asked between chunks; when it says no the reading ends.

        Raises:
            Cancelled: It was not wanted any more.
        """
        import numpy as np
        import pyarrow as pa

        groups = self.groups_of(rows)
        order = np.argsort(groups, kind="stable")
        present = np.unique(groups).tolist()
        parts: dict[str, list[pa.ChunkedArray]] = {name: [] for name in columns}

        def taken(group: int) -> dict[str, pa.ChunkedArray]:
            inside = pa.array(rows[order][groups[order] == group] - self.starts[group])
            return {name: plain(chunk.take(inside)) for name, chunk in self.group(group, columns, wanted).items()}

        for found in self._ahead(taken, present):
            for name, piece in found.items():
                parts[name].append(piece)
        back = pa.array(np.argsort(order, kind="stable"))
        joined = {
            name: pa.chunked_array([a for p in pieces for a in p.chunks]) for name, pieces in parts.items() if pieces
        }
        return {name: column.take(back) if len(present) > 1 else column for name, column in joined.items()}

    def batches(
        self, columns: Sequence[str], groups: range, rows: "Numbers | None" = None, wanted: Wanted = always
    ) -> Iterator["pa.RecordBatch"]:
        """Yield some row groups as batches of row numbers and the named columns, called c0, c1 … by their place.

        Args:
            columns: Their names.
            groups: The row groups.
            rows: Only these rows, by ascending number; None for all.
            wanted: Asked between chunks; when it says no the reading ends.

        Raises:
            Cancelled: It was not wanted any more.
        """
        import numpy as np
        import pyarrow as pa

        names = [ROW, *(f"c{self.places[name]}" for name in columns)]

        def batch(group: int) -> "pa.RecordBatch | None":
            start, end = int(self.starts[group]), int(self.starts[group + 1])
            numbers: Numbers = np.arange(start, end)
            if rows is not None:
                numbers = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)]
                if not len(numbers):
                    return None
            chunks = self.group(group, columns, wanted)
            picked = None if len(numbers) == end - start else pa.array(numbers - start)
            arrays = [whole(chunks[name] if picked is None else chunks[name].take(picked)) for name in columns]
            return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *arrays], names=names)

        for found in self._ahead(batch, groups):
            if found is not None:
                yield found

    def batch_schema(self, columns: Sequence[str]) -> "pa.Schema":
        """Return the schema of `batches`."""
        import pyarrow as pa

        fields = [pa.field(f"c{self.places[name]}", decoded_type(self.schema.field(name).type)) for name in columns]
        return pa.schema([pa.field(ROW, pa.int64()), *fields])

    def groups_of(self, rows: Numbers) -> Numbers:
        """Return the row group of each row."""
        import numpy as np

        return np.searchsorted(self.starts, rows, side="right") - 1

    def group(self, group: int, columns: Sequence[str], wanted: Wanted = always) -> dict[str, "pa.ChunkedArray"]:
        """Return the chunks of one row group, decoding those that are not kept.

        Raises:
            Cancelled: It was not wanted any more.
        """
        with self._lock:
            found = {name: self._chunks[group, name] for name in columns if (group, name) in self._chunks}
            for name in found:
                self._chunks.move_to_end((group, name))
        absent = [name for name in columns if name not in found]
        if not absent:
            return found
        with self._open() as file:
            for name in absent:
                if not wanted():
                    raise Cancelled("The rows are not wanted any more.")
                chunk = decoded(file.read_row_group(group, columns=[name], use_threads=False).column(0))
                found[name] = chunk
                self._keep((group, name), chunk)
        return found

    def _ahead(self, work: Callable[[int], Any], groups: Sequence[int]) -> Iterator[Any]:
        """Yield the work on each row group in their order, with some done in threads before they are needed."""
        if len(groups) < 2 or self.threads < 2:
            yield from map(work, groups)
            return
        waiting: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(self.threads, "cells") as pool:
            try:
                for group in groups:
                    waiting.append(pool.submit(work, group))
                    if len(waiting) > self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _keep(self, key: tuple[int, str], chunk: "pa.ChunkedArray") -> None:
        with self._lock:
            if self._closed or key in self._chunks:
                return
            self._chunks[key] = chunk
            self._bytes += chunk.nbytes
            while self._bytes > KEPT_BYTES and len(self._chunks) > 1:
                _, old = self._chunks.popitem(last=False)
                self._bytes -= old.nbytes

    def rest(self) -> None:
        """Give the memory of the chunks that are kept back to the system."""
        import pyarrow as pa

        with self._lock:
            self._chunks.clear()
            self._bytes = 0
        pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Keep no chunk any more, and give the memory of those that were kept back to the system."""
        self._closed = True
        self.rest()

    def _open(self) -> "pq.ParquetFile":
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.file, metadata=self.metadata, read_dictionary=self.texts, memory_map=True)


def decoded_type(kind: "pa.DataType") -> "pa.DataType":
    """Return the type a column has once it is decoded: times without their zone, in UTC."""
    import pyarrow as pa

    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind


def decoded(chunk: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return a chunk as it is kept."""
    import pyarrow as pa

    return chunk.cast(pa.timestamp(chunk.type.unit)) if pa.types.is_timestamp(chunk.type) else chunk


def plain(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return a column with its values instead of a dictionary, so that pieces of several chunks fit together."""
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def whole(column: "pa.ChunkedArray") -> "pa.Array":
    """Return a column of one row group as one array."""
    import pyarrow as pa

    column = plain(column)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
