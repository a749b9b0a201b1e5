"""One page of a version's rows: straight from its row groups, or sorted and filtered in the sandbox."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.data import Version
from lemnis.engine.data.duck import literal, quote
from lemnis.engine.data.plain import Cell, plain_rows
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_PAGE = 10_000
GROUPS_KEPT = 3  # row groups decoded and ready; scrolling back and forth stays in them


class Page(Struct, frozen=True, kw_only=True):
    """Consecutive rows of a view on a version.

    Attributes:
        total: Rows of the whole view.
        offset: Place of the first of these rows in it.
        columns: Names, in order.
        rows: One list per row; numbers, booleans and None as they are, everything else as text.
    """

    total: int
    offset: int
    columns: list[str]
    rows: list[list[Cell]]


def read_page(
    version: Version, offset: int = 0, limit: int = 100, *, order: str = "", descending: bool = False, where: str = ""
) -> Page:
    """Return rows of a version.

    In their own order they come from the Parquet file's row groups, about 20 ms for 65,536 rows that were not read
    before. Sorted or filtered they are asked of a bounded child process, about half a second for a page.

    Args:
        version: The version.
        offset: The first row, from 0.
        limit: How many, at most LONGEST_PAGE.
        order: A column to sort by; missing values come last, equal ones in their own order.
        descending: Largest first.
        where: A SQL condition over the columns, such as ``dest = 'BUR' and late``.

    Raises:
        BadInput: A bound, the column or the condition is wrong.
        Unavailable: The condition ran past the limits of the child.
    """
    if offset < 0 or not 0 <= limit <= LONGEST_PAGE:
        raise BadInput(f"Rows {offset} and {limit} more are no page.", f"Ask for 0 to {LONGEST_PAGE:,} rows.")
    if order or where.strip():
        return _asked_page(version, offset, limit, order=order, descending=descending, where=where)
    return _stored_page(version, offset, limit)


def _stored_page(version: Version, offset: int, limit: int) -> Page:
    names, starts = _layout(version.file)
    parts: list[list[list[Cell]]] = []
    for group, start in enumerate(starts[:-1]):
        first, last = max(offset, start), min(offset + limit, starts[group + 1])
        if first < last:
            parts.append(plain_rows(_row_group(version.path, group).slice(first - start, last - first)))
    return Page(total=version.rows, offset=offset, columns=names, rows=[row for part in parts for row in part])


def _asked_page(version: Version, offset: int, limit: int, *, order: str, descending: bool, where: str) -> Page:
    from lemnis.engine.explore.sandbox import ask
    from lemnis.engine.explore.sandboxed import Statement

    where, file = where.strip(), version.file
    condition = f"where (\n{where}\n)" if where else ""
    direction = "desc" if descending else "asc"
    first = f"{quote(version.column(order).name)} {direction} nulls last, " if order else ""
    numbered = f"from read_parquet({literal(str(file))}, file_row_number = true) {condition}"
    page = (
        f"select * exclude (file_row_number) {numbered} order by {first}file_row_number limit {limit} offset {offset}"
    )
    typed = f"select * from data {condition}" if where else ""
    count, rows = ask([Statement(sql=f"select count(*) {numbered}", typed=typed), Statement(sql=page)], {"data": file})
    total = int(count.table.column(0)[0].as_py())
    return Page(total=total, offset=offset, columns=rows.table.column_names, rows=plain_rows(rows.table))


@lru_cache(maxsize=8)
def _layout(path: Path) -> tuple[list[str], list[int]]:
    """Return the column names and the first row of each row group, ending with the number of rows."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    starts = [0]
    for group in range(metadata.num_row_groups):
        starts.append(starts[-1] + metadata.row_group(group).num_rows)
    return list(metadata.schema.to_arrow_schema().names), starts


@lru_cache(maxsize=GROUPS_KEPT)
def _row_group(path: Path, group: int) -> "pa.Table":
    """Return one decoded row group; the file is content-addressed, so it can't have changed."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read_row_group(group)
