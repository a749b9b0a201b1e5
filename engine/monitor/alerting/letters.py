"""What a message to a contact says: one title and a few lines for all alerts of an incident. Pure."""

from collections.abc import Sequence

import msgspec

from lemnis.engine.clock import iso_utc
from lemnis.engine.monitor.alerting.records import Alert, Incident, Kind
from lemnis.engine.text import safe

LISTED = 5  # alerts that a message names; the others are counted
WORDS: dict[Kind, str] = {
    "fired": "FIRING",
    "flapping": "FLAPPING",
    "repeated": "STILL FIRING",
    "escalated": "ESCALATED",
    "resolved": "RESOLVED",
}


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is sent.

    Attributes:
        severity: The gravest of its alerts'.
        incident_key: The same for all messages of an incident; dedupe_key: of this message, however often it is sent.
    """

    title: str
    body: str
    kind: Kind
    severity: str
    incident_key: str
    dedupe_key: str


def letter_of(
    kind: Kind, incident: Incident, alerts: Sequence[Alert], *, workspace: str, notification_id: int
) -> Letter:
    """Return the message about an incident's alerts, the gravest first.

    Args:
        kind: What it tells.
        incident: What they are grouped by.
        alerts: At least one.
        workspace: What tells this workspace's messages from another's.
        notification_id: What tells this message from others of the incident.
    """
    ordered = sorted(alerts, key=lambda alert: (alert.severity, alert.id))  # page comes before ticket
    first, key = ordered[0], f"lemnis:{workspace}:{incident.id}"
    where = " ".join(filter(None, [safe(incident.endpoint, limit=80), served(incident)])) or "the workspace"
    what = safe(first.rule, limit=80) if len(ordered) == 1 else f"{len(ordered)} alerts"
    severity = f" ({first.severity})" if kind != "resolved" else ""
    lines = [said(alert) for alert in ordered[:LISTED]]
    if ordered[LISTED:]:
        lines.append(f"… and {len(ordered) - LISTED:,} more")
    books = list(dict.fromkeys(alert.handling.runbook for alert in ordered if alert.handling.runbook))
    lines += [f"Runbook: {safe(book, limit=2000)}" for book in books[:LISTED]]
    if kind != "resolved":
        lines.append(f"Take it: lemnis alerts ack {first.id}")
    lines.append(f"Incident {incident.id} since {iso_utc(incident.opened_at)} · key {key}/{notification_id}")
    return Letter(
        title=f"{WORDS[kind]}{severity}: {what} · {incident.cause} of {where}",
        body="\n".join(lines),
        kind=kind,
        severity=first.severity,
        incident_key=key,
        dedupe_key=f"{key}/{notification_id}",
    )


def served(incident: Incident) -> str:
    """Return the model version an incident is about, in parentheses; empty where there is none."""
    if not incident.model:
        return ""
    return f"({safe(incident.model, limit=80)} v{incident.version})"


def said(alert: Alert) -> str:
    """Return one line about an alert."""
    state = "" if alert.state in ("firing", "resolved") else f" [{alert.state}]"
    return f"· {safe(alert.rule, limit=80)}{state}: {safe(alert.message, limit=400)}"
