"""A folder as a place to share at: files appear under their names complete and on disk."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lemnis.engine.errors import Damaged, Unavailable
from lemnis.engine.files import sync_folder, write_atomic
from lemnis.engine.share.leftovers import PARTIAL, Leftover
from lemnis.engine.share.manifest import Stored
from lemnis.engine.share.place import BLOCK_BYTES, OnBytes, not_as_named
from lemnis.engine.text import safe

MODE = 0o644  # what is shared is to be read by others


class Folder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, name: str, root: Path, who: str) -> None:
        """Name the folder, made when something is put there; `who` keeps the partial files of workspaces apart."""
        self.name, self.root, self.who = name, root, who

    @property
    def shown(self) -> str:
        return str(self.root)

    def listed(self, below: str) -> dict[str, int]:
        """Return the size of every file below a folder by its path; links are no files."""
        found: dict[str, int] = {}
        with refusals(self):
            for folder, _, names in os.walk(self.root / below):
                for name in names:
                    path = Path(folder) / name
                    if not path.is_symlink() and not name.startswith("."):
                        found[path.relative_to(self.root).as_posix()] = path.stat().st_size
        return found

    def size(self, path: str) -> int | None:
        """Return a file's size; None when there is none."""
        with refusals(self):
            try:
                return (self.root / path).stat().st_size
            except FileNotFoundError:
                return None

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the whole content of small files."""
        with refusals(self):
            return {path: (self.root / path).read_bytes() for path in paths}

    def get(self, stored: Stored, target: Path, on_bytes: OnBytes) -> None:
        """Bring a file to `target`, going on where that file ends."""
        with refusals(self), open(self.root / stored.path, "rb") as file, open(target, "ab") as out:
            file.seek(out.tell())
            while out.tell() < stored.bytes and (block := file.read(BLOCK_BYTES)):
                out.write(block)
                on_bytes(len(block))

    def put(self, source: Path, stored: Stored, on_bytes: OnBytes) -> None:
        """Bring a file to its path as a whole; see `place.Shared`."""
        partial = self.root / "incoming" / f"{self.who}-{stored.sha256}"
        final = self.root / stored.path
        with refusals(self):
            partial.parent.mkdir(parents=True, exist_ok=True)
            final.parent.mkdir(parents=True, exist_ok=True)
            with open(source, "rb") as file, open(partial, "a+b") as out:
                os.utime(out.fileno())  # gone on with: nobody is to sweep it meanwhile
                out.seek(0)
                digest = hashlib.file_digest(out, "sha256")
                held = out.tell()
                on_bytes(held)
                file.seek(held)
                while block := file.read(BLOCK_BYTES):
                    out.write(block)
                    digest.update(block)
                    on_bytes(len(block))
                out.flush()
                os.fchmod(out.fileno(), MODE)
                os.fsync(out.fileno())
            if digest.hexdigest() != stored.sha256:
                partial.unlink()
                if held:  # what an earlier attempt left may have been at fault
                    on_bytes(-stored.bytes)
                    return self.put(source, stored, on_bytes)
                raise not_as_named(source)
            os.replace(partial, final)
            sync_folder(final.parent)
        return None

    def write(self, path: str, content: bytes) -> None:
        """Put a small file under a path, in one step."""
        with refusals(self):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.root / path, content, mode=MODE)

    def leftovers(self) -> list[Leftover]:
        """Return what attempts that broke off have left, of every workspace."""
        found: list[Leftover] = []
        with refusals(self):
            for path in (self.root / "incoming").glob("*"):
                if PARTIAL.match(path.name) and not path.is_symlink():
                    with suppress(FileNotFoundError):  # another workspace's transfer has ended
                        facts = path.stat()
                        found.append(Leftover(bytes=facts.st_size, at=facts.st_mtime_ns // 1_000_000, handle=path))
        return found

    def discard(self, leftover: Leftover) -> None:
        """Remove what an attempt has left; it may be gone already."""
        with refusals(self):
            leftover.handle.unlink(missing_ok=True)


class refusals:
    """A block in which what the system refuses becomes an error that names the folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError):
            return
        place = f"remotes.{self.folder.name}.url"
        name = safe(error.filename or self.folder.root, limit=200)
        if isinstance(error, FileNotFoundError):
            raise Damaged(f"{name} is missing.", "Push it again from where it was made.", place) from None
        raise Unavailable(f"{name} can't be used: {error.strerror}.", "Check the folder and who may use it.", place)
