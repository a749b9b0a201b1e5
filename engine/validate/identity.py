"""What makes a failing row the same row in another run: its key, or all it holds. SQL as text. Pure."""

from collections.abc import Sequence

from lemnis.engine.data.duck import literal, quote
from lemnis.engine.validate.compile import file_order
from lemnis.engine.validate.records import CheckResult, Which

KEPT = 100_000  # identities kept of one check: those with the smallest hashes, a sample that two runs share
ROW = '"#row"'  # the alias of a listed row
NOW, BEFORE = "#now", "#before"  # views of the identities kept of this run and of the run before


def identifying(columns: Sequence[str], key: Sequence[str]) -> list[str]:
    """Return the columns that identify a listed row: the key where it is listed, else all, in the order of names."""
    return list(key) if key and set(key) <= set(columns) else sorted(columns)


def identity_sql(columns: Sequence[str]) -> str:
    """Return the SQL of a row's identity, an unsigned 64-bit number; the same in every version of DuckDB."""
    parts = [f"coalesce(cast({ROW}.{quote(name)} as varchar), chr(30))" for name in columns]
    return f"md5_number_lower(concat_ws(chr(31), {', '.join(parts)}))"


def identities_sql(listing: str, columns: Sequence[str]) -> str:
    """Return the query of the identities of listed rows, at most KEPT and the smallest first."""
    return f"select distinct {identity_sql(columns)} as id from (\n{listing}\n) as {ROW} order by id limit {KEPT}"


def rows_sql(result: CheckResult, path: str, which: Which = "all", by: Sequence[str] = ()) -> str:
    """Return the query of a check's failing rows in the order of the file, all or those of one class.

    Args:
        result: The check in the run that lists them: of `fixed` rows that is the run before.
        path: The Parquet file of its table.
        which: The class; new and persisting rows are compared with BEFORE, fixed ones with NOW.
        by: The columns that identify a row.
    """
    plain = result.typed or result.kind == "unique"
    listing = f"select * from (\n{result.sql}\n)" if plain else file_order(result.sql, result.source, path)
    if which == "all":
        return listing
    view, isin = {"new": (BEFORE, "not in"), "persisting": (BEFORE, "in"), "fixed": (NOW, "not in")}[which]
    kept = f'select id from {quote(view)} where "check" = {literal(result.name)}'
    return f"select * from (\n{listing}\n) as {ROW} where {identity_sql(by)} {isin} ({kept})"
