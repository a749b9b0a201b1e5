"""Files elsewhere: looked at and fetched through fsspec, from S3, SFTP, Google Cloud or Azure."""

import hashlib
import os
import shutil
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lemnis.engine.config import Source
from lemnis.engine.data.elsewhere import ATTEMPTS, expanded, opened_store, reaching
from lemnis.engine.data.files import COPY_BYTES, MOST_BYTES, OnStep
from lemnis.engine.data.sources import MOST_FILES, Origin, is_pattern
from lemnis.engine.errors import BadInput, NotFound, Unavailable
from lemnis.engine.workspace import Workspace

# Any in this file: fsspec and what it opens are untyped.


def remote_origins(name: str, source: Source) -> list[Origin]:
    """Return the files an address stands for, without fetching them: one stat each.

    Raises:
        BadInput: The address is of a kind that is not read, or holds a password.
        NotFound: There is no such file.
        Unavailable: A package is missing, or the place can't be reached.
    """
    place = f"sources.{name}.path"
    store, address = opened_store(name, source.path)
    found: list[dict[str, Any]] = []
    with reaching(name, source.path):
        path = store._strip_protocol(address)
        if is_pattern(source.path):
            listed = store.glob(path, detail=True)
            found = [listed[key] for key in sorted(listed) if listed[key]["type"] == "file"]
        else:
            found = [store.info(path)]
    if not found:
        raise NotFound(f"{name}: no file fits {source.path}.", f"Put files there, or change {place}.", place)
    if len(found) > MOST_FILES:
        raise BadInput(f"{name}: {len(found):,} files fit {source.path}.", f"At most {MOST_FILES:,} are read.", place)
    odd = next((one for one in found if one["type"] != "file"), None)
    if odd is not None:
        raise BadInput(f"{name}: {source.path} is a folder.", "A source is a file, or a pattern of files.", place)
    return [_origin(name, source, one) for one in found]


def _origin(name: str, source: Source, info: dict[str, Any]) -> Origin:
    moment = info.get("LastModified") or info.get("mtime") or info.get("updated") or info.get("last_modified")
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment or 0)
    shown = source.path
    if is_pattern(source.path):
        parts = urlsplit(source.path)
        host = f"{parts.netloc}/" if parts.scheme == "sftp" else ""
        shown = f"{parts.scheme}://{host}{str(info['name']).lstrip('/')}"
    tag = str(info.get("ETag") or info.get("etag") or info.get("md5Hash") or "").strip('"')
    return Origin(source=name, name=shown, path=None, bytes=int(info["size"]), modified_ns=int(seconds * 1e9), tag=tag)


def fetched(workspace: Workspace, source: Source, origin: Origin, scratch: Path, on_step: OnStep) -> Origin:
    """Copy a file here and return it with where it is; what an earlier attempt has brought is not asked for again.

    Raises:
        BadInput: It is larger than what is read.
        Unavailable: The disk has no room for it, or the place did not answer three times in a row.
    """
    if origin.bytes > MOST_BYTES:
        raise BadInput(
            f"{origin.source}: {origin.name} has {origin.bytes:,} bytes.", f"At most {MOST_BYTES:,} are read."
        )
    identity = f"{origin.name}\0{origin.bytes}\0{origin.modified_ns}\0{origin.tag}"
    partial = workspace.data / f".fetching-{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
    if shutil.disk_usage(workspace.data).free < origin.bytes:
        raise Unavailable(f"{origin.source}: the disk has no room for {origin.bytes:,} bytes.", "Free some.")
    for attempt in range(ATTEMPTS):
        before = partial.stat().st_size if partial.exists() else 0
        try:
            _go_on(source, origin, partial, on_step)
            break
        except Unavailable:
            moved = partial.exists() and partial.stat().st_size > before
            if attempt == ATTEMPTS - 1 and not moved:
                raise
    if not partial.exists() or partial.stat().st_size != origin.bytes:
        partial.unlink(missing_ok=True)
        raise Unavailable(f"{origin.source}: {origin.name} changed while it was fetched.", "Sync again.", origin.name)
    folder = scratch / str(len(list(scratch.iterdir())))
    folder.mkdir()
    target = folder / (PurePath(origin.name).name or "file")
    os.replace(partial, target)
    return msgspec.structs.replace(origin, path=target)


def _go_on(source: Source, origin: Origin, partial: Path, on_step: OnStep) -> None:
    store, _ = opened_store(origin.source, source.path)
    with reaching(origin.source, origin.name), open(partial, "ab") as out:
        address = expanded(origin.source, origin.name)
        with store.open(store._strip_protocol(address), "rb", block_size=4 * COPY_BYTES) as file:
            done = out.tell()
            file.seek(done)
            while done < origin.bytes and (block := file.read(min(4 * COPY_BYTES, origin.bytes - done))):
                out.write(block)
                done += len(block)
                on_step(done / origin.bytes, f"fetching {PurePath(origin.name).name}")
