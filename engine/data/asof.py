"""As-of joins: the latest row of a source at or before the moment that a base row is decided."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lemnis.engine.config import Dataset, Link
from lemnis.engine.data.duck import column_type, quote, refusals
from lemnis.engine.data.expressions import check_expression
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.data.split import kind_of
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DECIDED, AT = "#decided", "#at"
UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def tolerance_seconds(text: str, place: str) -> float | None:
    """Return a tolerance such as ``2h``, ``30 min`` or ``1.5d`` in seconds; None for an empty one: any age will do.

    Raises:
        BadInput: It is no length of time above 0.
    """
    if not text.strip():
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)\s*", text)
    if match is None or float(match.group(1)) == 0:
        raise BadInput(f"The tolerance {safe(text)!r} is no length of time.", "Write for example 2h or 30 min.", place)
    return float(match.group(1)) * UNITS[match.group(2)]


def decision_time(duck: "DuckDBPyConnection", dataset: Dataset, columns: Sequence[str]) -> str:
    """Return the SQL of the moment a row is decided, over the columns there are; empty when it is not known yet.

    It is `dataset.time`, or what that is derived from.
    """
    if dataset.time in columns:
        return quote(dataset.time)
    derived = dataset.derive.get(dataset.time, "")
    if not derived:
        return ""
    try:
        check_expression(duck, derived, columns, "dataset.time")
    except BadInput:
        return ""  # it needs a column that a later link brings
    return f"(\n{derived}\n)"


def time_columns(link: Link, right: Snapshot) -> list[str]:
    """Return the source's columns that say when a row was known: the declared one, else every column of times."""
    declared = link.asof or link.time
    return [declared] if declared else [field.name for field in right.columns if kind_of(field.type) == "time"]


def check_times(link: Link, right: Snapshot, decided: str, place: str) -> None:
    """Refuse a declared time that the source doesn't have, or that nothing can be compared with.

    Raises:
        BadInput: `place` names the declaration.
    """
    kinds = {field.name: field.type for field in right.columns}
    for key, name in (("asof", link.asof), ("time", link.time)):
        if name and name not in kinds:
            times = ", ".join(safe(column) for column, kind in kinds.items() if kind_of(kind) == "time") or "none"
            raise BadInput(f"{link.source} has no column {safe(name)!r}.", f"Its times: {times}.", f"{place}.{key}")
        if name and kind_of(kinds[name]) != "time":
            problem = f"{link.source}.{safe(name)} holds {kinds[name]}, no times."
            raise BadInput(problem, "Name a column of times, or declare its type in the source.", f"{place}.{key}")
    if not link.asof and (link.tolerance or link.strict):
        raise BadInput("tolerance and strict belong to an as-of link.", "Name its time column: asof.", place)
    if link.asof and not decided:
        remedy = "Set dataset.time to a column of the base or of an earlier link, or derive it from them."
        raise BadInput("An as-of link needs the moment that each row is decided.", remedy, f"{place}.asof")


def comparable(duck: "DuckDBPyConnection", view: str, column: str, other: tuple[str, str]) -> bool:
    """Say whether two columns of views hold the same type, so that they compare without a cast."""
    return column_type(duck, view, column) == column_type(duck, *other)


def check_decided(duck: "DuckDBPyConnection", view: str, place: str) -> None:
    """Refuse a decision time that is no time."""
    with refusals(place):
        kind = column_type(duck, view, DECIDED)
    if not kind.startswith(("TIMESTAMP", "DATE")):
        raise BadInput(f"The decision time holds {kind}, no times.", "Derive a timestamp for dataset.time.", place)


def asof_views(
    duck: "DuckDBPyConnection", position: int, link: Link, taken: Sequence[str], place: str
) -> tuple[str, str]:
    """Return the SQL of two views: the right side with one row a key and time, and each left row with its row.

    Of several right rows with the same key and time the last one of the source is taken, so that the same snapshots
    always give the same table. The second view has the left side's columns, `taken`, ``#N`` and ``#at``; the latter
    are null where no right row is early enough, or none young enough for the tolerance.

    Args:
        duck: Holds the views ``left N`` (with ``#decided``) and ``right N`` (with ``#at``).
        position: N.
        link: An as-of link.
        taken: The columns it brings, under their names in the dataset.
        place: Where it is declared.
    """
    left, right = f"left {position}", f"right {position}"
    check_decided(duck, left, "dataset.time")
    keys = [quote(f"#right {number}") for number in range(len(link.on))]
    row = quote(f"#{position}")
    held = " and ".join(f"{name} is not null" for name in [*keys, quote(AT)])
    latest = (
        f"select * from {quote(right)} where {held}"
        f" qualify row_number() over (partition by {', '.join([*keys, quote(AT)])} order by {row} desc) = 1"
    )
    cast = "" if comparable(duck, left, DECIDED, (right, AT)) else "::timestamptz"
    decided, at = f"l.{quote(DECIDED)}{cast}", f"r.{quote(AT)}{cast}"
    pairs = [f"l.{quote(f'#left {number}')} = r.{key}" for number, key in enumerate(keys)]
    pairs.append(f"{decided} {'>' if link.strict else '>='} {at}")
    seconds = tolerance_seconds(link.tolerance, f"{place}.tolerance")
    brought = [quote(name) for name in [*taken, f"#{position}", AT]]
    if seconds is None:
        shown = [f"r.{name} as {name}" for name in brought]
    else:
        young = f"{at} >= {decided} - to_microseconds({round(seconds * 1e6)})"
        shown = [f"case when {young} then r.{name} end as {name}" for name in brought]
    joined = (
        f"select l.*, {', '.join(shown)} from {quote(left)} as l asof left join {quote(f'latest {position}')} as r"
        f" on {' and '.join(pairs)}"
    )
    return latest, joined
