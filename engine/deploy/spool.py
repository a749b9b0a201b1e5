"""Spools: what a server's process says of its requests, appended to a file of its own until the recorder has it.

A frame is its length, four bytes little-endian, and as many bytes. A file that nobody holds open any more and that is
read to its end is removed; so nothing is lost with a server, and nothing is read twice (the recorder keeps how far it
has come beside what it read).
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lemnis.engine.workspace import Workspace

SUFFIX = ".spool"
LARGEST = 1 << 30  # bytes of one file: a server stops logging rather than fill the disk while nobody records
CHUNK = 4 << 20  # bytes read at once
LONGEST = 256 << 20  # of one frame; a longer one is no frame


def folder_of(workspace: Workspace) -> Path:
    """Return where the spools of a workspace are."""
    return workspace.hidden / "spool"


def framed(data: bytes) -> bytes:
    """Return a frame."""
    return len(data).to_bytes(4, "little") + data


class Spool:
    """A file of this process, open for appending and locked against the recorder's removal as long as it is open."""

    def __init__(self, workspace: Workspace) -> None:
        """Make the file."""
        folder = folder_of(workspace)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = folder / f"{time.time_ns():020}-{os.getpid()}"
        self._descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)
        new.rename(new.with_suffix(SUFFIX))  # locked by now: an empty file that nobody holds is removed
        self._size = 0

    def append(self, frames: bytes) -> bool:
        """Add whole frames, all of them or none; say whether there was room.

        Raises:
            OSError: The disk takes them not.
        """
        if self._size + len(frames) > LARGEST:
            return False
        rest = memoryview(frames)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(frames)
        return True

    def close(self) -> None:
        os.close(self._descriptor)


def spools(workspace: Workspace) -> list[Path]:
    """Return the spools there are, the oldest first."""
    with suppress(FileNotFoundError):
        return sorted(path for path in folder_of(workspace).iterdir() if path.suffix == SUFFIX)
    return []


def read_frames(path: Path, position: int) -> tuple[list[bytes], int]:
    """Return the whole frames of one chunk from a position on, and the position behind the last of them.

    Raises:
        ValueError: What stands there is no frame.
    """
    with open(path, "rb") as file:
        file.seek(position)
        data = file.read(CHUNK)
        wanted = int.from_bytes(data[:4], "little") + 4 if len(data) >= 4 else 0
        if wanted > LONGEST:
            raise ValueError(f"a frame of {wanted:,} bytes")
        if wanted > len(data):
            data += file.read(wanted - len(data))
    frames = list(frames_in(data))
    return frames, position + sum(len(frame) + 4 for frame in frames)


def frames_in(data: bytes) -> Iterator[bytes]:
    """Yield the whole frames; one that is cut off at the end is left for the next time."""
    at = 0
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        if end > len(data):
            return
        yield data[at + 4 : end]
        at = end


def remove_if_left(path: Path, position: int) -> bool:
    """Remove a spool whose process is gone, if it was read to its end; say whether it was removed."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        if not ended(file.fileno(), position):
            return False
        path.unlink()
        return True


def ended(descriptor: int, position: int) -> bool:
    """Say whether nothing whole follows: a frame that its process did not finish writing will never be whole."""
    size = os.fstat(descriptor).st_size
    if size - position < 4:
        return True
    head = os.pread(descriptor, 4, position)
    return position + 4 + int.from_bytes(head, "little") > size
