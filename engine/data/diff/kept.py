"""Comparisons that were made: what they found in the store, and a file each that says which rows differ."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.data.diff.records import ColumnDiff, Diff
from lemnis.engine.files import sync_folder
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES_KEPT = 20  # the rows of older comparisons are found again by comparing again
GROUP = 65_536  # rows
BEFORE, AFTER = "before", "after"  # places in either version, null where the row is not there


class Differing(NamedTuple):
    """Which rows differ, in the order they are listed in.

    Attributes:
        before, after: Places of the changed rows in either version.
        removed, added: Places of the rows that only one has.
        marks: By position of a column in the diff: which of the changed rows changed there, packed eight a byte.
    """

    before: "NDArray[np.int64]"
    after: "NDArray[np.int64]"
    removed: "NDArray[np.int64]"
    added: "NDArray[np.int64]"
    marks: "dict[int, NDArray[np.uint8]]"


def file_of(store: Store, name: str) -> Path:
    """Return where the rows of a comparison are kept."""
    return store.workspace.hidden / "diffs" / name


def name_of(before: str, after: str, key: list[str]) -> str:
    """Return the name of the file of two versions compared by a key: always the same one."""
    asked = msgspec.json.encode([before, after, key])
    return f"{hashlib.sha256(asked).hexdigest()}.parquet"


def find_diff(store: Store, before: str, after: str, key: list[str]) -> Diff | None:
    """Return a comparison that was made and whose rows can still be listed."""
    row = store.row(
        """select d.*, b.name || ' v' || b.number as before_title, b.rows as before_rows,
             a.name || ' v' || a.number as after_title, a.rows as after_rows
           from diffs d join versions b on b.id = d.before_version_id join versions a on a.id = d.after_version_id
           where d.before_version_id = ? and d.after_version_id = ? and d.keys = ?""",
        [before, after, msgspec.json.encode(key).decode()],
    )
    if row is None or not file_of(store, row["file"]).is_file():
        return None
    return _diff(store, row)


def _diff(store: Store, row: Row) -> Diff:
    monitor = load_config(store.workspace.config).monitor
    return Diff(
        before_id=row["before_version_id"],
        after_id=row["after_version_id"],
        before_title=row["before_title"],
        after_title=row["after_title"],
        before_rows=row["before_rows"],
        after_rows=row["after_rows"],
        key=msgspec.json.decode(row["keys"], type=list[str]),
        columns=msgspec.json.decode(row["columns"], type=list[ColumnDiff]),
        watch=monitor.psi_watch,
        drift=monitor.psi_drift,
        **{name: row[name] for name in FACTS},
    )


FACTS = (
    "added", "removed", "changed", "same", "repeated_before", "repeated_after", "file", "seconds", "created_at",
)  # fmt: skip


def save_diff(store: Store, diff: Diff, job_id: int) -> None:
    """Keep what a comparison found; its file must be in place."""
    row = {
        "before_version_id": diff.before_id,
        "after_version_id": diff.after_id,
        "keys": msgspec.json.encode(diff.key).decode(),
        "columns": msgspec.json.encode(diff.columns).decode(),
        "job_id": job_id,
        **{name: getattr(diff, name) for name in FACTS},
    }
    with store.write() as db:
        db.table("diffs").upsert(row, pk=("before_version_id", "after_version_id", "keys"))


def write_rows(store: Store, name: str, rows: Differing) -> None:
    """Write which rows differ to a file, whole or not at all, and remove the files of the oldest comparisons."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = file_of(store, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    part = path.with_name(f".{name}.{os.getpid()}")
    marked = [pa.field(str(place), pa.bool_()) for place in rows.marks]
    schema = pa.schema([pa.field(BEFORE, pa.int64()), pa.field(AFTER, pa.int64()), *marked])
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for table in _groups(rows, schema):
                writer.write_table(table)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    files = sorted(path.parent.glob("*.parquet"), key=lambda each: each.stat().st_mtime)
    for old in files[:-FILES_KEPT]:
        old.unlink(missing_ok=True)


def _groups(rows: Differing, schema: Any) -> "list[Any] | Any":
    """Yield the rows as Arrow tables of at most GROUP rows: changed, removed, added. Any: pyarrow's."""
    import numpy as np
    import pyarrow as pa

    for start in range(0, len(rows.before), GROUP):
        end = min(start + GROUP, len(rows.before))
        marks = [
            np.unpackbits(packed[start // 8 : -(-end // 8)], count=end - start).view(np.bool_)
            for packed in rows.marks.values()
        ]
        yield pa.table([rows.before[start:end], rows.after[start:end], *marks], schema=schema)
    for places, side in ((rows.removed, 0), (rows.added, 1)):
        for start in range(0, len(places), GROUP):
            some = places[start : start + GROUP]
            nothing = pa.nulls(len(some), pa.int64())
            columns = [some, nothing] if side == 0 else [nothing, some]
            no = np.zeros(len(some), np.bool_)
            yield pa.table([*columns, *(no for _ in rows.marks)], schema=schema)
