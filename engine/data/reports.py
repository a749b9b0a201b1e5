"""How a join went: what matched, what did not, and whether it multiplied rows."""

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.config import Link
from lemnis.engine.data.duck import first_row, quote
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE = 20  # orphan keys that are kept


class Orphan(Struct, frozen=True, kw_only=True):
    """A key that no row on the right has, and how many rows on the left ask for it."""

    key: list[str]
    rows: int


class LinkReport(Struct, frozen=True, kw_only=True):
    """What one left join did.

    Attributes:
        keys: Left expression → right column.
        matched: Left rows with a partner.
        null_keys: Left rows whose key is null in part or whole: they ask for nothing.
        orphan_rows: Left rows whose key no right row has.
        orphan_keys: How many keys those are.
        unused_keys: Keys on the right that no left row asks for.
        duplicate_keys: Keys on the right that stand more than once; each multiplies the rows that ask for it.
        fan_out: Left rows by number of partners.
        orphan_sample: The orphan keys with the most rows, SAMPLE at most.
    """

    position: int
    source: str
    keys: dict[str, str]
    rows_in: int
    rows_out: int
    matched: int
    null_keys: int
    orphan_rows: int
    orphan_keys: int
    unused_keys: int
    duplicate_keys: int
    fan_out: dict[int, int]
    orphan_sample: list[Orphan]

    @property
    def match_rate(self) -> float:
        """Share of left rows with a partner, 0 to 1; 1 when there are no rows."""
        return self.matched / self.rows_in if self.rows_in else 1.0

    @property
    def multiplies(self) -> bool:
        """Whether the join gave more rows than it was given."""
        return self.rows_out > self.rows_in

    @property
    def fan_out_max(self) -> int:
        return max(self.fan_out, default=0)


def link_report(duck: "DuckDBPyConnection", position: int, link: Link) -> LinkReport:
    """Count what a join does, by its distinct keys; needs the views `left N` and `right N` of `link_sources`."""
    numbers = range(len(link.on))
    lefts = ", ".join(f"{quote(f'#left {number}')} as k{number}" for number in numbers)
    rights = ", ".join(f"{quote(f'#right {number}')} as k{number}" for number in numbers)
    keys = ", ".join(f"k{number}" for number in numbers)
    null = " or ".join(f"k{number} is null" for number in numbers)
    duck.execute(
        f"create or replace temp table asked as select {lefts}, count(*) as n from {quote(f'left {position}')}"
        " group by all"
    )
    duck.execute(
        f"create or replace temp table held as select {rights}, count(*) as m from {quote(f'right {position}')}"
        f" group by all having not ({null})"
    )
    duck.execute(
        f"create or replace temp table met as select {keys}, n, coalesce(m, 0) as m, ({null}) as gap"
        f" from asked left join held using ({keys})"
    )
    totals = first_row(
        duck,
        """select coalesce(sum(n), 0), coalesce(sum(n * greatest(m, 1)), 0), coalesce(sum(n) filter (m > 0), 0),
             coalesce(sum(n) filter (gap), 0), coalesce(sum(n) filter (m = 0 and not gap), 0),
             count(*) filter (m = 0 and not gap) from met""",
    )
    rows_in, rows_out, matched, null_keys, orphan_rows, orphan_keys = map(int, totals)
    unused_keys, duplicate_keys = first_row(
        duck,
        f"select count(*) filter (asked.n is null), count(*) filter (m > 1) from held left join asked using ({keys})",
    )
    fan_out = duck.execute("select m, sum(n) from met group by m order by m").fetchall()
    texts = ", ".join(f"k{number}::varchar" for number in numbers)
    orphans = duck.execute(
        f"select [{texts}], n from met where m = 0 and not gap order by n desc, 1 limit {SAMPLE}"
    ).fetchall()
    return LinkReport(
        position=position,
        source=link.source,
        keys=link.on,
        rows_in=rows_in,
        rows_out=rows_out,
        matched=matched,
        null_keys=null_keys,
        orphan_rows=orphan_rows,
        orphan_keys=orphan_keys,
        unused_keys=unused_keys,
        duplicate_keys=duplicate_keys,
        fan_out={int(partners): int(rows) for partners, rows in fan_out},
        orphan_sample=[Orphan(key=list(key), rows=int(rows)) for key, rows in orphans],
    )


def save_reports(store: Store, version_id: str, reports: list[LinkReport]) -> None:
    """Keep the reports of a version, in place of those it has."""
    with store.write() as db:
        db.execute("delete from links where version_id = ?", [version_id])
        for report in reports:
            row = msgspec.structs.asdict(report)
            for field in ("keys", "fan_out", "orphan_sample"):
                row[field] = msgspec.json.encode(row[field]).decode()
            db.table("links").insert({"version_id": version_id, **row})


def list_reports(store: Store, version_id: str) -> list[LinkReport]:
    """Return the reports of a version's joins, in their order."""
    rows = store.rows("select * from links where version_id = ? order by position", [version_id])
    return [_report(row) for row in rows]


def _report(row: Row) -> LinkReport:
    return LinkReport(
        position=row["position"],
        source=row["source"],
        keys=msgspec.json.decode(row["keys"], type=dict[str, str]),
        rows_in=row["rows_in"],
        rows_out=row["rows_out"],
        matched=row["matched"],
        null_keys=row["null_keys"],
        orphan_rows=row["orphan_rows"],
        orphan_keys=row["orphan_keys"],
        unused_keys=row["unused_keys"],
        duplicate_keys=row["duplicate_keys"],
        fan_out=msgspec.json.decode(row["fan_out"], type=dict[int, int]),
        orphan_sample=msgspec.json.decode(row["orphan_sample"], type=list[Orphan]),
    )
