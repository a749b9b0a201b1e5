"""Keys proposed for two sources: pairs by name and by values on a sample, then measured on all rows."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine.config import Link
from lemnis.engine.data.asof import decision_time
from lemnis.engine.data.drafts import KeyProposal, LinkDraft
from lemnis.engine.data.duck import first_row, quote
from lemnis.engine.data.expressions import check_expression
from lemnis.engine.data.keys import key_kind
from lemnis.engine.data.link import link_views
from lemnis.engine.data.reports import link_report
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.data.trial import stepped
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_ROWS = 4_000  # of the left side, to see which values the right side has
ALIKE = 0.8  # of difflib, from which names are similar
NEAR_UNIQUE = 0.9  # from which a column of the right side may be a key, whatever it is called
FOUND = 0.2  # share of sampled values that must be there for a pair of other names
MEASURED = 8  # candidates that are counted on all rows
TELLING = 0.05  # how unique a column of the right side must be to be a key alone
MOST_KEYS = 4
GAIN = 0.01  # by which another key must make the right side more unique
WORTH = 0.01  # match rate times uniqueness; what has less joins nothing, or everything with everything
PREFIX = "proposed "  # of the one column a measurement brings, so that it never meets another


class Pair(Struct, frozen=True, kw_only=True):
    """A left column and a right one: the share of sampled left values found there, how unique that side is, and why."""

    left: str
    right: str
    found: float
    unique: float
    named: bool
    why: str


def proposals_of(duck: "DuckDBPyConnection", draft: LinkDraft, snapshots: Mapping[str, Snapshot]) -> list[KeyProposal]:
    """Return keys for the link of a draft, whatever it has now; the best match with the most unique right side first.

    Args:
        duck: From `open_duck(views=…)`, fresh.
        draft: Its link names the source.
        snapshots: By source.
    """
    sources = stepped(duck, draft, dict(snapshots))
    step, source = f"step {draft.position - 1}", draft.link.source
    pairs = pairs_of(duck, step, source)
    singles = [pair for pair in sorted(pairs, key=worth, reverse=True) if pair.unique >= TELLING]
    candidates = [({pair.left: pair.right}, pair.why) for pair in singles[:MEASURED]]
    together = composed(duck, source, [pair for pair in pairs if pair.named and pair.found])
    if len(together) > 1:
        candidates.insert(0, (together, f"{len(together)} columns of the same name"))
    columns = list(sources)
    links = [
        (link_of(draft, {expression_of(duck, left, columns): right for left, right in on.items()}), why)
        for on, why in candidates
    ]
    measured = [measure(duck, draft, snapshots, sources, link, why) for link, why in links]
    if decision_time(duck, draft.dataset, columns):
        measured += [measure(duck, draft, snapshots, sources, link, why) for link, why in timed(duck, draft, measured)]
    kept = [one for one in measured if one is not None and one.match_rate * one.unique >= WORTH]
    return sorted(kept, key=lambda one: (-one.match_rate * one.unique, len(one.on), bool(one.asof)))


def worth(pair: Pair) -> float:
    """Return how promising a pair is."""
    return pair.found * pair.unique + 0.001 * pair.named


def pairs_of(duck: "DuckDBPyConnection", step: str, source: str) -> list[Pair]:
    """Return the pairs whose names are alike or whose values meet, measured on a sample of the left side."""
    lefts, rights = keys_like(duck, step), keys_like(duck, source)
    if not lefts or not rights:
        return []
    unique = uniqueness(duck, source, list(rights))
    chosen = ", ".join(map(quote, lefts))
    duck.execute(
        f"create or replace temp table sampled as select {chosen} from {quote(step)}"
        f" using sample reservoir({SAMPLE_ROWS} rows) repeatable (1)"
    )
    pairs: list[Pair] = []
    for right, kind in rights.items():
        wanted = {left: likeness(left, right, source) for left, other in lefts.items() if other == kind}
        if unique[right] < NEAR_UNIQUE:
            wanted = {left: alike for left, alike in wanted.items() if alike}
        if not wanted:
            continue
        duck.execute(f"create or replace temp table there as select distinct {quote(right)} as v from {quote(source)}")
        for left, alike in wanted.items():
            total, met = first_row(
                duck, f"select count({quote(left)}), count(v) from sampled left join there on {quote(left)} = v"
            )
            share = met / total if total else 0.0
            if met and (alike or share >= FOUND):
                why = alike or f"{share:.0%} of a sample's values are there"
                pairs.append(
                    Pair(left=left, right=right, found=share, unique=unique[right], named=bool(alike), why=why)
                )
    return pairs


def keys_like(duck: "DuckDBPyConnection", view: str) -> dict[str, str]:
    """Return the columns of a view that may be keys, with their kind: texts, times and whole numbers."""
    found: dict[str, str] = {}
    for name, kind, *_ in duck.execute(f"describe select * from {quote(view)}").fetchall():
        if name.startswith("#") or kind.startswith(("FLOAT", "DOUBLE", "DEC")):
            continue
        if key_kind(kind) in ("text", "time", "number"):
            found[name] = key_kind(kind)
    return found


def uniqueness(duck: "DuckDBPyConnection", source: str, columns: Sequence[str]) -> dict[str, float]:
    """Return for each column how many of its rows have a value of their own, from 0 to 1, about 2% exact."""
    counts = ", ".join(f"approx_count_distinct({quote(name)}), count({quote(name)})" for name in columns)
    numbers = first_row(duck, f"select {counts} from {quote(source)}")
    pairs = zip(columns, numbers[::2], numbers[1::2], strict=True)
    return {name: min(1.0, distinct / rows) if rows else 0.0 for name, distinct, rows in pairs}


def likeness(left: str, right: str, source: str) -> str:
    """Return in what two names are alike, empty when in nothing; ``plane_id`` is the ``id`` of ``planes``."""
    first, second = plain_name(left), plain_name(right)
    if not first or not second:
        return ""
    if first == second:
        return "the same name"
    owner = plain_name(source)
    owned = {f"{word}{second}" for word in (owner, owner.removesuffix("s"), owner.removesuffix("es"))}
    if first in owned:
        return f"its name is {source}'s {right}"
    ratio = difflib.SequenceMatcher(None, first, second).ratio()
    return "similar names" if ratio >= ALIKE and min(len(first), len(second)) > 2 else ""


def plain_name(name: str) -> str:
    """Return a name without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", name).lower()


def composed(duck: "DuckDBPyConnection", source: str, pairs: Sequence[Pair]) -> dict[str, str]:
    """Return the fewest of these pairs that tell the right side's rows apart about as well as all of them."""
    best: dict[str, Pair] = {}
    for pair in pairs:
        if pair.right not in best or worth(pair) > worth(best[pair.right]):
            best[pair.right] = pair
    chosen: list[Pair] = []
    reached = 0.0
    while len(chosen) < MOST_KEYS:
        rest = [pair for pair in best.values() if pair.left not in {one.left for one in chosen}]
        if not rest:
            break
        shares = {pair.right: apart(duck, source, [*chosen, pair]) for pair in rest}
        next_one = max(rest, key=lambda pair: (shares[pair.right], pair.found))
        if shares[next_one.right] < reached + GAIN:
            break
        chosen.append(next_one)
        reached = shares[next_one.right]
    return {pair.left: pair.right for pair in chosen}


def apart(duck: "DuckDBPyConnection", source: str, pairs: Sequence[Pair]) -> float:
    """Return how many of the right side's rows have keys of their own, from 0 to 1, about 2% exact."""
    keys = ", ".join(quote(pair.right) for pair in pairs)
    distinct, rows = first_row(duck, f"select approx_count_distinct(hash({keys})), count(*) from {quote(source)}")
    return min(1.0, distinct / rows) if rows else 0.0


def link_of(draft: LinkDraft, on: dict[str, str], asof: str = "") -> Link:
    """Return a link to the draft's source by these keys, which brings one column that meets no other."""
    columns = [next(iter(on.values()))]
    return Link(source=draft.link.source, on=on, columns=columns, prefix=PREFIX, asof=asof)


def expression_of(duck: "DuckDBPyConnection", name: str, columns: Sequence[str]) -> str:
    """Return a column's name as an expression, quoted only where it must be."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in ("true", "false", "null"):
        try:
            check_expression(duck, name, columns, "")
        except BadInput:
            return quote(name)
        return name
    return quote(name)


def timed(
    duck: "DuckDBPyConnection", draft: LinkDraft, measured: Sequence[KeyProposal | None]
) -> list[tuple[Link, str]]:
    """Return as-of links of the measured keys: the time leaves the keys, or is added to keys that stand repeatedly."""
    times = [name for name, kind in keys_like(duck, draft.link.source).items() if kind == "time"]
    links: dict[tuple[str, str], tuple[Link, str]] = {}
    for one in measured:
        if one is None:
            continue
        on = {left: right for left, right in one.on.items() if right not in times}
        if not on or (on == one.on and one.unique >= NEAR_UNIQUE):
            continue
        for column in times:
            words = f"the latest {column} before the decision"
            links.setdefault((str(sorted(on.items())), column), (link_of(draft, on, column), words))
    return list(links.values())[:2]


def measure(
    duck: "DuckDBPyConnection",
    draft: LinkDraft,
    snapshots: Mapping[str, Snapshot],
    sources: dict[str, str],
    link: Link,
    why: str,
) -> KeyProposal | None:
    """Return what a link does on all rows; None for one that is not accepted. Leaves no view behind."""
    links = [*draft.dataset.links[: draft.position - 1], link]
    dataset = msgspec.structs.replace(draft.dataset, links=links)
    duck.execute("begin")
    try:
        link_views(duck, dataset, draft.position, snapshots=dict(snapshots), sources=dict(sources))
        report = link_report(duck, draft.position, link)
        keys = first_row(duck, "select count(*) from held")[0]
    except BadInput:
        return None
    finally:
        duck.execute("rollback")
    return KeyProposal(
        on=link.on,
        asof=link.asof,
        match_rate=report.match_rate if report.rows_in else 0.0,
        unique=1 - report.duplicate_keys / keys if keys else 0.0,
        rows_in=report.rows_in,
        rows_out=report.rows_out,
        why=why,
    )
