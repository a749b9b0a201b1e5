"""Alerts as records: alerts and what happened to them, standings, silences, incidents and messages."""

from typing import Literal, TypeAlias

import msgspec

from lemnis.engine.monitor.alerting.states import Condition, State

Severity: TypeAlias = Literal["page", "ticket"]
Cause: TypeAlias = Literal["data", "labels", "serving", "split"]
Kind: TypeAlias = Literal["fired", "flapping", "repeated", "escalated", "resolved"]


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """How an alert is answered, as its rule said when it was last judged.

    Attributes:
        notify, escalate_to: Names of contacts.
        escalate_after_ms: 0 for never; repeat_after_ms too.
        inhibited_by: Rules that explain it.
    """

    notify: list[str] = []
    escalate_to: list[str] = []
    escalate_after_ms: int = 0
    repeat_after_ms: int = 0
    inhibited_by: list[str] = []
    runbook: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert from its first suspicion to its end.

    Attributes:
        since: When the first window broke the rule, epoch ms of the wall clock, as are the other times.
        state_at: When it got its state.
        cause: What kind of thing is wrong: alerts of one endpoint, model version and cause are one incident.
        model, version: Of the window it speaks of; empty and 0 where no model is concerned.
        incident_id: None before it fired.
        value: Of the newest window that could say something; `threshold` is the rule's bound.
        acknowledged_until: When the acknowledgement ends by itself; None for not at all.
        silence_id: What holds it while it is silenced; inhibited_by: the rule that holds it while it is inhibited.
        told_at: When its contacts were last told; None for never. escalated_at: when the second ones were.
        breaches: Settled windows in a row that break the rule.
    """

    id: int
    rule: str
    endpoint: str
    severity: Severity
    state: State
    state_at: int
    metric: str
    cause: Cause
    model: str
    version: int
    incident_id: int | None
    message: str
    value: float | None
    threshold: float | None
    window_id: int | None
    since: int
    fired_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None
    acknowledged_until: int | None
    silence_id: int | None
    inhibited_by: str
    told_at: int | None
    escalated_at: int | None
    resolved_at: int | None
    breaches: int
    handling: Handling
    updated_at: int

    @property
    def fires(self) -> bool:
        """It wants a person: it fires (steadily or to and fro) and nobody has taken it."""
        return self.state in ("firing", "flapping")


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert: who, when and why."""

    id: int
    alert_id: int
    at: int
    state: State
    who: str
    why: str
    value: float | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of one endpoint now, also when nothing is wrong.

    Attributes:
        since: Since when it is so, epoch ms.
        alert_id: Of its open alert; None where there is none.
        silenced: Until when a silence holds it, epoch ms; None without one.
    """

    rule: str
    endpoint: str
    state: State | Condition
    since: int
    why: str
    value: float | None
    alert_id: int | None
    silenced: int | None


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which alerts of a rule don't ask for anybody; it always ends.

    Attributes:
        rule, endpoint: Empty for every one.
        starts, until: Epoch ms. ended_at: when a person ended it early.
    """

    id: int
    rule: str
    endpoint: str
    who: str
    why: str
    starts: int
    until: int
    ended_at: int | None
    ended_by: str | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one cause, endpoint and model version that fire together; ends with the last of them.

    Attributes:
        alerts: Ids, oldest first.
    """

    id: int
    cause: Cause
    endpoint: str
    model: str
    version: int
    opened_at: int
    ended_at: int | None
    alerts: list[int]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one contact: it waits, was sent, or was given up.

    Attributes:
        attempts: How often sending was tried; next_at: when it is tried (again), epoch ms.
        reason: Why the last attempt failed.
        done: Those of the contact's addresses that have it already, by their digest.
        alerts: Ids of what it tells of.
    """

    id: int
    contact: str
    kind: Kind
    incident_id: int
    state: Literal["queued", "sent", "failed"]
    attempts: int
    next_at: int
    queued_at: int
    sent_at: int | None
    title: str
    reason: str
    done: list[str]
    alerts: list[int]
