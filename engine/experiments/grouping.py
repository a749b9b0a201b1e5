"""Groups of runs: of each value of a condition how many runs there are, how they stand, and which is the best."""

from collections.abc import Sequence

from msgspec import structs

from lemnis.engine.errors import BadInput
from lemnis.engine.experiments.compare import larger_is_better
from lemnis.engine.experiments.records import RunGroup
from lemnis.engine.experiments.search import ON_SHELF, Search, Shelf, all_of, base_of, listed, read_search
from lemnis.engine.query import Condition, Reference
from lemnis.engine.query.tree import Group, Term, conjuncts
from lemnis.engine.store import Store
from lemnis.engine.text import safe

# What runs can be grouped by, as SQL over a run: all in the index of what lists ask, and none of it is null.
GROUPABLE = {
    "preset": "runs.preset",
    "algorithm": "runs.algorithm",
    "data": "coalesce(runs.version_id, '')",
    "group": "runs.group_name",
    "state": "runs.state",
}
FRONT = 2000  # runs at the front of a metric's order that most groups have their best among


class Groups:
    """The runs of one workspace by what they have in common."""

    def __init__(self, store: Store, ask: Reference) -> None:
        """Look at a workspace; `ask` answers what the champion or the baseline has, for queries that compare."""
        self.store, self.ask = store, ask

    def of(
        self, by: str, query: str, sort: str, descending: bool, metric: str, *, shelf: Shelf = "active"
    ) -> list[RunGroup]:
        """Return the groups of the runs a query finds; the best of each by `metric`, largest or smallest as is better.

        Raises:
            BadInput: Runs can't be grouped by that.
            QueryError: The query or the sort field can't be read.
        """
        if by not in GROUPABLE:
            raise BadInput(
                f"Runs can't be grouped by {safe(by, limit=60)!r}.", f"Choose one of {', '.join(GROUPABLE)}."
            )
        largest = descending if sort == f"metrics.{metric}" else larger_is_better(metric) is not False
        asked = read_search(query, sort, descending=descending, shelf=shelf, ask=self.ask)
        return groups_of(self.store, asked, by, metric, largest=largest)

    def numbers(
        self, by: str, value: str, query: str = "", sort: str = "", descending: bool = True, *, shelf: Shelf = "active"
    ) -> Sequence[int]:
        """Return the numbers of the runs of one group that a query finds, in order; raises QueryError."""
        asked = read_search(query, sort, descending=descending, shelf=shelf, ask=self.ask)
        own = Term(f"{GROUPABLE[by]} = ?", (value,))
        wanted = Group("and", (*conjuncts(asked.wanted), own))
        return all_of(self.store, Search(wanted, asked.sort, asked.descending, asked.shelf))


def groups_of(store: Store, search: Search, by: str, metric: str = "", *, largest: bool = True) -> list[RunGroup]:
    """Return the groups of the runs that are found.

    Args:
        store: The workspace's state.
        search: Which runs; sorted by that metric, groups come in the order of their best, else the one with the newest
            run comes first.
        by: One of GROUPABLE.
        metric: What the best run is chosen by; empty for none.
        largest: Whether more of it is better.
    """
    runs = found_runs(store, search)
    sql = f"select {GROUPABLE[by]}, runs.state, count(*), max(runs.id) {runs.sql} group by 1, 2"
    labels = version_titles(store) if by == "data" else {}
    groups: dict[str, RunGroup] = {}
    for value, state, count, newest in store.rows(sql, runs.values):
        label = labels.get(value, value) or "none"
        known = groups.get(value) or RunGroup(value=value, label=label, runs=0, states={}, newest=0)
        groups[value] = structs.replace(
            known, runs=known.runs + count, states=known.states | {state: count}, newest=max(known.newest, newest)
        )
    for value, best, run_id in best_of(store, search, by, list(groups), metric, largest=largest) if metric else ():
        groups[value] = structs.replace(groups[value], best=best, best_run=run_id)
    ordered = sorted(groups.values(), key=lambda one: -one.newest)
    if metric and search.sort == f"metrics.{metric}":
        ordered.sort(key=lambda one: (one.best is None, (one.best or 0.0) * (-1 if search.descending else 1)))
    return ordered


def found_runs(store: Store, search: Search) -> Condition:
    """Return the runs that are found as ``from … where …`` over `runs`."""
    base, few = base_of(store, search)
    found = listed(Search(search.wanted, shelf=search.shelf), base if few else None, each_row=few)
    if not few:
        return Condition(found.sql, found.values)
    inner = f"(select {found.row} as id {found.sql})"
    return Condition(f"from {inner} f cross join runs on runs.id = f.id where true", found.values)


def best_of(
    store: Store, search: Search, by: str, groups: list[str], metric: str, *, largest: bool
) -> list[tuple[str, float, int]]:
    """Return the best value of each group that has one, and its run: most stand at the front of the metric's order."""
    runs, way = found_runs(store, search), "desc" if largest else "asc"
    inner = f"select runs.id {runs.sql}"
    found: dict[str, tuple[str, float, int]] = {}
    front = f"""select {GROUPABLE[by]}, m.value, runs.id from run_metrics m cross join runs on runs.id = m.run_id
                where m.key = ? and m.value is not null and {{}} order by m.value {way}, m.run_id desc limit ?"""
    first = front.format(ON_SHELF[search.shelf])
    if not conjuncts(search.wanted):
        for value, best, run_id in store.rows(first, (metric, FRONT)):
            found.setdefault(value, (value, best, run_id))
    rest = [value for value in groups if value not in found]
    if rest:
        marks = ", ".join("?" * len(rest))
        # Of the row with the extreme value SQLite gives the other columns too.
        sql = f"""select {GROUPABLE[by]}, {"max" if largest else "min"}(m.value), runs.id
                  from runs cross join run_metrics m on m.run_id = runs.id and m.key = ?
                  where {GROUPABLE[by]} in ({marks}) and runs.id in ({inner}) group by 1"""
        for value, best, run_id in store.rows(sql, (metric, *rest, *runs.values)):
            if best is not None:
                found[value] = (value, best, run_id)
    return list(found.values())


def version_titles(store: Store) -> dict[str, str]:
    """Return what dataset versions are called, by their hash."""
    return {row[0]: f"{row[1]} v{row[2]}" for row in store.rows("select id, name, number from versions")}
