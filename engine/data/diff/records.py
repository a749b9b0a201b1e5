"""What comparing two versions found: rows by key, each column's values and distribution, and single rows. Pure."""

from typing import Literal, TypeAlias

from msgspec import Struct

from lemnis.engine.data.plain import Cell

Change: TypeAlias = Literal["changed", "removed", "added"]
CHANGES: tuple[Change, ...] = ("changed", "removed", "added")  # in the order rows are listed in
Verdict: TypeAlias = Literal["ok", "watch", "drift"]
Nature: TypeAlias = Literal["numeric", "boolean", "time", "text"]


class Side(Struct, frozen=True, kw_only=True):
    """One column in one version.

    Attributes:
        type: The Arrow type.
        missing: Rows without a value: null, or not a number.
        mean: Of the finite numbers, or the share of true; None for other columns.
        deviation: Sample standard deviation of the finite numbers.
        low, high: Smallest and largest number or time, as text.
    """

    type: str
    missing: int = 0
    mean: float | None = None
    deviation: float | None = None
    low: str | None = None
    high: str | None = None


class Bin(Struct, frozen=True, kw_only=True):
    """Rows of each version in one bin of a column's values."""

    label: str
    before: int
    after: int


class Code(Struct, frozen=True, kw_only=True):
    """A value that only one of the versions has, and in how many rows."""

    value: str
    rows: int


class ColumnDiff(Struct, frozen=True, kw_only=True):
    """One column in both versions.

    Attributes:
        nature: How its values were compared; text is also what the values of two unlike types are compared as.
        before, after: None where the version has no such column.
        changed: Rows that are in both versions and hold another value; `filled` of them had none, `emptied` lost it.
        mean_change: Mean of after minus before over the changed rows that hold numbers on both sides.
        psi: Population stability index of all rows after against all rows before, in nats; None where it says nothing.
        noise: What the PSI of two samples of one distribution stays below in 999 of 1,000 cases.
        bins: The bins of the PSI; the last are the rows without a value.
        new, vanished: How many codes (values of a text, or of whole numbers close together) only one version has.
        new_codes, vanished_codes: The most frequent of them.
    """

    name: str
    nature: Nature
    role: str
    before: Side | None = None
    after: Side | None = None
    changed: int = 0
    filled: int = 0
    emptied: int = 0
    mean_change: float | None = None
    psi: float | None = None
    noise: float | None = None
    bins: list[Bin] = []
    new: int = 0
    vanished: int = 0
    new_codes: list[Code] = []
    vanished_codes: list[Code] = []

    @property
    def schema(self) -> Literal["", "added", "removed", "retyped"]:
        """What became of the column itself."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "retyped" if self.before.type != self.after.type else ""

    @property
    def shift(self) -> float | None:
        """Return how far the mean moved, in its own unit."""
        means = [side.mean if side else None for side in (self.before, self.after)]
        return None if means[0] is None or means[1] is None else means[1] - means[0]

    @property
    def shift_deviations(self) -> float | None:
        """Return how far the mean moved, in standard deviations before."""
        spread = self.before.deviation if self.before else None
        return None if self.shift is None or not spread else self.shift / spread


class Diff(Struct, frozen=True, kw_only=True):
    """Two versions, compared.

    Attributes:
        before_id, after_id: The versions; `before_title` is such as ``flights v2``.
        key: The columns that say which rows are the same; empty: rows were compared whole, none is `changed`.
        added, removed: Rows whose key only the version after or only the one before has.
        changed: Rows that are in both with another value in some column; `same` are equal in all both versions have.
        repeated_before, repeated_after: Rows whose key an earlier row has; they are paired equal ones first.
        watch, drift: The PSI from which a column is watched or drifts, as lemnis.toml has them now.
        file: Where the rows that differ are kept, below `.lemnis/diffs`.
    """

    before_id: str
    after_id: str
    before_title: str
    after_title: str
    before_rows: int
    after_rows: int
    key: list[str]
    added: int
    removed: int
    changed: int
    same: int
    repeated_before: int
    repeated_after: int
    columns: list[ColumnDiff]
    file: str
    seconds: float
    created_at: int
    watch: float = 0.1
    drift: float = 0.25

    @property
    def matched(self) -> int:
        """Rows that are in both versions."""
        return self.changed + self.same

    @property
    def differing(self) -> int:
        """Rows that can be listed."""
        return self.changed + self.removed + self.added

    @property
    def identical(self) -> bool:
        """Whether no row and no column differs."""
        return not self.differing and not any(column.schema for column in self.columns)

    def count(self, change: Change) -> int:
        """Return how many rows there are of one kind."""
        return {"changed": self.changed, "removed": self.removed, "added": self.added}[change]

    def column(self, name: str) -> ColumnDiff | None:
        """Return one column, None if neither version has it or it is part of the key."""
        return next((column for column in self.columns if column.name == name), None)

    def verdict(self, column: ColumnDiff) -> Verdict | None:
        """Return whether a column is distributed otherwise than before, beyond what chance does; None without PSI."""
        if column.psi is None:
            return None
        noise = column.noise or 0.0
        return (
            "drift"
            if column.psi >= max(self.drift, noise)
            else "watch"
            if column.psi >= max(self.watch, noise)
            else "ok"
        )

    def share(self, column: ColumnDiff) -> float | None:
        """Return the share of the rows in both versions that changed in a column; None without such a row."""
        return column.changed / self.matched if self.matched and column.before and column.after else None

    def ordered(self) -> list[ColumnDiff]:
        """Return the columns, what changed most first: the schema, then the share of changed rows, then the PSI."""
        return sorted(self.columns, key=lambda c: (not c.schema, -c.changed, -(c.psi or 0.0)))


class DiffRow(Struct, frozen=True, kw_only=True):
    """One row that differs.

    Attributes:
        key: Values of the key columns; empty where rows were compared whole.
        before, after: The values of a changed row that differ; all values of a row that only one version has.
    """

    change: Change
    key: dict[str, Cell]
    before: dict[str, Cell] | None = None
    after: dict[str, Cell] | None = None


class DiffPage(Struct, frozen=True, kw_only=True):
    """Consecutive rows of those that differ; `total` is how many the whole list has."""

    total: int
    offset: int
    rows: list[DiffRow]


class Listing(Struct, frozen=True, kw_only=True):
    """Which of the rows that differ: of one kind, or those that changed in one column; empty is no choice."""

    change: Change | Literal[""] = ""
    column: str = ""
