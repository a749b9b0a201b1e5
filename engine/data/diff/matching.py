"""Which row of one version is which row of the other: by key, or by all that a row holds."""

# pyarrow ships no types: what comes from it is unknown to the checker, what this file returns is not.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from lemnis.engine.data.diff.values import Pair, Rows, Values, alike, differing, mixed
from lemnis.engine.data.duck import first_row, open_duck
from lemnis.engine.errors import Cancelled

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lemnis.engine.jobs.context import JobContext

SEEDS = (1, 0x1D8E4E27C47D124F)  # two hashes of 64 bits: unlike rows are never taken for equal ones
BATCH = 1 << 20  # pairs taken from DuckDB at once
STOP_EVERY_S = 0.2


class Matching(NamedTuple):
    """Places of rows, from 0.

    Attributes:
        before, after: Rows that are the same, shape (n,) each, in the order they have before.
        removed, added: Rows that only one version has, in their order.
        repeated: How many rows of either version have a key that an earlier row of it has.
    """

    before: Rows
    after: Rows
    removed: Rows
    added: Rows
    repeated: tuple[int, int]


class Content:
    """Two hashes of each row of both versions, taken a column at a time."""

    def __init__(self, before_rows: int, after_rows: int) -> None:
        self.sides = [[np.full(rows, seed, np.uint64) for seed in SEEDS] for rows in (before_rows, after_rows)]

    def add(self, pair: Pair) -> None:
        """Take in one more column."""
        for side, values in zip(self.sides, alike(pair), strict=True):
            side[:] = [mixed(hashes, values, seed) for hashes, seed in zip(side, SEEDS, strict=True)]

    def pairs(self) -> list[Pair]:
        """Return the hashes as the columns of a key."""
        return [Pair("numeric", Values(one), Values(other)) for one, other in zip(*self.sides, strict=True)]


class Asked(NamedTuple):
    """How rows are to be matched.

    Attributes:
        keys: The columns whose values are equal in the same rows.
        rows: How many rows the versions have.
        unique: Whether it is known that no key is repeated in a version.
        content: Gives the hashes of the rows when a key is repeated: of the rows with one key those that are equal are
            paired first, the others in their order. None: the keys are all that a row holds.
    """

    keys: Sequence[Pair]
    rows: tuple[int, int]
    unique: bool
    content: Callable[[], Content] | None


def match_rows(context: "JobContext", asked: Asked, scratch: Path) -> Matching:
    """Return which rows are the same; `scratch` is a folder for what doesn't fit into memory.

    Raises:
        Cancelled: The job was asked to stop.
    """
    if asked.unique:
        return _match_unique(context, asked, scratch)
    names = [f"k{place}" for place in range(len(asked.keys))]
    whole = [np.arange(count) for count in asked.rows]
    with _duck(context, scratch) as duck:
        _register(duck, asked.keys, whole)
        repeated = _note_repeated(duck, names)
        if not any(repeated):
            return _match_unique(context, asked, scratch)
        content = asked.content() if asked.content else None
        _register(duck, asked.keys, whole, content)
        hashes = ["h0", "h1"] if content else []
        duck.execute(f"create temp table twins as {_nth([*names, *hashes])}")
        found = [_pairs(duck, _once(names)), _pairs(duck, "select b, a from twins")]
        if content:
            found.append(_pairs(duck, _nth(names, untaken=True)))
    return _matching(np.concatenate(found, axis=1), asked.rows, repeated)


def _match_unique(context: "JobContext", asked: Asked, scratch: Path) -> Matching:
    """Return which rows are the same when no key is repeated: those at the same place need no look-up."""
    both = min(asked.rows)
    first = slice(0, both)
    unlike = np.zeros(both, np.bool_)
    for pair in asked.keys:
        unlike |= differing(pair.before.of(first), pair.after.of(first))
    there = np.flatnonzero(~unlike)
    found = [np.stack((there, there))]
    left = [np.concatenate((np.flatnonzero(unlike), np.arange(both, count))) for count in asked.rows]
    if all(len(side) for side in left):
        names = [f"k{place}" for place in range(len(asked.keys))]
        with _duck(context, scratch) as duck:
            _register(duck, asked.keys, left)
            found.append(_pairs(duck, f"select b.row as b, a.row as a from before b join after a on {_same(names)}"))
    return _matching(np.concatenate(found, axis=1), asked.rows, (0, 0))


def _matching(pairs: Rows, rows: tuple[int, int], repeated: tuple[int, int]) -> Matching:
    """Return pairs of places, shape (2, n), in the order of the first, with the rows that are in none."""
    partner, taken = np.full(rows[0], -1, np.int64), np.zeros(rows[1], np.bool_)
    partner[pairs[0]] = pairs[1]
    taken[pairs[1]] = True
    before = np.flatnonzero(partner >= 0)
    if not len(before) == int(taken.sum()) == pairs.shape[1]:
        raise AssertionError("a row was paired twice")
    return Matching(before, partner[before], np.flatnonzero(partner < 0), np.flatnonzero(~taken), repeated)


def _register(
    duck: "DuckDBPyConnection", keys: Sequence[Pair], rows: Sequence[Rows], content: Content | None = None
) -> None:
    """Make the tables `before` and `after`: the keys of these rows, their places, and the hashes of their content."""
    for side, name in enumerate(("before", "after")):
        columns: dict[str, Any] = {"row": rows[side]}
        for place, pair in enumerate(keys):
            values = alike(pair)[side].of(rows[side])
            columns[f"k{place}"] = pa.array(values.values, mask=values.missing)
        if content is not None:
            columns |= {f"h{place}": hashes for place, hashes in enumerate(content.sides[side])}
        duck.register(name, pa.table(columns))


def _same(names: Sequence[str]) -> str:
    return " and ".join(f"b.{name} is not distinct from a.{name}" for name in names)


def _note_repeated(duck: "DuckDBPyConnection", names: Sequence[str]) -> tuple[int, int]:
    """Keep the keys that stand more than once in a version, and return how many rows repeat one in each."""
    keys = ", ".join(names)
    counts: list[int] = []
    for table in ("before", "after"):
        duck.execute(
            f"create temp table often_{table} as select {keys}, count(*) as n from {table} group by {keys} having n > 1"
        )
        counts.append(int(first_row(duck, f"select coalesce(sum(n - 1), 0) from often_{table}")[0]))
    duck.execute(f"create temp table often as select {keys} from often_before union select {keys} from often_after")
    return counts[0], counts[1]


def _often(side: str, names: Sequence[str]) -> str:
    """Return the condition that the key of a row stands more than once in a version."""
    same = " and ".join(f"o.{name} is not distinct from {side}.{name}" for name in names)
    return f"exists (select 1 from often o where {same})"


def _once(names: Sequence[str]) -> str:
    """Return the query of the pairs whose key stands once in each version."""
    return f"""select b.row as b, a.row as a from before b join after a on {_same(names)}
               where not {_often("b", names)}"""


def _nth(names: Sequence[str], *, untaken: bool = False) -> str:
    """Return the query of the pairs of rows whose key is repeated, the first with the first, and so on."""
    keys = [name for name in names if name.startswith("k")]
    numbered = {
        table: f"""select *, row_number() over (partition by {", ".join(names)} order by row) as nth
                   from {table} {table[0]}
                   where {_often(table[0], keys)}
                   {f"and row not in (select {table[0]} from twins)" if untaken else ""}"""
        for table in ("before", "after")
    }
    return f"""select b.row as b, a.row as a from ({numbered["before"]}) b join ({numbered["after"]}) a
               on {_same(names)} and b.nth = a.nth"""


def _pairs(duck: "DuckDBPyConnection", query: str) -> Rows:
    """Return the pairs of places that a query finds, shape (2, n)."""
    found = [np.empty((2, 0), np.int64)]
    for batch in duck.sql(query).to_arrow_reader(BATCH):
        found.append(np.stack([batch.column(place).to_numpy() for place in range(2)]))
    return np.concatenate(found, axis=1)


@contextmanager
def _duck(context: "JobContext", scratch: Path) -> "Generator[DuckDBPyConnection, None, None]":
    """A DuckDB that is interrupted as soon as the job is asked to stop."""
    import duckdb

    connection = open_duck(context.cores, spill=scratch)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(STOP_EVERY_S):
            if context.cancelled():
                connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield connection
    except duckdb.InterruptException:
        raise Cancelled(context.stop_reason) from None
    finally:
        ended.set()
        watcher.join()
        connection.close()
