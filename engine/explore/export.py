"""The rows of a view into a file, batch by batch, with progress."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lemnis.engine.data.duck import quote
from lemnis.engine.data.export import new_file, write_rows
from lemnis.engine.errors import Cancelled
from lemnis.engine.explore.cells import ROW
from lemnis.engine.explore.filters import order_sql, plain_type
from lemnis.engine.explore.views import View

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 65_536


def export_rows(
    view: View,
    path: Path,
    columns: Sequence[str] = (),
    *,
    tell: Callable[[int], None] = lambda _: None,
    wanted: Callable[[], bool] = lambda: True,
) -> int:
    """Write all rows of a view to a new file; return how many.

    Args:
        view: Which rows, and in which order.
        path: The file; its ending says the format.
        columns: Their names; empty for all.
        tell: Called with the number of rows written so far.
        wanted: Asked between batches; when it says no the file is not made.

    Raises:
        BadInput: The file exists, has another ending or can't be written; or what was asked for is wrong.
        NotFound: The version has no such column.
        Cancelled: It was not wanted any more.
        Unavailable: It needs more memory or time than it may have.
    """
    import pyarrow as pa

    reader = view.reader
    names = [reader.version.column(name).name for name in columns] or list(reader.types)
    picked = [picked_sql(*reader.sql_of(name), name, nested=path.suffix != ".csv") for name in names]
    read, order = list(names), ""
    if view.asked.order:
        read = list(dict.fromkeys([*names, view.asked.order]))
        way = "desc" if view.asked.descending else "asc"
        order = f"order by {order_sql(*reader.sql_of(view.asked.order))} {way} nulls last, {ROW}"
    with new_file(path) as part:
        view.find()
        with reader.duck.query() as query, query.refusals():

            def still() -> bool:
                query.stopped = query.stopped or not wanted()
                return not query.stopped

            query.give("rows", reader.stream(read, view.matches(), still))
            sql = f"select {', '.join(picked)} from rows {order}"
            stream: Any = query.relation(sql).to_arrow_reader(BATCH_ROWS)
            batches = pa.RecordBatchReader.from_batches(stream.schema, counted(stream, tell, still))
            return write_rows(batches, part, path.suffix)


def picked_sql(column: str, kind: str, name: str, *, nested: bool) -> str:
    """Return a column of the batches under its own name; what is `nested` is written as text where it can't be."""
    return f"{column if nested or plain_type(kind) else f'cast({column} as varchar)'} as {quote(name)}"


def counted(
    batches: "pa.RecordBatchReader", tell: Callable[[int], None], wanted: Callable[[], bool]
) -> Iterator["pa.RecordBatch"]:
    """Yield the batches while they are wanted, and tell how many rows they had."""
    rows = 0
    for batch in batches:
        if not wanted():
            raise Cancelled("The export was stopped; no file was made.")
        yield batch
        rows += batch.num_rows
        tell(rows)
