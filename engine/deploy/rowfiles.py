"""Files of rows, CSV and Parquet: read a batch at a time, refused by row and column, written a batch at a time."""

# pyarrow is typed in part: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import csv
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.errors import BadInput
from lemnis.engine.features.signature import Feature, Signature
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = (".csv", ".parquet")
BATCH_ROWS = 65_536
READ_BYTES = 1 << 18  # of a column at once
TRUTHS = ("true", "false", "1", "0")


def tables_of(file: Path, signature: Signature) -> "Iterator[tuple[pa.Table, float]]":
    """Yield a file's rows as tables, each with the share of the file that is read then; at most a batch is in memory.

    Raises:
        BadInput: It can't be read; of a CSV, row and column are named.
    """
    import pyarrow as pa

    read, done = (parquet_tables if file.suffix.lower() == ".parquet" else csv_tables)(file, signature), 0
    try:
        for table, share in read:
            yield table, share
            done += table.num_rows
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeDecodeError, OSError) as error:
        why = f"The file can't be read: {safe(error, limit=300)}."
        found = first_wrong(file, done, signature) if file.suffix.lower() == ".csv" else None
        raise found or BadInput(why, "Mend the file.", safe(file)) from None


def parquet_tables(file: Path, signature: Signature) -> "Iterator[tuple[pa.Table, float]]":
    """Yield the rows of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pq.ParquetFile(file, pre_buffer=False, buffer_size=READ_BYTES)  # a row group may be larger than memory
    done, total = 0, max(1, source.metadata.num_rows)
    for chunk in source.iter_batches(BATCH_ROWS):
        done += chunk.num_rows
        yield pa.Table.from_batches([chunk]), done / total


def csv_tables(file: Path, signature: Signature) -> "Iterator[tuple[pa.Table, float]]":
    """Yield the rows of a CSV file; what is no feature stays the text that it is."""
    import pyarrow as pa
    import pyarrow.csv as pc

    with open(file, encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines), [])
    types = dict.fromkeys(names, pa.string())
    types |= {
        f.name: pa.string() if f.kind == "categorical" else pa.bool_() if f.logical else pa.float64()
        for f in signature.features
    }
    options = pc.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
    with open(file, "rb") as stream:
        size = max(1, os.fstat(stream.fileno()).st_size)
        for chunk in pc.open_csv(stream, convert_options=options):
            yield pa.Table.from_batches([chunk]), min(1.0, stream.tell() / size)


def first_wrong(file: Path, skipped: int, signature: Signature) -> BadInput | None:
    """Return what is wrong with the first row of a CSV after so many that can't be read, None if none is found."""
    with suppress(UnicodeDecodeError, csv.Error), open(file, encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines)
        names = next(reader, [])
        for number, cells in enumerate(islice((row for row in reader if row), skipped, None), skipped + 1):
            if len(cells) != len(names):
                problem = f"Row {number:,} has {len(cells)} cells, the first line has {len(names)} names."
                return BadInput(problem, "Mend the row.", f"{safe(file)}, row {number}")
            for name, cell in zip(names, cells, strict=True):
                feature = signature.by_name.get(name)
                if feature is not None and not readable(cell, feature):
                    return wrong_cell(file, number, feature, cell)
    return None


def readable(cell: str, feature: Feature) -> bool:
    """Say whether a cell of a CSV can be a feature's value."""
    if not cell or feature.kind == "categorical":
        return True
    if feature.logical:
        return cell.strip().lower() in TRUTHS
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def wrong_cell(file: Path, number: int, feature: Feature, cell: str) -> BadInput:
    """Say what a cell holds and what it should; rows count from 1, after the line of names."""
    wanted = "true or false" if feature.logical else "a number"
    return BadInput(
        f"{safe(feature.name)} of row {number:,} is {safe(repr(cell), limit=60)}, not {wanted}.",
        "Mend the row, or leave the cell empty.",
        f"{safe(file)}, row {number}, {safe(feature.name)}",
    )


def writer_for(target: Path, suffix: str, schema: "pa.Schema") -> Any:
    """Return pyarrow's writer for a format. Any: the two writers share no type."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    if suffix.lower() == ".parquet":
        return pq.ParquetWriter(target, schema, compression="zstd")
    return pc.CSVWriter(target, schema)
