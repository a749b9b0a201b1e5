"""What lemnis.toml declares of Monitor: how rows are cut into windows and judged, alert rules, who is told."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from lemnis.engine.config.types import Declared, Name
from lemnis.engine.config.validate import parse_age

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # in a contact's URL: a secret of the environment
Complaint: TypeAlias = tuple[str, str, list[str]]


class Monitor(Declared, frozen=True):
    """How served rows are cut into windows and judged against the training reference, and whom alerts tell.

    `effect` is the smallest difference that counts as drift: of the cumulated shares of a number (KS distance), of the
    shares of a category (JS distance). `psi_watch` and `psi_drift` mark columns of a comparison of two versions.

    Attributes:
        notify: Contacts that are told by alerts whose rule names none, those without a rule included.
        repeat_after: An alert that nobody takes is told again after so long; empty for never.
        flap_changes, flap_windows: An alert flaps when its verdict changes more often in so many windows.
        alertmanager: URL of a Prometheus Alertmanager that is told what fires.
    """

    window: Literal["hour", "day", "week", "month"] = "day"
    bins: Annotated[int, Meta(ge=2, le=100)] = 10
    min_rows: Annotated[int, Meta(ge=1)] = 200
    effect: Annotated[float, Meta(ge=0, le=1)] = 0.05
    psi_watch: float = 0.1
    psi_drift: float = 0.25
    notify: list[Name] = []
    repeat_after: str = "4h"
    flap_changes: Annotated[int, Meta(ge=1, le=100)] = 3
    flap_windows: Annotated[int, Meta(ge=2, le=100)] = 8
    alertmanager: str = ""


Watchable: TypeAlias = Literal[
    "drift",
    "max_psi",
    "important_psi",
    "weighted_psi",
    "prediction_psi",
    "missing_rise",
    "prediction_mean",
    "predicted_share",
    "schema_changes",
    "skew",
    "roc_auc",
    "log_loss",
    "brier",
    "label_share",
    "value_per_1000",
    "mean_absolute_error",
    "idle_minutes",
    "error_rate",
    "latency_p99_ms",
    "serving_down",
    "label_age_hours",
    "concept",
]


class Alert(Declared, frozen=True):
    """One alert rule: fires when `metric` of a window is beyond the bound for `windows` windows in a row.

    The metrics are defined in `monitor/alerting/rules.py`; for those of the servers a window is a minute.

    Attributes:
        keep_firing: Windows in a row that keep the rule before a firing alert ends; as many as `windows` if not given.
        inhibited_by: Rules that explain this one: while they fire it is held. Not given: drift and performance are
            inhibited by the rules on `serving_down`.
        notify: Contacts that are told.
        escalate_after: Who is in `escalate_to` is told as well when nobody took the alert for so long, such as 30m.
        runbook: What to do, or a link to it.
    """

    name: Name
    metric: Watchable
    above: float | None = None
    below: float | None = None
    windows: Annotated[int, Meta(ge=1, le=100)] = 1
    keep_firing: Annotated[int, Meta(ge=1, le=100)] | None = None
    severity: Literal["page", "ticket"] = "ticket"
    inhibited_by: list[Name] | None = None
    notify: list[Name] = []
    escalate_after: str = ""
    escalate_to: list[Name] = []
    runbook: Annotated[str, Meta(max_length=2000)] = ""


class OnCall(Declared, frozen=True):
    """How the on-call view behaves; `bell`: it rings once for each new page."""

    bell: bool = False


class Contact(Declared, frozen=True):
    """Whom alerts tell: URLs as Apprise reads them (mailto://, slack://, json://); ${NAME} is a secret."""

    urls: Annotated[list[str], Meta(min_length=1, max_length=20)]


def parse_span(text: str) -> int:
    """Return a length of time such as ``90s``, ``30m``, ``2h`` or ``7d`` in milliseconds.

    Raises:
        ValueError: The text is none.
    """
    if seconds := re.fullmatch(r"\s*(\d{1,6})\s*s\s*", text):
        return int(seconds.group(1)) * 1000
    try:
        return parse_age(re.sub(r"(?<=\d)\s*m\s*$", "min", text))
    except ValueError:
        raise ValueError(f"{text!r} is no length of time such as 30m or 2h") from None


def alert_problems(monitor: Monitor, alerts: Sequence[Alert], contacts: Mapping[str, Contact]) -> list[Complaint]:
    """Return what contradicts itself in the alert rules and contacts: problem, remedy and where."""
    found: list[Complaint] = []
    names = [alert.name for alert in alerts]
    known = ", ".join(contacts) or "none"
    for number, alert in enumerate(alerts):
        place = ["alerts", f"[{number}]"]
        said = f"alerts[{number}] ({alert.name})"
        if (alert.above is None) == (alert.below is None):
            found.append((f"{said} needs either above or below.", "Give exactly one bound.", [*place, "name"]))
        if alert.name in names[:number]:
            found.append((f"{said} is declared twice.", "Give each rule its own name.", [*place, "name"]))
        for other in alert.inhibited_by or []:
            if other not in names or other == alert.name:
                remedy = f"Rules: {', '.join(name for name in names if name != alert.name) or 'none other'}."
                found.append((f"{said} names {other!r}, which is no other rule.", remedy, [*place, "inhibited_by"]))
        for key, people in (("notify", alert.notify), ("escalate_to", alert.escalate_to)):
            for name in people:
                if name not in contacts:
                    remedy = f"Contacts: {known}."
                    found.append((f"{said} names {name!r}, which is no contact.", remedy, [*place, key]))
        if bool(alert.escalate_after) != bool(alert.escalate_to):
            remedy = "Give escalate_after and escalate_to, or neither."
            found.append((f"{said} does not say when or to whom it escalates.", remedy, [*place, "name"]))
        found += span_problems(alert.escalate_after, f"{said}.escalate_after", [*place, "escalate_after"])
    for name in monitor.notify:
        if name not in contacts:
            found.append((f"monitor.notify names {name!r}, which is no contact.", f"Contacts: {known}.", ["monitor"]))
    found += span_problems(monitor.repeat_after, "monitor.repeat_after", ["monitor", "repeat_after"])
    if monitor.alertmanager and not re.match(r"https?://[^/]", monitor.alertmanager):
        place = ["monitor", "alertmanager"]
        found.append(("monitor.alertmanager is no address.", "Write for example http://localhost:9093.", place))
    for name, contact in contacts.items():
        for url in contact.urls:
            if not re.match(r"[A-Za-z][A-Za-z0-9.+-]*://", VARIABLE.sub("x", url)) and not VARIABLE.match(url):
                place = ["contacts", name, "urls"]
                found.append((f"contacts.{name} has a URL without a scheme.", "Write for example mailto://….", place))
    return found


def span_problems(text: str, said: str, place: list[str]) -> list[Complaint]:
    """Return what is wrong with an optional length of time."""
    try:
        parse_span(text or "1h")
    except ValueError as error:
        return [(f"{said}: {error}.", "Write for example 30m or 4h.", place)]
    return []
