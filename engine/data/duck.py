"""DuckDB, opened with our limits: one process, in memory, without extensions, network or surprises."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.split import time_within
from lemnis.engine.data.versions import Version
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection


def open_duck(
    threads: int = 1,
    memory: str = "1GiB",
    *,
    views: Mapping[str, Path] | None = None,
    spill: Path | None = None,
) -> "DuckDBPyConnection":
    """Open an in-memory DuckDB that can't load extensions, see Python's variables or leave UTC.

    Args:
        threads: Threads of the query engine.
        memory: Its memory limit, such as ``1GiB``. It does not bound what one expression allocates.
        views: Parquet files by view name. When given, SQL typed by people may run: nothing outside these files
            can be opened and no setting can be changed. Run only what `check_expression` has accepted.
        spill: A folder for what doesn't fit into memory; without it such a query fails.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    settings: dict[str, object] = {
        "threads": threads,
        "memory_limit": memory,
        "temp_directory": str(spill) if spill else "",
        "max_expression_depth": 250,
        "python_enable_replacements": False,
        "allow_community_extensions": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_persistent_secrets": False,
        "TimeZone": "UTC",
        "enable_progress_bar": False,  # it writes to the output of whoever waits two seconds
    }
    for name, value in settings.items():
        connection.execute(f"set {name} = ?", [value])
    if views is not None:
        if views:
            connection.execute("set allowed_paths = ?", [[str(path) for path in views.values()]])
        connection.execute("set enable_external_access = false")
        for name, path in views.items():
            connection.execute(f"create view {quote(name)} as select * from read_parquet({literal(str(path))})")
        connection.execute("set lock_configuration = true")
    return connection


def stream(duck: "DuckDBPyConnection", query: str, batch_rows: int) -> "pa.RecordBatchReader":
    """Return a query's rows as a stream of Arrow batches; an error may come with any of them."""
    reader = duck.sql(query).to_arrow_reader(batch_rows)
    if reader is None:
        raise TypeError("the query is no select")
    return reader


def first_row(duck: "DuckDBPyConnection", query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    """Return the first row of a query that has one; leaves no result open. Any: the query decides the types."""
    return duck.execute(query, values).fetchall()[0]


def column_type(duck: "DuckDBPyConnection", view: str, column: str) -> str:
    """Return the DuckDB type of a column of a view."""
    return str(duck.execute(f"describe select {quote(column)} from {quote(view)}").fetchall()[0][1])


@contextmanager
def refusals(place: str) -> Generator[None, None, None]:
    """A block in which what DuckDB refuses becomes BadInput with the place of the declaration."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        first = next(line for line in str(error).splitlines() if line.strip())
        problem = safe(first.partition("Error: ")[2] or first, limit=300)
        raise BadInput(f"DuckDB refuses this: {problem}", "Mend the declaration.", place) from None


def quote(identifier: str) -> str:
    """Return a name as a SQL identifier, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def read_table(version: Version, columns: list[str] | None = None, part: str | None = None) -> "pa.Table":
    """Return rows of a version as an Arrow table, in their order; needs pyarrow only, not DuckDB.

    Args:
        version: The version.
        columns: The columns to read, None for all.
        part: A part of the split, None for every row.

    Raises:
        NotFound: The version has no such column or part.
        Unavailable, Damaged: Its file is gone or holds something else.
    """
    import pyarrow.parquet as pq

    names = [version.column(name).name for name in columns] if columns is not None else None
    condition = None
    if part is not None:
        span = version.part(part)
        condition = time_within(version.column(version.time), span.start, span.end)
    return pq.read_table(version.file, columns=names, filters=condition)
