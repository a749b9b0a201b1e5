"""Dataset versions: one table each, addressed by its content, with a role per column and a split by time."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.data.parquet import store_parquet
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.store import Row, Store
from lemnis.engine.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc

Role: TypeAlias = Literal["label", "time", "key", "feature"]
Kind: TypeAlias = Literal["numeric", "categorical", "time", "boolean"]

NUMBERS = ("int", "uint", "float", "double", "halffloat", "decimal")
METADATA = b"lemnis"  # the Parquet file carries name, roles and split, so that its hash covers them too


class Column(Struct, frozen=True, kw_only=True):
    """One column of a version.

    Attributes:
        type: The Arrow type, such as ``int64``, ``string`` or ``timestamp[us, tz=UTC]``.
        source: The source it came from; ``derived`` for an expression, empty when unknown.
    """

    name: str
    type: str
    role: Role = "feature"
    source: str = ""

    @property
    def kind(self) -> Kind:
        return kind_of(self.type)


class Part(Struct, frozen=True, kw_only=True):
    """One part of the split: rows with `start` <= time < `end` (epoch ms); `labelled` of them have a label."""

    start: int
    end: int
    rows: int
    labelled: int


class Version(Struct, frozen=True, kw_only=True):
    """One immutable table.

    Attributes:
        id: SHA-256 of the Parquet file.
        number: 1, 2, 3 … within `name`, for people.
        split: The parts by name, in order of time.
        snapshots: SHA-256 of the snapshot of each source it was made of.
        recipe: The SQL that made it; empty when it was handed over as a table.
        label_counts: Rows per value of the label, most frequent first; empty when it has more than LABELS values.
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
    created_at: int
    job_id: int | None = None

    @property
    def title(self) -> str:
        """`flights v3`."""
        return f"{self.name} v{self.number}"

    @property
    def short(self) -> str:
        """The first eight digits of the id: enough for people."""
        return self.id[:8]

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


LABELS = 50
COLUMNS = "id, name, number, rows, bytes, columns, split, snapshots, recipe, target_summary, created_at, job_id"


def kind_of(arrow_type: str) -> Kind:
    """Return what a column of this Arrow type holds; what is neither number, time nor boolean is categorical."""
    if arrow_type == "bool":
        return "boolean"
    if arrow_type.startswith(("timestamp", "date")):
        return "time"
    return "numeric" if arrow_type.startswith(NUMBERS) else "categorical"


def list_versions(store: Store, name: str = "") -> list[Version]:
    """Return the versions, newest first; of one dataset when `name` is given."""
    sql = f"select {COLUMNS} from versions where ? in ('', name) order by created_at desc, number desc"
    return [_version(row, store.workspace) for row in store.rows(sql, [name])]


def find_version(store: Store, ref: str | int | None = None) -> Version:
    """Return the version named by an id prefix, a number, ``v3``, or None for the latest.

    Raises:
        NotFound: There is none, or the prefix fits several.
    """
    versions = list_versions(store)
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
        raise NotFound(f"{len(found) or 'No'} dataset versions fit {text!r}.", f"Known: {known}.")
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

    Raises:
        BadInput: A role or the split doesn't fit the columns.
    """
    spans = _spans(split)
    columns = _columns(table.schema, roles, sources or {}, spans)
    facts = {"name": name, "roles": {c.name: c.role for c in columns}, "split": spans}
    stored = store_parquet(store.workspace, table, {METADATA: msgspec.json.encode(facts)})
    kept = store.row(f"select {COLUMNS} from versions where id = ?", [stored.sha256])
    if kept is not None:
        return _version(kept, store.workspace)
    parts, label_counts = _counts(stored.path, columns, spans)
    with store.write() as db:
        number = db.execute("select coalesce(max(number), 0) + 1 from versions where name = ?", [name]).fetchone()[0]
        db.table("versions").insert(
            {
                "id": stored.sha256,
                "name": name,
                "number": number,
                "rows": stored.rows,
                "bytes": stored.bytes,
                "columns": msgspec.json.encode(columns).decode(),
                "snapshots": msgspec.json.encode(snapshots or {}).decode(),
                "recipe": recipe,
                "split": msgspec.json.encode(parts).decode(),
                "target_summary": msgspec.json.encode(label_counts).decode(),
                "created_at": clock.now_ms() if now is None else now,
                "job_id": job_id,
            }
        )
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
        created_at=row["created_at"],
        job_id=row["job_id"],
    )


def _spans(split: dict[str, tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Return start and end of each part in epoch ms, in order of time."""
    spans: dict[str, tuple[int, int]] = {}
    for part, (start, end) in split.items():
        try:
            spans[part] = (clock.parse_ms(start), clock.parse_ms(end))
        except ValueError:
            raise BadInput(
                f"The split's part {part} has no dates: {start!r} to {end!r}.", "Write for example 2013-06-01."
            ) from None
        if spans[part][0] >= spans[part][1]:
            raise BadInput(f"The split's part {part} ends before it starts: {start} to {end}.", "Swap the two dates.")
    ordered = sorted(spans.items(), key=lambda item: item[1])
    for (first, (_, end)), (second, (start, _)) in pairwise(ordered):
        if start < end:
            raise BadInput(f"The split's parts {first} and {second} overlap.", "A row may be in one part only.")
    return dict(ordered)


def _columns(
    schema: "pa.Schema", roles: dict[str, str], sources: dict[str, str], spans: dict[str, tuple[int, int]]
) -> list[Column]:
    """Return the columns with their roles, or refuse what doesn't fit them."""
    names: list[str] = list(schema.names)
    known = ", ".join(names)
    if len(set(names)) != len(names):
        twice = sorted({column for column in names if names.count(column) > 1})
        raise BadInput(f"The dataset has two columns {twice[0]!r}.", "Give the link a prefix, or choose its columns.")
    for column, role in roles.items():
        if column not in names:
            raise BadInput(f"The {role} column {column!r} is not in the dataset.", f"Columns: {known}.")
    fields = [
        {"name": column, "type": str(kind), "role": roles.get(column, "feature"), "source": sources.get(column, "")}
        for column, kind in zip(names, schema.types, strict=True)
    ]
    columns = msgspec.convert(fields, list[Column])
    times = [column for column in columns if column.role == "time"]
    if spans and not times:
        raise BadInput("The split needs a time column.", "Set dataset.time to a column of times.")
    if times and times[0].kind != "time":
        raise BadInput(f"The time column {times[0].name!r} holds {times[0].type}, no times.", "Derive a timestamp.")
    return columns


def _counts(
    path: Path, columns: list[Column], spans: dict[str, tuple[int, int]]
) -> tuple[dict[str, Part], dict[str, int]]:
    """Return the parts with their rows, and the rows per label; reads two columns of the file."""
    import pyarrow.parquet as pq

    time = next((column for column in columns if column.role == "time"), None)
    label = next((column for column in columns if column.role == "label"), None)
    table = pq.read_table(path, columns=[column.name for column in (time, label) if column])
    parts: dict[str, Part] = {}
    for part, (start, end) in spans.items():
        if time is None:
            break
        rows = table.filter(time_within(time, start, end))
        labelled: int = rows.num_rows - rows.column(label.name).null_count if label else 0
        parts[part] = Part(start=start, end=end, rows=rows.num_rows, labelled=labelled)
    counts: dict[str, int] = {}
    if label:
        tally = table.column(label.name).drop_null().value_counts()
        if len(tally) <= LABELS:
            pairs: list[dict[str, Any]] = tally.to_pylist()
            counts = {str(pair["values"]): pair["counts"] for pair in sorted(pairs, key=lambda pair: -pair["counts"])}
    return parts, counts


def time_within(time: Column, start: int, end: int) -> "pc.Expression":
    """Return the Arrow condition `start` <= time < `end` (epoch ms) for a time column of any Arrow type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    aware = "tz=" in time.type
    moments = [datetime.fromtimestamp(ms / 1000, UTC) for ms in (start, end)]
    kind = pa.timestamp("ms", tz="UTC" if aware else None)
    low = pa.scalar(moments[0] if aware else moments[0].replace(tzinfo=None), kind)
    high = pa.scalar(moments[1] if aware else moments[1].replace(tzinfo=None), kind)
    column = pc.field(time.name)
    if time.type.startswith("date"):
        column = column.cast(kind)
    return (column >= low) & (column < high)
