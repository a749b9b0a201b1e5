"""Judges every rule against an endpoint's windows and minutes; each change of state is a row with who, when and why."""

from typing import TYPE_CHECKING, Any

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
    message_of,
    place_of,
    readings_of,
    reasons_of,
    seen_at,
)
from lemnis.engine.monitor.alerting.rules import CONCEPT, METRICS, MINUTE_MS, bound_of, handling_of, rules_of
from lemnis.engine.monitor.alerting.states import Condition, Evidence, Place, Reading, State, Step, steps, weigh
from lemnis.engine.monitor.concept.standing import concept_words
from lemnis.engine.monitor.records import Window
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

LOOK_BACK = 200  # windows, and minutes, that a rule looks at
STATED = (
    "id, state, opened_starts, opened_version, seen_starts, seen_version, window_id, message, value, threshold, "
    "severity, metric, breaches, flaps, handling"
)

CONDITION = """
    insert into alert_conditions (rule, endpoint, state, why, value, since) values (?, ?, ?, ?, ?, ?)
    on conflict (rule, endpoint) do update set
      since = case when state = excluded.state then since else excluded.since end,
      state = excluded.state, why = excluded.why, value = excluded.value"""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of one endpoint, before any of it is written.

    Attributes:
        before: Id and state of its open alert; None where there is none.
        steps: The changes of state that follow.
        facts: Columns of the alert that differ; empty when nothing is to be written. Any: what SQLite stores.
        opening: Further columns, where an alert is to be opened.
        condition: State, sentence and value where no alert is open and they are new.
    """

    rule: Rule
    before: tuple[int, State] | None
    steps: list[Step]
    facts: dict[str, Any]
    opening: dict[str, Any]
    condition: tuple[Condition, str, float | None] | None


def advance(store: Store, config: Config, endpoint: str, windows: list[Window], *, now: int | None = None) -> int:
    """Re-evaluate every rule for one endpoint and return how many changes of state there were.

    All of it is written in one transaction, together with the messages it asks for.

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
    judge = Judge(store, config, rules, scene, moment)
    judged = [one for rule in rules if (one := judge.judged(rule)).facts or one.condition]
    changes = 0
    if judged:
        with store.write() as db:
            changes = sum(write(db, endpoint, one, moment) for one in judged)
    return changes + retire(store, endpoint, {rule.name for rule in rules}, moment)


class Judge:
    """Judges the rules in one scene; reads alone."""

    def __init__(self, store: Store, config: Config, rules: list[Rule], scene: Scene, now: int) -> None:
        self.store, self.config, self.rules, self.scene, self.now = store, config, rules, scene, now

    def judged(self, rule: Rule) -> Judged:
        """Return what a rule says."""
        bound = bound_of(rule, self.config.monitor)
        readings = readings_of(rule, self.scene, self.config.monitor.min_rows)
        newest = last_alert(self.store, rule.name, self.scene.endpoint)
        state: State | None = newest["state"] if newest is not None else None
        is_open = state not in (None, "resolved")
        after = place_in(newest, "seen") if newest is not None and not is_open else None
        evidence = weigh(readings, bound, after=after)
        changes = steps(state, evidence, bound, opened=place_in(newest, "opened") if newest is not None else None)
        facts, opening = dict[str, Any](), dict[str, Any]()
        if evidence.window is not None and (changes or is_open):
            facts = self._facts(rule, evidence)
            if not changes and newest is not None and all(newest[name] == value for name, value in facts.items()):
                facts = {}
            opening = {} if is_open else self._opening(rule, evidence.window)
        return Judged(
            rule=rule,
            before=(newest["id"], newest["state"]) if newest is not None and is_open else None,
            steps=changes,
            facts=facts,
            opening=opening,
            condition=None if is_open else self._condition(rule, readings),
        )

    def _facts(self, rule: Rule, evidence: Evidence) -> dict[str, Any]:
        """Return the columns of an alert that follow its evidence and its rule."""
        place = evidence.window or (0, 0)
        seen = seen_at(place, rule, self.scene)
        said = message_of(rule, evidence, seen)
        if seen.window is not None and METRICS[rule.metric].cause == "data" and evidence.broken:
            said += reasons_of(self.store, rule.metric, seen.window)
        elif rule.metric == CONCEPT and evidence.broken:
            said += concept_words(self.store, self.scene.endpoint, seen.version)
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
            "handling": msgspec.json.encode(handling_of(rule, self.config, self.rules)).decode(),
        }

    def _opening(self, rule: Rule, place: Place) -> dict[str, Any]:
        """Return the columns that an alert gets when it is opened, and keeps."""
        seen = seen_at(place, rule, self.scene)
        return {
            "rule": rule.name,
            "endpoint": self.scene.endpoint,
            "state": "pending",
            "cause": METRICS[rule.metric].cause,
            "model": seen.model,
            "version": seen.version,
            "opened_starts": place[0],
            "opened_version": place[1],
            **dict.fromkeys(("since", "state_at", "updated_at"), self.now),
        }

    def _condition(self, rule: Rule, readings: list[Reading]) -> tuple[Condition, str, float | None] | None:
        """Return what a rule without an open alert says; None where that is known already."""
        state, why = condition_of(rule, self.scene, readings, self.config.monitor, self.now)
        value = next((reading.value for reading in reversed(readings) if reading.value is not None), None)
        sql = "select state, why, value from alert_conditions where rule = ? and endpoint = ?"
        known = self.store.row(sql, [rule.name, self.scene.endpoint])
        return None if known is not None and tuple(known) == (state, why, value) else (state, why, value)


def write(db: "Database", endpoint: str, judged: Judged, now: int) -> int:
    """Write what a rule says inside the caller's transaction; return how many changes of state there were."""
    if judged.condition is not None:
        db.execute(CONDITION, [judged.rule.name, endpoint, *judged.condition[:2], judged.condition[2], now])
    if not judged.facts:
        return 0
    newest = db.execute(
        "select id, state from alerts where rule = ? and endpoint = ? and state != 'resolved'",
        [judged.rule.name, endpoint],
    ).fetchone()
    if judged.before != (tuple(newest) if newest is not None else None):
        return 0  # another process or a person was faster: the next look judges anew
    before = None
    if judged.before is not None:
        before = alert_of(db.conn, judged.before[0])
        db.table("alerts").update(before.id, judged.facts | {"updated_at": now})
        alert = alert_of(db.conn, before.id)
    else:
        alert = alert_of(db.conn, outbox.insert(db, "alerts", judged.opening | judged.facts))
    for step in judged.steps:
        alert = change(db, alert, step, who=WATCH, now=now)
    tell(db, before, hold(db, alert, now=now), now=now)
    return len(judged.steps)


def last_alert(store: Store, rule: str, endpoint: str) -> Row | None:
    """Return the newest alert of a rule for an endpoint."""
    sql = f"select {STATED} from alerts where rule = ? and endpoint = ? order by id desc limit 1"
    return store.row(sql, [rule, endpoint])


def place_in(row: Row, which: str) -> Place | None:
    """Return the window an alert was opened in, or is seen in; None where it is not known."""
    starts = row[f"{which}_starts"]
    return None if starts is None else (starts, row[f"{which}_version"])


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
