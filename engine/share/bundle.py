"""The bundle: a remote's layout in one uncompressed ZIP archive, written whole and read without trust."""

import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from lemnis.engine.errors import BadInput, Damaged, Unavailable
from lemnis.engine.files import sync_folder
from lemnis.engine.share.card import README
from lemnis.engine.share.catalog import PATH
from lemnis.engine.share.manifest import MOST_BYTES, Manifest, Stored, encode
from lemnis.engine.share.meter import Meter
from lemnis.engine.share.pack import Packed
from lemnis.engine.share.place import BLOCK_BYTES, OnBytes, not_as_named, prefix_digest
from lemnis.engine.text import safe

MOST_ENTRIES = 100_000
DIRECTORY_BYTES = 64 << 20  # of an archive's directory, which is read whole
ENTRY = re.compile(
    r"README\.txt|cards/[A-Za-z0-9_.-]{1,160}\.md|objects/[0-9a-f]{2}/[0-9a-f]{62}\.(parquet|txt|json)|" + PATH.pattern
)
WHEN = (1980, 1, 1, 0, 0, 0)  # the same things give the same archive
REMEDY = "Ask for another copy; nothing was imported."


class Bundle:
    """A bundle's file as a place to fetch from."""

    def __init__(self, path: Path) -> None:
        """Open the archive and look at its directory.

        Raises:
            BadInput: It is no bundle, is not whole, or holds what no bundle holds.
        """
        self.path = path
        try:
            check_directory(path)
            self.archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BadInput(f"There is no file {safe(path.name, limit=200)}.", "Check the name.", str(path)) from None
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise BadInput(
                f"{path.name} is no bundle, or is not whole: {safe(error, limit=120)}.", REMEDY, str(path)
            ) from None
        wrong = wrong_entry(self.archive.infolist(), path.stat().st_size)
        if wrong:
            self.archive.close()
            raise BadInput(f"{path.name} is refused: {wrong}.", REMEDY, str(path))

    @property
    def shown(self) -> str:
        return self.path.name

    def listed(self, below: str) -> dict[str, int]:
        """Return the size of every file below a folder by its path."""
        entries = self.archive.infolist()
        return {one.filename: one.file_size for one in entries if one.filename.startswith(f"{below}/")}

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the whole content of small files.

        Raises:
            Damaged: One of them can't be read.
        """
        found: dict[str, bytes] = {}
        for path in paths:
            with damage(self, path), self.archive.open(path) as file:
                found[path] = file.read(MOST_BYTES + 1)
        return found

    def get(self, stored: Stored, target: Path, on_bytes: OnBytes) -> None:
        """Bring a file to `target`, going on where that file ends.

        Raises:
            Damaged: The bundle has no such file, or can't be read there.
        """
        with damage(self, stored.path), self.archive.open(stored.path) as file, open(target, "ab") as out:
            file.seek(out.tell())
            while out.tell() < stored.bytes and (block := file.read(BLOCK_BYTES)):
                out.write(block)
                on_bytes(len(block))

    def close(self) -> None:
        """Let go of the file."""
        self.archive.close()


class damage:
    """A block in which an archive that can't be read becomes an error that names the file in it."""

    def __init__(self, bundle: Bundle, path: str) -> None:
        self.bundle, self.entry = bundle, path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError):
            raise Damaged(f"{self.entry} is missing in {self.bundle.shown}.", REMEDY, self.entry) from None
        if isinstance(error, (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError)):
            why = safe(error, limit=120).rstrip(".")
            raise Damaged(f"{self.entry} in {self.bundle.shown} is damaged: {why}.", REMEDY, self.entry) from None


def check_directory(path: Path) -> None:
    """Refuse an archive whose directory is larger than one of MOST_ENTRIES can be, before it is read whole.

    Raises:
        BadInput: It is.
        zipfile.BadZipFile: The file does not end as an archive does.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 22))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 22:
        raise zipfile.BadZipFile("its end is missing")
    length = int.from_bytes(end[at + 12 : at + 16], "little")
    if length == 0xFFFFFFFF:  # then the true length stands in the record before
        before = end.rfind(b"PK\x06\x06", 0, at)
        length = int.from_bytes(end[before + 40 : before + 48], "little") if before >= 0 else 1 << 62
    if length > DIRECTORY_BYTES:
        raise BadInput(f"{path.name} is refused: it lists {length:,} bytes of names.", REMEDY, str(path))


def wrong_entry(entries: list[zipfile.ZipInfo], size: int) -> str:
    """Return what in an archive's directory no bundle has; empty when all is in order. Pure."""
    if len(entries) > MOST_ENTRIES:
        return f"it has {len(entries):,} entries; a bundle has at most {MOST_ENTRIES:,}"
    seen: set[str] = set()
    for one in entries:
        name = safe(one.orig_filename, limit=120)
        if not ENTRY.fullmatch(one.orig_filename):
            return f"it has an entry {name!r}, which no bundle has"
        if one.filename in seen:
            return f"it has two entries {name!r}"
        seen.add(one.filename)
        if stat.S_IFMT(one.external_attr >> 16) not in (0, stat.S_IFREG):
            return f"{name!r} is a link or another special file"
        if one.compress_type != zipfile.ZIP_STORED or one.compress_size != one.file_size:
            return f"{name!r} is compressed; a bundle holds its files as they are"
        if one.flag_bits & 0x1:
            return f"{name!r} is encrypted"
        small = not name.startswith("objects/")
        if small and one.file_size > MOST_BYTES:
            return f"{name!r} has {one.file_size:,} bytes; {MOST_BYTES:,} are read"
    total = sum(one.file_size for one in entries)
    if total > size:
        return f"its entries say {total:,} bytes, the file has {size:,}"
    return ""


def write_bundle(target: Path, things: list[Packed], meter: Meter) -> int:
    """Write things to a new file, which appears under its name when it is complete; return its size in bytes.

    Raises:
        BadInput: There is a file of this name already, or no such folder.
        Damaged: A file here does not hold what its hash says.
        Unavailable: The disk takes no more.
    """
    if target.exists():
        raise BadInput(f"{target.name} is there already.", "Choose another name, or remove it.", str(target))
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    except OSError as error:
        raise BadInput(f"{target} can't be written: {error.strerror}.", "Choose another folder.") from None
    try:
        with os.fdopen(descriptor, "w+b") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                fill(archive, things, meter)
            out.flush()
            os.fchmod(out.fileno(), 0o644)
            os.fsync(out.fileno())
        os.link(name, target)  # unlike a rename it refuses a name that was taken meanwhile
        sync_folder(target.parent)
    except FileExistsError:
        raise BadInput(f"{target.name} is there already.", "Choose another name, or remove it.", str(target)) from None
    except OSError as error:
        raise Unavailable(
            f"{target.name} can't be written: {error.strerror}.", "Check the disk.", str(target)
        ) from None
    finally:
        Path(name).unlink(missing_ok=True)
    return target.stat().st_size


def fill(archive: zipfile.ZipFile, things: list[Packed], meter: Meter) -> None:
    """Write the texts for people first, then the manifests, then the files, each once."""
    add_text(archive, "README.txt", README)
    for thing in things:
        add_text(archive, card_path(thing.manifest), thing.manifest.card)
    for thing in things:
        add_text(archive, thing.manifest.path, encode(thing.manifest))
    written: set[str] = set()
    for thing in things:
        for stored in thing.manifest.objects:
            if stored.sha256 not in written:
                written.add(stored.sha256)
                add_file(archive, stored, thing.files[stored.sha256], meter)


def card_path(manifest: Manifest) -> str:
    """Return where a card stands in a bundle."""
    return f"cards/{manifest.kind}-{manifest.name}-{manifest.id[:12]}.md"


def add_text(archive: zipfile.ZipFile, path: str, content: str | bytes) -> None:
    """Add a small file."""
    archive.writestr(entry(path), content)


def add_file(archive: zipfile.ZipFile, stored: Stored, source: Path, meter: Meter) -> None:
    """Add a file, hashed on its way.

    Raises:
        Damaged: It does not hold what its hash says.
    """
    digest = prefix_digest(source, 0)
    info = entry(stored.path)
    info.file_size = stored.bytes
    with open(source, "rb") as file, archive.open(info, "w", force_zip64=stored.bytes >= 1 << 31) as out:
        while block := file.read(BLOCK_BYTES):
            out.write(block)
            digest.update(block)
            meter(len(block))
    if digest.hexdigest() != stored.sha256:
        raise not_as_named(source)


def entry(path: str) -> zipfile.ZipInfo:
    """Return the directory's line for a path: stored as it is, a plain file that others may read."""
    info = zipfile.ZipInfo(path, WHEN)
    info.compress_type = zipfile.ZIP_STORED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info
