"""The profile of one column of a dataset version: what was measured, kept and read back."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from lemnis.engine.data import Column
from lemnis.engine.data.plain import Cell
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

TOP_VALUES = 20
CLASSES = 10  # a label with more values is drawn without classes
NATURE = {  # notes on what a column is like; nothing has to be done about it
    "constant length",
    "high cardinality",
    "outliers",
    "skewed",
    "zeros",
    "uniform",
}


class TopValue(Struct, frozen=True, kw_only=True):
    """One value of a column and how many rows hold it."""

    value: str
    rows: int


class Note(Struct, frozen=True, kw_only=True):
    """Something to know of a column: a word for tables and the sentence behind it.

    Attributes:
        act: Whether a person should do something; if not it is the nature of the column, such as skewed or zeros.
    """

    word: str
    detail: str
    act: bool = True


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


class Outliers(Struct, frozen=True, kw_only=True):
    """Rows beyond two fences by a named rule (`IQR`, `robust z`)."""

    rule: str
    low: float
    high: float
    below: int
    above: int

    @property
    def rows(self) -> int:
        return self.below + self.above


class Extreme(Struct, frozen=True, kw_only=True):
    """One of the farthest values, and the row that holds it, counted from 0.

    `key` is what the row's key and time columns say; None while it is not read, and of a profile that is kept from
    before they were.
    """

    value: float
    row: int
    key: dict[str, Cell] | None = None


class ClassFigures(Struct, frozen=True, kw_only=True):
    """A column in the rows of one class: how many those are, how many have no value, and the mean of a number."""

    name: str
    rows: int
    missing: int
    mean: float | None


class Lengths(Struct, frozen=True, kw_only=True):
    """Characters per text; `blank` rows hold nothing but spaces."""

    shortest: int
    longest: int
    mean: float
    blank: int


class Coverage(Struct, frozen=True, kw_only=True):
    """Rows per period of time.

    Attributes:
        unit: `minute`, `hour`, `day`, `week`, `month` or `year`.
        start: Of the first period, epoch ms.
        counts: Rows per period, without a gap in the periods.
        empty: Periods without a row.
        gaps: The longest runs of empty periods: start and end, epoch ms.
    """

    unit: str
    start: int
    counts: list[int]
    empty: int
    gaps: list[tuple[int, int]]


class Spellings(Struct, frozen=True, kw_only=True):
    """Values that are probably one category, the most frequent spelling first, and the rule that says so."""

    rule: str
    values: list[TopValue]


class Findings(Struct, frozen=True, kw_only=True):
    """What was looked for in a column beyond its figures.

    Attributes:
        zeros, negative, infinite: Rows that hold such a number.
        outliers: By each rule that fits the column.
        extremes: The farthest of them, lowest first and highest first, of an exact profile.
        classes: What the rows of each class hold, in the order of the classes.
        association: Share of the label's uncertainty that the column takes away, in [0, 1]; None without a label.
        drift: PSI against the version before; None when that has no profile.
        drift_from: That version's title.
        margins: Half the width of a 95% interval by figure (missing: share, mean, median, top: share), of a sample.
    """

    zeros: int = 0
    negative: int = 0
    infinite: int = 0
    outliers: list[Outliers] = field(default_factory=list[Outliers])
    extremes: list[Extreme] = field(default_factory=list[Extreme])
    classes: list[ClassFigures] = field(default_factory=list[ClassFigures])
    lengths: Lengths | None = None
    coverage: Coverage | None = None
    spellings: list[Spellings] = field(default_factory=list[Spellings])
    association: float | None = None
    drift: float | None = None
    drift_from: str = ""
    margins: dict[str, float] = field(default_factory=dict[str, float])


class Profile(Struct, frozen=True, kw_only=True):
    """What is known of one column; `mean`, `deviation`, `skewness` are None where they mean nothing.

    Attributes:
        rows: Rows that were looked at: all, or those of the sample.
        sample_of: Rows of the version when only a sample was looked at; 0 for an exact profile.
        missing: Rows that are null or not a number.
        distinct: Count of different values in the rows that were looked at, missing not counted.
        quantiles: Value by share, such as ``"0.5"``; epoch ms for times, empty for categories.
    """

    position: int
    name: str
    type: str
    role: str
    rows: int
    missing: int
    distinct: int
    sample_of: int = 0
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    skewness: float | None = None
    quantiles: dict[str, float] = field(default_factory=dict[str, float])
    top: list[TopValue] = field(default_factory=list[TopValue])
    histogram: Histogram = Histogram()
    notes: list[Note] = field(default_factory=list[Note])
    findings: Findings = Findings()

    @property
    def kind(self) -> str:
        """`numeric`, `categorical`, `time` or `boolean`."""
        return Column(name=self.name, type=self.type).kind

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def missing_share(self) -> float:
        return self.missing / self.rows if self.rows else 0.0

    @property
    def median(self) -> float | None:
        return self.quantiles.get("0.5")

    @property
    def exact(self) -> bool:
        return not self.sample_of


def blank_profile(column: Column, position: int, rows: int) -> Profile:
    """Return the profile of a column before anything was measured."""
    return Profile(
        position=position, name=column.name, type=column.type, role=column.role, rows=rows, missing=0, distinct=0
    )


def acts(word: str, role: str) -> bool:
    """Return whether a note on a column of this role asks a person to do something.

    A unique column is in order as the key, and a trap as a feature; a gap matters in the time that splits the rows.
    """
    if word in ("unique", "gaps"):
        return role == ("feature" if word == "unique" else "time")
    return word not in NATURE and (role != "label" or word != "nearly constant")


def list_profiles(store: Store, version_id: str) -> list[Profile]:
    """Return the profiles of a version that are measured so far, in the order of its columns."""
    sql = "select * from profiles where version_id = ? order by position"
    return [_profile(row) for row in store.rows(sql, [version_id])]


PLAIN = (
    "position", "name", "type", "role", "rows", "sample_of", "missing", "minimum", "maximum", "mean", "deviation",
    "skewness",
)  # fmt: skip
DECODED = {
    "quantiles": msgspec.json.Decoder(dict[str, float]),
    "top": msgspec.json.Decoder(list[TopValue]),
    "histogram": msgspec.json.Decoder(Histogram),
    "notes": msgspec.json.Decoder(list[Note]),
    "findings": msgspec.json.Decoder(Findings),
}


def save_profile(db: "Database", version_id: str, profile: Profile, *, now: int) -> None:
    """Keep one profile, in place of an earlier one of the same column."""
    row: dict[str, object] = {"version_id": version_id, "distinct_values": profile.distinct, "measured_at": now}
    row |= {name: getattr(profile, name) for name in PLAIN}
    row |= {name: msgspec.json.encode(getattr(profile, name)).decode() for name in DECODED}
    db.table("profiles").insert(row, replace=True)


def _profile(row: Row) -> Profile:
    facts: dict[str, object] = {"distinct": row["distinct_values"]}
    facts |= {name: row[name] for name in PLAIN}
    facts |= {name: decoder.decode(row[name]) for name, decoder in DECODED.items()}
    profile = msgspec.convert(facts, Profile)
    # Weighed as it is read: a profile that was kept before a rule was changed is judged by the rule of today.
    notes = [msgspec.structs.replace(note, act=acts(note.word, profile.role)) for note in profile.notes]
    return msgspec.structs.replace(profile, notes=notes)
