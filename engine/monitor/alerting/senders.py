"""Sends a message to a contact's addresses through Apprise; secrets come from the environment and are never shown."""

import hashlib
import logging
from collections.abc import Mapping
from urllib.parse import urlencode

from lemnis.engine.config import Contact
from lemnis.engine.config.monitor import VARIABLE
from lemnis.engine.errors import BadInput, Unavailable
from lemnis.engine.monitor.alerting.letters import Letter
from lemnis.engine.text import safe

KEYED = ("json", "jsons", "xml", "xmls", "form", "forms")  # they take further fields of the document


def digest(url: str) -> str:
    """Return what an address is remembered by: a digest of it as it is declared."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def send(name: str, contact: Contact, letter: Letter, environment: Mapping[str, str], done: list[str]) -> list[str]:
    """Send a message to those addresses of a contact that are not `done`; return the reasons of those that failed.

    `done` gets the digest of every address that has the message now.
    """
    reasons: list[str] = []
    for place, url in enumerate(contact.urls, start=1):
        if digest(url) in done:
            continue
        try:
            deliver(url, letter, environment)
        except (BadInput, Unavailable) as error:
            reasons.append(f"address {place} of {name} ({scheme(url)}): {error.problem}")
        else:
            done.append(digest(url))
    return reasons


def deliver(url: str, letter: Letter, environment: Mapping[str, str]) -> None:
    """Send a message to one address.

    Raises:
        BadInput: A variable is not set, or the address can't be understood.
        Unavailable: It was not taken; the reason shows no value of a variable.
    """
    import apprise

    missing = [name for name in VARIABLE.findall(url) if name not in environment]
    if missing:
        raise BadInput(f"The variable {missing[0]} is not set where the engine runs.", "Set it and start the engine.")
    secrets = [environment[name] for name in VARIABLE.findall(url)]
    whole = addressed(VARIABLE.sub(lambda found: environment[found.group(1)], url), letter)
    with Captured() as captured:
        target = apprise.Apprise()
        if not target.add(whole):
            raise BadInput("The address can't be understood.", "See Apprise's list of services for how it is written.")
        kinds = apprise.NotifyType
        kind = (
            kinds.SUCCESS
            if letter.kind == "resolved"
            else kinds.FAILURE
            if letter.severity == "page"
            else kinds.WARNING
        )
        taken = target.notify(body=letter.body, title=letter.title, notify_type=kind, body_format="text")
    if not taken:
        raise Unavailable(hidden(captured.last or "it was not taken", [*secrets, whole]), "See the service's own log.")


def addressed(url: str, letter: Letter) -> str:
    """Return an address with the keys by which a receiver tells a message that comes twice."""
    kind = scheme(url)
    fields: dict[str, str] = {}
    if kind in KEYED:
        fields = {
            ":dedupe_key": letter.dedupe_key,
            ":incident_key": letter.incident_key,
            ":kind": letter.kind,
            ":severity": letter.severity,
        }
    elif kind == "pagerduty":
        fields = {"dedup": letter.incident_key, "action": "resolve" if letter.kind == "resolved" else "trigger"}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}" if fields else url


def scheme(url: str) -> str:
    """Return what kind of address it is; all that is ever shown of one."""
    return url.partition("://")[0].lower() if "://" in url and not url.startswith("${") else "address"


def hidden(text: str, secrets: list[str]) -> str:
    """Return a reason in which no secret is readable."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return safe(text, limit=300)


class Captured(logging.Handler):
    """Keeps the last warning that Apprise logs inside the block: it says why, its result does not."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()

    def __enter__(self) -> "Captured":
        self._logger = logging.getLogger("apprise")
        self._propagated, self._logger.propagate = self._logger.propagate, False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagated
