"""Place: where a person was in a console that ended under them, kept outside the workspace for the next one."""

import fcntl
import hashlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

KEPT_S = 7 * 86_400  # where somebody was last week is of no use


class Cursor(msgspec.Struct, frozen=True):
    """The row under a table's cursor, and which one of all it is."""

    key: str
    index: int


class Place(msgspec.Struct):
    """What a person saw and what they had typed.

    Attributes:
        stage: The tab.
        at: The past time that was shown, epoch ms; None for now.
        filters: The query in force by tab.
        cursors: By tab and the table's id.
        focus: The id of the pane with the focus; empty for none.
        prompt: The text in the open prompt; None where it was closed.
        form: The kind of the dialog that was open with something typed in it; empty for none.
        opened_by: The action that opened it, with the tab it is of; empty where the app itself did it.
        typed: What was typed there, field by field.
    """

    stage: str = "problem"
    at: int | None = None
    filters: dict[str, str] = {}
    cursors: dict[str, dict[str, Cursor]] = {}
    focus: str = ""
    prompt: str | None = None
    form: str = ""
    opened_by: tuple[str, str] = ("", "")
    typed: list[str] = []


class Keeper:
    """Keeps the place of one console in a file of its own; the file's lock tells whether that console still is.

    A file that nobody locks is left by a console that was killed or hung up: the next console takes its place.
    """

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        """Keep places of the workspace at `root`; it may be read-only, so they are where this user's states are."""
        base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        self.folder = Path(base) / "lemnis" / "places"
        name = f"{socket.gethostname()}:{root.resolve()}"
        self.prefix = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        self._file = -1
        self._kept = b""

    @property
    def path(self) -> Path:
        """This console's file."""
        return self.folder / f"{self.prefix}-{os.getpid()}.json"

    def left(self) -> Place | None:
        """Return the place of the console that ended last without being left, and forget it; None if there is none."""
        for path in sorted(self._files(), key=_changed, reverse=True):
            with suppress(OSError):
                file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    fresh = time.time() - os.fstat(file).st_mtime < KEPT_S
                    path.unlink()
                    if fresh:
                        return msgspec.json.decode(os.pread(file, 1 << 20, 0), type=Place)
                except (OSError, msgspec.MsgspecError):
                    continue  # of a console that is open, or cut off
                finally:
                    os.close(file)
        return None

    def keep(self, place: Place) -> None:
        """Write where this console is, if that changed; a place that can't be kept is no reason to disturb anybody."""
        data = msgspec.json.encode(place)
        if data == self._kept:
            return
        with suppress(OSError):
            if self._file < 0:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, data, 0)
            self._kept = data

    def close(self, *, forget: bool) -> None:
        """End keeping; what was kept is forgotten or left for the next console."""
        if self._file >= 0:
            if forget:
                self.path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = -1

    def _files(self) -> Iterator[Path]:
        with suppress(OSError):
            yield from self.folder.glob(f"{self.prefix}-*.json")


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
