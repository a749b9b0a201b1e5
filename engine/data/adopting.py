"""Adopting: a dataset version that another workspace made becomes one of this one, judged by its own file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from lemnis.engine.config.types import Name
from lemnis.engine.data.split import Column, Part, Role, columns_of, measure
from lemnis.engine.data.versions import METADATA
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database


class Told(Protocol):
    """What the workspace that made a version tells of it."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def columns(self) -> list[Column]: ...
    @property
    def split(self) -> dict[str, Part]: ...
    @property
    def label_counts(self) -> dict[str, int]: ...
    @property
    def repeated_keys(self) -> int: ...
    @property
    def snapshots(self) -> dict[str, str]: ...
    @property
    def recipe(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def linked_at(self) -> int: ...


class Written(Struct, frozen=True, kw_only=True):
    """What `record_version` writes into the file itself, so that its hash covers it; spans are in epoch ms."""

    name: Name
    roles: dict[str, Role]
    split: dict[str, tuple[int, int]]


class Measured(Struct, frozen=True, kw_only=True):
    """What a version's file says and what was counted in it."""

    name: str
    rows: int
    bytes: int
    columns: list[Column]
    split: dict[str, Part]
    label_counts: dict[str, int]
    repeated_keys: int


def measured_file(path: Path, sources: dict[str, str], most_bytes: int = 0) -> Measured:
    """Read a version's file that another workspace wrote.

    Args:
        path: The file.
        sources: Where its columns came from, as it is told.
        most_bytes: The memory it may take to measure it; what this machine has when 0.

    Raises:
        BadInput: It is no Parquet file, is none that Lemnis wrote, its roles or split don't fit its columns, or a few
            bytes of it stand for more rows than fit into memory.
    """
    most_bytes = most_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema, rows, size = file.schema_arrow, int(file.metadata.num_rows), unpacked_bytes(file.metadata)
        metadata: dict[bytes, bytes] = schema.metadata or {}
        written = msgspec.json.decode(metadata.get(METADATA, b""), type=Written)
        columns = columns_of(schema, dict(written.roles), sources, written.split)
        if (needed := max(size, rows * 8)) > most_bytes:
            raise BadInput(
                f"The table of {written.name} needs about {needed:,} bytes of memory; there are {most_bytes:,}.",
                "Take it in on a larger machine.",
            )
        split, label_counts, repeated_keys = measure(path, columns, written.split)
    except (pa.ArrowException, msgspec.DecodeError, OSError, ValueError, OverflowError) as error:
        raise BadInput(
            f"A table can't be read as a dataset version: {safe(error, limit=200).rstrip('.')}.",
            "Ask for it to be pushed or exported again.",
        ) from None
    return Measured(
        name=written.name,
        rows=rows,
        bytes=path.stat().st_size,
        columns=columns,
        split=split,
        label_counts=label_counts,
        repeated_keys=repeated_keys,
    )


def unpacked_bytes(metadata: Any) -> int:
    """Return how large a Parquet file says its columns are once unpacked. Any: pyarrow has no types."""
    return sum(int(metadata.row_group(group).total_byte_size) for group in range(metadata.num_row_groups))


def adopt_version(db: "Database", told: Told, measured: Measured | None, now: int) -> None:
    """Give a version its row, inside the transaction of `db`; without `measured` its rows are not kept here.

    It keeps its number unless another version of its name has that. Of what is told only where it came from and when
    it was linked are believed where its file is here; a time to come is not.
    """
    facts = measured or told
    row = {
        "name": facts.name,
        "rows": facts.rows,
        "bytes": facts.bytes,
        "columns": msgspec.json.encode(facts.columns).decode(),
        "split": msgspec.json.encode(facts.split).decode(),
        "target_summary": msgspec.json.encode(facts.label_counts).decode(),
        "repeated_keys": facts.repeated_keys,
        "removed_at": None if measured else now,
    }
    known = db.execute("select removed_at from versions where id = ?", [told.id]).fetchone()
    if known is not None:
        if measured is not None and known[0] is not None:
            del row["name"]
            db.table("versions").update(told.id, row)
        return
    taken = "select 1 from versions where name = ? and number = ?"
    number = told.number
    if db.execute(taken, [facts.name, number]).fetchone() is not None:
        highest = "select coalesce(max(number), 0) + 1 from versions where name = ?"
        number = int(db.execute(highest, [facts.name]).fetchone()[0])
    db.table("versions").insert(
        row
        | {
            "id": told.id,
            "number": number,
            "snapshots": msgspec.json.encode(told.snapshots).decode(),
            "recipe": told.recipe,
            "created_at": min(told.created_at, now),
            "linked_at": min(told.linked_at, now),
        }
    )
