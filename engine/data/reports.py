"""How a join went: what matched, what did not, and whether it multiplied rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from lemnis.engine.config import Link
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE = 20  # orphan keys that are kept
EXAMPLES = 5  # rows from the future that are kept
QUANTILES = {"min": 0.0, "p50": 0.5, "p95": 0.95, "max": 1.0}


class Orphan(Struct, frozen=True, kw_only=True):
    """A key that no row on the right has, and how many rows on the left ask for it."""

    key: list[str]
    rows: int


class TimeTravel(Struct, frozen=True, kw_only=True):
    """Joined rows that carry a time later than the decision of the row they were joined to: they know the future.

    Attributes:
        column: The source's column of times.
        rows: Joined rows whose time is later.
        of: Joined rows where both times are known.
        most_seconds: How much later at most.
        examples: Key, decision time and the latest time joined to it, the most late first, EXAMPLES at most.
    """

    column: str
    rows: int
    of: int
    most_seconds: float = 0.0
    examples: list[tuple[list[str], str, str]] = []

    @property
    def share(self) -> float:
        return self.rows / self.of if self.of else 0.0


class LinkReport(Struct, frozen=True, kw_only=True):
    """What one left join did.

    Attributes:
        kind: ``left`` takes every row with the key, ``asof`` the latest in time.
        keys: Left expression → right column.
        matched: Left rows with a partner.
        null_keys: Left rows whose key (or decision time, in an as-of join) is null: they ask for nothing.
        orphan_rows: Left rows whose key no right row has.
        orphan_keys: How many keys those are.
        untimely_rows: Left rows of an as-of join whose key is there, but no row early or young enough.
        unused_keys: Keys on the right that no left row asks for.
        duplicate_keys: Keys on the right that stand more than once; each multiplies the rows that ask for it. In an
            as-of join, keys that stand more than once at one moment; the last row of the source is taken.
        fan_out: Left rows by number of partners.
        ages: Age in seconds of what an as-of join took, by quantile: ``min``, ``p50``, ``p95``, ``max``.
        travel: Per column of times in the source, the rows that know the future.
        orphan_sample: The orphan keys with the most rows, SAMPLE at most.
    """

    position: int
    source: str
    kind: Literal["left", "asof"] = "left"
    keys: dict[str, str]
    rows_in: int
    rows_out: int
    matched: int
    null_keys: int
    orphan_rows: int
    orphan_keys: int
    untimely_rows: int = 0
    unused_keys: int
    duplicate_keys: int
    fan_out: dict[int, int]
    ages: dict[str, float] = {}
    travel: list[TimeTravel] = []
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


def link_report(duck: "DuckDBPyConnection", position: int, link: Link, times: Sequence[str] = ()) -> LinkReport:
    """Count what a join does, by its distinct keys.

    Args:
        duck: Holds the views of `link_views`; the tables ``asked``, ``held`` and ``met`` are left in it.
        position: The link's number, from 1.
        link: The declaration.
        times: Columns of times in the source that are compared with the decision time.
    """
    from lemnis.engine.data.duck import first_row

    keys = count_keys(duck, position, link)
    totals = first_row(
        duck,
        """select coalesce(sum(n), 0), coalesce(sum(n * greatest(m, 1)), 0), coalesce(sum(n) filter (m > 0), 0),
             coalesce(sum(n) filter (gap), 0), coalesce(sum(n) filter (m = 0 and not gap), 0),
             count(*) filter (m = 0 and not gap) from met""",
    )
    rows_in, rows_out, matched, null_keys, orphan_rows, orphan_keys = map(int, totals)
    unused_keys, duplicate_keys = first_row(
        duck,
        f"select count(*) filter (n is null), count(*) filter (twice) from held"
        f" left join (select {keys}, sum(n) as n from asked group by all) using ({keys})",
    )
    fan_out = duck.execute("select m, sum(n) from met group by m order by m").fetchall()
    texts = ", ".join(f"{name}::varchar" for name in keys.split(", "))
    orphans = duck.execute(
        f"select [{texts}], n from met where m = 0 and not gap order by n desc, 1 limit {SAMPLE}"
    ).fetchall()
    report = LinkReport(
        position=position,
        source=link.source,
        kind="asof" if link.asof else "left",
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
    if link.asof:
        return _in_time(duck, report, link.asof)
    return msgspec.structs.replace(report, travel=[_travel(duck, report, column) for column in times])


def count_keys(duck: "DuckDBPyConnection", position: int, link: Link) -> str:
    """Count both sides by key and return the names of the keys; see `link_report`.

    ``asked`` has the left side's keys with their rows (n), ``held`` the right side's with theirs (m) and whether one
    stands twice; ``met`` is the left side with what it finds on the right, `gap` where the key is null.
    """
    from lemnis.engine.data.asof import AT, DECIDED
    from lemnis.engine.data.duck import quote

    numbers = range(len(link.on))
    lefts = ", ".join(f"{quote(f'#left {number}')} as k{number}" for number in numbers)
    rights = ", ".join(f"{quote(f'#right {number}')} as k{number}" for number in numbers)
    keys = ", ".join(f"k{number}" for number in numbers)
    null = " or ".join(f"k{number} is null" for number in numbers)
    twice = f"count(*) > count(distinct {quote(AT)})" if link.asof else "count(*) > 1"
    timed = f" where {quote(AT)} is not null" if link.asof else ""
    undecided = f" or {quote(DECIDED)} is null" if link.asof else ""
    gap = " or ".join(f"{quote(f'#left {number}')} is null" for number in numbers) + undecided
    duck.execute(
        f"create or replace temp table asked as select {lefts}, ({gap}) as gap, count(*) as n"
        f" from {quote(f'left {position}')} group by all"
    )
    duck.execute(
        f"create or replace temp table held as select {rights}, count(*) as m, {twice} as twice"
        f" from {quote(f'right {position}')}{timed} group by all having not ({null})"
    )
    duck.execute(
        f"create or replace temp table met as select {keys}, n, case when gap then 0 else coalesce(m, 0) end as m, gap"
        f" from asked left join held using ({keys})"
    )
    return keys


def _in_time(duck: "DuckDBPyConnection", report: LinkReport, column: str) -> LinkReport:
    """Return the report of an as-of join: how many rows found one in time, how old, and how many are from later."""
    from lemnis.engine.data.asof import AT, DECIDED
    from lemnis.engine.data.duck import first_row, quote

    view, row = quote(f"met {report.position}"), quote(f"#{report.position}")
    age = f"epoch({quote(DECIDED)}) - epoch({quote(AT)})"
    places = ", ".join(map(str, QUANTILES.values()))
    matched, later, most, quantiles = first_row(
        duck,
        f"select count({row}), count(*) filter ({age} < 0), coalesce(-min({age}), 0),"
        f" quantile_disc({age}, [{places}]) filter ({row} is not null) from {view}",
    )
    ages: list[float] = [] if quantiles is None else [float(one) for one in quantiles]
    return msgspec.structs.replace(
        report,
        rows_out=report.rows_in,
        matched=int(matched),
        untimely_rows=report.matched - int(matched),
        fan_out={n: rows for n, rows in ((0, report.rows_in - int(matched)), (1, int(matched))) if rows},
        ages=dict(zip(QUANTILES, ages, strict=False)),
        travel=[TimeTravel(column=column, rows=int(later), of=int(matched), most_seconds=max(0.0, float(most)))],
    )


def _travel(duck: "DuckDBPyConnection", report: LinkReport, column: str) -> TimeTravel:
    """Return how many joined rows carry a later time in one column of the source.

    They are counted without being joined, which a key that stands often on both sides would make very many: of each
    key the right side's times in order with how many there are up to each, and for each left row those beyond its
    decision.
    """
    from lemnis.engine.data.asof import DECIDED
    from lemnis.engine.data.duck import first_row, quote

    numbers = range(len(report.keys))
    keys = ", ".join(f"k{n}" for n in numbers)
    asked, held = (
        ", ".join(f"{quote(f'#{side} {n}')} as k{n}" for n in numbers) + f", {quote(moment)}::timestamptz as moment"
        for side, moment in (("left", DECIDED), ("right", f"#when {column}"))
    )
    same = " and ".join(f"l.k{n} = c.k{n}" for n in numbers)
    tables = f"""
        with wanted as (select {asked}, count(*) as n from {quote(f"left {report.position}")} group by all),
             known as (select {held}, count(*) as n from {quote(f"right {report.position}")} group by all),
             upto as (select {keys}, moment, sum(n) over (partition by {keys} order by moment) as n from known
                      where moment is not null),
             whole as (select {keys}, sum(n) as m, max(moment) as last from known
                       where moment is not null group by {keys}),
             l as (select * from wanted join whole using ({keys}) where moment is not null)"""
    rows, of, most = first_row(
        duck,
        f"""{tables} select coalesce(sum(l.n * (l.m - coalesce(c.n, 0))), 0), coalesce(sum(l.n * l.m), 0),
            coalesce(max(epoch(last) - epoch(l.moment)), 0)
            from l asof left join upto as c on {same} and l.moment >= c.moment""",
    )
    examples: list[tuple[list[str], str, str]] = []
    if rows:
        texts = ", ".join(f"k{n}::varchar" for n in numbers)
        examples = duck.execute(
            f"{tables} select [{texts}], moment::varchar, last::varchar from l where last > moment"
            f" order by epoch(last) - epoch(moment) desc, 1, 2 limit {EXAMPLES}"
        ).fetchall()
    return TimeTravel(column=column, rows=int(rows), of=int(of), most_seconds=max(0.0, float(most)), examples=examples)


def save_reports(store: Store, version_id: str, reports: list[LinkReport]) -> None:
    """Keep the reports of a version, in place of those it has."""
    with store.write() as db:
        db.execute("delete from links where version_id = ?", [version_id])
        for report in reports:
            row = msgspec.structs.asdict(report)
            for field in ("keys", "fan_out", "orphan_sample", "ages", "travel"):
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
        kind=row["kind"],
        keys=msgspec.json.decode(row["keys"], type=dict[str, str]),
        rows_in=row["rows_in"],
        rows_out=row["rows_out"],
        matched=row["matched"],
        null_keys=row["null_keys"],
        orphan_rows=row["orphan_rows"],
        orphan_keys=row["orphan_keys"],
        untimely_rows=row["untimely_rows"],
        unused_keys=row["unused_keys"],
        duplicate_keys=row["duplicate_keys"],
        fan_out=msgspec.json.decode(row["fan_out"], type=dict[int, int]),
        ages=msgspec.json.decode(row["ages"], type=dict[str, float]),
        travel=msgspec.json.decode(row["travel"], type=list[TimeTravel]),
        orphan_sample=msgspec.json.decode(row["orphan_sample"], type=list[Orphan]),
    )
