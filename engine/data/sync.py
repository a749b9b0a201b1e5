"""Syncing: bringing one source's snapshot up to date, reading only what has changed."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.config import Source
from lemnis.engine.data.duck import open_duck
from lemnis.engine.data.files import OnStep, piece_of
from lemnis.engine.data.members import Fresh, Member, Plan, digest_of, list_members, planned, save_members, whole
from lemnis.engine.data.parquet import StoredTable, extend_parquet, kept_still, store_parquet
from lemnis.engine.data.readers import ROWS_AT, TYPES_AT, OpenFile, asked, opened, rows_of
from lemnis.engine.data.shapes import Shape, changes, joined
from lemnis.engine.data.snapshots import Field, Snapshot, current_snapshots
from lemnis.engine.data.sources import Origin, check_unchanged, origins_of
from lemnis.engine.data.verified import is_whole
from lemnis.engine.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

UNREAD = ("path", "sync", "append")  # what of a declaration does not change how a file is read


class Synced(Struct, frozen=True, kw_only=True):
    """What a sync came to.

    Attributes:
        new: Whether the source holds something else than before.
        read: How many rows were read; the others were held.
        why: What it found, for people.
    """

    snapshot: Snapshot
    new: bool
    read: int
    why: str


class Reader:
    """One sync while it runs: where it copies files to, and what reads them."""

    def __init__(self, store: Store, name: str, source: Source, cores: int, on_step: OnStep) -> None:
        self.store, self.name, self.source, self.on_step = store, name, source, on_step
        self.scratch = Path(tempfile.mkdtemp(dir=store.workspace.data, prefix=".reading."))
        self.spill = self.scratch / "spill"
        self.files = self.scratch / "files"
        self.spill.mkdir()
        self.files.mkdir()
        self.duck: DuckDBPyConnection = open_duck(cores, spill=self.spill)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.duck.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def fetch(self, origin: Origin, on_part: OnStep) -> Origin:
        """Bring a file here that is elsewhere."""
        from lemnis.engine.data.remote import fetched

        return fetched(self.store.workspace, self.source, origin, self.files, on_part)

    def open(self, fresh: Sequence[Fresh]) -> list[OpenFile]:
        """Return the files with their columns known."""
        found: list[OpenFile] = []
        for number, one in enumerate(fresh):
            place = number / len(fresh)

            def on_part(share: float, text: str, place: float = place) -> None:
                self.on_step(TYPES_AT * (place + share / len(fresh)), text)

            if self.source.format == "postgresql":
                self.on_step(TYPES_AT, "asking the server")
                found.append(asked(self.source, one.origin))
                continue
            origin = one.origin
            if origin.path is None:
                origin = self.fetch(origin, on_part)
            span = None if one.end is None else (one.start, one.end)
            piece = piece_of(self.source, origin, self.files, on_part, span)
            self.on_step(TYPES_AT + (ROWS_AT - TYPES_AT) * place, "looking for the types")
            found.append(opened(self.source, piece, self.duck))
        return found


def sync_source(
    store: Store,
    name: str,
    source: Source,
    *,
    cores: int = 1,
    job_id: int | None = None,
    on_step: OnStep = lambda share, text: None,
) -> Synced:
    """Bring one source up to date.

    Files that look as they did (same size and time of change, else same hash) are not read again, if the source is
    read the same way; files that are new, and what was added to a file that only grows, are read and follow them.

    Args:
        store: Where snapshots are kept.
        name: The source's name.
        source: Its declaration.
        cores: Threads for reading.
        job_id: The job that does it.
        on_step: Called with the share of the work that is done, 0 to 1, and what is done now; may raise to stop.

    Raises:
        BadInput, NotFound: A file is refused.
        Unavailable: A file changed while it was read.
    """
    origins = origins_of(store.workspace, name, source)
    current = current_snapshots(store).get(name)
    reading = reading_of(source)
    held = list_members(store, current.id) if current and same_reading(current, reading) else []
    if source.format == "postgresql":
        held = []  # only the server knows what it holds
    plan = planned(source, held, origins)
    if current and held and not plan.fresh:
        return Synced(snapshot=_checked(store, current, plan.kept), new=False, read=0, why="unchanged")
    with Reader(store, name, source, cores, on_step) as reader:
        files = reader.open(plan.fresh)
        shape, plan, files = settled(reader, current, plan, files, origins)
        counts: list[int] = []
        expected = current.rows if current and not plan.kept else 0

        def on_rows(rows: int) -> None:
            part = min(1.0, rows / expected) if expected else 0.0
            on_step(ROWS_AT + (1 - ROWS_AT) * part, f"{rows:,} rows read")

        rows = watched(
            store, source, rows_of(source, files, shape, counts), [one.origin for one in plan.fresh], on_rows
        )
        digests = [digest_of(source, one) for one in plan.fresh]
        if plan.kept and current:
            stored = extend_parquet(store.workspace, current.path, rows)
        else:
            stored = store_parquet(store.workspace, rows)
    members = merged(plan, counts, digests)
    snapshot = _record(
        store, name, rows.schema, stored, members, {"reading": reading, "shape": shape, "job_id": job_id}
    )
    new = current is None or snapshot.sha256 != current.sha256
    return Synced(snapshot=snapshot, new=new, read=sum(counts), why=told(plan, current, shape, sum(counts), new))


def settled(
    reader: Reader, current: Snapshot | None, plan: Plan, files: list[OpenFile], origins: Sequence[Origin]
) -> tuple[Shape, Plan, list[OpenFile]]:
    """Return the columns of the new snapshot, and what is read for it.

    What is held can stay only if what is new fits its types; else all files are read again in types that hold both.
    """
    optional, name = reader.source.format == "jsonl", reader.name
    shapes = [(file.shown, file.shape) for file in files]
    if not plan.kept or current is None:
        return joined(name, shapes, optional=optional), plan, files
    before = (plan.kept[0].name, current.shape)
    shape = joined(name, [before, *shapes], optional=optional)
    if shape == current.shape:
        return shape, plan, files
    why = changes(current.shape, shape) or "there are other columns"
    everything = Plan(kept=[], fresh=[whole(reader.source, origin) for origin in origins], why=why)
    files = reader.open(everything.fresh)
    return joined(name, [(file.shown, file.shape) for file in files], optional=optional), everything, files


def merged(plan: Plan, counts: Sequence[int], digests: Sequence[str]) -> list[Member]:
    """Return the files of the new snapshot: those that were held, one of which may have grown, then those read."""
    members = {member.name: member for member in plan.kept}
    for fresh, rows, digest in zip(plan.fresh, counts, digests, strict=True):
        origin, before = fresh.origin, members.get(fresh.origin.name)
        members[origin.name] = Member(
            name=origin.name,
            bytes=origin.bytes if fresh.end is None else fresh.end,
            modified_ns=origin.modified_ns,
            tag=origin.tag,
            sha256=digest,
            rows=rows + (before.rows if before else 0),
        )
    return list(members.values())


def told(plan: Plan, current: Snapshot | None, shape: Shape, read: int, new: bool) -> str:
    """Return what a sync found, in words."""
    if current is None:
        return "new snapshot"
    if plan.kept:
        return f"{read:,} rows added" if new else "unchanged"
    changed = changes(current.shape, shape) if current.shape else ""
    why = plan.why or changed
    return f"{'new snapshot' if new else 'unchanged'}{f': {why}' if why and new else ''}"


def watched(
    store: Store,
    source: Source,
    rows: "pa.RecordBatchReader",
    origins: list[Origin],
    on_rows: Callable[[int], None],
) -> "pa.RecordBatchReader":
    """Pass the rows on; tell how many there were, and at the end refuse them if a file has changed meanwhile."""
    import pyarrow as pa

    def batches() -> Iterator["pa.RecordBatch"]:
        count = 0
        for batch in rows:
            count += batch.num_rows
            on_rows(count)
            yield batch
        if source.format not in ("sqlite", "postgresql"):  # read in one transaction: later writes are not in the rows
            check_unchanged(store.workspace, source, origins)

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def reading_of(source: Source) -> dict[str, Any]:  # Any: JSON values
    """Return what of a declaration decides how its files are read, without what is as usual."""
    usual: dict[str, Any] = msgspec.to_builtins(Source(path=""))
    facts: dict[str, Any] = msgspec.to_builtins(source)
    return {key: value for key, value in facts.items() if key not in UNREAD and value != usual[key]}


def same_reading(snapshot: Snapshot, reading: dict[str, Any]) -> bool:
    """Say whether a snapshot was read in this way, noted its columns, and is still there."""
    return snapshot.reading == encoded(reading) and bool(snapshot.shape) and is_whole(snapshot.path)


def encoded(value: object) -> str:
    """Return a value as JSON whose keys are in order."""
    return msgspec.json.encode(value, order="deterministic").decode()


def _record(
    store: Store,
    name: str,
    schema: "pa.Schema",
    stored: StoredTable,
    members: Sequence[Member],
    facts: dict[str, Any],  # Any: columns of the table
) -> Snapshot:
    now = clock.now_ms()
    row = {
        "source": name,
        "sha256": stored.sha256,
        "rows": stored.rows,
        "bytes": stored.bytes,
        "columns": encoded([Field(name=field.name, type=str(field.type)) for field in schema]),
        "reading": encoded(facts["reading"]),
        "shape": encoded(list(facts["shape"].items())),
        "job_id": facts["job_id"],
        "created_at": now,
        "checked_at": now,
        **_origin(members),
    }
    with kept_still(store.workspace, stored.path), store.write() as db:
        db.table("snapshots").upsert(row, pk=("source", "sha256"))
        found = db.execute("select id from snapshots where source = ? and sha256 = ?", [name, stored.sha256])
        save_members(db, int(found.fetchone()[0]), members)
    return current_snapshots(store)[name]


def _checked(store: Store, snapshot: Snapshot, members: Sequence[Member]) -> Snapshot:
    facts = {"checked_at": clock.now_ms(), **_origin(members)}
    with store.write() as db:
        db.table("snapshots").update(snapshot.id, facts)
        save_members(db, snapshot.id, members)
    return current_snapshots(store)[snapshot.source]


def _origin(members: Sequence[Member]) -> dict[str, object]:
    more = f" and {len(members) - 1:,} more" if len(members) > 1 else ""
    return {
        "origin": members[0].name + more,
        "origin_bytes": sum(member.bytes for member in members),
        "origin_modified_ns": max(member.modified_ns for member in members),
        "origin_sha256": members[0].sha256 if len(members) == 1 else "",
    }
