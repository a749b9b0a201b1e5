"""The profile of one column of a dataset version: what was measured, kept and read back."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from lemnis.engine.data import Column
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

TOP_VALUES = 20
CLASSES = 10  # a label with more values is drawn without classes


class TopValue(Struct, frozen=True, kw_only=True):
    """One value of a column and how many rows hold it."""

    value: str
    rows: int


class Note(Struct, frozen=True, kw_only=True):
    """Something a person should look at: a word for tables and the sentence behind it."""

    word: str
    detail: str


class Histogram(Struct, frozen=True, kw_only=True):
    """Rows per bin.

    Attributes:
        edges: One more than bins, for numbers and times (epoch ms); a bin holds its lower edge, the last one both.
        labels: One per bin, for categories, most frequent first; `edges` is empty then.
        below: Rows under the first edge, a long thin tail that was left out.
        above: Rows over the last edge, or of categories beyond the last label.
        by_class: The same bins for the rows of each value of the label.
    """

    edges: list[float] = field(default_factory=list[float])
    labels: list[str] = field(default_factory=list[str])
    counts: list[int] = field(default_factory=list[int])
    below: int = 0
    above: int = 0
    by_class: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


class Profile(Struct, frozen=True, kw_only=True):
    """What is known of one column; `mean`, `deviation`, `skewness` are None where they mean nothing.

    Attributes:
        missing: Rows that are null or not a number.
        distinct: Exact count of different values, missing not counted.
        quantiles: Value by share, such as ``"0.5"``; epoch ms for times, empty for categories.
    """

    position: int
    name: str
    type: str
    role: str
    rows: int
    missing: int
    distinct: int
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    skewness: float | None = None
    quantiles: dict[str, float] = field(default_factory=dict[str, float])
    top: list[TopValue] = field(default_factory=list[TopValue])
    histogram: Histogram = Histogram()
    notes: list[Note] = field(default_factory=list[Note])

    @property
    def kind(self) -> str:
        """`numeric`, `categorical`, `time` or `boolean`."""
        return Column(name=self.name, type=self.type).kind

    @property
    def missing_share(self) -> float:
        return self.missing / self.rows if self.rows else 0.0

    @property
    def median(self) -> float | None:
        return self.quantiles.get("0.5")


def blank_profile(column: Column, position: int, rows: int) -> Profile:
    """Return the profile of a column before anything was measured."""
    return Profile(
        position=position, name=column.name, type=column.type, role=column.role, rows=rows, missing=0, distinct=0
    )


def list_profiles(store: Store, version_id: str) -> list[Profile]:
    """Return the profiles of a version that are measured so far, in the order of its columns."""
    sql = "select * from profiles where version_id = ? order by position"
    return [_profile(row) for row in store.rows(sql, [version_id])]


def save_profile(db: "Database", version_id: str, profile: Profile, *, now: int) -> None:
    """Keep one profile, in place of an earlier one of the same column."""
    row: dict[str, object] = {
        "version_id": version_id,
        "position": profile.position,
        "name": profile.name,
        "type": profile.type,
        "role": profile.role,
        "rows": profile.rows,
        "missing": profile.missing,
        "distinct_values": profile.distinct,
        "minimum": profile.minimum,
        "maximum": profile.maximum,
        "mean": profile.mean,
        "deviation": profile.deviation,
        "skewness": profile.skewness,
        "measured_at": now,
    }
    for name in ("quantiles", "top", "histogram", "notes"):
        row[name] = msgspec.json.encode(getattr(profile, name)).decode()
    db.table("profiles").insert(row, replace=True)


def _profile(row: Row) -> Profile:
    return Profile(
        position=row["position"],
        name=row["name"],
        type=row["type"],
        role=row["role"],
        rows=row["rows"],
        missing=row["missing"],
        distinct=row["distinct_values"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        mean=row["mean"],
        deviation=row["deviation"],
        skewness=row["skewness"],
        quantiles=msgspec.json.decode(row["quantiles"], type=dict[str, float]),
        top=msgspec.json.decode(row["top"], type=list[TopValue]),
        histogram=msgspec.json.decode(row["histogram"], type=Histogram),
        notes=msgspec.json.decode(row["notes"], type=list[Note]),
    )
