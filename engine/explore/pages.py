"""A page of rows, and how whoever waits for it says that it is not wanted any more."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from lemnis.engine.data.plain import Cell

LONGEST_PAGE = 10_000
Wanted: TypeAlias = Callable[[], bool]


def always() -> bool:
    """Say that something is still wanted."""
    return True


class Page(Struct, frozen=True, kw_only=True):
    """Consecutive rows of a view on a version.

    Attributes:
        total: Rows of the whole view.
        offset: Place of the first of these rows in it.
        columns: Names, in order.
        rows: One list per row; numbers, booleans and None as they are, everything else as text.
    """

    total: int
    offset: int
    columns: list[str]
    rows: list[list[Cell]]
