"""S3, SFTP, Google Cloud and Azure as places to share at, through fsspec."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from lemnis.engine.data.elsewhere import opened_store, reaching
from lemnis.engine.errors import Damaged, LemnisError
from lemnis.engine.files import sha256_of
from lemnis.engine.share.leftovers import PARTIAL, Leftover
from lemnis.engine.share.manifest import Stored
from lemnis.engine.share.multipart import PART_BYTES, abandon, put_in_parts, unfinished
from lemnis.engine.share.place import BLOCK_BYTES, OnBytes, not_as_named, prefix_digest

# Any in this file: fsspec and what it opens are untyped.


class Elsewhere:
    """A place that an address names."""

    def __init__(self, name: str, url: str, who: str) -> None:
        """Open the file system; `who` keeps the partial files of workspaces apart."""
        self.name, self.url, self.who, self.setting = name, url, who, f"remotes.{name}.url"
        self.scheme = urlsplit(url).scheme
        self.store, address = opened_store(name, url, self.setting)
        self.root = str(self.store._strip_protocol(address)).rstrip("/")

    @property
    def shown(self) -> str:
        return self.url

    @property
    def reaching(self) -> reaching:
        """A block in which what the place refuses becomes an error of ours."""
        return reaching(self.name, self.url, self.setting)

    def listed(self, below: str) -> dict[str, int]:
        """Return the size of every file below a folder by its path; links are no files."""
        with self.reaching:
            try:
                found: dict[str, Any] = self.store.find(f"{self.root}/{below}", detail=True)
            except FileNotFoundError:
                return {}
            return {
                str(path).removeprefix(f"{self.root}/"): int(one["size"])
                for path, one in found.items()
                if one["type"] == "file"
            }

    def size(self, path: str) -> int | None:
        """Return a file's size; None when there is none."""
        with self.reaching:
            try:
                return int(self.store.info(f"{self.root}/{path}")["size"])
            except FileNotFoundError:
                return None

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the whole content of small files, where the place can, many at a time."""
        wanted = [f"{self.root}/{path}" for path in paths]
        with self.reaching:
            if self.scheme == "sftp":
                found: dict[str, bytes] = {path: self.store.cat_file(path) for path in wanted}
            else:
                found = self.store.cat(wanted, recursive=False) if len(wanted) > 1 else {
                    path: self.store.cat_file(path) for path in wanted
                }  # fmt: skip
        return {path.removeprefix(f"{self.root}/"): content for path, content in found.items()}

    def get(self, stored: Stored, target: Path, on_bytes: OnBytes) -> None:
        """Bring a file to `target`, going on where that file ends."""
        try:
            path = f"{self.root}/{stored.path}"
            size = 4 * BLOCK_BYTES
            with self.reaching, self.store.open(path, "rb", block_size=size) as file, open(target, "ab") as out:
                file.seek(out.tell())
                while out.tell() < stored.bytes and (block := file.read(size)):
                    out.write(block)
                    on_bytes(len(block))
        except LemnisError as error:
            if error.code != "not_found":
                raise
            remedy = "Push it again from where it was made; nothing was imported."
            raise Damaged(f"{stored.path} is missing at {self.shown}.", remedy, stored.path) from None

    def put(self, source: Path, stored: Stored, on_bytes: OnBytes) -> None:
        """Bring a file to its path as a whole; see `place.Shared`."""
        path = f"{self.root}/{stored.path}"
        with self.reaching:
            if self.scheme == "s3" and stored.bytes > PART_BYTES:
                put_in_parts(self.store, path, source, stored, on_bytes)
                return
            if self.scheme == "sftp":
                self._append(path, source, stored, on_bytes)
                return
            if sha256_of(source) != stored.sha256:
                raise not_as_named(source)
            self.store.put_file(str(source), path)
            on_bytes(stored.bytes)

    def write(self, path: str, content: bytes) -> None:
        """Put a small file under a path, in one step."""
        target = f"{self.root}/{path}"
        with self.reaching:
            if self.scheme != "sftp":
                self.store.pipe_file(target, content)
                return
            partial = f"{self.root}/incoming/{self.who}-{PurePosixPath(path).name}"
            self._make_folders(partial, target)
            self.store.pipe_file(partial, content)
            self.store.mv(partial, target)

    def leftovers(self) -> list[Leftover]:
        """Return what attempts that broke off have left, of every workspace; only S3 and SFTP keep any."""
        with self.reaching:
            if self.scheme == "s3":
                return unfinished(self.store, self.root)
            if self.scheme != "sftp":
                return []
            try:
                there: list[dict[str, Any]] = self.store.ls(f"{self.root}/incoming", detail=True)
            except FileNotFoundError:
                return []
            return [
                Leftover(bytes=one["size"], at=round(one["mtime"].timestamp() * 1000), handle=one["name"])
                for one in there
                if one["type"] == "file" and PARTIAL.match(PurePosixPath(one["name"]).name)
            ]

    def discard(self, leftover: Leftover) -> None:
        """Remove what an attempt has left; it may be gone already."""
        with self.reaching:
            if self.scheme == "s3":
                abandon(self.store, leftover.handle)
                return
            with suppress(FileNotFoundError):
                self.store.rm_file(leftover.handle)

    def _append(self, path: str, source: Path, stored: Stored, on_bytes: OnBytes) -> None:
        """Write to a name of our own, from where an earlier attempt ended, then rename."""
        partial = f"{self.root}/incoming/{self.who}-{stored.sha256}"
        self._make_folders(partial, path)
        held = self._held(partial, source, stored.bytes)
        digest = prefix_digest(source, held)
        on_bytes(held)
        with open(source, "rb") as file, self.store.open(partial, "ab" if held else "wb") as out:
            out.set_pipelined(True)
            file.seek(held)
            while block := file.read(BLOCK_BYTES):
                out.write(block)
                digest.update(block)
                on_bytes(len(block))
        if digest.hexdigest() != stored.sha256:
            self.store.rm_file(partial)
            raise not_as_named(source)
        if self.store.info(partial)["size"] != stored.bytes:
            self.store.rm_file(partial)
            raise OSError("it kept another number of bytes than it was sent")
        self.store.mv(partial, path)

    def _held(self, partial: str, source: Path, size: int) -> int:
        """Return how much of a file is there from an earlier attempt; 0 unless its last block is ours."""
        try:
            held = int(self.store.info(partial)["size"])
        except FileNotFoundError:
            return 0
        if held > size:
            return 0
        start = max(0, held - BLOCK_BYTES)
        with open(source, "rb") as file, self.store.open(partial, "rb") as there:
            file.seek(start)
            there.seek(start)
            return held if there.read(held - start) == file.read(held - start) else 0

    def _make_folders(self, *paths: str) -> None:
        for path in paths:
            self.store.makedirs(path.rpartition("/")[0], exist_ok=True)
