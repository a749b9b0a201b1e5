"""Who may talk to a server: host names, origins, the token, and which bodies are read at all."""

import hmac
import os
import secrets
import socket
import stat
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path

from msgspec import Struct

from lemnis.engine.deploy.records import SCOPES, TokenScope
from lemnis.engine.errors import BadInput, Unavailable

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAME_SITE = (b"same-origin", b"none")
MOST_KNOWN = 64  # one name may be spelled with any port
FORM_TYPES = (b"text/plain", b"multipart/form-data", b"application/x-www-form-urlencoded")


class Refusal(Struct, frozen=True):
    """Why a request is not answered."""

    status: int
    reason: str


class Guard:
    """Judges the headers of a request, on every method and path."""

    def __init__(self, host: str, tokens: Mapping[TokenScope, str]) -> None:
        """Take the address that is listened at, and the token of each scope; without any, none is asked for."""
        self.hosts = allowed_hosts(host)
        self._known: set[bytes] = set()  # headers that were found good
        self._tokens = [(SCOPES.index(scope), f"Bearer {token}".encode()) for scope, token in tokens.items()]

    def refusal(
        self, headers: Iterable[tuple[bytes, bytes]], *, needs: TokenScope = "admin", any_type: bool = False
    ) -> Refusal | None:
        """Return why a request is refused, or None.

        Args:
            headers: With lower-case names.
            needs: What its token has to be good for, if there are tokens.
            any_type: Accept any kind of body; only for methods that another site's page can't use unasked.
        """
        host = origin = site = authorization = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    return Refusal(400, "The request names two hosts.")
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
            elif name == b"authorization":
                authorization = value
            elif name == b"content-encoding":
                return Refusal(415, "Compressed bodies are not accepted; send it as it is.")
            elif not any_type and name == b"content-type" and value.partition(b";")[0].strip().lower() in FORM_TYPES:
                return Refusal(415, "Forms and plain text are not accepted; send content-type: application/json.")
        if host is None or (host not in self._known and not self._knows(host)):
            return Refusal(403, "This server does not answer to that host name.")
        if origin is not None and origin != b"http://" + host:
            return Refusal(403, "Requests from other sites are refused.")
        if site is not None and site not in SAME_SITE:
            return Refusal(403, "Requests from other sites are refused.")
        return self._token_refusal(authorization or b"", needs) if self._tokens else None

    def _knows(self, host: bytes) -> bool:
        """Say whether a Host header names this server, and remember it as it was spelled."""
        if host_name(host) not in self.hosts:
            return False
        if len(self._known) < MOST_KNOWN:
            self._known.add(host)
        return True

    def _token_refusal(self, sent: bytes, needs: TokenScope) -> Refusal | None:
        # Every token is compared, each in constant time: how long it takes says nothing.
        good = max(rank if hmac.compare_digest(sent, token) else -1 for rank, token in self._tokens)
        if good < 0:
            return Refusal(401, "Send the server's token: Authorization: Bearer TOKEN.")
        if good < SCOPES.index(needs):
            return Refusal(403, f"This token may {SCOPES[good]}; here one that may {needs} is needed.")
        return None


def host_name(header: bytes) -> str:
    """Return a Host header without its port, lower-case; empty when it is none."""
    text = header.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed_hosts(host: str) -> frozenset[str]:
    """Return the names a server at this address answers to; a wildcard answers to all of the machine's own."""
    names = {*LOOPBACK_NAMES, host.lower()}
    if not is_loopback(host):
        import psutil

        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        names |= {a.address.partition("%")[0] for nic in psutil.net_if_addrs().values() for a in nic}
    return frozenset(names - {"0.0.0.0", "::", ""})


def make_token(path: Path) -> str:
    """Write a new token, readable by its owner alone, and return it.

    Raises:
        BadInput: There is one already.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_urlsafe(32)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise BadInput("There is a token already.", "Delete the file to make a new one.", str(path)) from None
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
        file.flush()
        os.fsync(file.fileno())
    return token


def read_token(path: Path) -> str | None:
    """Return the token of a file, None when there is none.

    Raises:
        Unavailable: Others can read the file, it is not ours, or it holds no token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"The token can't be read: {error.strerror}.", "Make it anew.", str(path)) from None
    with os.fdopen(descriptor) as file:
        facts = os.fstat(file.fileno())
        if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid != os.getuid():
            raise Unavailable("Others can read the token.", f"Run `chmod 600 {path}`, or make a new one.", str(path))
        token = file.read(4096).strip()
    if len(token) < 16:
        raise Unavailable("The token is too short.", "Make a new one.", str(path))
    return token
