"""A place that things are shared at: what every kind of place can do, and the ways to open a declared one."""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeAlias

from lemnis.engine.config import Remote, load_config
from lemnis.engine.errors import Damaged, NotFound, Unavailable
from lemnis.engine.files import sha256_of
from lemnis.engine.share.leftovers import Leftover
from lemnis.engine.share.manifest import Stored
from lemnis.engine.store import Store
from lemnis.engine.text import safe

BLOCK_BYTES = 1 << 20
OnBytes: TypeAlias = Callable[[int], None]  # told how many more bytes were moved; may raise to stop


class Place(Protocol):
    """Where shared things stand, in paths with ``/`` below it."""

    @property
    def shown(self) -> str:
        """Return the place as people know it."""
        ...

    def listed(self, below: str) -> dict[str, int]:
        """Return the size of every file below a folder by its path; empty when there is no such folder."""
        ...

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the whole content of small files."""
        ...

    def get(self, stored: Stored, target: Path, on_bytes: OnBytes) -> None:
        """Bring a file to `target`, going on where that file ends."""
        ...


class Shared(Place, Protocol):
    """A place that can be written to."""

    def size(self, path: str) -> int | None:
        """Return a file's size; None when there is none."""
        ...

    def put(self, source: Path, stored: Stored, on_bytes: OnBytes) -> None:
        """Bring a file to its path as a whole, going on where an earlier attempt ended.

        Raises:
            Damaged: `source` does not hold what its hash says; nothing is left under the path.
        """
        ...

    def write(self, path: str, content: bytes) -> None:
        """Put a small file under a path, in one step: readers find the old one or the new one."""
        ...

    def leftovers(self) -> list[Leftover]:
        """Return what attempts that broke off have left, of every workspace."""
        ...

    def discard(self, leftover: Leftover) -> None:
        """Remove what an attempt has left; it may be gone already."""
        ...


def declared_remote(store: Store, name: str = "") -> tuple[str, Remote]:
    """Return name and declaration of a remote; with one declared its name may be left out.

    Raises:
        NotFound: There is no such remote, or none at all.
    """
    remotes = load_config(store.workspace.config).remotes
    if not remotes:
        raise NotFound(
            "No remote is declared.",
            'Add [remotes.team] with url = "s3://bucket/prefix", "sftp://host/folder" or a folder to lemnis.toml.',
            "lemnis.toml: remotes",
        )
    if not name and len(remotes) > 1:
        raise NotFound(f"There are {len(remotes)} remotes.", f"Name one of: {', '.join(remotes)}.")
    chosen = name or next(iter(remotes))
    if chosen not in remotes:
        raise NotFound(f"There is no remote {safe(chosen, limit=80)!r}.", f"Remotes: {', '.join(remotes)}.")
    return chosen, remotes[chosen]


def open_remote(store: Store, name: str = "") -> Shared:
    """Return the place of a remote; see `declared_remote`.

    Raises:
        NotFound: There is no such remote.
        Unavailable: It can't be reached, or a package is missing.
    """
    return place_of(store, *declared_remote(store, name))


def place_of(store: Store, name: str, remote: Remote) -> Shared:
    """Return the place of a declared remote."""
    from lemnis.engine.share.folder import Folder

    scheme, _, rest = remote.url.partition("://")
    who = str(store.value("select id from identity"))
    if not rest:
        return Folder(name, (store.workspace.root / Path(remote.url).expanduser()).resolve(), who)
    if scheme == "file":
        return Folder(name, Path(rest), who)
    from lemnis.engine.share.elsewhere import Elsewhere

    return Elsewhere(name, remote.url, who)


def fetched(place: Place, stored: Stored, target: Path, on_bytes: OnBytes) -> Path:
    """Bring a file here and return it once it holds what its hash says; what an earlier attempt brought is kept.

    Raises:
        Damaged: The place has something else under this hash, or less of it.
        Unavailable: The disk has no room, or the place can't be reached.
    """
    held = target.stat().st_size if target.exists() else 0
    if held > stored.bytes:
        target.unlink()
        held = 0
    if shutil.disk_usage(target.parent).free < stored.bytes - held:
        raise Unavailable(f"The disk has no room for {stored.bytes - held:,} bytes.", "Free some.", str(target.parent))
    on_bytes(held)
    place.get(stored, target, on_bytes)
    if target.stat().st_size == stored.bytes and sha256_of(target) == stored.sha256:
        return target
    target.unlink()
    if held:  # what was here already may have been at fault
        on_bytes(-held)
        return fetched(place, stored, target, on_bytes)
    raise Damaged(
        f"{stored.path} at {place.shown} does not hold what its hash says.",
        "Push or export it again with --verify from where it was made; nothing was imported.",
        stored.path,
    )


def prefix_digest(source: Path, count: int) -> "hashlib._Hash":  # pyright: ignore[reportPrivateUsage]  # no public name
    """Return the running SHA-256 of a file's first bytes."""
    digest = hashlib.sha256()
    with open(source, "rb") as file:
        while count and (block := file.read(min(BLOCK_BYTES, count))):
            digest.update(block)
            count -= len(block)
    return digest


def not_as_named(source: Path) -> Damaged:
    """Say that a file here does not hold what its hash says, so that it was not sent."""
    return Damaged(f"A file here is damaged and was not sent: {source.name}.", "See `lemnis data verify`.", str(source))
