"""Sources: the files that rows come from, looked at before anything opens them."""

import os
import stat
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

import msgspec
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
MOST_FILES = 10_000  # of one source
FORMATS: dict[str, SourceFormat] = {
    ".zip": "csv-zip",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}
# What is written in these is code or objects, not a table: there is no reader, and there must not be one.
REFUSED = (".pkl", ".pickle", ".joblib", ".npy", ".npz", ".yaml", ".yml", ".rds", ".rdata", ".pt", ".h5")


def format_of(path: str) -> SourceFormat:
    """Return the format that a file's name suggests; delimited text for a suffix that says nothing."""
    if path.startswith(("postgresql://", "postgres://")):
        return "postgresql"
    return FORMATS.get(PurePath(path).suffix.lower(), "csv")


class Origin(Struct, frozen=True, kw_only=True):
    """One file of a source and how it looked: another look that differs means that somebody wrote to it.

    Attributes:
        name: What tells it from the source's other files, and what people read.
        path: Where it is; None when it must be fetched first.
        tag: What a remote store says of its content; empty for a file here.
    """

    source: str
    name: str
    path: Path | None
    bytes: int
    modified_ns: int
    inode: int = 0
    tag: str = ""


def origins_of(workspace: Workspace, name: str, source: Source) -> list[Origin]:
    """Return the files of a source without opening them, in the order of their names.

    Raises:
        NotFound: There is no such file.
        BadInput: One is no regular file, a link that leads out of its tree, or of a kind that is never read.
    """
    place = f"sources.{name}.path"
    if source.format == "postgresql" or is_elsewhere(source.path):
        return _elsewhere(name, source)
    if source.path.startswith("file://"):
        source = msgspec.structs.replace(source, path=unquote(urlsplit(source.path).path))
    if PurePath(source.path).suffix.lower() in REFUSED:
        raise BadInput(
            f"{name}: {PurePath(source.path).name} holds objects or settings, not a table.",
            "Write it as CSV, Parquet or JSON lines.",
            place,
        )
    declared = Path(os.path.normpath(workspace.root / source.path))
    if not is_pattern(source.path) or os.path.lexists(declared):
        tree = workspace.root if declared.is_relative_to(workspace.root) else declared.parent
        return [_looked_at(name, source, declared, tree)]
    if source.format in ("sqlite", "excel", "postgresql"):
        raise BadInput(f"{name}: a pattern can't gather {source.format} files.", "Declare one source each.", place)
    fixed = Path(*declared.parts[: next(i for i, part in enumerate(declared.parts) if is_pattern(part))])
    tree = workspace.root if declared.is_relative_to(workspace.root) else fixed
    pattern = str(declared.relative_to(fixed))
    found = sorted(path for path in fixed.glob(pattern) if not _hidden(path.relative_to(fixed)))
    if not found:
        raise NotFound(f"{name}: no file fits {source.path}.", f"Put files there, or change {place}.", place)
    if len(found) > MOST_FILES:
        raise BadInput(f"{name}: {len(found):,} files fit {source.path}.", f"At most {MOST_FILES:,} are read.", place)
    return [_looked_at(name, source, path, tree) for path in found]


def is_pattern(path: str) -> bool:
    """Say whether a path stands for files by a pattern."""
    return any(mark in path for mark in "*?[")


def is_elsewhere(path: str) -> bool:
    """Say whether a path is an address of another place, which is asked over the network."""
    return "://" in path and not path.startswith("file://")


def _elsewhere(name: str, source: Source) -> list[Origin]:
    if source.format == "postgresql":
        from lemnis.engine.data.postgres import server_origin

        return [server_origin(name, source)]
    if is_pattern(source.path) and source.format in ("sqlite", "excel"):
        raise BadInput(f"{name}: a pattern can't gather {source.format} files.", "Declare one source each.", name)
    if source.append:
        raise BadInput(f"{name}: only a file here can be appended to.", "Leave out append.", f"sources.{name}.append")
    from lemnis.engine.data.remote import remote_origins

    return remote_origins(name, source)


def check_unchanged(workspace: Workspace, source: Source, before: list[Origin]) -> None:
    """Refuse rows of files that were written to while they were read; one that is only appended to may have grown.

    Raises:
        Unavailable: A file differs from how it looked before.
    """
    now = {origin.name: origin for origin in origins_of(workspace, before[0].source, source)}
    for origin in before:
        found = now.get(origin.name)
        if found == origin:
            continue
        if source.append and found and found.inode == origin.inode and found.bytes >= origin.bytes:
            continue
        raise Unavailable(
            f"{origin.source}: {PurePath(origin.name).name} changed while it was read; nothing was kept.",
            "Sync again when its writer is done; let it write elsewhere and rename.",
            origin.name,
        )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _looked_at(name: str, source: Source, declared: Path, tree: Path) -> Origin:
    """Return one file as it looks, after following its links; they must stay in `tree`."""
    place = f"sources.{name}.path"
    shown = source.path if not is_pattern(source.path) else str(declared)
    path = _resolved(name, shown, declared, tree)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kind = next((word for test, word in KINDS.items() if test(found.st_mode)), "no regular file")
        raise BadInput(f"{name}: {shown} is {kind}.", "A source is a regular file.", place)
    if not os.access(path, os.R_OK):
        raise BadInput(f"{name}: {shown} can't be read.", "Check its permissions.", place)
    looks = [found]
    if source.format == "sqlite":  # what was committed last may be in the write-ahead log alone
        looks += [wal.stat() for wal in [path.with_name(f"{path.name}-wal")] if wal.exists()]
    return Origin(
        source=name,
        name=str(declared if is_pattern(source.path) else path),
        path=path,
        bytes=sum(look.st_size for look in looks),
        modified_ns=max(look.st_mtime_ns for look in looks),
        inode=found.st_ino,
    )


def _resolved(name: str, shown: str, declared: Path, tree: Path) -> Path:
    """Follow links, but not out of the tree: the workspace, or the folder that an outside path names."""
    place = f"sources.{name}.path"
    try:
        path, tree = declared.resolve(strict=True), tree.resolve(strict=True)
    except FileNotFoundError:
        raise NotFound(f"{name}: {shown} does not exist.", f"Put the file there, or change {place}.", place) from None
    except (OSError, RuntimeError):  # a loop of links is either, by its length
        raise BadInput(f"{name}: {shown} can't be followed to a file.", "Check its links.", place) from None
    if not path.is_relative_to(tree):
        raise BadInput(
            f"{name}: {shown} is a link that leads out of {tree}.", f"Name the file it means: {path}.", place
        )
    return path
