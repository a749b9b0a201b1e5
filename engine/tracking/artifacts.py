"""Artifacts on disk: whose a path is, what lies there, and files written whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import IO

from msgspec import Struct

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.experiments.runs import Run
from lemnis.engine.experiments.tracked import find_run, uid_of
from lemnis.engine.files import sync_folder
from lemnis.engine.store import Store
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace

OURS = "lemnis"  # how the address of a version of Lemnis begins
LARGEST = 64 << 30  # bytes of one artifact
KEPT_FREE = 256 << 20  # bytes of the disk that no artifact may take
INCOMING = ".incoming-"  # how the name of what is not whole yet begins
LONGEST_PART, DEEPEST, LONGEST_PATH = 255, 32, 2048  # bytes, folders, characters


class TooLarge(BadInput):
    """An artifact beyond the bounds."""

    code = "too_large"


class Entry(Struct, frozen=True, kw_only=True):
    """A file or folder; `path` is below what was listed."""

    path: str
    is_dir: bool
    bytes: int


def root_of(workspace: Workspace) -> Path:
    """Return the folder of everything that clients have sent."""
    return workspace.hidden / "artifacts"


def run_folder(store: Store, run: Run) -> Path:
    """Return where a run's artifacts are: of a training of ours, its own folder."""
    if run.uid is None:
        return store.workspace.run_dir(run.id)
    return root_of(store.workspace) / str(run.experiment_id) / uid_of(run) / "artifacts"


def model_folder(store: Store, experiment_id: int, model_id: str) -> Path:
    """Return where a logged model's artifacts are."""
    return root_of(store.workspace) / str(experiment_id) / "models" / model_id / "artifacts"


def parts_of(path: str) -> list[str]:
    """Return the names in a path below a folder; none for the folder itself.

    Raises:
        BadInput: It leads out of the folder, or no file could be called so.
    """
    path = path.rstrip("/")
    parts = path.split("/") if path else []
    wrong = (
        len(path) > LONGEST_PATH
        or len(parts) > DEEPEST
        or any(
            part in ("", ".", "..")
            or len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART
            or any(ord(mark) < 32 or mark in "\\\x7f" or "\ud800" <= mark <= "\udfff" for mark in part)
            for part in parts
        )
    )
    if wrong:
        raise BadInput(f"{safe(path, limit=80)!r} is no path of an artifact.", "Use names with / between them.")
    return parts


def located(store: Store, path: str, *, write: bool = False) -> Path:
    """Return the file or folder that a path of an artifact address names.

    The path begins with the experiment and the run, ``7/RUN/artifacts/…``, or with ``7/models/MODEL/artifacts/…``;
    of a version of Lemnis's own, with ``lemnis/MODEL/VERSION/…``.

    Raises:
        BadInput: It is no such path, or nothing may be written there.
        NotFound: There is no such run or logged model.
    """
    parts = parts_of(path)
    if len(parts) >= 3 and parts[0] == OURS and parts[2].isdecimal():
        if write:
            raise BadInput("The files of a registered version never change.", "Log a model in a run of your own.")
        return below(DeployRoom(store).mlflow_folder(parts[1], int(parts[2])), parts[3:])
    if len(parts) >= 4 and parts[1] == "models" and parts[3] == "artifacts":
        row = store.row("select experiment_id from logged_models where id = ? and deleted_at is null", [parts[2]])
        if row is None or str(row["experiment_id"]) != parts[0]:
            raise NotFound(f"There is no logged model {safe(parts[2], limit=80)!r} here.", "Ask for its address.")
        return below(model_folder(store, row["experiment_id"], parts[2]), parts[4:])
    if len(parts) < 3 or parts[2] != "artifacts":
        raise NotFound(f"There is no artifact {safe(path, limit=80)!r}.", "Paths begin with a run's artifact_uri.")
    run = find_run(store, parts[1])
    if str(run.experiment_id) != parts[0]:
        raise NotFound(f"Run {uid_of(run)} is in another experiment.", "Ask for its artifact_uri.")
    if write and run.uid is None:
        raise BadInput(f"The files of run {run.id} are what its training wrote.", "Log them in a run of your own.")
    return below(run_folder(store, run), parts[3:])


def below(folder: Path, parts: list[str]) -> Path:
    """Return a path below a folder, which no link leads out of; raises BadInput."""
    found = folder.joinpath(*parts)
    if not found.resolve().is_relative_to(folder.resolve()):
        raise BadInput("The path leads out of its folder.", "Name an artifact.")
    return found


def listed(folder: Path) -> list[Entry]:
    """Return what is in a folder, by name; of a file, the file alone; nothing where there is nothing yet."""
    if folder.is_file():
        return [Entry(path=folder.name, is_dir=False, bytes=folder.stat().st_size)]
    if not folder.is_dir():
        return []
    entries = [
        Entry(path=one.name, is_dir=one.is_dir(), bytes=0 if one.is_dir() else one.stat().st_size)
        for one in os.scandir(folder)
        if not one.is_symlink() and not one.name.startswith(INCOMING)
    ]
    return sorted(entries, key=lambda entry: entry.path)


def opened(path: Path) -> IO[bytes]:
    """Open a file for reading; raises NotFound."""
    try:
        return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError:
        raise NotFound(f"There is no artifact {safe(path.name, limit=80)!r}.", "List what there is.") from None


class Incoming:
    """A file that is being received: it has its name only when all of it is on disk."""

    def __init__(self, path: Path, announced: int) -> None:
        """Begin.

        Args:
            path: What it will be called.
            announced: How many bytes are to come, 0 if that was not said.

        Raises:
            TooLarge: It is beyond the bounds.
            BadInput: A folder is called so, or a file is in the way of a folder.
        """
        self.path, self.size = path, 0
        if announced > LARGEST:
            raise TooLarge(f"{announced:,} bytes are more than the {LARGEST:,} of one artifact.", "Send less.")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise BadInput("A file is where a folder would have to be.", "Use another path.") from None
        if path.is_dir():
            raise BadInput(f"{safe(path.name, limit=80)!r} is a folder.", "Use another name.")
        self.check_disk(announced)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=INCOMING)
        self.temporary, self.file = Path(name), os.fdopen(descriptor, "wb")

    def check_disk(self, more: int) -> None:
        """Raise Unavailable unless the disk has room."""
        facts = os.statvfs(self.path.parent)
        if facts.f_bavail * facts.f_frsize < more + KEPT_FREE:
            raise Unavailable("The disk of the workspace has no room for it.", "Free some space.")

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises TooLarge, Unavailable."""
        self.size += len(data)
        if self.size > LARGEST:
            raise TooLarge(f"The artifact has more than {LARGEST:,} bytes.", "Send less.")
        try:
            self.file.write(data)
        except OSError as error:
            raise Unavailable(f"The artifact can't be kept: {error.strerror}.", "Free some space.") from None

    def keep(self) -> None:
        """Give the file its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self.temporary, self.path)
        sync_folder(self.path.parent)

    def drop(self) -> None:
        """Forget what has come; nothing happens once it is kept."""
        self.file.close()
        self.temporary.unlink(missing_ok=True)
