"""Which runs a query finds, in which order: a page, a count, or all their numbers, by the index that is worth most.

A page walks along the order and looks each run's values up until it has enough; a condition that few runs meet is
started from instead; and where a walk finds too little, the runs of each condition are gathered from its index.
"""

from array import array
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from lemnis.engine import clock
from lemnis.engine.experiments.fields import FIELDS
from lemnis.engine.query import Condition, Node, Pairs, Reference, compile_order, parse_query
from lemnis.engine.query.fields import Bound, Name, resolve
from lemnis.engine.query.tree import EVERYTHING, Group, Negation, Term, condition, conjuncts
from lemnis.engine.store import Store

Shelf: TypeAlias = Literal["active", "archived", "deleted"]

FEW = 2000  # so many runs are looked at one by one before sets of runs are gathered
PIECE = 1 << 16
STEPS = 500_000  # of SQLite's machine: a walk that finds too little gives up after some 15 ms
ON_SHELF: dict[Shelf, str] = {
    "active": "runs.deleted_at is null and runs.archived_at is null",
    "archived": "runs.deleted_at is null and runs.archived_at is not null",
    "deleted": "runs.deleted_at is not null",
}
# The same asked of a number alone: there are few hidden runs, so that their set is small.
HIDDEN = "select id from runs where (deleted_at is not null or archived_at is not null)"
NUMBER_ON_SHELF: dict[Shelf, str] = {
    "active": f"not in ({HIDDEN})",
    "archived": f"in ({HIDDEN} and deleted_at is null)",
    "deleted": f"in ({HIDDEN} and deleted_at is not null)",
}


def value_in(store: Store, run_id: int, family: str, key: str) -> Bound | None:
    """Return what a run has in a field: a pair of a family, or a column where `family` is empty."""
    if family:
        pairs = FIELDS.pairs[family]
        return store.value(f"select value from {pairs.table} where {pairs.owner} = ? and key = ?", (run_id, key))
    return store.value(f"select {FIELDS.columns[key].sql} from runs where id = ?", (run_id,))


class Search(msgspec.Struct, frozen=True):
    """What is asked of the runs.

    Attributes:
        wanted: The query's tree.
        sort: A field; empty for the newest first.
        shelf: Runs that are neither archived nor deleted, or those that are.
    """

    wanted: Node = EVERYTHING
    sort: str = ""
    descending: bool = True
    shelf: Shelf = "active"

    @property
    def pair(self) -> Name | None:
        """The metric, parameter or tag to sort by, None if it is another field."""
        name = resolve(self.sort, FIELDS, 0) if self.sort else None
        return name if name is not None and isinstance(name.column, Pairs) else None


class Body(NamedTuple):
    """Where numbers of runs come from: ``select {row} from … where …``."""

    row: str
    sql: str
    values: tuple[Bound, ...]
    order: Condition

    def numbers(self, limit: int, offset: int) -> tuple[str, tuple[Bound, ...]]:
        sql = f"select {self.row} as id {self.sql} order by {self.order.sql} limit ? offset ?"
        return sql, (*self.values, *self.order.values, limit, offset)

    def counting(self) -> tuple[str, tuple[Bound, ...]]:
        return f"select count(*) {self.sql}", self.values


def read_search(
    query: str,
    sort: str = "",
    *,
    descending: bool = True,
    shelf: Shelf = "active",
    ask: Reference | None = None,
    now_ms: int | None = None,
) -> Search:
    """Return a query and an order as they are to be searched.

    `ask` answers what the champion or the baseline has; ages are counted from `now_ms`, else from now.

    Raises:
        QueryError: The query or the field to sort by can't be read.
    """
    wanted = parse_query(query, FIELDS, now_ms=clock.now_ms() if now_ms is None else now_ms, ask=ask)
    if sort:
        resolve(sort, FIELDS, 0)
    return Search(wanted, sort, descending, shelf)


def page_of(store: Store, search: Search, limit: int, offset: int = 0) -> list[int]:
    """Return the numbers of some runs, in order; no more is read than it takes to find them."""
    if not limit:
        return []
    base, few = base_of(store, search)
    if search.pair is None or few:
        return numbers_of(store, search, base if few or search.sort else None, few, limit, offset)
    found = walked(store, with_value(search, each_row=True), with_value(search, each_row=False), limit, offset)
    if len(found) == limit:
        return found
    before = offset if found else int(store.value(*with_value(search, each_row=False).counting()))
    rest = without_value(search)
    return found + [row[0] for row in store.rows(*rest.numbers(limit - len(found), max(0, offset - before)))]


def count_of(store: Store, search: Search) -> int:
    """Return how many runs there are."""
    base, few = base_of(store, search)
    return int(store.value(*listed(search, base, each_row=few).counting()))


def all_of(store: Store, search: Search) -> "array[int]":
    """Return the numbers of all runs, in order: eight bytes a run."""
    base, few = base_of(store, search)
    if search.pair is None or few:
        return numbered(store, listed(search, base, each_row=few))
    found = numbered(store, with_value(search, each_row=False))
    lacking = len(found) < int(store.value(*listed(search, base, each_row=False).counting()))
    return found + numbered(store, without_value(search)) if lacking else found


def numbered(store: Store, body: Body) -> "array[int]":
    """Return all numbers; as one JSON text, because rows cost more than what they hold."""
    sql, values = body.numbers(-1, 0)
    return numbers_in(store.value(f"select json_group_array(id) from ({sql})", values))


def numbers_in(text: str, piece: int = PIECE) -> "array[int]":
    """Return the numbers of a JSON array without blanks, read so many characters at a time: few are ever objects."""
    numbers, begin = array("q"), 1
    while begin < len(text) - 1:
        end = text.find(",", begin + piece)
        end = len(text) - 1 if end < 0 else end
        numbers.extend(msgspec.json.decode(f"[{text[begin:end]}]", type=list[int]))
        begin = end + 1
    return numbers


def numbers_of(store: Store, search: Search, base: Term | None, few: bool, limit: int, offset: int) -> list[int]:
    """Return a page in an order that is not a pair's."""
    gathered = listed(search, base, each_row=few)
    if few or search.sort:
        return [row[0] for row in store.rows(*gathered.numbers(limit, offset))]
    return walked(store, listed(search, None, each_row=True), gathered, limit, offset)


def walked(store: Store, walk: Body, otherwise: Body, limit: int, offset: int) -> list[int]:
    """Return a page by a walk along its order, or in another way if that takes too long."""
    rows = store.rows_within(STEPS, *walk.numbers(limit, offset))
    return [row[0] for row in (store.rows(*otherwise.numbers(limit, offset)) if rows is None else rows)]


def base_of(store: Store, search: Search) -> tuple[Term | None, bool]:
    """Return the condition on pairs that fewest runs meet, if there is one, and whether those are few."""
    terms = [part for part in conjuncts(search.wanted) if isinstance(part, Term) and part.family is not None]
    counts: list[int] = []
    for term in terms:
        assert term.family is not None
        sql = f"select count(*) from (select 1 from {term.family.table} p where {term.sql} limit ?)"
        counts.append(int(store.value(sql, (*term.values, FEW + 1))))
    if not terms:
        return None, False
    least = min(counts)
    return terms[counts.index(least)], least <= FEW


def listed(search: Search, base: Term | None, *, each_row: bool) -> Body:
    """Return the runs from the list of all, or from those that meet one condition."""
    rest = [part for part in conjuncts(search.wanted) if part is not base]
    if base is None or base.family is None:
        return body("runs.id", "from runs", (), rest, search, each_row=each_row)
    family = base.family
    once = "" if base.key else "distinct "
    source = f"from (select {once}p.{family.owner} as id from {family.table} p where {base.sql}) c"
    return body("c.id", source, base.values, rest, search, each_row=each_row)


def with_value(search: Search, *, each_row: bool) -> Body:
    """Return the runs that have what is sorted by, from its index; conditions on the same value narrow its range."""
    pair = search.pair
    assert pair is not None
    family = pair.column
    assert isinstance(family, Pairs)
    parts = conjuncts(search.wanted)
    own = [part for part in parts if isinstance(part, Term) and part.family is family and part.key == pair.key]
    number = "p.value" if family.numeric else "p.number"
    source = (
        f"from (select p.{family.owner} as id, {number} as number, p.value as value from {family.table} p "
        f"where p.key = ? and p.value is not null{''.join(f' and {part.sql}' for part in own)}) c"
    )
    values = (pair.key, *(value for part in own for value in part.values))
    rest = [part for part in parts if part not in own]
    way = "desc" if search.descending else "asc"
    order = (
        f"c.number {way} nulls last, c.value {way}, c.id desc" if not family.numeric else f"c.value {way}, c.id desc"
    )
    return body("c.id", source, values, rest, Search(shelf=search.shelf), each_row=each_row)._replace(
        order=Condition(order)
    )


def without_value(search: Search) -> Body:
    """Return the runs that have not what is sorted by, newest first."""
    pair = search.pair
    assert pair is not None
    family = pair.column
    assert isinstance(family, Pairs)
    lacking = Negation(Term("p.key = ? and p.value is not null", (pair.key,), family, pair.key))
    newest = Search(Group("and", (*conjuncts(search.wanted), lacking)), shelf=search.shelf)
    return listed(newest, None, each_row=False)


def body(row: str, source: str, values: tuple[Bound, ...], rest: list[Node], search: Search, *, each_row: bool) -> Body:
    """Return runs of a source that are on the shelf and meet what else is wanted."""
    order = Condition(f"{row} desc")
    if search.sort:
        by = compile_order(search.sort, FIELDS, descending=search.descending)
        order = Condition(f"{by.sql}, {row} desc", by.values)
    if row == "runs.id":
        shelf = ON_SHELF[search.shelf]
    elif search.sort or any(asks_of_runs(part) for part in rest):
        source = f"{source} cross join runs on runs.id = {row}"
        shelf = ON_SHELF[search.shelf]
    else:
        shelf = f"{row} {NUMBER_ON_SHELF[search.shelf]}"
    asked = [condition(part, row, each_row=each_row) for part in rest]
    where = " and ".join([shelf, *(part.sql for part in asked)])
    return Body(row, f"{source} where {where}", (*values, *(v for part in asked for v in part.values)), order)


def asks_of_runs(node: Node) -> bool:
    """Say whether a condition looks at the run itself, and not at its pairs alone."""
    if isinstance(node, Group):
        return any(asks_of_runs(part) for part in node.parts)
    return asks_of_runs(node.part) if isinstance(node, Negation) else node.family is None
