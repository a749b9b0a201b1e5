"""Collecting garbage: removes files that nothing refers to; rows first, files after, so a crash loses nothing.

How it stays safe. Which versions and snapshots go is decided and written in one immediate transaction, so that a run
that was queued before is seen and one that is queued after finds the version gone (the trigger `run_needs_its_data`).
Files follow under the data's lock, which whoever adds a file holds too: a file that a row names at that moment stays,
and so does one without a row that is younger than YOUNG_S, because its row may be on its way. A crash in between
leaves files without rows; the next collection removes them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lemnis.engine import clock
from lemnis.engine.data.versions import KEEP
from lemnis.engine.store import Store

if TYPE_CHECKING:
    from lemnis.engine.data.references import Holding

YOUNG_S = 600.0  # longer than measuring any table takes between its file and its row


class Removable(Struct, frozen=True, kw_only=True):
    """One file that may go; `sha256` is empty for what a writer that was killed has left behind."""

    title: str
    kind: str
    path: Path
    bytes: int
    sha256: str = ""


class Plan(Struct, frozen=True, kw_only=True):
    """What a collection would remove now.

    Attributes:
        removable: The files, largest first.
        kept: How many files stay; `kept_bytes` is their size.
    """

    removable: list[Removable]
    kept: int
    kept_bytes: int

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.removable)


class Collection(Struct, frozen=True, kw_only=True):
    """What a collection removed; `at` is epoch ms."""

    at: int
    who: str
    files: int
    bytes: int
    what: list[str]


def plan(store: Store, *, keep: int = KEEP, snapshots: bool = False, young_s: float = YOUNG_S) -> Plan:
    """Return what may go: nothing refers to it, and it is none of the newest.

    Args:
        store: The workspace's state.
        keep: How many of each dataset's versions stay in any case, the newest; at least one.
        snapshots: Also snapshots that no version was made of and that are not what their source holds now.
        young_s: Files younger than this stay.
    """
    from lemnis.engine.data.references import holdings

    going = removable_holdings(store, keep=keep, snapshots=snapshots, young_s=young_s)
    hashes = {one.sha256 for one in going}
    stay = [one for one in holdings(store) if one.sha256 not in hashes]
    removable = [
        Removable(title=one.title, kind=one.kind, path=one.path, bytes=one.bytes, sha256=one.sha256) for one in going
    ]
    named = hashes | {one.sha256 for one in stay}
    removable += [
        Removable(title=title_of(store, path), kind="leftover", path=path, bytes=path.stat().st_size)
        for path in files_of(store)
        if path.stem not in named and is_old(path, young_s)
    ]
    removable.sort(key=lambda one: -one.bytes)
    return Plan(removable=removable, kept=len(stay), kept_bytes=sum(one.bytes for one in stay))


def removable_holdings(store: Store, *, keep: int, snapshots: bool, young_s: float) -> "list[Holding]":
    """Return the versions (and snapshots, when asked) that nothing would miss."""
    from lemnis.engine.data.references import snapshot_holdings, version_holdings

    going: list[Holding] = []
    newest: dict[str, int] = {}
    for one in version_holdings(store):
        newest[one.group] = newest.get(one.group, 0) + 1
        if newest[one.group] > max(1, keep) and not one.held_by and is_old(one.path, young_s):
            going.append(one)
    if snapshots:
        # Versions that go in this very collection hold their snapshots no longer; the next one takes those.
        going += [one for one in snapshot_holdings(store) if not one.held_by and is_old(one.path, young_s)]
    return going


def collect(
    store: Store, *, who: str, keep: int = KEEP, snapshots: bool = False, young_s: float = YOUNG_S
) -> Collection:
    """Remove what `plan` names now and return what was removed."""
    from lemnis.engine.data.parquet import sweep

    now = clock.now_ms()
    with store.write() as db:
        going = removable_holdings(store, keep=keep, snapshots=snapshots, young_s=young_s)
        for one in going:
            if one.kind == "version":
                db.execute("update versions set removed_at = ? where id = ?", [now, one.sha256])
            else:
                db.execute("delete from snapshots where sha256 = ?", [one.sha256])
    titles = {one.sha256: one.title for one in going}
    removed, size = remove_files(store, titles, young_s)
    sweep(store.workspace, now / 1000)
    done = Collection(at=now, who=who, files=len(removed), bytes=size, what=removed)
    if removed:
        with store.write() as db:
            row = msgspec.structs.asdict(done) | {"what": msgspec.json.encode(removed).decode()}
            db.table("collections").insert(row)
    return done


def remove_files(store: Store, titles: dict[str, str], young_s: float) -> tuple[list[str], int]:
    """Remove every file that no row names; return titles and bytes. `titles` are those of this collection, by hash."""
    from lemnis.engine.data.parquet import data_lock
    from lemnis.engine.data.verified import forget

    removed: list[str] = []
    size, named = 0, named_now(store)
    for path in files_of(store):
        if path.stem in named:
            continue  # if it lost its row just now, the next collection has it
        with data_lock(store.workspace, alone=True):
            revive(store, path)
            if path.stem in named_now(store) or not is_old(path, young_s):
                continue
            size += path.stat().st_size
            path.unlink()
            forget(path)
            removed.append(titles.get(path.stem) or title_of(store, path))
    return removed, size


def title_of(store: Store, path: Path) -> str:
    """Return what a file without a row in force is: a version that was collected before, or a leftover."""
    known = store.value("select name || ' v' || number from versions where id = ?", [path.stem])
    return known or f"leftover {path.name[:12]}…"


def revive(store: Store, path: Path) -> None:
    """Keep a version after all that something came to refer to while it was being collected."""
    from lemnis.engine.data.references import version_holders

    gone = store.value("select removed_at from versions where id = ?", [path.stem])
    if gone is not None and path.stem in version_holders(store):
        with store.write() as db:
            db.execute("update versions set removed_at = null where id = ?", [path.stem])


def named_now(store: Store) -> set[str]:
    """Return the hash of every file that a row names at this moment."""
    rows = store.rows(
        """select id from versions where removed_at is null union select sha256 from snapshots
           union select sha256 from model_versions"""
    )
    return {row[0] for row in rows}


def files_of(store: Store) -> list[Path]:
    """Return the content-addressed files that are there: data and models."""
    models = store.workspace.hidden / "models"
    return sorted([*store.workspace.data.glob("[0-9a-f]*.parquet"), *models.glob("[0-9a-f]*.txt")])


def is_old(path: Path, young_s: float) -> bool:
    """Say whether a file was written long enough ago that its row must be there; a missing one is."""
    try:
        return clock.now_ms() / 1000 - path.stat().st_mtime >= young_s
    except FileNotFoundError:
        return True


def last_collection(store: Store) -> Collection | None:
    """Return the latest collection that removed something."""
    row = store.row("select at, who, files, bytes, what from collections order by id desc limit 1")
    if row is None:
        return None
    what = msgspec.json.decode(row["what"], type=list[str])
    return Collection(at=row["at"], who=row["who"], files=row["files"], bytes=row["bytes"], what=what)
