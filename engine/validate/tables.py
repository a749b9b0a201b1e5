"""The tables that checks speak of: a dataset version, and the sources it was made of, as they were then."""

from pathlib import Path

from lemnis.engine.data import Version
from lemnis.engine.data.snapshots import current_snapshots
from lemnis.engine.data.verified import verified_file
from lemnis.engine.store import Store
from lemnis.engine.validate.records import DATASET

SMALL_DICTIONARY = 32_768  # bytes in the file


def table_files(store: Store, version: Version) -> dict[str, Path]:
    """Return the Parquet file of every table by its name.

    A source has the snapshot the version was made of; one that the version does not use has its current snapshot.
    A source whose file is gone is left out.

    Raises:
        Unavailable: The version's file is gone.
        Damaged: A file holds something else than its hash says.
    """
    files = {source: snapshot.path for source, snapshot in current_snapshots(store).items()}
    files |= {source: store.workspace.data / f"{sha256}.parquet" for source, sha256 in version.snapshots.items()}
    present = {name: verified_file(path) for name, path in files.items() if path.is_file()}
    return present | {DATASET: version.file}


def table_columns(files: dict[str, Path]) -> dict[str, dict[str, str]]:
    """Return the Arrow type of every column of every table."""
    import pyarrow.parquet as pq

    found: dict[str, dict[str, str]] = {}
    for name, path in files.items():
        schema = pq.read_schema(path)
        found[name] = {column: str(kind) for column, kind in zip(schema.names, schema.types, strict=True)}
    return found


def repeating_columns(path: Path) -> set[str]:
    """Return the columns of a Parquet file that hold few different values, as far as its footer tells.

    The dictionary of the first row group is small in its file: a few thousand values at most.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    found: set[str] = set()
    if not metadata.num_row_groups:
        return found
    group = metadata.row_group(0)
    for place in range(group.num_columns):
        column = group.column(place)
        start = column.dictionary_page_offset
        if start is not None and 0 < column.data_page_offset - start < SMALL_DICTIONARY:
            found.add(column.path_in_schema)
    return found
