"""The keys of a link: which are accepted, and which types compare with each other."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from lemnis.engine.config import Link
from lemnis.engine.data.duck import column_type, quote, refusals
from lemnis.engine.data.expressions import check_expression, near
from lemnis.engine.data.snapshots import Snapshot
from lemnis.engine.errors import BadInput
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KeyKind: TypeAlias = Literal["number", "time", "truth", "text", "other"]
KEY_KINDS: dict[KeyKind, tuple[str, ...]] = {
    "number": (
        "TINY",
        "SMALL",
        "INTEGER",
        "BIGINT",
        "HUGE",
        "UTINY",
        "USMALL",
        "UINT",
        "UBIG",
        "UHUGE",
        "FLOAT",
        "DOUBLE",
        "DEC",
    ),
    "time": ("TIMESTAMP", "DATE"),
    "truth": ("BOOLEAN",),
    "text": ("VARCHAR", "ENUM"),
}  # fmt: skip


def check_keys(duck: "DuckDBPyConnection", link: Link, right: Snapshot, columns: list[str], place: str) -> None:
    """Refuse a link whose left expressions or right columns are not accepted."""
    names = [field.name for field in right.columns]
    if not link.on:
        raise BadInput(f"The link to {link.source} has no keys.", "Write for example on = {dest = 'faa'}.", place)
    for left, name in link.on.items():
        check_expression(duck, left, columns, f"{place}.on")
        if name not in names:
            raise BadInput(f"{link.source} has no column {safe(name)!r}.", near(name, names), f"{place}.on")


def check_types(duck: "DuckDBPyConnection", position: int, link: Link, place: str) -> None:
    """Refuse keys that are a text on one side and a number, a time or a truth on the other.

    DuckDB would turn the text into the other type where it can, so that 007 meets 7, and fail at the first that it
    can't. A side without any value has no type to speak of and passes.

    Args:
        duck: Holds the views ``left N`` and ``right N``.
        position: N.
        link: The declaration.
        place: Where it is declared.

    Raises:
        BadInput: Names both sides with their types.
    """
    for number, (left, right) in enumerate(link.on.items()):
        sides = [(f"left {position}", f"#left {number}"), (f"right {position}", f"#right {number}")]
        types = [column_type(duck, view, column) for view, column in sides]
        if key_kind(types[0]) == key_kind(types[1]):
            continue
        with refusals(f"{place}.on"):
            held = [duck.execute(f"from {quote(v)} where {quote(c)} is not null limit 1").fetchall() for v, c in sides]
        if all(held):
            raise BadInput(
                f"{safe(left)} holds {types[0]}, {link.source}.{safe(right)} holds {types[1]}: they can't be compared.",
                f'Cast the left side, such as "cast({safe(left)} as varchar)", or declare the type in the source.',
                f"{place}.on",
            )


def key_kind(duck_type: str) -> KeyKind:
    """Return what a DuckDB type holds, as far as keys are concerned: kinds compare among themselves only."""
    for kind, beginnings in KEY_KINDS.items():
        if duck_type.startswith(beginnings):
            return kind
    return "other"
