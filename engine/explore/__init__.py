"""Stage 3, Explore: what each column holds, and the rows themselves."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lemnis.engine.data import DataRoom, Version
from lemnis.engine.data.plain import Cell
from lemnis.engine.doors import later
from lemnis.engine.explore.filters import ALL_ROWS
from lemnis.engine.explore.interest import ORDERS, Order, in_order, interest
from lemnis.engine.explore.pages import Page
from lemnis.engine.explore.profile import (
    ClassFigures,
    Extreme,
    Findings,
    Histogram,
    Note,
    Profile,
    TopValue,
    list_profiles,
)
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.explore.export import export_rows
    from lemnis.engine.explore.filters import Asked, Filter
    from lemnis.engine.explore.folding import constant_columns
    from lemnis.engine.explore.labels import LabelsRoom
    from lemnis.engine.explore.missing import Missingness, MissingPattern, missing_condition
    from lemnis.engine.explore.values import Count, Counted, Values, chosen
    from lemnis.engine.explore.views import RowReader, View


class ExploreRoom:
    """Profiles and rows of the dataset versions."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def labels(self) -> "LabelsRoom":
        """What people say of rows: questions, queues, answers, agreement."""
        from lemnis.engine.explore.labels import LabelsRoom

        return LabelsRoom(self.store)

    def profiles(self, version_id: str) -> list[Profile]:
        """Return the profiles of a version's columns that are measured so far, in the order of the columns."""
        return list_profiles(self.store, version_id)

    def missing(self, version_id: str) -> "Missingness | None":
        """Return which columns of a version are missing together; None before it was profiled."""
        from lemnis.engine.explore.missing import find_missingness

        return find_missingness(self.store, version_id)

    def profile_by(self, version_id: str, name: str, by: str = "") -> Profile:
        """Look at a column now, by the classes of another column if one is given; see `split.profile_by`.

        Raises:
            NotFound: There is no such version or column.
        """
        from lemnis.engine.explore.split import profile_by

        return profile_by(DataRoom(self.store).version(version_id), name, by)

    def start_profile(self, version: str | int | None = None, *, again: bool = False, first: str = "") -> int:
        """Queue the profiling of a version (None: the latest) and return the job's id.

        Columns that have an exact profile are left alone, for a version never changes, unless `again` is set. The
        column `first` is measured first.

        Raises:
            NotFound: There is no such version.
        """
        found = DataRoom(self.store).version(version)
        arguments = {"version": found.id, "again": again, "first": first}
        return JobsRoom(self.store).submit(
            "explore.profile", f"Profile of {found.title}", arguments, cores=min(2, os.cpu_count() or 1)
        )

    def asked(self, version: Version, wheres: Sequence[str], order: str = "", *, descending: bool = False) -> "Asked":
        """Return what typed conditions ask for: simple ones as filters, any other as SQL for the sandbox.

        Raises:
            NotFound: There is no column `order`.
        """
        from lemnis.engine.explore.filters import Asked
        from lemnis.engine.explore.terms import simple_filters

        filters: list[Filter] = []
        typed: list[str] = []
        for where in (text.strip() for text in wheres if text.strip()):
            simple = simple_filters(where, version.columns)
            filters += simple or ()
            typed += [] if simple else [where]
        where = "".join(typed) if len(typed) < 2 else " and ".join(f"(\n{one}\n)" for one in typed)
        order = version.column(order).name if order else ""
        return Asked(filters=tuple(filters), where=where, order=order, descending=descending)

    def rows(
        self, version: str | int | None = None, offset: int = 0, limit: int = 100, asked: "Asked" = ALL_ROWS
    ) -> Page:
        """Return a page of a version's rows, in their own order or sorted and filtered; see `read_page`.

        Raises:
            NotFound: There is no such version or column.
            BadInput: A bound or the condition is wrong.
            Unavailable: The condition ran past its limits.
        """
        from lemnis.engine.explore.views import read_page

        return read_page(DataRoom(self.store).version(version), offset, limit, asked)

    def reader(self, version: str | int | None = None) -> "RowReader":
        """Return what reads the rows of a version again and again; close it when it is not used any more.

        Raises:
            NotFound: There is no such version.
            Unavailable, Damaged: Its file is gone or holds something else.
        """
        from lemnis.engine.explore.views import RowReader

        return RowReader(DataRoom(self.store).version(version), threads=os.cpu_count() or 1)


__all__ = [
    "ORDERS",
    "Asked",
    "Cell",
    "ClassFigures",
    "Count",
    "Counted",
    "ExploreRoom",
    "Extreme",
    "Filter",
    "Findings",
    "Histogram",
    "MissingPattern",
    "Missingness",
    "Note",
    "Order",
    "Page",
    "Profile",
    "RowReader",
    "TopValue",
    "Values",
    "View",
    "chosen",
    "constant_columns",
    "export_rows",
    "in_order",
    "interest",
    "missing_condition",
]
__getattr__ = later(
    __name__,
    {
        "export": ("export_rows",),
        "filters": ("Asked", "Filter"),
        "folding": ("constant_columns",),
        "missing": ("MissingPattern", "Missingness", "missing_condition"),
        "values": ("Count", "Counted", "Values", "chosen"),
        "views": ("RowReader", "View"),
    },
)
