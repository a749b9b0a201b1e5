"""Tries a link on the current snapshots by the steps that link for real, and counts what it would do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lemnis.engine import clock
from lemnis.engine.config import Dataset
from lemnis.engine.data.asof import decision_time, time_columns
from lemnis.engine.data.drafts import KeyPage, KeyRows, LinkDraft, LinkPreview, NearMiss, Side
from lemnis.engine.data.duck import column_type, first_row, refusals
from lemnis.engine.data.link import base_view, columns_taken, final_query, link_views, report_of
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHOWN = 50  # keys of each kind that come with a preview

WRITINGS = ("trim({})", "upper({})", "lower({})", "upper(trim({}))", "lower(trim({}))")

# Of each kind of key: where it is found, its rows, and the left rows that ask for it.
KEYS_OF: dict[Side, str] = {
    "left": "select {texts} as key, n::bigint as rows, n::bigint as asked from met where m = 0 and not gap",
    "right": "select {texts} as key, m as rows, 0 as asked from held left join wishes using ({keys}) where n is null",
    "duplicates": "select {texts} as key, m as rows, coalesce(n, 0)::bigint as asked"
    " from held left join wishes using ({keys}) where twice",
}


def preview_of(duck: "DuckDBPyConnection", draft: LinkDraft, snapshots: Mapping[str, Snapshot]) -> LinkPreview:
    """Return what a draft would do; its keys stay counted in the connection for `page_of`.

    Args:
        duck: From `open_duck(views=…)`; fresh, for the steps are made in it.
        draft: The link.
        snapshots: By source, at least those of the base and the links up to the draft's.

    Raises:
        BadInput: The draft is not accepted; `place` names the declaration.
    """
    began = clock.monotonic_s()
    link, position, dataset = draft.link, draft.position, draft.dataset
    known = dict(snapshots)
    sources = stepped(duck, draft, known)
    before = dict(sources)
    link_views(duck, dataset, position, snapshots=known, sources=sources)
    report = report_of(duck, dataset, position, known)
    right = known[link.source]
    decided = decision_time(duck, dataset, list(before))
    with refusals(f"dataset.links[{position - 1}].on"):
        duck.execute(f"create temp table wishes as select {keys_of(draft)}, sum(n) as n from asked group by all")
        left_keys = first_row(duck, "select count(*) filter (not gap) from asked")[0]
        right_keys, rows, duplicate_rows = first_row(
            duck, "select count(*), coalesce(sum(m), 0), coalesce(sum(m) filter (twice), 0) from held"
        )
        unused_rows = first_row(duck, f"select coalesce(sum(rows), 0) from ({found(draft, 'right')})")[0]
        orphans, unused, duplicates = (page_of(duck, draft, side, 0, SHOWN).rows for side in KEYS_OF)
        near = near_miss(duck, draft)
        types = [
            (column_type(duck, f"left {position}", f"#left {n}"), column_type(duck, f"right {position}", f"#right {n}"))
            for n in range(len(link.on))
        ]
    return LinkPreview(
        report=report,
        types=types,
        brings=columns_taken(link, right, before, f"dataset.links[{position - 1}]"),
        left_keys=int(left_keys),
        right_keys=int(right_keys),
        right_rows=right.rows,
        right_null_rows=right.rows - int(rows),
        unused_rows=int(unused_rows),
        duplicate_rows=int(duplicate_rows),
        orphans=orphans,
        unused=unused,
        duplicates=duplicates,
        near=near,
        decided=dataset.time if decided else "",
        times=time_columns(link, right),
        rest=rest_of(duck, draft, known, sources),
        seconds=clock.monotonic_s() - began,
    )


def stepped(duck: "DuckDBPyConnection", draft: LinkDraft, snapshots: dict[str, Snapshot]) -> dict[str, str]:
    """Make the views of the base and of every link before the draft; return the source of each column there is."""
    sources, _ = base_view(duck, draft.dataset, snapshots)
    for position in range(1, draft.position):
        link_views(duck, draft.dataset, position, snapshots=snapshots, sources=sources)
    return sources


def rest_of(
    duck: "DuckDBPyConnection", draft: LinkDraft, snapshots: dict[str, Snapshot], sources: dict[str, str]
) -> str:
    """Return what the declaration behind the draft would be refused for; empty when nothing is.

    A later link whose source has no snapshot yet can't be tried: then nothing behind it is.
    """
    sources = dict(sources)
    try:
        for position in range(draft.position + 1, len(draft.dataset.links) + 1):
            if draft.dataset.links[position - 1].source not in snapshots:
                return ""
            link_views(duck, draft.dataset, position, snapshots=snapshots, sources=sources)
        final_query(duck, draft.dataset, sources)
    except BadInput as error:
        return f"{error.place}: {error.problem}"
    return ""


def refusal_of(duck: "DuckDBPyConnection", dataset: Dataset, snapshots: Mapping[str, Snapshot]) -> str:
    """Return what a whole dataset would be refused for; empty when nothing is."""
    known = dict(snapshots)
    sources, _ = base_view(duck, dataset, known)
    return rest_of(duck, LinkDraft(dataset=dataset, position=0), known, sources)


def page_of(duck: "DuckDBPyConnection", draft: LinkDraft, side: Side, offset: int, limit: int) -> KeyPage:
    """Return keys of one side, those with the most rows first, after `preview_of` counted them."""
    total = first_row(duck, f"select count(*) from ({found(draft, side)})")[0]
    rows = duck.execute(f"{found(draft, side)} order by rows desc, key limit {limit} offset {offset}").fetchall()
    return KeyPage(
        total=int(total), rows=[KeyRows(key=list(key), rows=int(one), asked=int(asked)) for key, one, asked in rows]
    )


def near_miss(duck: "DuckDBPyConnection", draft: LinkDraft) -> NearMiss | None:
    """Return by which writing of the left keys most of the orphans would be found, after they were counted.

    Tried are blanks around texts and upper or lower case, on the left only: the right side is a column as it is.
    """
    on, best = draft.link.on, None
    types = [{column_type(duck, side, f"k{number}") for side in ("met", "held")} for number in range(len(on))]
    texts = [kinds == {"VARCHAR"} for kinds in types]
    for form in WRITINGS if any(texts) else ():
        forms = [form if text else "{}" for text in texts]
        pairs = " and ".join(f"{one.format(f'o.k{n}')} = h.k{n}" for n, one in enumerate(forms))
        keys, rows = first_row(
            duck,
            f"select count(*), coalesce(sum(o.n), 0) from (from met where m = 0 and not gap) as o"
            f" where exists (select 1 from held as h where {pairs})",
        )
        if keys and (best is None or rows > best.rows):
            written = {one.format(left): right for one, (left, right) in zip(forms, on.items(), strict=True)}
            best = NearMiss(on=written, keys=int(keys), rows=int(rows))
    return best


def found(draft: LinkDraft, side: Side) -> str:
    """Return the SQL of the keys of one side."""
    texts = "[" + ", ".join(f"k{number}::varchar" for number in range(len(draft.link.on))) + "]"
    return KEYS_OF[side].format(texts=texts, keys=keys_of(draft))


def keys_of(draft: LinkDraft) -> str:
    """Return the names of a draft's keys in the tables that `count_keys` makes."""
    return ", ".join(f"k{number}" for number in range(len(draft.link.on)))
