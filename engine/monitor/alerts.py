"""Alerts: every rule of lemnis.toml against the windows; each change of state is a row that says who, when and why."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine import clock
from lemnis.engine.clock import iso_utc
from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import Config
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.monitor.records import Alert, AlertEvent, Window
from lemnis.engine.monitor.rollouts import RULE as SPLIT_ABORTED
from lemnis.engine.monitor.rules import METRICS, is_settled, metric_value
from lemnis.engine.monitor.states import Evidence, Place, Reading, Step, steps, weigh
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

WATCH = "watch"  # who, for what no person did
LOOK_BACK = 200  # windows that a rule looks at
COLUMNS = ", ".join(Alert.__struct_fields__)


def advance(store: Store, config: Config, endpoint: str, windows: list[Window], *, now: int | None = None) -> int:
    """Re-evaluate every rule for one endpoint and return how many changes of state there were.

    Args:
        store: Where alerts are.
        config: Says the rules and how many rows a window needs.
        endpoint: Whose windows they are.
        windows: Any order; the latest LOOK_BACK are used.
        now: Epoch ms.
    """
    moment = clock.now_ms() if now is None else now
    latest = sorted(windows, key=place_of)[-LOOK_BACK:]
    changes = sum(
        advance_rule(store, rule, config.monitor.min_rows, endpoint, latest, moment) for rule in config.alerts
    )
    return changes + retire(store, endpoint, {rule.name for rule in config.alerts}, moment)


def place_of(window: Window) -> Place:
    """Return where a window stands in time."""
    return window.starts, window.version


def advance_rule(store: Store, rule: Rule, min_rows: int, endpoint: str, windows: list[Window], now: int) -> int:
    """Re-evaluate one rule for one endpoint."""
    newest = last_alert(store, rule.name, endpoint)
    places = {window.id: place_of(window) for window in windows}
    readings = [
        Reading(
            window=place_of(window),
            value=metric_value(window, rule.metric, min_rows),
            settled=is_settled(window, rule.metric),
        )
        for window in windows
    ]
    resolved = newest is not None and newest["state"] == "resolved"
    after = places.get(newest["window_id"]) if newest is not None and resolved else None
    evidence = weigh(readings, above=rule.above, below=rule.below, after=after)
    if newest is None or resolved:
        changes = steps(None, evidence, rule.windows)
    else:
        changes = steps(newest["state"], evidence, rule.windows, opened=places.get(newest["opened_in"]))
    if evidence.window is None or (not changes and (newest is None or resolved)):
        return 0
    window = next(window for window in windows if place_of(window) == evidence.window)
    facts = {
        "message": message(rule, evidence, window),
        "value": evidence.value,
        "threshold": rule.above if rule.above is not None else rule.below,
        "severity": rule.severity,
        "metric": rule.metric,
        "window_id": window.id,
        "breaches": evidence.breaches,
    }
    if not changes and newest is not None and all(newest[name] == value for name, value in facts.items()):
        return 0
    with store.write() as db:
        if newest is None or resolved:
            opened = {"rule": rule.name, "endpoint": endpoint, "state": "pending", "since": now, "updated_at": now}
            row = opened | facts | {"opened_in": window.id}
            sql = f"insert into alerts ({', '.join(row)}) values ({', '.join('?' * len(row))}) on conflict do nothing"
            if not db.execute(sql, list(row.values())).rowcount:
                return 0  # another process opened it
            alert_id = db.execute("select last_insert_rowid()").fetchone()[0]
        else:
            alert_id = newest["id"]
            db.table("alerts").update(alert_id, facts | {"updated_at": now})
        for change in changes:
            record(db, alert_id, change, who=WATCH, value=evidence.value, now=now)
    return len(changes)


def last_alert(store: Store, rule: str, endpoint: str) -> Row | None:
    """Return the newest alert of a rule for an endpoint."""
    sql = f"select {COLUMNS}, opened_in from alerts where rule = ? and endpoint = ? order by id desc limit 1"
    return store.row(sql, [rule, endpoint])


def message(rule: Rule, evidence: Evidence, window: Window) -> str:
    """Return what the alert says: the value, the bound, where, and how sure."""
    bound, side = (rule.above, "above") if rule.above is not None else (rule.below, "below")
    held = evidence.suspected or evidence.breaches
    labels = f", {window.labelled:,} of {window.rows:,} rows labelled" if METRICS[rule.metric].labels else ""
    state = f"{side if held else 'not ' + side} {bound:g}"
    value = "–" if evidence.value is None else f"{evidence.value:.4g}"
    return (
        f"{METRICS[rule.metric].label} {value} is {state} in the window from {iso_utc(window.starts)[:10]} "
        f"({window.model} v{window.version}{labels})"
    )


def record(db: "Database", alert_id: int, change: Step, *, who: str, value: float | None, now: int) -> None:
    """Write one change of state."""
    stamps = {
        "pending": {},
        "firing": {"fired_at": now},
        "acknowledged": {"acknowledged_at": now, "acknowledged_by": who},
        "resolved": {"resolved_at": now},
    }[change.state]
    db.table("alerts").update(alert_id, {"state": change.state, "updated_at": now, **stamps})
    event = {"alert_id": alert_id, "at": now, "state": change.state, "who": who, "why": change.why, "value": value}
    db.table("alert_events").insert(event)


def retire(store: Store, endpoint: str, rules: set[str], now: int) -> int:
    """Resolve the open alerts of rules that are no longer declared."""
    kept = {*rules, SPLIT_ABORTED}
    gone = [alert for alert in list_alerts(store, open_only=True, endpoint=endpoint) if alert.rule not in kept]
    for alert in gone:
        change = Step("resolved", "the rule was taken out of lemnis.toml")
        with store.write() as db:
            record(db, alert.id, change, who=WATCH, value=alert.value, now=now)
    return len(gone)


def list_alerts(store: Store, *, open_only: bool, endpoint: str = "") -> list[Alert]:
    """Return alerts, those that need a person first, then the newest."""
    sql = f"""select {COLUMNS} from alerts where (? = 0 or state != 'resolved') and ? in ('', endpoint)
              order by case state when 'firing' then 0 when 'acknowledged' then 1 when 'pending' then 2 else 3 end,
                severity, since desc, id desc limit 500"""
    return [msgspec.convert(dict(row), Alert) for row in store.rows(sql, [int(open_only), endpoint])]


def find_alert(store: Store, alert_id: int) -> Alert:
    """Return one alert; raises NotFound."""
    row = store.row(f"select {COLUMNS} from alerts where id = ?", [alert_id])
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.", "List them with `lemnis alerts list --all`.")
    return msgspec.convert(dict(row), Alert)


def events_of(store: Store, alert_id: int | None, limit: int = 200) -> list[AlertEvent]:
    """Return what happened to one alert (or to all), newest first."""
    sql = "select * from alert_events where ? is null or alert_id = ? order by id desc limit ?"
    return [msgspec.convert(dict(row), AlertEvent) for row in store.rows(sql, [alert_id, alert_id, limit])]


def acknowledge(store: Store, alert_id: int, *, who: str, why: str, now: int | None = None) -> Alert:
    """Take a firing alert: it stays open, but it is somebody's now.

    Raises:
        NotFound: There is no such alert.
        BadInput: It does not fire, or nobody is named.
    """
    return by_hand(store, alert_id, Step("acknowledged", why), who=who, allowed=("firing",), now=now)


def resolve(store: Store, alert_id: int, *, who: str, why: str, now: int | None = None) -> Alert:
    """End an open alert by hand; only a later window can raise it again.

    Raises:
        NotFound: There is no such alert.
        BadInput: It is resolved already, or nobody is named, or no reason is given.
    """
    if not why.strip():
        raise BadInput("Resolving an alert by hand needs a reason.", "Say what was done: --why '…'.")
    allowed = ("pending", "firing", "acknowledged")
    return by_hand(store, alert_id, Step("resolved", why), who=who, allowed=allowed, now=now)


def by_hand(store: Store, alert_id: int, change: Step, *, who: str, allowed: tuple[str, ...], now: int | None) -> Alert:
    """Let a person change an alert's state."""
    if not who.strip():
        raise BadInput("Nobody is named.", "Say who you are: --who NAME.")
    with store.write() as db:  # the state is read inside, so that of two people one is told that it was done
        alert = find_alert(store, alert_id)
        if alert.state not in allowed:
            by = f" by {alert.acknowledged_by}" if alert.state == "acknowledged" else ""
            raise BadInput(
                f"Alert {alert_id} is {alert.state}{by}; only a {' or '.join(allowed)} one can be {change.state}.",
                f"See what happened with `lemnis alerts history {alert_id}`.",
            )
        moment = clock.now_ms() if now is None else now
        record(db, alert_id, change, who=who.strip(), value=alert.value, now=moment)
    return find_alert(store, alert_id)
