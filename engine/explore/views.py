"""A view of a version's rows: found once under filters and in an order, then any page of it is read by row number."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from lemnis.engine.data import Version
from lemnis.engine.data.plain import plain_column
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.explore.filters import (
    ALL_ROWS,
    Asked,
    Condition,
    Filter,
    Value,
    condition,
    order_sql,
    plain_type,
    value_sql,
)
from lemnis.engine.explore.pages import LONGEST_PAGE, Page, Wanted, always

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from lemnis.engine.explore.cells import Numbers
    from lemnis.engine.explore.streams import Query

FIRST_GROUPS, MOST_GROUPS = 1, 32  # row groups searched at once: few first, so that the first rows come soon
FIRST_SORTED = 2_000  # rows of an order that are found before the others
KEPT_MATCHES = 4  # sets of row numbers: undoing a filter finds nothing anew
Narrowing: TypeAlias = tuple[tuple[Filter, ...], str]


class RowReader:
    """Reads the rows of one version; what it decoded and found stays ready until it is closed."""

    def __init__(self, version: Version, threads: int = 1) -> None:
        from lemnis.engine.explore.cells import Cells
        from lemnis.engine.explore.streams import Duck

        self.version, self.threads = version, threads
        self.cells, self.duck = Cells(version, threads), Duck(threads)
        self._lock = threading.Lock()
        self._matches: OrderedDict[Narrowing, Numbers] = OrderedDict()

    @property
    def rows(self) -> int:
        """How many rows the version has."""
        return self.version.rows

    @property
    def groups(self) -> range:
        """The row groups of the version."""
        return range(len(self.cells.starts) - 1)

    @cached_property
    def types(self) -> dict[str, str]:
        """The DuckDB type of each column."""
        names = [column.name for column in self.version.columns]
        with self.duck.query() as query:
            query.give("rows", self.cells.batch_schema(names).empty_table())
            return dict(zip(names, [row[1] for row in query.fetch("describe rows")][1:], strict=True))

    def sql_of(self, column: str) -> tuple[str, str]:
        """Return a column as SQL over its batches, and its DuckDB type.

        Raises:
            NotFound: The version has no such column.
        """
        name = self.version.column(column).name
        return f"c{self.cells.places[name]}", self.types[name]

    def condition(self, filters: Sequence[Filter]) -> Condition:
        """Return filters as SQL over batches of their columns; raises as `sql_of` does."""
        parts = [condition(one, *self.sql_of(one.column)) for one in filters]
        values = tuple(value for part in parts for value in part.values)
        return Condition(" and ".join(part.sql for part in parts) or "true", values)

    def stream(
        self,
        columns: Sequence[str],
        rows: "Numbers | None",
        wanted: Wanted = always,
        tell: Callable[[float], None] | None = None,
    ) -> "pa.RecordBatchReader":
        """Return the rows that are numbered (None: all) as a stream of batches; see `Cells.batches`.

        Args:
            columns: Their names.
            rows: Ascending row numbers.
            wanted: Asked between chunks.
            tell: Called with the share that was read.
        """
        import pyarrow as pa

        def batches() -> Any:
            for batch in self.cells.batches(columns, self.groups, rows, wanted):
                yield batch
                if tell is not None:
                    tell((batch.column(0)[-1].as_py() + 1) / self.rows)

        return pa.RecordBatchReader.from_batches(self.cells.batch_schema(columns), batches())

    def kept(self, narrowing: Narrowing) -> "Numbers | None":
        """Return the rows that were found before for these conditions, if they are kept."""
        with self._lock:
            return self._matches.get(narrowing)

    def keep(self, narrowing: Narrowing, rows: "Numbers") -> None:
        """Keep the rows that were found for conditions."""
        with self._lock:
            self._matches[narrowing] = rows
            while len(self._matches) > KEPT_MATCHES:
                self._matches.popitem(last=False)

    def rest(self) -> None:
        """Let go of the memory until rows are read again; what was found stays known."""
        self.duck.rest()
        self.cells.rest()

    def close(self) -> None:
        """Let go of the memory and the scratch folder."""
        self.duck.close()
        self.cells.close()


class View:
    """The rows that are asked for; `find` finds them, any thread may read pages of what is found so far.

    Attributes:
        known: How many rows are found so far, in their order.
        matched: How many rows fit so far; they may not be sorted yet.
        total: How many fit in all; None until that is known.
        searched: The share of the version that was looked at, 0 to 1.
    """

    def __init__(self, reader: RowReader, asked: Asked) -> None:
        self.reader, self.asked = reader, asked
        self.known = self.matched = 0
        self.total: int | None = None
        self.searched = 0.0
        self._numbers: Numbers | None = None  # None: every row in its own order
        self._matches: Numbers | None = None
        self._stopped = False
        self._query: Query | None = None
        self._finding = threading.Lock()
        if not (asked.filters or asked.where):
            self.total = self.matched = reader.rows
            self.searched = 1.0
            self.known = 0 if asked.order else reader.rows

    @property
    def complete(self) -> bool:
        """Whether all rows are found and in their order."""
        return self.total is not None and self.known == self.total

    def find(self, tell: Callable[[], None] = lambda: None) -> None:
        """Find the rows, from the first on; `tell` is called whenever more are known. A second caller waits.

        Raises:
            Cancelled: `stop` was called.
            BadInput: What was asked for is wrong.
            NotFound: A column is not there.
            Unavailable: What was typed ran past the limits of the sandbox.
        """
        with self._finding, self.reader.duck.query() as query:
            self._query = query
            try:
                if self.total is None:
                    self._match(query, tell)
                if self.asked.order and not self.complete:
                    self._sort(query, tell)
            finally:
                self._query = None
        tell()

    def stop(self) -> None:
        """End a search that runs in another thread."""
        self._stopped = True
        query = self._query
        if query is not None:
            query.stop()

    def matches(self) -> "Numbers | None":
        """Return the ascending numbers of the rows that fit, once they are found; None for every row."""
        return self._matches

    def page(self, offset: int, limit: int, columns: Sequence[str], wanted: Wanted = always) -> Page:
        """Return rows of what is found so far, with the named columns.

        Args:
            offset: The first of them in this view, from 0.
            limit: How many.
            columns: Their names.
            wanted: Asked while reading; when it says no the reading ends.

        Raises:
            Cancelled: It was not wanted any more.
        """
        numbers = self.numbers(offset, limit)
        read = self.reader.cells.read(numbers, columns, wanted)
        values = [plain_column(read[name]) for name in columns] if len(numbers) else []
        rows = [list(row) for row in zip(*values, strict=True)]
        return Page(total=self.known, offset=offset, columns=list(columns), rows=rows)

    def value(self, row: int, column: str) -> Value:
        """Return one value as a filter takes it.

        Args:
            row: Its place in this view.
            column: The column's name.
        """
        sql, kind = self.reader.sql_of(column)
        if plain_type(kind):
            value = self.page(row, 1, [column]).rows[0][0]
            return None if value != value else value
        number = self.numbers(row, 1)
        with self.reader.duck.query() as query:
            query.give("rows", self.reader.stream([column], number))
            return query.fetch(f"select {value_sql(sql, kind)} from rows")[0][0]

    def numbers(self, offset: int, limit: int) -> "Numbers":
        """Return the numbers in the file of rows that are found so far."""
        import numpy as np

        last = max(offset, min(offset + limit, self.known))
        return np.arange(offset, last) if self._numbers is None else self._numbers[offset:last]

    def _match(self, query: "Query", tell: Callable[[], None]) -> None:
        """Find the rows that fit, ascending."""
        narrowing = (self.asked.filters, self.asked.where)
        found = self.reader.kept(narrowing)
        if found is None:
            typed = self._typed(tell) if self.asked.where else None
            found = self._scan(query, typed, tell) if self.asked.filters else typed
            assert found is not None
            self.reader.keep(narrowing, found)
        self._matches = found
        self.searched, self.total, self.matched = 1.0, len(found), len(found)
        if not self.asked.order:
            self._numbers, self.known = found, len(found)

    def _typed(self, tell: Callable[[], None]) -> "Numbers":
        """Return the rows for which typed SQL is true, asked of the sandbox."""
        from lemnis.engine.data.duck import literal
        from lemnis.engine.explore.sandbox import streams
        from lemnis.engine.explore.sandboxed import Statement

        where, path = self.asked.where, self.reader.cells.file
        known = self.reader.kept(((), where))
        if known is not None:
            return known
        source = f"read_parquet({literal(str(path))}, file_row_number = true)"
        condition = f"where (\n{where}\n)"
        statement = Statement(
            sql=f"select file_row_number from {source} {condition}", typed=f"select * from data {condition}"
        )
        found = Found(self.reader.rows)
        with streams([statement], {"data": path}) as each:
            for stream in each:
                for batch in stream:
                    found.add(batch.column(0).to_numpy())
                    self._tell(found, tell, shown=not self.asked.filters)
        self.reader.keep(((), where), found.rows)
        return found.rows

    def _scan(self, query: "Query", rows: "Numbers | None", tell: Callable[[], None]) -> "Numbers":
        """Return the rows that pass the filters, searched row group by row group."""
        import pyarrow as pa

        from lemnis.engine.explore.cells import ROW

        columns = list(dict.fromkeys(one.column for one in self.asked.filters))
        sql, values = self.reader.condition(self.asked.filters)
        schema, found = self.reader.cells.batch_schema(columns), Found(self.reader.rows)
        waiting: list[pa.RecordBatch] = []
        step = FIRST_GROUPS

        def search() -> None:
            query.give("rows", pa.Table.from_batches(waiting, schema))
            hits = query.arrow(f"select {ROW} from rows where {sql} order by {ROW}", values)
            found.add(hits.column(0).to_numpy())
            self.searched = (int(waiting[-1].column(0)[-1].as_py()) + 1) / self.reader.rows
            self._tell(found, tell, shown=True)

        for batch in self.reader.cells.batches(columns, self.reader.groups, rows, self._wanted):
            waiting.append(batch)
            if len(waiting) >= step:
                search()
                waiting, step = [], min(2 * step, MOST_GROUPS)
        if waiting:
            search()
        return found.rows

    def _sort(self, query: "Query", tell: Callable[[], None]) -> None:
        """Put the rows that fit in order: the first ones first, then all of them."""
        from lemnis.engine.explore.cells import ROW, Numbers

        column = self.reader.version.column(self.asked.order).name
        way = "desc" if self.asked.descending else "asc"
        order = f"order by {order_sql(*self.reader.sql_of(column))} {way} nulls last, {ROW}"

        def sorted_(limit: str) -> Numbers:
            query.give("rows", self.reader.stream([column], self._matches, self._wanted))
            return query.arrow(f"select {ROW} from rows {order} {limit}").column(0).to_numpy()

        if self.matched > 4 * FIRST_SORTED:
            self._numbers = sorted_(f"limit {FIRST_SORTED}")
            self.known = len(self._numbers)
            tell()
        self._numbers = sorted_("").astype(number_type(self.reader.rows))
        self.known = len(self._numbers)

    def _wanted(self) -> bool:
        return not self._stopped

    def _tell(self, found: "Found", tell: Callable[[], None], *, shown: bool) -> None:
        if self._stopped:
            raise Cancelled("The search was stopped.")
        self.matched = found.count
        if shown and not self.asked.order:
            self._numbers, self.known = found.space, found.count
        tell()


class Found:
    """Row numbers as they are found."""

    def __init__(self, most: int) -> None:
        import numpy as np

        self.space: Numbers = np.empty(most, number_type(most))  # what is never written takes no memory
        self.count = 0

    def add(self, rows: "Numbers") -> None:
        """Append row numbers."""
        self.space[self.count : self.count + len(rows)] = rows
        self.count += len(rows)

    @property
    def rows(self) -> "Numbers":
        """All numbers so far, in no more memory than they need."""
        return self.space[: self.count].copy()


def number_type(rows: int) -> "type[np.signedinteger[Any]]":
    """Return the smallest type that holds the row numbers of a table."""
    import numpy as np

    return np.int32 if rows < 1 << 31 else np.int64


def read_page(version: Version, offset: int = 0, limit: int = 100, asked: Asked = ALL_ROWS) -> Page:
    """Return one page of a version's rows with all columns, for a reader that wants no other.

    Raises:
        BadInput: A bound, a column or a condition is wrong.
        Unavailable: What was typed ran past the limits of the sandbox.
    """
    if offset < 0 or not 0 <= limit <= LONGEST_PAGE:
        raise BadInput(f"Rows {offset} and {limit} more are no page.", f"Ask for 0 to {LONGEST_PAGE:,} rows.")
    if asked.order:
        version.column(asked.order)
    with closing(RowReader(version)) as reader:
        view = View(reader, asked)
        view.find()
        return view.page(offset, limit, [column.name for column in version.columns])
