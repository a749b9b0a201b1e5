"""Which columns of a version are missing together: kept and read back."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.data import Version
from lemnis.engine.store import Store

FLOATING = ("double", "float", "halffloat")

if TYPE_CHECKING:
    from sqlite_utils import Database


class MissingPattern(Struct, frozen=True, kw_only=True):
    """Rows in which exactly these columns have no value; no column: the rows that are complete."""

    columns: list[str]
    rows: int


class Missingness(Struct, frozen=True, kw_only=True):
    """The most frequent patterns of a version.

    Attributes:
        rows: Rows that were looked at.
        exact: Whether those are all rows.
        candidates: The columns that have missing values at all, by position: what a pattern does not name of them is
            present.
        patterns: Most rows first.
        total: How many patterns there are in all.
    """

    rows: int
    exact: bool
    candidates: list[str]
    patterns: list[MissingPattern]
    total: int


def missing_condition(version: Version, found: Missingness, pattern: MissingPattern) -> str:
    """Return the SQL condition on the rows of one pattern: its columns without a value, the other ones with one."""
    from lemnis.engine.data.duck import quote

    parts: list[str] = []
    for name in found.candidates:
        floating, quoted = version.column(name).type in FLOATING, quote(name)
        gone, held = f"{quoted} is null", f"{quoted} is not null"
        if floating:
            gone, held = f"({gone} or isnan({quoted}))", f"({held} and not isnan({quoted}))"
        parts.append(gone if name in pattern.columns else held)
    return " and ".join(parts)


def find_missingness(store: Store, version_id: str) -> Missingness | None:
    """Return what is known of a version's missing values; None before the first profile."""
    row = store.row("select patterns from missing_patterns where version_id = ?", [version_id])
    return None if row is None else msgspec.json.decode(row["patterns"], type=Missingness)


def save_missingness(db: "Database", version_id: str, found: Missingness, *, now: int) -> None:
    """Keep the patterns of a version in place of earlier ones."""
    row = {"version_id": version_id, "patterns": msgspec.json.encode(found).decode(), "measured_at": now}
    db.table("missing_patterns").insert(row, replace=True)
