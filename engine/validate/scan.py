"""One scan of a table for all its checks: how many rows break each, and where the first of them are. Pure."""

from collections.abc import Sequence
from typing import Any

from lemnis.engine.data.duck import literal, quote
from lemnis.engine.validate.compile import Compiled
from lemnis.engine.validate.records import Count

SAMPLE_ROWS = 20
MEASURES = 4  # columns of the scan's answer per check


def scan_sql(table: str, plans: Sequence[Compiled]) -> str:
    """Return the query that counts for every plan; each condition is computed once a row."""
    conditions: list[str] = []
    measures: list[str] = []
    for place, plan in enumerate(plans):
        hashes = ", ".join(quote(name) for name in plan.key)
        conditions += [f"{plan.applies} as a{place}", f"{plan.violated or 'false'} as v{place}"]
        conditions += [f"hash({hashes}) as h{place}"] if plan.key else []
        conditions += [f"{plan.noted} as n{place}"] if plan.noted else []
        measures += [
            f"count(*) filter (where a{place})",
            f"count(*) filter (where v{place})",
            f"count(distinct h{place}) filter (where a{place})" if plan.key else "null",
            f"count(*) filter (where n{place})" if plan.noted else "0",
        ]
    return f"select {', '.join(measures)} from (select {', '.join(conditions)} from {quote(table)})"


def first_sql(table: str, path: str, plans: Sequence[Compiled]) -> str:
    """Return the query of the numbers of the first failing rows of each plan in the table's file.

    It is asked of the plans that fail alone: keeping the first few costs as much as all the counting.
    """
    conditions = ", ".join(f"{plan.violated} as v{place}" for place, plan in enumerate(plans))
    first = ", ".join(f"min(file_row_number, {SAMPLE_ROWS}) filter (where v{place})" for place in range(len(plans)))
    return f"select {first} from (select file_row_number, {conditions} from {numbered(path)} as {quote(table)})"


def values_sql(table: str, column: str, plans: Sequence[Compiled], limit: int) -> str:
    """Return the query that judges each value of a column once, for plans that depend on it alone.

    Its one row has, for each plan: the rows it speaks of, failing rows, different failing values, and the most frequent
    of those as {n: minus rows, value}.
    """
    name, text = quote(column), f"cast({quote(column)} as varchar)"
    judged = ", ".join(f"{plan.violated} as v{place}" for place, plan in enumerate(plans))
    grouped = f"select {name}, count(*) as n from {quote(table)} where {name} is not null group by 1"
    measures = [
        f"coalesce(sum(n), 0)::bigint, coalesce(sum(n) filter (where v{place}), 0)::bigint, "
        f"count(*) filter (where v{place}), min({{'n': -n, 'value': {text}}}, {limit}) filter (where v{place})"
        for place in range(len(plans))
    ]
    return f"select {', '.join(measures)} from (select *, {judged} from ({grouped}) as {quote(table)})"


# Any: a row of DuckDB's answer.
def counts_of(row: Sequence[Any], plans: Sequence[Compiled]) -> dict[str, Count]:
    """Return what the scan's one row says of every check."""
    counts: dict[str, Count] = {}
    for place, plan in enumerate(plans):
        total, failing, hashes, noted = row[MEASURES * place : MEASURES * (place + 1)]
        counts[plan.check.name] = Count(failing=failing, total=total, distinct_hashes=hashes, noted=noted)
    return counts


def rows_sql(path: str, numbers: Sequence[int]) -> str:
    """Return the query of rows by their numbers in the file."""
    wanted = ", ".join(map(str, numbers))
    return f"select * from {numbered(path)} where file_row_number in ({wanted}) order by file_row_number"


def repeated_sql(plan: Compiled) -> str:
    """Return the query that counts the rows which share their key with another."""
    keys = ", ".join(quote(name) for name in plan.key)
    groups = f"select count(*) as n from {quote(plan.table)} where {plan.applies} group by {keys} having n > 1"
    return f"select coalesce(sum(n), 0)::bigint from ({groups})"


def offenders_sql(plan: Compiled, limit: int) -> str:
    """Return the query of the most frequent offending values, with their rows and how many values there are."""
    source = f"({plan.listing})" if plan.key else quote(plan.table)
    return (
        f"select {plan.value} as value, count(*) as n, count(*) over () from {source} where {plan.violated or 'true'} "
        f"group by 1 order by n desc, value limit {limit}"
    )


def freshness_sql(plan: Compiled, kind: str, now: int) -> str:
    """Return the query of the newest time of a column that is not after `now` (epoch ms), and how many rows are."""
    column = quote(plan.columns[0])
    moment = f"epoch_ms({column})" if "timestamp" in kind else f"epoch_ms(cast({column} as timestamp))"
    return (
        f"select max({moment}) filter (where {moment} <= {now}), count(*) filter (where {moment} > {now}) "
        f"from {quote(plan.table)}"
    )


def numbered(path: str) -> str:
    """Return a Parquet file as a table with the number of each row."""
    return f"read_parquet({literal(path)}, file_row_number = true)"
