"""Dataset versions: one table each, addressed by its content, with a role per column and a split by time."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.data.split import Column, Part, columns_of, measure, spans_of
from lemnis.engine.errors import NotFound, Unavailable
from lemnis.engine.store import Row, Store
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

KEEP = 3  # versions of each dataset that stay though nothing refers to them
METADATA = b"lemnis"  # the Parquet file carries name, roles and split, so that its hash covers them too


class Version(Struct, frozen=True, kw_only=True):
    """One immutable table.

    Attributes:
        id: SHA-256 of the Parquet file.
        number: 1, 2, 3 … within `name`, for people.
        split: The parts by name, in order of time.
        snapshots: SHA-256 of the snapshot of each source it was made of.
        recipe: The SQL that made it; empty when it was handed over as a table.
        linked_at: The last time that linking gave this very table, epoch ms; the latest version is the last linked. One
            that a retraining split in another way stands just beneath the version it was made of.
        label_counts: Rows per value of the label, most frequent first; empty when it has more than LABELS values.
        repeated_keys: Rows whose key an earlier row has already; 0 when there is no key.
        path: Where its file stands; to open it take `file`.
        removed_at: Since when its file is not kept, epoch ms; None while it is.
    """

    id: str
    name: str
    number: int
    rows: int
    bytes: int
    columns: list[Column]
    path: Path
    split: dict[str, Part]
    snapshots: dict[str, str]
    recipe: str
    label_counts: dict[str, int]
    repeated_keys: int
    created_at: int
    linked_at: int
    job_id: int | None = None
    removed_at: int | None = None

    @property
    def file(self) -> Path:
        """Return the Parquet file, found to hold what its hash says; every reader opens this.

        Raises:
            Unavailable: The file is not here.
            Damaged: It holds something else.
        """
        from lemnis.engine.data.verified import verified_file

        if self.removed_at is not None:
            raise Unavailable(
                f"The rows of {self.title} are not kept here.",
                "Make the version again with `lemnis data link`, or pull it with `lemnis data pull`.",
                str(self.path),
            )
        return verified_file(self.path)

    @property
    def title(self) -> str:
        """`flights v3`."""
        return f"{self.name} v{self.number}"

    @property
    def short(self) -> str:
        """The first eight digits of the id: enough for people."""
        return self.id[:8]

    @property
    def linked(self) -> bool:
        """A person or a plan linked it; False for a table that was made of another version."""
        return self.linked_at >= self.created_at

    @property
    def label(self) -> str:
        """The label's name; empty when there is none."""
        return next((column.name for column in self.columns if column.role == "label"), "")

    @property
    def time(self) -> str:
        """The time column's name; empty when there is none."""
        return next((column.name for column in self.columns if column.role == "time"), "")

    @property
    def keys(self) -> list[str]:
        return [column.name for column in self.columns if column.role == "key"]

    @property
    def features(self) -> list[str]:
        return [column.name for column in self.columns if column.role == "feature"]

    def column(self, name: str) -> Column:
        """Return one column.

        Raises:
            NotFound: The version has none of this name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise NotFound(f"{self.title} has no column {name!r}.", f"Columns: {', '.join(c.name for c in self.columns)}.")

    def part(self, name: str) -> Part:
        """Return one part of the split.

        Raises:
            NotFound: The split has no such part.
        """
        if name not in self.split:
            known = ", ".join(self.split) or "none"
            raise NotFound(f"{self.title} has no part {name!r}.", f"Parts: {known}. They are set in [dataset.split].")
        return self.split[name]


def list_versions(store: Store, name: str = "") -> list[Version]:
    """Return the versions, newest first; of one dataset when `name` is given."""
    sql = """select * from versions where ? in ('', name) and removed_at is null
             order by linked_at desc, created_at desc, number desc"""
    return [_version(row, store.workspace) for row in store.rows(sql, [name])]


def find_version(store: Store, ref: str | int | None = None) -> Version:
    """Return the version named by an id prefix, a number, ``v3``, or None for the latest.

    Versions whose files are not kept any more are found by their whole id alone.

    Raises:
        NotFound: There is none, or the prefix fits several.
    """
    versions = list_versions(store)
    known = store.row("select * from versions where id = ?", [ref]) if isinstance(ref, str) else None
    if known is not None:
        return _version(known, store.workspace)
    if not versions:
        raise NotFound("There is no dataset version yet.", "Make one with `lemnis data sync` and `lemnis data link`.")
    if ref is None:
        return versions[0]
    text = str(ref).strip()
    number = text.removeprefix("v")
    if number.isdecimal() and len(number) < 8:
        found = [version for version in versions if version.number == int(number)][:1]
    else:
        found = [version for version in versions if text and version.id.startswith(text)]
    if len(found) != 1:
        known = ", ".join(f"v{version.number} ({version.short})" for version in versions[:5])
        how_many = f"{len(found)} dataset versions fit" if found else "No dataset version fits"
        raise NotFound(f"{how_many} {text!r}.", f"Known: {known}.")
    return found[0]


def record_version(
    store: Store,
    table: "pa.Table | pa.RecordBatchReader",
    *,
    name: str,
    roles: dict[str, str],
    split: dict[str, tuple[str, str]],
    snapshots: dict[str, str] | None = None,
    recipe: str = "",
    sources: dict[str, str] | None = None,
    job_id: int | None = None,
    now: int | None = None,
    beneath: Version | None = None,
) -> Version:
    """Keep a table as a dataset version and return it; a table that is kept already gives the version it has.

    Args:
        store: Where to keep it.
        table: The rows, at once or as a stream.
        name: The dataset's name.
        roles: Role by column; the columns not named are features.
        split: Start and end by part, ISO dates in UTC; needs a column with the role time.
        snapshots: SHA-256 of the snapshot of each source.
        recipe: The SQL that made it.
        sources: Source by column.
        job_id: The job that made it.
        now: Epoch ms of the making.
        beneath: What it is another split of: it does not become the latest version, it stands beneath this one.

    Raises:
        BadInput: A role or the split doesn't fit the columns.
        Unavailable: The file was collected while it was measured.
    """
    from lemnis.engine.data.parquet import kept_still, store_parquet

    spans = spans_of(split)
    columns = columns_of(table.schema, roles, sources or {}, spans)
    facts = {"name": name, "roles": {c.name: c.role for c in columns}, "split": spans}
    stored = store_parquet(store.workspace, table, {METADATA: msgspec.json.encode(facts)})
    kept = store.row("select * from versions where id = ?", [stored.sha256])
    moment = clock.now_ms() if now is None else now
    if kept is not None and kept["removed_at"] is None:
        if beneath is None:
            with store.write() as db:
                db.execute("update versions set linked_at = ? where id = ?", [moment, stored.sha256])
        return find_version(store, stored.sha256)
    parts, label_counts, repeated_keys = measure(stored.path, columns, spans)
    facts = {
        "rows": stored.rows,
        "bytes": stored.bytes,
        "columns": msgspec.json.encode(columns).decode(),
        "snapshots": msgspec.json.encode(snapshots or {}).decode(),
        "recipe": recipe,
        "split": msgspec.json.encode(parts).decode(),
        "target_summary": msgspec.json.encode(label_counts).decode(),
        "repeated_keys": repeated_keys,
        "linked_at": moment if beneath is None else beneath.linked_at - 1,
    }
    with kept_still(store.workspace, stored.path), store.write() as db:
        if kept is not None:  # it was collected, or another workspace told of it: what was told is not relied on
            db.table("versions").update(stored.sha256, facts | {"removed_at": None})
            return find_version(store, stored.sha256)
        number = db.execute("select coalesce(max(number), 0) + 1 from versions where name = ?", [name]).fetchone()[0]
        identity = {"id": stored.sha256, "name": name, "number": number, "created_at": moment, "job_id": job_id}
        db.table("versions").insert(facts | identity, ignore=True)
    return find_version(store, stored.sha256)


def _version(row: Row, workspace: Workspace) -> Version:
    return Version(
        id=row["id"],
        name=row["name"],
        number=row["number"],
        rows=row["rows"],
        bytes=row["bytes"],
        columns=msgspec.json.decode(row["columns"], type=list[Column]),
        path=workspace.data / f"{row['id']}.parquet",
        split=msgspec.json.decode(row["split"], type=dict[str, Part]),
        snapshots=msgspec.json.decode(row["snapshots"], type=dict[str, str]),
        recipe=row["recipe"],
        label_counts=msgspec.json.decode(row["target_summary"], type=dict[str, int]),
        repeated_keys=row["repeated_keys"],
        created_at=row["created_at"],
        linked_at=row["linked_at"],
        job_id=row["job_id"],
        removed_at=row["removed_at"],
    )
