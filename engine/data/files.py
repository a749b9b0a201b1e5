"""What a reader is given: a file of plain UTF-8 text, a table or a workbook, wherever it came from."""

import codecs
import zlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from lemnis.engine.config import Source
from lemnis.engine.data.sources import Origin
from lemnis.engine.errors import BadInput

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

MOST_BYTES = 64 << 30  # of a file once it is unpacked
COPY_BYTES = 1 << 20
HEADER_BYTES = 1 << 20  # of a file that grows; its header is in there
OnStep: TypeAlias = Callable[[float, str], None]


class Piece(Struct, frozen=True, kw_only=True):
    """A file to read, or the part of one that was added to it.

    Attributes:
        path: What is read: the file itself, or a copy in a scratch folder.
        shown: The file as people know it, for messages.
        start: How many bytes of the original come before; then `path` has no header.
        original: Where the bytes before are.
        named: Where the header is, as plain text.
    """

    source: str
    path: Path
    shown: str
    start: int = 0
    original: Path
    named: Path

    def lines_before(self) -> int:
        """Return how many lines stand before the part; reads them, so ask only to name a line."""
        lines, left = 0, self.start
        with open(self.original, "rb") as file:
            while left and (block := file.read(min(left, COPY_BYTES))):
                lines, left = lines + block.count(b"\n"), left - len(block)
        return lines


def piece_of(
    source: Source, origin: Origin, scratch: Path, on_step: OnStep, span: tuple[int, int] | None = None
) -> Piece:
    """Return what is to be read of a file.

    Args:
        source: Its declaration.
        origin: The file.
        scratch: A folder for copies.
        on_step: Called with the share that is unpacked, 0 to 1, and what is done; may raise to stop.
        span: The bytes to read, None for all.

    Raises:
        BadInput: It can't be unpacked, or is not in the encoding that is declared.
    """
    assert origin.path is not None
    original = path = origin.path
    shown, start, named = origin.name, 0, None
    if source.format == "csv-zip":
        path, member = unpacked(source, origin, scratch, on_step)
        shown = f"{shown}/{member}"
    if span is not None:
        start, end = span
        path = copied(path, scratch, start, end)
        if start:
            named = copied(original, scratch, 0, last_line_end(original, 0, min(start, HEADER_BYTES)))
    if source.format in ("csv", "csv-zip", "jsonl") and not plain(source.encoding):
        path = transcoded(source, path, shown, scratch)
        named = transcoded(source, named, shown, scratch) if named else None
    return Piece(source=origin.source, path=path, shown=shown, start=start, original=original, named=named or path)


def plain(encoding: str) -> bool:
    """Say whether text in this encoding is UTF-8 already."""
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8", "ascii", "us-ascii")


def copied(path: Path, scratch: Path, start: int, end: int) -> Path:
    """Copy the bytes from `start` to `end`, so that what is added meanwhile is not read; return the copy."""
    target = scratch / f"{len(list(scratch.iterdir()))}.part"
    left = end - start
    with open(path, "rb") as file, open(target, "xb") as out:
        file.seek(start)
        while left and (block := file.read(min(left, COPY_BYTES))):
            out.write(block)
            left -= len(block)
    return target


def last_line_end(path: Path, start: int, end: int) -> int:
    """Return where the last complete line between two places ends; `start` if there is none."""
    with open(path, "rb") as file:
        at = end
        while at > start:
            before = max(start, at - COPY_BYTES)
            file.seek(before)
            found = file.read(at - before).rfind(b"\n")
            if found >= 0:
                return before + found + 1
            at = before
    return start


def transcoded(source: Source, path: Path, shown: str, scratch: Path) -> Path:
    """Write a file's text as UTF-8 into the scratch folder; return the copy.

    Raises:
        BadInput: There is no such encoding, or a byte does not belong to it; `place` has the line.
    """
    name = PurePath(shown).name
    try:
        decode = codecs.getincrementaldecoder(source.encoding)("strict")
        decode.decode(b"")
    except (LookupError, TypeError, UnicodeError):
        raise BadInput(f"There is no text encoding {source.encoding!r}.", "Write for example cp949.", shown) from None
    target = scratch / f"{len(list(scratch.iterdir()))}.utf8"
    line = 1
    with open(path, "rb") as file, open(target, "xb") as out:
        while True:
            block = file.read(COPY_BYTES)
            try:
                text = decode.decode(block, final=not block)
            except UnicodeError as error:
                at = getattr(error, "start", 0)
                line += block[:at].count(b"\n")
                remedy = "Check the encoding; cp949, utf-16 and latin-1 are common."
                raise BadInput(f"{name}: this row is not {source.encoding} text.", remedy, f"{shown}:{line}") from None
            line += text.count("\n")
            out.write(text.encode())
            if not block:
                return target


def unpacked(source: Source, origin: Origin, scratch: Path, on_step: OnStep) -> tuple[Path, str]:
    """Stream one member of a ZIP archive into `scratch`; return the file and the member's name.

    Raises:
        BadInput: It is no ZIP archive, damaged, encrypted, too large, or it is not clear which member is meant.
    """
    import zipfile

    assert origin.path is not None
    name, place = origin.source, origin.name
    target = scratch / f"{len(list(scratch.iterdir()))}.csv"
    try:
        with zipfile.ZipFile(origin.path) as archive:
            info = _member(archive, source, origin)
            if info.file_size > MOST_BYTES:
                raise BadInput(f"{name}: {info.filename} unpacks to {info.file_size:,} bytes.", "Split it.", place)
            written = 0
            with archive.open(info) as packed, open(target, "xb") as file:
                while block := packed.read(COPY_BYTES):
                    written += len(block)
                    if written > info.file_size:  # the directory of the archive lied about its size
                        raise zipfile.BadZipFile("a member is longer than it says")
                    file.write(block)
                    on_step(written / info.file_size, f"unpacking {info.filename}")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        from lemnis.engine.text import safe

        why = safe(error, limit=200)
        file_name = PurePath(origin.name).name
        raise BadInput(f"{name}: {file_name} can't be unpacked: {why}.", "Pack it again.", place) from None
    return target, info.filename


def _member(archive: "ZipFile", source: Source, origin: Origin) -> "ZipInfo":
    files = [info for info in archive.infolist() if not info.is_dir()]
    wanted = [info for info in files if info.filename == source.member]
    if not source.member:
        wanted = [info for info in files if info.filename.endswith((".csv", ".tsv", ".txt"))]
    if len(wanted) != 1:
        held = ", ".join(info.filename for info in files[:10])
        file_name = PurePath(origin.name).name
        raise BadInput(
            f"{origin.source}: {len(wanted) or 'no'} members of {file_name} fit {source.member or '*.csv'!r}.",
            f"Set sources.{origin.source}.member to one of: {held}.",
            origin.name,
        )
    return wanted[0]
