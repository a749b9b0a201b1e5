"""Spools: what a server's process says of its requests, appended to a file of its own until the recorder has it.

A frame is a line of JSON, so that the recorder reads thousands in one call. A file that nobody holds open any more and
that is read to its end is removed; so nothing is lost with a server, and nothing is read twice (the recorder keeps how
far it has come beside what it read).
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from lemnis.engine.workspace import Workspace

SUFFIX = ".spool"
END = b"\n"
LARGEST = 1 << 30  # bytes of one file: a server stops logging rather than fill the disk while nobody records
CHUNK = 1 << 20  # bytes read at once
LONGEST = 256 << 20  # of one frame; a longer one is no frame


def folder_of(workspace: Workspace) -> Path:
    """Return where the spools of a workspace are."""
    return workspace.hidden / "spool"


def framed(data: bytes) -> bytes:
    """Return a frame of a JSON document, which has no line break as msgspec writes it."""
    return data + END


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


def read_frames(path: Path, position: int) -> bytes:
    """Return the whole frames of one chunk from a position on; one that is not written to its end waits for its time.

    Raises:
        ValueError: What stands there is no frame.
    """
    with open(path, "rb") as file:
        file.seek(position)
        data = file.read(CHUNK)
        while END not in data and (more := file.read(CHUNK)):
            data += more
            if len(data) > LONGEST:
                raise ValueError(f"a frame of more than {LONGEST:,} bytes")
    return data[: data.rfind(END) + 1]


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
    while data := os.pread(descriptor, CHUNK, position):
        if END in data:
            return False
        position += len(data)
    return True
