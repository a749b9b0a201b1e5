"""Linking: one source joined with others into one table, each join with a report of what it matched."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data.asof import AT, DECIDED, asof_views, check_times, decision_time, time_columns
from lemnis.engine.data.drafts import brought
from lemnis.engine.data.duck import literal, quote, refusals
from lemnis.engine.data.expressions import check_expression, near
from lemnis.engine.data.keys import check_keys, check_types
from lemnis.engine.data.quarantine import Quarantined, count_quarantined, held_back
from lemnis.engine.data.reports import LinkReport, link_report
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Linked(Struct, frozen=True, kw_only=True):
    """A table that is ready to be read.

    Attributes:
        query: The SQL of its rows, in the order of their time and then of their base.
        recipe: All the SQL, for people.
        sources: The source of each column; ``derived`` for an expression.
        reports: One per join.
        quarantined: What each rule of [[dataset.quarantine]] leaves out.
    """

    query: str
    recipe: str
    sources: dict[str, str]
    reports: list[LinkReport]
    quarantined: list[Quarantined] = []


def link_sources(
    duck: "DuckDBPyConnection",
    dataset: Dataset,
    snapshots: dict[str, Snapshot],
    on_step: Callable[[int, str], None] = lambda position, text: None,
) -> Linked:
    """Join, derive and filter as a dataset declares, in a connection that may read the snapshots and nothing else.

    Args:
        duck: From `open_duck(views=…)` with the path of each snapshot.
        dataset: The declaration.
        snapshots: By source, at least those that the dataset names.
        on_step: Called with the number of each link and its source before it is joined; may raise to stop.

    Raises:
        BadInput: A column, an expression or a pair of keys is not accepted; `place` names the declaration.
    """
    sources, statements = base_view(duck, dataset, snapshots)
    reports: list[LinkReport] = []
    for position, link in enumerate(dataset.links, 1):
        on_step(position, link.source)
        statements += link_views(duck, dataset, position, snapshots=snapshots, sources=sources)
        reports.append(report_of(duck, dataset, position, snapshots))
    query, derived = final_query(duck, dataset, sources)
    return Linked(
        query=query,
        recipe=";\n".join([*statements, query]),
        sources=sources,
        reports=reports,
        quarantined=count_quarantined(duck, dataset, _kept(duck, dataset, sources, derived)),
    )


def base_view(
    duck: "DuckDBPyConnection", dataset: Dataset, snapshots: dict[str, Snapshot]
) -> tuple[dict[str, str], list[str]]:
    """Make the view of the base; return the source of each of its columns, and the view's SQL."""
    base = snapshots[dataset.base]
    sources = {field.name: dataset.base for field in base.columns}
    statements = [_view("step 0", _selection(base, [(name, name) for name in sources], 0))]
    run(duck, statements, "dataset.base")
    return sources, statements


def link_views(
    duck: "DuckDBPyConnection",
    dataset: Dataset,
    position: int,
    *,
    snapshots: dict[str, Snapshot],
    sources: dict[str, str],
) -> list[str]:
    """Make the views of one link and return their SQL; `sources` takes in the columns that it brings.

    Args:
        duck: Holds the views of the links before it, and ``step 0`` of the base.
        dataset: The declaration.
        position: The link's number, from 1.
        snapshots: By source.
        sources: The source of each column there is so far.

    Raises:
        BadInput: A column, an expression or a pair of keys is not accepted; `place` names the declaration.
    """
    link, place = dataset.links[position - 1], f"dataset.links[{position - 1}]"
    right, columns = snapshots[link.source], list(sources)
    check_keys(duck, link, right, columns, place)
    taken = columns_taken(link, right, sources, place)
    decided = decision_time(duck, dataset, columns)
    check_times(link, right, decided, place)
    views = [_left(position, link, decided), _right(position, link, right, taken)]
    run(duck, views, place)
    check_types(duck, position, link, place)
    hidden = [f"#{number}" for number in range(position)]
    shown = [quote(name) for name in [*columns, *hidden, *taken.values(), f"#{position}"]]
    if link.asof:
        latest, met = asof_views(duck, position, link, list(taken.values()), place)
        joins = [_view(f"latest {position}", latest), _view(f"met {position}", met)]
        joins.append(_view(f"step {position}", f"select {', '.join(shown)} from {quote(f'met {position}')}"))
    else:
        joins = [_view(f"step {position}", _joined(position, link, columns, list(taken.values())))]
    run(duck, joins, place)
    sources |= dict.fromkeys(taken.values(), link.source)
    return views + joins


def report_of(
    duck: "DuckDBPyConnection", dataset: Dataset, position: int, snapshots: dict[str, Snapshot]
) -> LinkReport:
    """Count what a link does, after `link_views` made its views."""
    link = dataset.links[position - 1]
    with refusals(f"dataset.links[{position - 1}].on"):
        left = duck.execute(f"describe {quote(f'left {position}')}").fetchall()
        decided = any(name == DECIDED and kind.startswith(("TIMESTAMP", "DATE")) for name, kind, *_ in left)
        times = time_columns(link, snapshots[link.source]) if decided else []
        return link_report(duck, position, link, times)


def columns_taken(link: Link, right: Snapshot, sources: dict[str, str], place: str) -> dict[str, str]:
    """Return the columns a link brings, as right name → name in the dataset; all but the keys when none are named."""
    names = [field.name for field in right.columns]
    taken = brought(link, names)
    for name in taken:
        if name not in names:
            raise BadInput(f"{link.source} has no column {safe(name)!r}.", near(name, names), f"{place}.columns")
        if taken[name] in sources and (link.asof or not link.overwrite):
            raise BadInput(
                f"{link.source}.{name} would be a second column {taken[name]!r}.",
                f'Give the link a prefix, such as "{link.source}_", choose its columns, or let it overwrite.',
                f"{place}.columns",
            )
    return taken


def final_query(duck: "DuckDBPyConnection", dataset: Dataset, sources: dict[str, str]) -> tuple[str, list[str]]:
    """Return the SQL of the rows and of each derived column, after every link's views were made.

    Args:
        duck: Holds the view of the last step.
        dataset: The declaration.
        sources: The source of each column; takes in the derived ones.

    Raises:
        BadInput: A derived column, `where` or a rule is not accepted; `place` names the declaration.
    """
    derived = derived_columns(duck, dataset, len(dataset.links), sources)
    sources |= dict.fromkeys(dataset.derive, "derived")
    return _final(duck, dataset, sources, derived), derived


def derived_columns(duck: "DuckDBPyConnection", dataset: Dataset, step: int, sources: dict[str, str]) -> list[str]:
    """Return the derived columns as SQL, each tried once; a later one may use an earlier one."""
    known, derived = list(sources), list[str]()
    for name, expression in dataset.derive.items():
        place = f"dataset.derive.{name}"
        if name in known:
            raise BadInput(f"The dataset has a column {safe(name)!r} already.", "Use another name.", place)
        check_expression(duck, expression, known, place)
        derived.append(f"(\n{expression}\n) as {quote(name)}")
        columns = ", ".join(["*", *derived])
        run(duck, [f"select {columns} from {quote(f'step {step}')} limit 0"], place)
        known.append(name)
    return derived


def _final(duck: "DuckDBPyConnection", dataset: Dataset, sources: dict[str, str], derived: list[str]) -> str:
    """Return the SQL of the rows: filtered, without what is in quarantine, in an order that is the same every time."""
    hidden = [quote(f"#{position}") for position in range(len(dataset.links) + 1)]
    order = [quote(name) for name in [dataset.time] if name in sources] + hidden
    rows = _kept(duck, dataset, sources, derived)
    quarantine = held_back(dataset, list(sources))
    left_out = f" where not ({quarantine})" if quarantine else ""
    query = f"select {', '.join(map(quote, sources))} from ({rows}){left_out} order by {', '.join(order)}"
    run(duck, [f"select * from ({query}) limit 0"], "dataset.where")
    return query


def _kept(duck: "DuckDBPyConnection", dataset: Dataset, sources: dict[str, str], derived: list[str]) -> str:
    """Return the SQL of the rows that `where` lets through."""
    where = ""
    if dataset.where.strip():
        check_expression(duck, dataset.where, list(sources), "dataset.where")
        where = f" where (\n{dataset.where}\n)"
    step = quote(f"step {len(dataset.links)}")
    return f"select * from (select {', '.join(['*', *derived])} from {step}){where}"


def _left(position: int, link: Link, decided: str) -> str:
    """Return the view of the left side: what there is, its keys, and the moment of decision where it is known."""
    added = [f"(\n{left}\n) as {quote(f'#left {number}')}" for number, left in enumerate(link.on)]
    added += [f"{decided} as {quote(DECIDED)}"] if decided else []
    return _view(f"left {position}", f"select {', '.join(['*', *added])} from {quote(f'step {position - 1}')}")


def _right(position: int, link: Link, right: Snapshot, taken: dict[str, str]) -> str:
    """Return the view of the right side: its keys, its times, and what is taken of it under its new name."""
    columns = [(name, f"#right {number}") for number, name in enumerate(link.on.values())]
    columns += [(name, f"#when {name}") for name in time_columns(link, right)]
    columns += [(link.asof, AT)] if link.asof else []
    return _view(f"right {position}", _selection(right, [*columns, *taken.items()], position))


def _joined(position: int, link: Link, columns: list[str], taken: list[str]) -> str:
    """Return the SQL of a left join: every left row, once for each right row that has its key."""
    pairs = [f"l.{quote(f'#left {number}')} = r.{quote(f'#right {number}')}" for number in range(len(link.on))]
    hidden = [f"#{number}" for number in range(position)]
    replaced = {name: f"coalesce(r.{quote(name)}, l.{quote(name)}) as {quote(name)}" for name in taken}
    shown = [replaced.pop(name, f"l.{quote(name)}") for name in [*columns, *hidden]]
    shown += [f"r.{quote(name)}" for name in [*replaced, f"#{position}"]]
    left, right = quote(f"left {position}"), quote(f"right {position}")
    return f"select {', '.join(shown)} from {left} as l left join {right} as r on {' and '.join(pairs)}"


def _selection(snapshot: Snapshot, columns: list[tuple[str, str]], position: int) -> str:
    names = [f"{quote(name)} as {quote(shown)}" for name, shown in [*columns, ("file_row_number", f"#{position}")]]
    return f"select {', '.join(names)} from read_parquet({literal(str(snapshot.path))})"


def _view(name: str, query: str) -> str:
    return f"create view {quote(name)} as {query}"


def run(duck: "DuckDBPyConnection", statements: list[str], place: str) -> None:
    """Run statements; what DuckDB refuses is BadInput with the place of the declaration."""
    with refusals(place):
        for statement in statements:
            duck.execute(statement)
