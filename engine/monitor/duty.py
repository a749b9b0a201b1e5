"""What a person on call must know, read at one moment: endpoints, alerts by urgency, watch and notifier, silences."""

import msgspec

from lemnis.engine.deploy import DeployRoom
from lemnis.engine.deploy.records import Endpoint
from lemnis.engine.errors import ConfigError
from lemnis.engine.monitor.alerting import hand, kept
from lemnis.engine.monitor.alerting.minutes import list_minutes
from lemnis.engine.monitor.alerting.records import Alert, Silence
from lemnis.engine.monitor.concept.money import Basis, Worth
from lemnis.engine.monitor.concept.records import MONEY, Figure
from lemnis.engine.monitor.concept.report import Performance, performance_of
from lemnis.engine.monitor.kept import list_windows
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Store

WINDOWS = 12  # that are looked back over
LATELY_MS = 15 * 60_000  # errors are counted over it
URGENCY = ("firing", "flapping", "pending", "acknowledged", "inhibited", "silenced")


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How good an endpoint's answers are in the newest window that can say; estimated before labels came."""

    metric: str
    basis: Basis
    figure: Figure
    held_out: Figure | None


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint as somebody on call sees it.

    Attributes:
        per_second: Requests, over the last whole minute.
        error_share: Of the requests of the last 15 minutes that were counted, 0 to 1; None without any.
        window: The newest that has a verdict on drift.
        money: Of the newest window that can say.
        newest_event: Event time of its newest row, epoch ms; arrived_at: when the watch saw it. None before the first.
    """

    endpoint: Endpoint
    per_second: float
    error_share: float | None
    window: Window | None
    quality: Quality | None
    money: Worth | None
    currency: str
    newest_event: int | None
    arrived_at: int | None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """How messages to contacts get away.

    Attributes:
        state: Of the notifier's service; empty where it was never started.
        late: Messages that were tried in vain and are tried again; failed: given up.
        reason: Why the last one could not be sent.
    """

    state: str
    why: str
    late: int
    failed: int
    reason: str


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the on-call view shows, as it is known at `at` (epoch ms).

    Attributes:
        alerts: Open ones, those that need a person first, pages before tickets.
        watch_at: When the watch last looked.
    """

    at: int
    alerts: list[Alert]
    served: list[Served]
    watching: bool
    watch_why: str
    watch_at: int | None
    post: Post
    silences: list[Silence]


def duty_of(store: Store, *, watching: bool, why: str, looked_at: int | None) -> Duty:
    """Return what a person on call must know; reads SQLite alone.

    Args:
        store: The workspace's state.
        watching: The watch is at work.
        why: What is wrong with it.
        looked_at: When it last looked, epoch ms.
    """
    now = store.now_ms()
    alerts = sorted(kept.list_alerts(store, open_only=True), key=urgency)
    return Duty(
        at=now,
        alerts=alerts,
        served=[served_of(store, one, now) for one in DeployRoom(store).endpoints()],
        watching=watching,
        watch_why=why,
        watch_at=looked_at,
        post=post_of(store),
        silences=hand.list_silences(store, in_force=True, now=now),
    )


def urgency(alert: Alert) -> tuple[bool, bool, int, int]:
    """Return what alerts are ordered by: who wants a person, pages first, then by state and age."""
    place = URGENCY.index(alert.state) if alert.state in URGENCY else len(URGENCY)
    return not alert.fires, alert.severity != "page", place, -alert.since


def served_of(store: Store, endpoint: Endpoint, now: int) -> Served:
    """Return one endpoint with its newest figures."""
    minutes = list_minutes(store, endpoint.name, since=now - LATELY_MS)
    asked = sum(one.requests for one in minutes)
    windows = list_windows(store, endpoint.name, WINDOWS)
    try:
        found = performance_of(store, endpoint.name, windows)
    except ConfigError:  # while lemnis.toml is being mended
        found = None
    cursor = store.row(
        "select max(newest_event) as event, max(arrived_at) as at from monitor_cursors where endpoint = ?",
        [endpoint.name],
    )
    whole = endpoint.per_second[-7:-1]
    return Served(
        endpoint=endpoint,
        per_second=sum(whole) / len(whole) if whole else 0.0,
        error_share=sum(one.errors for one in minutes) / asked if asked else None,
        window=next((one for one in reversed(windows) if one.verdict in ("ok", "watch", "drift")), None),
        quality=quality_of(found),
        money=next((one.money for one in reversed(found.entries) if one.money is not None), None) if found else None,
        currency=found.currency if found else "",
        newest_event=cursor["event"] or None if cursor is not None else None,
        arrived_at=cursor["at"] or None if cursor is not None else None,
    )


def quality_of(found: Performance | None) -> Quality | None:
    """Return the main figure of the newest window that has it, measured before estimated."""
    metric = next((name for name in found.metrics if name != MONEY), None) if found else None
    if found is None or metric is None:
        return None
    for entry in reversed(found.entries):
        truth, held_out = entry.measured.get(metric), entry.held_out.get(metric)
        figure = truth or entry.estimated.get(metric)
        if figure is not None:
            basis: Basis = "measured" if truth else "estimated"
            return Quality(metric=metric, basis=basis, figure=figure, held_out=held_out)
    return None


def post_of(store: Store) -> Post:
    """Return how messages to contacts get away."""
    service = store.row("select state, why from services where name = 'notifier'")
    counts = store.row(
        """select count(*) filter (where state = 'queued' and attempts > 0) as late,
             count(*) filter (where state = 'failed') as failed from notifications"""
    )
    assert counts is not None
    reason = store.value(
        "select reason from notifications where reason != '' and state != 'sent' order by id desc limit 1"
    )
    return Post(
        state=service["state"] if service is not None else "",
        why=service["why"] if service is not None else "",
        late=counts["late"],
        failed=counts["failed"],
        reason=reason or "",
    )
