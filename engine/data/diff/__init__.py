"""Two dataset versions compared by key: rows, columns, distributions, codes, and every single difference."""

from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.data.diff.records import (
    CHANGES,
    Bin,
    Change,
    Code,
    ColumnDiff,
    Diff,
    DiffPage,
    DiffRow,
    Listing,
    Side,
)
from lemnis.engine.data.versions import Version, find_version, list_versions
from lemnis.engine.errors import NotFound
from lemnis.engine.jobs import JobsRoom
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data.diff.rows import Sources

MEMORY_BYTES = 1 << 30  # what DuckDB is allowed in a worker
CORES = 2
ALL = Listing()


class DiffRoom:
    """Comparisons of versions."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def pair(self, before: str | int | None = None, after: str | int | None = None) -> tuple[Version, Version]:
        """Return two versions to compare: `after` or the latest, `before` or the one that its dataset had before.

        Raises:
            NotFound: There is no such version.
        """
        later = find_version(self.store, after)
        if before is not None:
            return find_version(self.store, before), later
        earlier = [one for one in list_versions(self.store, later.name) if one.number < later.number]
        if not earlier:
            raise NotFound(f"There is no version before {later.title}.", "Link the data again once it has changed.")
        return max(earlier, key=lambda one: one.number), later

    def key(self, before: Version, after: Version, asked: list[str] | None = None) -> list[str]:
        """Return the columns that say which rows are the same; empty: rows are compared whole.

        Args:
            before: A version.
            after: The other one.
            asked: The columns that a person names, none of them for whole rows; None: the key the versions declare.

        Raises:
            NotFound: A version lacks such a column.
        """
        if asked is None:
            declared = after.keys or before.keys
            held = [{column.name for column in version.columns} for version in (before, after)]
            return declared if all(set(declared) <= names for names in held) else []
        return list(dict.fromkeys(version.column(name).name for name in asked for version in (before, after)))

    def find(self, before: Version, after: Version, key: list[str]) -> Diff | None:
        """Return a comparison that was made already."""
        from lemnis.engine.data.diff.kept import find_diff

        return find_diff(self.store, before.id, after.id, key)

    def start(self, before: Version, after: Version, key: list[str]) -> int:
        """Queue a comparison, unless the same one waits or runs already, and return the job's id."""
        arguments = {"before": before.id, "after": after.id, "key": key}
        jobs = JobsRoom(self.store)
        for job in jobs.jobs(states=("running", "preparing", "queued"), limit=200):
            if job.kind == "data.diff" and job.arguments == arguments:
                return job.id
        title = f"compare {before.title} with {after.title}"
        return jobs.submit("data.diff", title, arguments, cores=CORES, memory_bytes=MEMORY_BYTES)

    def rows(self, diff: Diff, listing: Listing = ALL, offset: int = 0, limit: int = 100) -> DiffPage:
        """Return a page of the rows that differ; see `diff.rows.read_page`."""
        from lemnis.engine.data.diff.rows import read_page

        return read_page(self._sources(diff), listing, offset, limit)

    def export(self, diff: Diff, listing: Listing, path: Path) -> int:
        """Write the rows that differ to a file and return how many; see `diff.export.export_rows`."""
        from lemnis.engine.data.diff.export import export_rows

        return export_rows(self._sources(diff), listing, path)

    def _sources(self, diff: Diff) -> "Sources":
        from lemnis.engine.data.diff.kept import file_of
        from lemnis.engine.data.diff.rows import Sources

        before, after = find_version(self.store, diff.before_id), find_version(self.store, diff.after_id)
        return Sources(diff, file_of(self.store, diff.file), before, after)


__all__ = [
    "CHANGES",
    "Bin",
    "Change",
    "Code",
    "ColumnDiff",
    "Diff",
    "DiffPage",
    "DiffRoom",
    "DiffRow",
    "Listing",
    "Side",
]
