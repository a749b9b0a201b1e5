"""Stage 2, Data: sources, snapshots, links and dataset versions."""

from lemnis.engine.data.versions import Column, Part, Version, find_version, list_versions
from lemnis.engine.store import Store


class DataRoom:
    """What the workspace's data is made of."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def versions(self, name: str = "") -> list[Version]:
        """Return the dataset versions, newest first."""
        return list_versions(self.store, name)

    def version(self, ref: str | int | None = None) -> Version:
        """Return a version by id prefix, number or ``v3``; None is the latest.

        Raises:
            NotFound: There is none.
        """
        return find_version(self.store, ref)


__all__ = ["Column", "DataRoom", "Part", "Version"]
