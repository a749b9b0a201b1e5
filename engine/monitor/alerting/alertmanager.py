"""Tells a Prometheus Alertmanager what fires: POST /api/v2/alerts, again and again, as Prometheus itself does."""

import base64
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from lemnis.engine.clock import iso_utc
from lemnis.engine.config.monitor import VARIABLE
from lemnis.engine.errors import Unavailable
from lemnis.engine.monitor.alerting.kept import COLUMNS, alert_in
from lemnis.engine.monitor.alerting.records import Alert
from lemnis.engine.store import Store
from lemnis.engine.text import safe

EVERY_S = 60.0
VALID_MS = 300_000  # what is not told again for so long ends there: four missed turns
TOLD_MS = 900_000  # so long after its end an alert is told as ended
TIMEOUT_S = 10.0
QUIET = ("silenced", "inhibited")  # they ask for nobody here, so not there either


def push(store: Store, url: str, environment: Mapping[str, str], *, now: int) -> int:
    """Tell the Alertmanager at `url` what fires and what ended lately; return how many alerts that were.

    Raises:
        Unavailable: It can't be reached or refuses; no secret of the address is shown.
    """
    rows = store.rows(
        f"""select {COLUMNS} from alerts where fired_at is not null
            and (state not in ('pending', 'resolved') or resolved_at > ?) order by id""",
        [now - TOLD_MS],
    )
    alerts = [alert_in(row) for row in rows]
    told = [document_of(alert, store.workspace.root.name, now) for alert in alerts if alert.state not in QUIET]
    if told:
        post(url, msgspec.json.encode(told), environment)
    return len(told)


def document_of(alert: Alert, workspace: str, now: int) -> dict[str, Any]:
    """Return one alert as the API's `postableAlert`. Any: JSON. What it is known by, its labels, never changes."""
    labels = {
        "alertname": alert.rule,
        "endpoint": alert.endpoint,
        "severity": alert.severity,
        "cause": alert.cause,
        "model": alert.model,
        "version": str(alert.version) if alert.version else "",
        "metric": alert.metric,
        "workspace": workspace,
        "lemnis_alert": str(alert.id),
    }
    said = {
        "summary": safe(alert.message, limit=500),
        "state": alert.state,
        "runbook": alert.handling.runbook,
        "acknowledged_by": (alert.acknowledged_by or "") if alert.state == "acknowledged" else "",
    }
    return {
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in said.items() if value},
        "startsAt": iso_utc(alert.fired_at or alert.since),
        "endsAt": iso_utc(alert.resolved_at or now + VALID_MS),
    }


def post(url: str, body: bytes, environment: Mapping[str, str]) -> None:
    """Send a document; a name and password in the address become a header."""
    whole = VARIABLE.sub(lambda found: environment.get(found.group(1), ""), url)
    parts = urlsplit(whole)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, re.sub(r"/+$", "", parts.path) + "/api/v2/alerts", "", ""))
    headers = {"Content-Type": "application/json"}
    if "@" in parts.netloc:
        secret = parts.netloc.rpartition("@")[0].encode()
        headers["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        said = safe(error.read(300), limit=200)
        raise Unavailable(f"Alertmanager refused the alerts: {error.code} {said}", "See its log.") from None
    except (OSError, ValueError) as error:
        reason = safe(getattr(error, "reason", error), limit=200)
        raise Unavailable(f"Alertmanager can't be reached: {reason}", "Check monitor.alertmanager.") from None
