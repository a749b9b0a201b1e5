"""Parquet files of others, judged by their footer and by what their text unpacks to, before their rows are read."""

import struct
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from lemnis.engine.data.delimited import MOST_COLUMNS, unlike_names
from lemnis.engine.data.duck import first_row, literal, quote
from lemnis.engine.data.files import MOST_BYTES, Piece
from lemnis.engine.data.parquet import ROW_GROUP
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_FOOTER = 64 << 20  # bytes; the footer is read whole
MOST_GROUPS = 100_000
VECTOR = 2048  # rows; DuckDB makes no smaller batch
BATCH_BYTES = 128 << 20  # text that one batch of rows may come to
MOST_VECTOR_BYTES = 512 << 20


def check_parquet(name: str, path: Path, shown: str) -> None:
    """Refuse a Parquet file by its footer: damaged, too wide, too large once unpacked, or with a column twice.

    Raises:
        BadInput: It is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file_name = PurePath(shown).name
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 8))
            end = file.read(8)
        if size < 12 or end[4:] != b"PAR1":
            raise pa.ArrowInvalid("it does not end as one")
        (footer,) = struct.unpack("<I", end[:4])
        if MOST_FOOTER < footer <= size:
            raise BadInput(f"{name}: the footer of {file_name} has {footer:,} bytes.", "Use larger row groups.", shown)
        metadata = pq.read_metadata(path)
        names = list(metadata.schema.to_arrow_schema().names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = safe(str(error).splitlines()[0] if str(error) else "damaged", limit=200).rstrip(".")
        raise BadInput(f"{name}: {file_name} is no Parquet file: {why}.", "Write it again.", shown) from None
    unpacked: int = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    if metadata.num_columns > MOST_COLUMNS or unpacked > MOST_BYTES or metadata.num_row_groups > MOST_GROUPS:
        raise BadInput(
            f"{name}: {metadata.num_columns:,} columns, {metadata.num_row_groups:,} row groups, {unpacked:,} bytes"
            " unpacked.",
            f"At most {MOST_COLUMNS:,} columns, {MOST_GROUPS:,} row groups and {MOST_BYTES:,} bytes are read.",
            shown,
        )
    unlike_names(name, names, shown)


def parquet_batch_rows(duck: "DuckDBPyConnection", piece: Piece, kinds: dict[str, str]) -> int:
    """Return how many rows a batch may have so that its text fits in memory.

    A kilobyte of dictionary-coded text can stand for gigabytes, and no footer says so: lengths are asked for first,
    which DuckDB answers from the dictionaries.

    Raises:
        BadInput: The text of 2,048 rows, or of all, is larger than what is read.
    """
    texts = [column for column, kind in kinds.items() if kind in ("VARCHAR", "BLOB")]
    if not texts:
        return ROW_GROUP
    lengths = " + ".join(
        f"coalesce({'strlen' if kinds[column] == 'VARCHAR' else 'octet_length'}({quote(column)}), 0)"
        for column in texts
    )
    most, whole = first_row(
        duck,
        f"""select coalesce(max(n), 0), coalesce(sum(n), 0) from (
            select sum({lengths}) as n from read_parquet({literal(str(piece.path))}, file_row_number = true)
            group by file_row_number // {VECTOR})""",
    )
    if most > MOST_VECTOR_BYTES or whole > MOST_BYTES:
        raise BadInput(
            f"{piece.source}: {PurePath(piece.shown).name} unpacks to {int(whole):,} bytes of text,"
            f" {int(most):,} of them in {VECTOR:,} rows.",
            f"At most {MOST_BYTES:,} are read, and {MOST_VECTOR_BYTES:,} in {VECTOR:,} rows.",
            piece.shown,
        )
    return min(ROW_GROUP, VECTOR * max(1, BATCH_BYTES // max(1, int(most))))
