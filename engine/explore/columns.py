"""Reads single columns of a version: whole, or a sample of row groups spread over it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from lemnis.engine.data import Version
from lemnis.engine.lean import let_pyarrow_be_alone

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SAMPLE_ROWS, SAMPLE_GROUPS = 131_072, 8
SAMPLE_FROM = 2_000_000  # rows; with fewer the first exact figures come as fast


class Place(NamedTuple):
    """Rows of the sample: of row group `group` the first `rows`."""

    group: int
    rows: int


class Columns:
    """An open Parquet file of which any thread reads columns; the footer is read once."""

    def __init__(self, version: Version) -> None:
        let_pyarrow_be_alone()
        import pyarrow.parquet as pq

        self.version, self.file = version, version.file
        self.metadata: Any = pq.read_metadata(self.file)  # Any: pyarrow ships no types
        self.texts = [column.name for column in version.columns if column.type in ("string", "large_string")]

    def whole(self, name: str) -> "pa.ChunkedArray":
        """Return all rows of one column; text comes as a dictionary."""
        with self._open() as file:
            return file.read(columns=[name]).column(0)

    def sample(self, name: str) -> list["pa.ChunkedArray"]:
        """Return the rows of one column that the sample has, one array a place."""
        with self._open() as file:
            return [
                file.read_row_group(place.group, columns=[name]).column(0).slice(0, place.rows) for place in self.places
            ]

    @property
    def places(self) -> list[Place]:
        """The row groups of the sample, evenly spread over the version, and the rows taken of each."""
        groups: int = self.metadata.num_row_groups
        many = min(SAMPLE_GROUPS, groups)
        chosen = [round((place + 0.5) * groups / many - 0.5) for place in range(many)]
        rows = SAMPLE_ROWS // max(1, many)
        return [Place(group, min(rows, self.metadata.row_group(group).num_rows)) for group in chosen]

    def _open(self) -> "pq.ParquetFile":
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.file, metadata=self.metadata, read_dictionary=self.texts)
