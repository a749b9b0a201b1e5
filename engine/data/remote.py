"""Files elsewhere: looked at and fetched through fsspec, from S3, SFTP, Google Cloud or Azure."""

import hashlib
import os
import re
import shutil
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from lemnis.engine.config import Source
from lemnis.engine.data.files import COPY_BYTES, MOST_BYTES, OnStep
from lemnis.engine.data.sources import MOST_FILES, Origin, is_pattern
from lemnis.engine.errors import BadInput, LemnisError, NotFound, Unavailable
from lemnis.engine.text import safe
from lemnis.engine.workspace import Workspace

# Any in this file: fsspec and what it opens are untyped.
PACKAGES = {
    "s3": "lemnis[s3]",
    "sftp": "lemnis[sftp]",
    "gs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
}
CONNECT_S, READ_S = 10, 60
ATTEMPTS = 3


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
    with reaching(name, source.path, store):
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
    with reaching(origin.source, origin.name, store), open(partial, "ab") as out:
        address = expanded(origin.source, origin.name)
        with store.open(store._strip_protocol(address), "rb", block_size=4 * COPY_BYTES) as file:
            done = out.tell()
            file.seek(done)
            while done < origin.bytes and (block := file.read(min(4 * COPY_BYTES, origin.bytes - done))):
                out.write(block)
                done += len(block)
                on_step(done / origin.bytes, f"fetching {PurePath(origin.name).name}")


def opened_store(name: str, declared: str) -> tuple[Any, str]:
    """Return the file system of an address and the address with its references resolved.

    Web addresses are refused: a web server need not say whether a page has changed, can lead anywhere by a redirect,
    and on a shared machine reaches what only that machine may reach.

    Raises:
        BadInput: The kind of address is not read, or the password stands in it.
        Unavailable: A package is missing, or the place can't be reached.
    """
    place = f"sources.{name}.path"
    scheme = urlsplit(declared).scheme
    if scheme in ("http", "https"):
        raise BadInput(f"{name}: {scheme} addresses are not read.", "Fetch it with curl, and declare the file.", place)
    if scheme not in PACKAGES or "::" in declared:
        known = ", ".join(f"{one}://" for one in ("file", *PACKAGES, "postgresql"))
        raise BadInput(f"{name}: addresses of {scheme}:// are not read.", f"Known: {known}.", place)
    check_secrets(name, declared)
    address = expanded(name, declared)
    import fsspec

    try:
        kind: Any = fsspec.get_filesystem_class(scheme)
    except ImportError:
        package = PACKAGES[scheme]
        problem = f"{name}: {scheme}:// needs a package that is not installed."
        raise Unavailable(problem, f"pip install '{package}'", place) from None
    with reaching(name, declared, None):
        return kind(**options(scheme, urlsplit(address))), address


def options(scheme: str, parts: SplitResult) -> dict[str, Any]:
    """Return what a file system is opened with: timeouts, no cached listings, and for SFTP who and where."""
    usual: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme == "s3":
        limits = {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": {"max_attempts": ATTEMPTS}}
        return usual | {"config_kwargs": limits}
    if scheme == "sftp":
        who = {"username": unquote(parts.username)} if parts.username else {}
        secret = {"password": unquote(parts.password)} if parts.password else {}
        waits = {"timeout": CONNECT_S, "banner_timeout": CONNECT_S, "auth_timeout": CONNECT_S}
        where = {"host": parts.hostname, "port": parts.port or 22, "host_key_policy": known_hosts_only()}
        return {"skip_instance_cache": True} | where | who | secret | waits
    return usual


def known_hosts_only() -> Any:
    """Return the rule that a server must be in ~/.ssh/known_hosts: fsspec's own would trust any."""
    import paramiko

    class KnownHosts(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
            hosts = paramiko.HostKeys()
            path = Path.home() / ".ssh/known_hosts"
            if path.is_file():
                hosts.load(str(path))
            if not hosts.check(hostname, key):
                raise paramiko.SSHException(
                    f"the key of {hostname} is not in ~/.ssh/known_hosts; connect with ssh once"
                )

    return KnownHosts()


class reaching:
    """A block in which what a place elsewhere refuses becomes an error with its address, without its secrets."""

    def __init__(self, name: str, address: str, store: Any) -> None:
        self.name, self.address, self.store = name, address, store

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, LemnisError) or not isinstance(error, failures()):
            return
        place = f"sources.{self.name}.path"
        if isinstance(error, FileNotFoundError):
            raise NotFound(
                f"{self.name}: {self.address} does not exist.", f"Put it there, or change {place}.", place
            ) from None
        why = safe(without_secrets(str(error) or type(error).__name__, self.address), limit=200).rstrip(".")
        raise Unavailable(
            f"{self.name}: {self.address} can't be reached: {why}.", "Check the address and who you are there.", place
        ) from None


def failures() -> tuple[type[BaseException], ...]:
    """Return the errors by which places elsewhere say no, of the packages that are installed."""
    found: list[type[BaseException]] = [OSError, EOFError, ValueError]
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        found += [BotoCoreError, ClientError]
    except ImportError:
        pass
    try:
        from paramiko import SSHException

        found.append(SSHException)
    except ImportError:
        pass
    return tuple(found)


REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expanded(name: str, address: str) -> str:
    """Return an address with each ``${NAME}`` replaced by what the environment has.

    Raises:
        BadInput: The environment has no such name.
    """

    def value(match: re.Match[str]) -> str:
        if match.group(1) not in os.environ:
            raise BadInput(
                f"{name}: the environment has no {match.group(1)}.",
                "Set it where Lemnis is started, then `lemnis engine stop`.",
                f"sources.{name}.path",
            )
        return os.environ[match.group(1)]

    return REFERENCE.sub(value, address)


def check_secrets(name: str, address: str) -> None:
    """Refuse an address with a password in it: lemnis.toml and its history are read by many."""
    parts = urlsplit(address)
    in_query = re.search(r"[?&](password|passfile|sslpassword|token|secret|key)=(?!\$\{)", address)
    if (parts.password and not REFERENCE.fullmatch(parts.password)) or in_query:
        raise BadInput(
            f"{name}: a password stands in the address.",
            "Write ${NAME} in its place, and set NAME in the environment.",
            f"sources.{name}.path",
        )


def without_secrets(text: str, address: str) -> str:
    """Return a message in which nothing that the environment put into an address is left."""
    for match in REFERENCE.finditer(address):
        secret = os.environ.get(match.group(1), "")
        if secret:
            text = text.replace(secret, "***")
    return text
