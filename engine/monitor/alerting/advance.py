"""Judges every rule against an endpoint's windows and minutes; each change of state is a row with who, when and why."""

from typing import Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Alert as Rule
from lemnis.engine.config import Config
from lemnis.engine.monitor.alerting import outbox
from lemnis.engine.monitor.alerting.builtin import RULE as SPLIT_ABORTED
from lemnis.engine.monitor.alerting.changes import WATCH, alert_of, change, hold, tell
from lemnis.engine.monitor.alerting.kept import list_alerts
from lemnis.engine.monitor.alerting.minutes import list_minutes
from lemnis.engine.monitor.alerting.readings import (
    Scene,
    condition_of,
    drifted_features,
    message_of,
    place_of,
    readings_of,
    seen_at,
)
from lemnis.engine.monitor.alerting.rules import METRICS, MINUTE_MS, bound_of, handling_of, rules_of
from lemnis.engine.monitor.alerting.states import Evidence, Place, Reading, Step, steps, weigh
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Row, Store

LOOK_BACK = 200  # windows, and minutes, that a rule looks at
STATED = (
    "id, state, opened_starts, opened_version, seen_starts, seen_version, window_id, message, value, threshold, "
    "severity, metric, breaches, flaps, handling"
)


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
    scene = Scene(
        endpoint=endpoint,
        windows=sorted(windows, key=place_of)[-LOOK_BACK:],
        minutes=list_minutes(store, endpoint, since=moment - 2 * LOOK_BACK * MINUTE_MS, limit=LOOK_BACK),
        arrived_at=store.value("select max(arrived_at) from monitor_cursors where endpoint = ?", [endpoint]),
    )
    rules = rules_of(config)
    changes = sum(advance_rule(store, config, rule, scene, moment) for rule in rules)
    return changes + retire(store, endpoint, {rule.name for rule in rules}, moment)


def advance_rule(store: Store, config: Config, rule: Rule, scene: Scene, now: int) -> int:
    """Re-evaluate one rule for one endpoint."""
    bound = bound_of(rule, config.monitor)
    readings = readings_of(rule, scene, config.monitor.min_rows)
    newest = last_alert(store, rule.name, scene.endpoint)
    is_open = newest is not None and newest["state"] != "resolved"
    after = place_in(newest, "seen") if newest is not None and not is_open else None
    evidence = weigh(readings, bound, after=after)
    opened = place_in(newest, "opened") if newest is not None else None
    changes = steps(newest["state"] if newest is not None else None, evidence, bound, opened=opened)
    if not is_open:
        note_condition(store, config, rule, scene, readings, now)
    if evidence.window is None or (not changes and not is_open):
        return 0
    facts = facts_of(store, config, rule, scene, evidence)
    if not changes and newest is not None and all(newest[name] == value for name, value in facts.items()):
        return 0
    with store.write() as db:
        before = None
        if newest is not None and is_open:
            before = alert_of(db, newest["id"])
            if before.state != newest["state"]:
                return 0  # another process or a person was faster: the next look judges anew
            db.table("alerts").update(before.id, facts | {"updated_at": now})
            alert = alert_of(db, before.id)
        else:
            alert_id = open_alert(db, rule, scene, evidence, facts, now)
            if not alert_id:
                return 0  # another process opened it
            alert = alert_of(db, alert_id)
        for step in changes:
            alert = change(db, alert, step, who=WATCH, now=now)
        alert = hold(db, alert, now=now)
        tell(db, before, alert, now=now)
    return len(changes)


def facts_of(store: Store, config: Config, rule: Rule, scene: Scene, evidence: Evidence) -> dict[str, Any]:
    """Return the columns of an alert that follow its evidence and its rule. Any: what SQLite stores."""
    place = evidence.window or (0, 0)
    seen = seen_at(place, rule, scene)
    said = message_of(rule, evidence, seen)
    if seen.window is not None and METRICS[rule.metric].cause == "data" and (evidence.suspected or evidence.breaches):
        said += drifted_features(store, seen.window)
    return {
        "message": said,
        "value": evidence.value,
        "threshold": rule.above if rule.above is not None else rule.below,
        "severity": rule.severity,
        "metric": rule.metric,
        "window_id": seen.window.id if seen.window else None,
        "seen_starts": place[0],
        "seen_version": place[1],
        "breaches": evidence.breaches,
        "flaps": int(evidence.flaps),
        "handling": msgspec.json.encode(handling_of(rule, config)).decode(),
    }


def open_alert(
    db: Any, rule: Rule, scene: Scene, evidence: Evidence, facts: dict[str, Any], now: int
) -> int:  # Any: sqlite-utils' Database, which is imported only to be typed
    """Insert a pending alert without an event and return its id; 0 where one of this rule and endpoint is open."""
    place = evidence.window or (0, 0)
    seen = seen_at(place, rule, scene)
    row = facts | {
        "rule": rule.name,
        "endpoint": scene.endpoint,
        "state": "pending",
        "state_at": now,
        "since": now,
        "updated_at": now,
        "cause": METRICS[rule.metric].cause,
        "model": seen.model,
        "version": seen.version,
        "opened_starts": place[0],
        "opened_version": place[1],
    }
    sql = "select 1 from alerts where rule = ? and endpoint = ? and state != 'resolved'"
    if db.execute(sql, [rule.name, scene.endpoint]).fetchone() is not None:
        return 0
    return outbox.insert(db, "alerts", row)


def last_alert(store: Store, rule: str, endpoint: str) -> Row | None:
    """Return the newest alert of a rule for an endpoint."""
    sql = f"select {STATED} from alerts where rule = ? and endpoint = ? order by id desc limit 1"
    return store.row(sql, [rule, endpoint])


def place_in(row: Row, which: str) -> Place | None:
    """Return the window an alert was opened in, or is seen in; None where it is not known."""
    starts = row[f"{which}_starts"]
    return None if starts is None else (starts, row[f"{which}_version"])


def note_condition(store: Store, config: Config, rule: Rule, scene: Scene, readings: list[Reading], now: int) -> None:
    """Keep what a rule without an open alert says: ok, no data or insufficient, and since when."""
    state, why = condition_of(rule, scene, readings, config.monitor, now)
    value = next((reading.value for reading in reversed(readings) if reading.value is not None), None)
    known = store.row(
        "select state, why, value from alert_conditions where rule = ? and endpoint = ?", [rule.name, scene.endpoint]
    )
    if known is not None and (known["state"], known["why"], known["value"]) == (state, why, value):
        return
    with store.write() as db:
        db.execute(
            """insert into alert_conditions (rule, endpoint, state, since, why, value) values (?, ?, ?, ?, ?, ?)
               on conflict (rule, endpoint) do update set
                 since = case when state = excluded.state then since else excluded.since end,
                 state = excluded.state, why = excluded.why, value = excluded.value""",
            [rule.name, scene.endpoint, state, now, why, value],
        )


def retire(store: Store, endpoint: str, rules: set[str], now: int) -> int:
    """Resolve the open alerts of rules that are no longer declared, and forget what those said."""
    kept = {*rules, SPLIT_ABORTED}
    gone = [alert for alert in list_alerts(store, open_only=True, endpoint=endpoint) if alert.rule not in kept]
    for alert in gone:
        with store.write() as db:
            change(db, alert, Step("resolved", "the rule was taken out of lemnis.toml"), who=WATCH, now=now)
    said = store.rows("select distinct rule from alert_conditions where endpoint = ?", [endpoint])
    for name in {row["rule"] for row in said} - rules:
        with store.write() as db:
            db.execute("delete from alert_conditions where rule = ? and endpoint = ?", [name, endpoint])
    return len(gone)
