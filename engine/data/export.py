"""Writing rows to a file that a person names: CSV, JSON lines or Parquet, whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.plain import plain_rows
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".jsonl", ".parquet")


@contextmanager
def new_file(path: Path) -> Generator[Path, None, None]:
    """Yield where to write what becomes the file after the block, unless that fails.

    Raises:
        BadInput: The file exists, has another ending than FORMATS, or can't be written.
    """
    if path.suffix not in FORMATS:
        raise BadInput(f"{path.name} is none of {', '.join(FORMATS)}.", "Choose one of these endings.")
    if path.exists():
        raise BadInput(f"{path} exists already.", "Choose another name; nothing is overwritten.")
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.rename(path)
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}.", "Choose a folder you can write.") from None
    finally:
        part.unlink(missing_ok=True)


def write_rows(stream: "pa.RecordBatchReader", path: Path, ending: str) -> int:
    """Write a stream of rows batch by batch; return how many there were."""
    import msgspec
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    rows = 0
    with path.open("wb") as file:
        # Any: either writer has write_batch and close.
        writer: Any = None
        if ending == ".parquet":
            writer = pq.ParquetWriter(file, stream.schema)
        elif ending == ".csv":
            writer = pc.CSVWriter(file, stream.schema)
        for batch in stream:
            rows += batch.num_rows
            if writer is not None:
                writer.write_batch(batch)
                continue
            for row in plain_rows(pa.Table.from_batches([batch])):
                file.write(msgspec.json.encode(dict(zip(stream.schema.names, row, strict=True))) + b"\n")
        if writer is not None:
            writer.close()
    return rows
