"""What a column holds under a view's filters: distinct values or bins with their rows, counted once, then paged."""

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from lemnis.engine.data.plain import plain_column
from lemnis.engine.errors import BadInput, Cancelled
from lemnis.engine.explore.filters import FRACTIONS, NUMBERS, TIMES, Filter, Op, Value, pairs, plain_type, value_sql
from lemnis.engine.explore.views import View

if TYPE_CHECKING:
    from lemnis.engine.explore.streams import Query

By: TypeAlias = Literal["rows", "value"]
LISTED = 100_000  # values that can be paged; a search narrows more of them
BINS = 24  # at most, besides what lies below and above
SAMPLED = 200_000  # rows that decide the width of bins
TAIL = 0.005  # of the rows at either end share one bin, so that a few far values do not decide the width
UNITS = (("minute", 60), ("hour", 3600), ("day", 86_400), ("week", 604_800), ("month", 2_629_800), ("year", 31_557_600))


class Count(Struct, frozen=True, kw_only=True):
    """One value, or one bin, and how many rows have it.

    Attributes:
        value: The value, None for missing ones; of a bin the words for it.
        rows: How many rows have it.
        upto: How many rows this line and those before it have, in the order asked for.
        op: How a filter for it compares: ``in``, or ``within`` for a bin.
        values: What that filter takes.
    """

    value: Value
    rows: int
    upto: int
    op: Op
    values: tuple[Value, ...]


class Counted(Struct, frozen=True, kw_only=True):
    """A part of a column's values: `total` of them fit the search, which `rows` rows have; `listed` can be paged."""

    total: int
    rows: int
    listed: int
    offset: int
    counts: list[Count]


class Values:
    """The values of one column in the rows of a view; the order of the view does not matter.

    Attributes:
        rows: Rows that were counted.
        missing: Rows without a value.
        distinct: Different values, the missing one not among them; or bins.
        binned: Whether bins were counted.
    """

    def __init__(self, view: View, column: str, *, binned: bool = False) -> None:
        # Sorted rows have the same values, but are found later.
        self.view = View(view.reader, replace(view.asked, order="")) if view.asked.order else view
        self.reader, self.binned = view.reader, binned
        self.column = view.reader.version.column(column).name
        self.rows = self.missing = self.distinct = 0
        self._held = ExitStack()
        self._query: Query | None = None
        self._stopped = False
        self._listed: tuple[str, str] = ("", "")
        self._lock = threading.Lock()

    def count(self, tell: Callable[[float], None] | None = None) -> None:
        """Count the values; `tell` is called with the share of the version that was read.

        Raises:
            Cancelled: `stop` was called.
            BadInput: The column has no bins, or a filter is wrong.
            Unavailable: There is not memory enough.
        """
        query = self._query = self._held.enter_context(self.reader.duck.query())
        if self._stopped:
            raise Cancelled("The counting was stopped.")
        if self.view.matches() is None:
            self.view.find()
        column, kind = self.reader.sql_of(self.column)
        value = value_sql(column, kind)
        if not self.binned:
            picked = f"select {value} as value, null as low, null as high, count(*) as many from rows group by all"
        elif kind.startswith(TIMES):
            picked = self._spans(query, value, kind)
        elif kind.startswith(NUMBERS) and plain_type(kind):
            picked = self._steps(query, value, kind)
        else:
            raise BadInput(f"{self.column} holds no numbers or times, so it has no bins.", "Look at its values.")
        self._read(query, tell)
        counted = f"select value, low, high, sum(many)::bigint as rows from ({picked}) group by all"
        query.fetch(f"create temp table counted as {counted}")
        absent = "(value is null and low is null and high is null)"
        sums = f"coalesce(sum(rows), 0), coalesce(sum(rows) filter ({absent}), 0), count(*) filter (not {absent})"
        self.rows, self.missing, self.distinct = (
            int(number) for number in query.fetch(f"select {sums} from counted")[0]
        )

    def page(
        self, offset: int = 0, limit: int = 100, *, by: By = "rows", descending: bool | None = None, search: str = ""
    ) -> Counted:
        """Return some of the values.

        Args:
            offset: The first, from 0.
            limit: How many.
            by: In the order of their rows, or of the values.
            descending: The largest first; None for what is usual: most rows first, smallest value first.
            search: Only values that contain this text, or start with what stands after a ``^``; case does not matter.

        Raises:
            Cancelled: `stop` was called.
        """
        query = self._query
        if query is None:
            raise BadInput("The values are not counted yet.", "Count them first.")
        way = "desc" if (by == "rows" if descending is None else descending) else "asc"
        place = "low nulls first, high nulls last" if self.binned else "value nulls last"
        value = f"low {way} nulls last, high" if self.binned else f"value {way} nulls last, rows"
        order = f"rows {way}, {place}" if by == "rows" else value
        test, words = searched(search)
        with self._lock:
            if self._listed != (order, search):
                self._list(query, order, test, words)
                self._listed = (order, search)
            total, rows = query.fetch(f"select count(*), coalesce(sum(rows), 0) from counted where {test}", words)[0]
            first = query.arrow(f"select * from listed where place > {offset} order by place limit {limit}")
            (listed,) = query.fetch("select count(*) from listed")[0]
        columns = [plain_column(first.column(name)) for name in ("value", "low", "high", "rows", "upto")]
        counts = [self._line(*line) for line in zip(*columns, strict=True)]
        return Counted(total=int(total), rows=int(rows), listed=int(listed), offset=offset, counts=counts)

    def stop(self) -> None:
        """End a counting that runs in another thread."""
        self._stopped = True
        if self._query is not None:
            self._query.stop()

    def close(self) -> None:
        """Let go of what was counted."""
        self._held.close()
        self._query = None

    def _read(self, query: "Query", tell: Callable[[float], None] | None = None) -> None:
        """Make the rows of the view a table of the next query."""
        query.give("rows", self.reader.stream([self.column], self.view.matches(), query.wanted, tell))

    def _list(self, query: "Query", order: str, test: str, words: Sequence[str]) -> None:
        """Keep the values that fit a search in an order, numbered, with the rows up to each."""
        first = f"select * from counted where {test} order by {order} limit {LISTED}"
        numbered = f"row_number() over (order by {order}) as place"
        upto = f"sum(rows) over (order by {order} rows unbounded preceding) as upto"
        query.fetch("drop table if exists listed")
        query.fetch(f"create temp table listed as select *, {numbered}, {upto} from ({first})", words)

    def _line(self, value: Value, low: Value, high: Value, rows: Any, upto: Any) -> Count:
        if low is None and high is None:
            return Count(value=value, rows=int(rows), upto=int(upto), op="in", values=(value,))
        return Count(value=bin_words(low, high), rows=int(rows), upto=int(upto), op="within", values=(low, high))

    def _steps(self, query: "Query", value: str, kind: str) -> str:
        """Return a query that says for each row in which of some equal bins with round ends its number lies."""
        from lemnis.engine.explore.cells import ROW

        number = f"cast({value} as double)"
        self._read(query)
        every = max(1, self.view.matched // SAMPLED)
        ends, least, most = query.fetch(
            f"select quantile_cont(x, [{TAIL}, {1 - TAIL}]) filter ({ROW} % {every} = 0), min(x), max(x) "
            f"from (select {number} as x, {ROW} from rows) where isfinite(x)"
        )[0]
        if least is None:
            return "select null as value, null::double as low, null::double as high, count(*) as many from rows"
        whole = not kind.startswith((*FRACTIONS, "DECIMAL"))
        low, high = ends or (least, most)
        edges = round_edges(low, high, whole=whole)
        listed = f"[{', '.join(f'{edge!r}::double' for edge in edges)}]"
        place = " + ".join(f"(x >= {edge!r}::double)::int" for edge in edges)
        numbers = f"(select {number} as x from rows)"
        inner = f"select x is null as absent, {place} as place, count(*) as many from {numbers} group by all"
        return (
            f"select null as value, if(absent, null, list_extract({listed}, place)) as low, "
            f"if(absent, null, list_extract({listed}, place + 1)) as high, many from ({inner})"
        )

    def _spans(self, query: "Query", value: str, kind: str) -> str:
        """Return a query that says for each row in which minute, hour, day … of the calendar its time lies."""
        self._read(query)
        sql = f"select date_diff('second', min({value})::timestamp, max({value})::timestamp) from rows"
        span = query.fetch(sql)[0][0] or 0
        units = [(name, size) for name, size in UNITS if not (kind == "DATE" and size < 86_400)]
        unit = next((name for name, size in units if span <= size * 2 * BINS), "year")
        inner = f"select date_trunc('{unit}', {value}) as start, count(*) as many from rows group by all"
        return (
            f"select null as value, cast(start as {kind}) as low, "
            f"cast(start + interval 1 {unit} as {kind}) as high, many from ({inner})"
        )


def searched(search: str) -> tuple[str, list[str]]:
    """Return a search as SQL over the counted values, and what it binds."""
    if not search:
        return "true", []
    call, text = ("starts_with", search[1:]) if search.startswith("^") else ("contains", search)
    return f"{call}(lower(coalesce(cast(value as varchar), cast(low as varchar), '')), lower(?))", [text]


def bin_words(low: Value, high: Value) -> str:
    """Return a bin as a person reads it: its low end belongs to it, its high end does not."""
    if low is None:
        return f"below {ended(high)}"
    return f"{ended(low)} and more" if high is None else f"{ended(low)} to {ended(high)}"


def ended(value: Value) -> str:
    """Return an end of a bin as a person reads it."""
    return f"{value:.12g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")


def round_edges(low: float, high: float, *, whole: bool) -> list[float]:
    """Return the ends of at most BINS equal bins over a range, round in the decimal system.

    Args:
        low: The lower end of the range; it lies inside the bins, as the upper one does, unless they are equal.
        high: The upper end.
        whole: The numbers are whole, and so are the ends.
    """
    span = high - low
    if not span or not math.isfinite(span):
        return [low]
    size = 10.0 ** math.floor(math.log10(span / BINS))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10, 20) if span / (size * factor) < BINS - 1)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first = math.floor(low / step)
    last = math.floor(high / step) + 1
    return sorted({float(f"{number * step:.15g}") for number in range(first, last + 1)})


def chosen(column: str, counts: Sequence[Count]) -> Filter:
    """Return the filter for several lines of one column: any of its values, or any of its bins.

    Raises:
        ValueError: There is no line.
    """
    if not counts:
        raise ValueError("a filter needs a value")
    if all(one.op == "in" for one in counts):
        return Filter(column=column, op="in", values=tuple(value for one in counts for value in one.values))
    values: list[Value] = []
    for one in counts:
        spans = pairs(one.values) if one.op == "within" else [(None, None)]  # the missing ones beside bins
        for low, high in spans:
            values += [low, high]
    return Filter(column=column, op="within", values=tuple(values))
