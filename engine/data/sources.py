"""Sources: the files that rows come from, looked at before anything opens them."""

import os
import stat
from pathlib import Path

from msgspec import Struct

from lemnis.engine.config import Source, SourceFormat
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.workspace import Workspace

KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
}


FORMATS: dict[str, SourceFormat] = {
    ".zip": "csv-zip",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}


def format_of(path: str) -> SourceFormat:
    """Return the format that a file's name suggests; delimited text for a suffix that says nothing."""
    return FORMATS.get(Path(path).suffix.lower(), "csv")


class Origin(Struct, frozen=True, kw_only=True):
    """A regular file and how it looked: another look that differs means that somebody wrote to it."""

    source: str
    path: Path
    bytes: int
    modified_ns: int
    inode: int


def origin_of(workspace: Workspace, name: str, source: Source) -> Origin:
    """Return the file of a source without opening it.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no regular file, or a link that leads out of its tree.
    """
    place = f"sources.{name}.path"
    path = _resolved(workspace, name, source, place)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = next((word for test, word in KINDS.items() if test(found.st_mode)), "no regular file")
        raise BadInput(f"{name}: {source.path} is {kind}.", "A source is a regular file.", place)
    if not os.access(path, os.R_OK):
        raise BadInput(f"{name}: {source.path} can't be read.", "Check its permissions.", place)
    looks = [found]
    if source.format == "sqlite":  # what was committed last may be in the write-ahead log alone
        looks += [wal.stat() for wal in [path.with_name(f"{path.name}-wal")] if wal.exists()]
    return Origin(
        source=name,
        path=path,
        bytes=sum(look.st_size for look in looks),
        modified_ns=max(look.st_mtime_ns for look in looks),
        inode=found.st_ino,
    )


def check_unchanged(workspace: Workspace, source: Source, before: Origin) -> None:
    """Refuse rows of a file that was written to while they were read.

    Raises:
        Unavailable: The file differs from how it looked before.
    """
    if origin_of(workspace, before.source, source) != before:
        raise Unavailable(
            f"{before.source}: {before.path.name} changed while it was read; nothing was kept.",
            "Sync again when its writer is done; let it write elsewhere and rename.",
            str(before.path),
        )


def _resolved(workspace: Workspace, name: str, source: Source, place: str) -> Path:
    """Follow links, but not out of the tree: the workspace, or the folder that an outside path names."""
    declared = Path(os.path.normpath(workspace.root / source.path))
    inside = declared.is_relative_to(workspace.root)
    tree = workspace.root if inside else declared.parent
    try:
        path, tree = declared.resolve(strict=True), tree.resolve(strict=True)
    except FileNotFoundError:
        raise NotFound(
            f"{name}: {source.path} does not exist.", f"Put the file there, or change {place}.", place
        ) from None
    except (OSError, RuntimeError):  # a loop of links is either, by its length
        raise BadInput(f"{name}: {source.path} can't be followed to a file.", "Check its links.", place) from None
    if not path.is_relative_to(tree):
        raise BadInput(
            f"{name}: {source.path} is a link that leads out of {tree}.", f"Name the file it means: {path}.", place
        )
    return path
