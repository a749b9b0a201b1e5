"""Which columns of a version are missing together: kept and read back."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.store import Store

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


def find_missingness(store: Store, version_id: str) -> Missingness | None:
    """Return what is known of a version's missing values; None before the first profile."""
    row = store.row("select patterns from missing_patterns where version_id = ?", [version_id])
    return None if row is None else msgspec.json.decode(row["patterns"], type=Missingness)


def save_missingness(db: "Database", version_id: str, found: Missingness, *, now: int) -> None:
    """Keep the patterns of a version in place of earlier ones."""
    row = {"version_id": version_id, "patterns": msgspec.json.encode(found).decode(), "measured_at": now}
    db.table("missing_patterns").insert(row, replace=True)
