"""Why rows fail: the values of other columns that stand among them more often than among all rows."""

import math
from collections.abc import Sequence

import msgspec

from lemnis.engine.config import load_config
from lemnis.engine.data import DataRoom
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.data.split import kind_of
from lemnis.engine.errors import BadInput
from lemnis.engine.explore.sandbox import ask
from lemnis.engine.explore.sandboxed import Statement
from lemnis.engine.store import Store
from lemnis.engine.validate.circumstances import declared_keys
from lemnis.engine.validate.failures import find_result
from lemnis.engine.validate.history import find_run
from lemnis.engine.validate.records import CheckResult, Reason
from lemnis.engine.validate.tables import table_columns

ROWS = '"#rows"'
MOST_COLUMNS = 60
MOST_VALUES = 500  # different ones; a column with more tells rows apart rather than groups
LEAST_ROWS = 5
LEAST_LIFT = 1.2
SHOWN = 20


def find_reasons(store: Store, name: str, check_run_id: int | None) -> list[Reason]:
    """Return the values that failing rows hold more often than all rows do, the strongest first.

    Ranked by failing · ln(lift), the part of the log-likelihood ratio that a value explains: a common value that is
    twice as frequent says more than a rare one that is ten times as frequent.

    Raises:
        NotFound, BadInput: As `find_result`; or the query of a typed check lists no column of its table.
        Unavailable: The query ran past its limits.
    """
    run = find_run(store, check_run_id)
    result, files = find_result(store, name, run.id)
    version = DataRoom(store).version(run.version_id)
    key = declared_keys(load_config(store.workspace.config), version).get(result.source, [])
    table = table_columns({result.source: files[result.source]})[result.source]
    listed = result.sample.columns
    whole = bool(key) and set(key) <= set(listed)
    judged = [] if result.typed else judged_columns(result)
    names = [column for column in table if (whole or column in listed) and column not in (*judged, *key)]
    if not names or not result.failing:
        raise BadInput(f"{name} lists nothing to compare.", "List the key, or more columns, in its query.")
    failing = failing_sql(result, key if whole and result.typed else [])
    typed = result.sql if result.typed else ""
    counted = ask([Statement(sql=distinct_sql(result.source, names), typed=typed)], files)[0].table
    few = [column for column, count in zip(names, (c[0].as_py() for c in counted.columns), strict=True)
           if 1 < count <= MOST_VALUES or kind_of(table[column]) == "time"][:MOST_COLUMNS]  # fmt: skip
    if not few:
        return []
    shown = {column: value_sql(column, table[column]) for column in few}
    statements = [
        Statement(sql=counts_sql(quote(result.source), shown), typed=typed),
        Statement(sql=counts_sql(failing, shown, once=True), typed=typed),
        Statement(sql=f"select count(*), (select count(*) from {failing}) from {quote(result.source)}", typed=typed),
    ]
    rows, failed, totals = (answer.table.to_pylist() for answer in ask(statements, files))
    every = {(row["column"], row["value"]): row["n"] for row in rows}
    all_rows, all_failing = totals[0].values()
    reasons = [
        Reason(
            column=row["column"],
            value=row["value"],
            failing=row["n"],
            rows=every.get((row["column"], row["value"]), row["n"]),
            failing_share=row["n"] / all_failing,
            rows_share=every.get((row["column"], row["value"]), row["n"]) / all_rows,
        )
        for row in failed
    ]
    return strongest(reasons)


def strongest(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons that are worth showing, the strongest first."""
    telling = [reason for reason in reasons if reason.failing >= LEAST_ROWS and reason.lift >= LEAST_LIFT]
    said: dict[tuple[int, int], Reason] = {}
    for reason in sorted(telling, key=lambda reason: -reason.failing * math.log(reason.lift)):
        same = (reason.failing, reason.rows)
        if same in said:
            said[same] = msgspec.structs.replace(said[same], also=[*said[same].also, reason.column])
        else:
            said[same] = reason
    return list(said.values())[:SHOWN]


def judged_columns(result: CheckResult) -> list[str]:
    """Return the columns a check of ours judges: they stand first in its listing, before a `* exclude`."""
    quoted = result.sql.removeprefix("select ").partition(", * exclude")[0]
    return [name for name in result.sample.columns if quote(name) in quoted]


def failing_sql(result: CheckResult, key: Sequence[str]) -> str:
    """Return the failing rows as a table: as listed, or by key where a typed query lists other columns."""
    if not key:
        return f"(\n{result.sql}\n)"
    keys = ", ".join(map(quote, key))
    return f"(select * from {quote(result.source)} where ({keys}) in (select {keys} from (\n{result.sql}\n)))"


def distinct_sql(table: str, columns: Sequence[str]) -> str:
    """Return the query of about how many different values each column has."""
    counts = ", ".join(f"approx_count_distinct({quote(name)}) as c{place}" for place, name in enumerate(columns))
    return f"select {counts} from {quote(table)}"


def value_sql(column: str, kind: str) -> str:
    """Return a column's value as text; of a time its month."""
    return f"strftime({quote(column)}, '%Y-%m')" if kind_of(kind) == "time" else f"cast({quote(column)} as varchar)"


def counts_sql(table: str, columns: dict[str, str], *, once: bool = False) -> str:
    """Return the query of rows by column and value; `once` computes the table a single time."""
    each = [
        f'select {literal(name)} as "column", {value} as value, count(*) as n from {ROWS if once else table} group by 2'
        for name, value in columns.items()
    ]
    union = " union all ".join(each)
    held = ", ".join(map(quote, columns))
    return f"with {ROWS} as materialized (select {held} from {table}) {union}" if once else union
