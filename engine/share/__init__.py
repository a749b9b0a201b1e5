"""Sharing: datasets, runs and models go to other workspaces through a remote or a bundle, and come from there."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lemnis.engine.config import Remote, load_config
from lemnis.engine.errors import BadInput
from lemnis.engine.jobs import JobsRoom, user_name
from lemnis.engine.share.origins import find_origin, list_origins
from lemnis.engine.share.records import Item, Kind, Origin, Overview
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.share.manifest import Manifest


class ShareRoom:
    """What this workspace gives to others and has from them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def remotes(self) -> dict[str, Remote]:
        """Return the declared remotes by name."""
        return load_config(self.store.workspace.config).remotes

    def items(self) -> list[Item]:
        """Return what is here and can be shared."""
        from lemnis.engine.share.items import local_items

        return local_items(self.store)

    def overview(self, remote: str = "") -> Overview:
        """Return what is here, at a remote, or both; asks the remote.

        Raises:
            NotFound: There is no such remote.
            Unavailable: It can't be reached.
        """
        from lemnis.engine.share.catalog import overview
        from lemnis.engine.share.place import open_remote

        return overview(self.store, self._remote(remote), open_remote(self.store, remote))

    def contents(self, file: Path) -> "list[Manifest]":
        """Return what a bundle says it holds; its files are not read.

        Raises:
            BadInput: It is no bundle.
        """
        from lemnis.engine.share.bundle import Bundle
        from lemnis.engine.share.catalog import manifests_at

        bundle = Bundle(file)
        try:
            found, faults = manifests_at(bundle)
        finally:
            bundle.close()
        if faults:
            raise faults[0]
        return list(found.values())

    def start_push(
        self, what: Sequence[str] = (), *, remote: str = "", data: bool = False, verify: bool = False
    ) -> int:
        """Queue a job that brings things to a remote and return its id.

        Args:
            what: Refs such as ``v3``, ``late@champion`` or ``run:12``, or starts of ids; the newest dataset version
                when nothing is named.
            remote: Its name; may be left out where there is one.
            data: Also the rows that runs and models were trained on.
            verify: Read what is there already again, and mend it.

        Raises:
            NotFound: Nothing is called so, or there is no such remote.
            BadInput: A name fits several things.
        """
        name = self._remote(remote)
        items = self._here(what)
        arguments = {"remote": name, "items": [item.id for item in items], "data": data, "verify": verify}
        title = f"push {titles(items)} to {name}"
        return JobsRoom(self.store).submit("share.push", title, arguments | {"who": user_name()})

    def start_pull(self, what: Sequence[str] = (), *, remote: str = "", data: bool = False) -> int:
        """Queue a job that takes things over from a remote and return its id; asks the remote what they are.

        Args:
            what: Refs as the remote has them, or starts of ids; the newest dataset version there when nothing is named.
            remote: Its name; may be left out where there is one.
            data: Also the rows that runs and models were trained on, where the remote has them.

        Raises:
            NotFound: Nothing there is called so, or there is no such remote.
            BadInput: A name fits several things.
            Unavailable: It can't be reached.
        """
        from lemnis.engine.share.catalog import manifests_at
        from lemnis.engine.share.items import chosen, item_of
        from lemnis.engine.share.place import open_remote

        name = self._remote(remote)
        place = open_remote(self.store, name)
        there = [item_of(manifest) for manifest in manifests_at(place)[0].values()]
        items = chosen(there, list(what), place.shown) if what else newest(there, place.shown)
        arguments = {"remote": name, "items": [item.id for item in items], "data": data}
        return JobsRoom(self.store).submit("share.pull", f"pull {titles(items)} from {name}", arguments)

    def start_export(self, file: Path, what: Sequence[str] = (), *, data: bool = False) -> int:
        """Queue a job that writes things to a new bundle and return its id; see `start_push`.

        Raises:
            NotFound: Nothing is called so.
            BadInput: The file is there already, or a name fits several things.
        """
        if file.exists():
            raise BadInput(f"{file.name} is there already.", "Choose another name, or remove it.", str(file))
        items = self._here(what)
        arguments = {"file": str(file.absolute()), "items": [item.id for item in items], "data": data}
        title = f"export {titles(items)} to {file.name}"
        return JobsRoom(self.store).submit("share.export", title, arguments | {"who": user_name()})

    def start_import(self, file: Path, *, dry_run: bool = False) -> int:
        """Queue a job that takes over what a bundle holds and return its id; with `dry_run` it is only checked.

        Raises:
            BadInput: It is no bundle.
        """
        self.contents(file)
        title = f"{'check' if dry_run else 'import'} {file.name}"
        arguments = {"file": str(file.absolute()), "dry_run": dry_run}
        return JobsRoom(self.store).submit("share.import", title, arguments)

    def origins(self) -> list[Origin]:
        """Return where everything that came from elsewhere was made, the latest first."""
        return list_origins(self.store)

    def origin(self, kind: Kind, here: str) -> Origin | None:
        """Return where a thing was made: a version's hash, a run's number, ``model@version``; None when here."""
        return find_origin(self.store, kind, here)

    def _here(self, what: Sequence[str]) -> list[Item]:
        """Return the things here that are named, else the newest dataset version."""
        from lemnis.engine.share.items import chosen

        items = self.items()
        return chosen(items, list(what), "This workspace") if what else newest(items, "This workspace")

    def _remote(self, name: str) -> str:
        """Return the name of a declared remote; see `place.open_remote`."""
        from lemnis.engine.share.place import declared_remote

        return declared_remote(self.store, name)[0]


def newest(items: list[Item], where: str) -> list[Item]:
    """Return the newest dataset version of a list.

    Raises:
        BadInput: There is none.
    """
    versions = [item for item in items if item.kind == "dataset"]
    if not versions:
        raise BadInput(f"{where} has no dataset version.", "Name what you mean; see `lemnis share list`.")
    return [max(versions, key=lambda item: item.created_at)]


def titles(items: Sequence[Item]) -> str:
    """Return what things are called: ``flights v3 and 2 more``."""
    first = items[0].title
    return first if len(items) == 1 else f"{first} and {len(items) - 1} more"


__all__ = ["Item", "Kind", "Origin", "Overview", "ShareRoom"]
