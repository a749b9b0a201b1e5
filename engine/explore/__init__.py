"""Stage 3, Explore: what each column holds, and the rows themselves."""

import os

from lemnis.engine.data import DataRoom
from lemnis.engine.data.plain import Cell
from lemnis.engine.explore.interest import ORDERS, Order, in_order, interest
from lemnis.engine.explore.labels import LabelsRoom
from lemnis.engine.explore.missing import Missingness, MissingPattern, find_missingness
from lemnis.engine.explore.pages import Page, read_page
from lemnis.engine.explore.profile import Findings, Histogram, Note, Profile, TopValue, list_profiles
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store


class ExploreRoom:
    """Profiles and rows of the dataset versions."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def labels(self) -> LabelsRoom:
        """What people say of rows: questions, queues, answers, agreement."""
        return LabelsRoom(self.store)

    def profiles(self, version_id: str) -> list[Profile]:
        """Return the profiles of a version's columns that are measured so far, in the order of the columns."""
        return list_profiles(self.store, version_id)

    def missing(self, version_id: str) -> Missingness | None:
        """Return which columns of a version are missing together; None before it was profiled."""
        return find_missingness(self.store, version_id)

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

    def rows(
        self,
        version: str | int | None = None,
        offset: int = 0,
        limit: int = 100,
        order: str | None = None,
        *,
        descending: bool = False,
        where: str | None = None,
    ) -> Page:
        """Return a page of a version's rows, in their own order or sorted and filtered; see `read_page`.

        Raises:
            NotFound: There is no such version or column.
            BadInput: A bound or the condition is wrong.
            Unavailable: The condition ran past its limits.
        """
        found = DataRoom(self.store).version(version)
        return read_page(found, offset, limit, order=order or "", descending=descending, where=where or "")


__all__ = [
    "ORDERS",
    "Cell",
    "ExploreRoom",
    "Findings",
    "Histogram",
    "MissingPattern",
    "Missingness",
    "Note",
    "Order",
    "Page",
    "Profile",
    "TopValue",
    "in_order",
    "interest",
]
