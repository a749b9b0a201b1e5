"""Verified on use: a file named by its hash is hashed when it is first opened, then only when it was touched."""

from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import Damaged, LemnisError, Unavailable
from lemnis.engine.files import sha256_of, write_atomic

# whole: its content has the hash it is named by; damaged: it has not; missing: there is no file;
# unread: it was never hashed, or was touched since.
Condition: TypeAlias = Literal["whole", "damaged", "missing", "unread"]


class Stamp(Struct, frozen=True, kw_only=True):
    """Which file it was that was hashed: any write, replacement or change of owner gives another one."""

    inode: int
    bytes: int
    modified_ns: int
    changed_ns: int


class Mark(Struct, frozen=True, kw_only=True):
    """What hashing one file found, kept below `.lemnis/verified`; `at` is epoch ms."""

    stamp: Stamp
    whole: bool
    at: int


def verified_file(path: Path) -> Path:
    """Return the path of a file below `.lemnis` that may be opened: its content has the hash it is named by.

    The first use hashes it, which takes about a second a gigabyte; a later one costs a stat, in every process.

    Raises:
        Unavailable: The file is gone.
        Damaged: It holds something else; the problem names it and what depends on it.
    """
    condition = condition_of(path)
    if condition == "unread":
        condition = hash_now(path)
    if condition == "whole":
        return path
    depends, remedy = consequences(path)
    if condition == "missing":
        raise Unavailable(f"A file of the data is gone{depends}.", remedy, str(path))
    raise Damaged(f"A file of the data is damaged: its content has another hash{depends}.", remedy, str(path))


def is_whole(path: Path) -> bool:
    """Say whether a file is there and holds what its name says."""
    condition = condition_of(path)
    return (hash_now(path) if condition == "unread" else condition) == "whole"


def condition_of(path: Path) -> Condition:
    """Return what is known of a file without reading it."""
    stamp = stamp_of(path)
    if stamp is None:
        return "missing"
    mark = mark_of(path)
    if mark is None or mark.stamp != stamp:
        return "unread"
    return "whole" if mark.whole else "damaged"


def hash_now(path: Path) -> Condition:
    """Hash a file whatever is known of it, and remember what was found."""
    before = stamp_of(path)
    if before is None:
        return "missing"
    try:
        whole = sha256_of(path) == path.stem
    except FileNotFoundError:
        return "missing"
    except OSError as error:  # a bad sector reads as an error: it does not hold what its name says
        raise Unavailable(
            f"A file of the data can't be read: {error.strerror}.", "Check the disk.", str(path)
        ) from None
    if stamp_of(path) == before:
        remember(path, Mark(stamp=before, whole=whole, at=now_ms()))
    return "whole" if whole else "damaged"


def note_whole(path: Path) -> None:
    """Remember that a file was just written with the content its name says."""
    stamp = stamp_of(path)
    if stamp is not None:
        remember(path, Mark(stamp=stamp, whole=True, at=now_ms()))


def forget(path: Path) -> None:
    """Drop what is remembered of a file that was removed."""
    mark_path(path).unlink(missing_ok=True)


def stamp_of(path: Path) -> Stamp | None:
    """Return which file stands at a path now; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Stamp(inode=found.st_ino, bytes=found.st_size, modified_ns=found.st_mtime_ns, changed_ns=found.st_ctime_ns)


def mark_of(path: Path) -> Mark | None:
    """Return what is remembered of a file; None when nothing is."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(mark_path(path).read_bytes(), type=Mark)
    return None


def mark_path(path: Path) -> Path:
    """Return where a file of `.lemnis/data` or `.lemnis/models` has its mark."""
    return path.parent.parent / "verified" / path.stem


def remember(path: Path, mark: Mark) -> None:
    """Keep a mark; where nothing can be written (a read-only disk) the file is hashed again next time."""
    target = mark_path(path)
    with suppress(OSError):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(target, msgspec.json.encode(mark))


def consequences(path: Path) -> tuple[str, str]:
    """Return what depends on a file and what can be done, asked of the store that stands beside it."""
    from lemnis.engine.data.references import holding_of
    from lemnis.engine.store import Store
    from lemnis.engine.workspace import Workspace

    store = Store(Workspace(path.parent.parent.parent), read_only=True)
    try:
        found = holding_of(store, path.stem)
    except LemnisError:
        found = None
    finally:
        store.close()
    if found is None:
        return "", "See `lemnis data verify`."
    held = f". It is {found.title}"
    if found.held_by:
        held += f"; this depends on it: {', '.join(found.held_by[:6])}"
    make = {
        "snapshot": "Read the source again with `lemnis data sync`",
        "version": "Make it again with `lemnis data link`",
    }
    return held, f"{make.get(found.kind, 'Register the run again')}."
