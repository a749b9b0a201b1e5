"""Places elsewhere: S3, SFTP, Google Cloud and Azure through fsspec, opened without trust and without secrets shown."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lemnis.engine.errors import BadInput, LemnisError, NotFound, Unavailable
from lemnis.engine.text import safe

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


def opened_store(name: str, declared: str, place: str = "") -> tuple[Any, str]:
    """Return the file system of an address and the address with its references resolved.

    `name` is what the address belongs to, `place` where it is declared: ``sources.NAME.path`` unless it is said.

    Web addresses are refused: a web server need not say whether a page has changed, can lead anywhere by a redirect,
    and on a shared machine reaches what only that machine may reach.

    Raises:
        BadInput: The kind of address is not read, or the password stands in it.
        Unavailable: A package is missing, or the place can't be reached.
    """
    place = place or f"sources.{name}.path"
    scheme = urlsplit(declared).scheme
    if scheme in ("http", "https"):
        raise BadInput(f"{name}: {scheme} addresses are not read.", "Fetch it with curl, and declare the file.", place)
    if scheme not in PACKAGES or "::" in declared:
        known = ", ".join(f"{one}://" for one in ("file", *PACKAGES, "postgresql"))
        raise BadInput(f"{name}: addresses of {scheme}:// are not read.", f"Known: {known}.", place)
    check_secrets(name, declared, place)
    address = expanded(name, declared, place)
    import fsspec

    try:
        kind: Any = fsspec.get_filesystem_class(scheme)
    except ImportError:
        package = PACKAGES[scheme]
        problem = f"{name}: {scheme}:// needs a package that is not installed."
        raise Unavailable(problem, f"pip install '{package}'", place) from None
    with reaching(name, declared, place):
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

    def __init__(self, name: str, address: str, place: str = "") -> None:
        self.name, self.address, self.place = name, address, place or f"sources.{name}.path"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, LemnisError) or not isinstance(error, failures()):
            return
        place = self.place
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


def expanded(name: str, address: str, place: str = "") -> str:
    """Return an address with each ``${NAME}`` replaced by what the environment has.

    Raises:
        BadInput: The environment has no such name.
    """

    def value(match: re.Match[str]) -> str:
        if match.group(1) not in os.environ:
            raise BadInput(
                f"{name}: the environment has no {match.group(1)}.",
                "Set it where Lemnis is started, then `lemnis engine stop`.",
                place or f"sources.{name}.path",
            )
        return os.environ[match.group(1)]

    return REFERENCE.sub(value, address)


def check_secrets(name: str, address: str, place: str = "") -> None:
    """Refuse an address with a password in it: lemnis.toml and its history are read by many."""
    parts = urlsplit(address)
    in_query = re.search(r"[?&](password|passfile|sslpassword|token|secret|key)=(?!\$\{)", address)
    if (parts.password and not REFERENCE.fullmatch(parts.password)) or in_query:
        raise BadInput(
            f"{name}: a password stands in the address.",
            "Write ${NAME} in its place, and set NAME in the environment.",
            place or f"sources.{name}.path",
        )


def without_secrets(text: str, address: str) -> str:
    """Return a message in which nothing that the environment put into an address is left."""
    for match in REFERENCE.finditer(address):
        secret = os.environ.get(match.group(1), "")
        if secret:
            text = text.replace(secret, "***")
    return text
