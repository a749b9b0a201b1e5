"""Alerts as they are kept: read back as records, with their events, standings, incidents and messages."""

from typing import Any

import msgspec

from lemnis.engine.errors import NotFound
from lemnis.engine.monitor.alerting.records import Alert, AlertEvent, Incident, Notification, Standing
from lemnis.engine.store import Row, Store

COLUMNS = ", ".join(Alert.__struct_fields__)
ORDER = "instr(' firing flapping acknowledged pending inhibited silenced resolved', ' ' || state)"  # who needs a person


def alert_in(row: Row) -> Alert:
    """Return a row as a record."""
    plain: dict[str, Any] = dict(row)  # Any: what SQLite stores
    return msgspec.convert(plain | {"handling": msgspec.json.decode(plain["handling"])}, Alert)


def list_alerts(store: Store, *, open_only: bool, endpoint: str = "") -> list[Alert]:
    """Return alerts, those that need a person first, then the newest."""
    sql = f"""select {COLUMNS} from alerts where (? = 0 or state != 'resolved') and ? in ('', endpoint)
              order by {ORDER}, severity, since desc, id desc limit 500"""
    return [alert_in(row) for row in store.rows(sql, [int(open_only), endpoint])]


def find_alert(store: Store, alert_id: int) -> Alert:
    """Return one alert; raises NotFound."""
    row = store.row(f"select {COLUMNS} from alerts where id = ?", [alert_id])
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.", "List them with `lemnis alerts list --all`.")
    return alert_in(row)


def events_of(store: Store, alert_id: int | None, limit: int = 200) -> list[AlertEvent]:
    """Return what happened to one alert (or to all), newest first."""
    sql = "select * from alert_events where ? is null or alert_id = ? order by id desc limit ?"
    return [msgspec.convert(dict(row), AlertEvent) for row in store.rows(sql, [alert_id, alert_id, limit])]


def standings(store: Store, *, now: int) -> list[Standing]:
    """Return what every rule says of every endpoint, those that need a person first."""
    rows = store.rows(
        f"""select c.rule, c.endpoint, coalesce(a.state, c.state) as state, a.id as alert_id,
              coalesce(a.state_at, max(c.since, coalesce((select max(resolved_at) from alerts r
                where r.rule = c.rule and r.endpoint = c.endpoint), 0))) as since,
              coalesce(a.message, c.why) as why, case when a.id is null then c.value else a.value end as value,
              (select max(until) from silences s where s.rule in ('', c.rule) and s.endpoint in ('', c.endpoint)
                 and s.ended_at is null and s.starts <= ? and s.until > ?) as silenced
            from alert_conditions c
              left join alerts a on a.rule = c.rule and a.endpoint = c.endpoint and a.state != 'resolved'
            order by a.id is null, {ORDER.replace("state", "a.state")}, c.endpoint, c.rule""",
        [now, now],
    )
    return [msgspec.convert(dict(row), Standing) for row in rows]


def incidents(store: Store, *, open_only: bool, limit: int = 200) -> list[Incident]:
    """Return incidents, newest first."""
    sql = """select i.*, json_group_array(a.id order by a.id) as alerts from incidents i
             join alerts a on a.incident_id = i.id where ? = 0 or i.ended_at is null
             group by i.id order by i.id desc limit ?"""
    rows = store.rows(sql, [int(open_only), limit])
    return [msgspec.convert(dict(row) | {"alerts": msgspec.json.decode(row["alerts"])}, Incident) for row in rows]


def find_incident(store: Store, incident_id: int) -> Incident:
    """Return one incident; raises NotFound."""
    row = store.row(
        """select i.*, (select json_group_array(id order by id) from alerts where incident_id = i.id) as alerts
           from incidents i where i.id = ?""",
        [incident_id],
    )
    if row is None:
        raise NotFound(f"There is no incident {incident_id}.", "List them with `lemnis alerts incidents`.")
    return msgspec.convert(dict(row) | {"alerts": msgspec.json.decode(row["alerts"])}, Incident)


def notifications(store: Store, *, alert_id: int | None = None, limit: int = 200) -> list[Notification]:
    """Return messages to contacts, newest first; of one alert, or of all."""
    sql = """select n.*, json_group_array(m.alert_id order by m.alert_id) as alerts from notifications n
             join notification_alerts m on m.notification_id = n.id
             where ? is null or n.id in (select notification_id from notification_alerts where alert_id = ?)
             group by n.id order by n.id desc limit ?"""
    return [notification_in(row) for row in store.rows(sql, [alert_id, alert_id, limit])]


def notification_in(row: Row) -> Notification:
    """Return a row with its alerts as a record."""
    plain: dict[str, Any] = dict(row)
    lists = {name: msgspec.json.decode(plain[name]) for name in ("done", "alerts")}
    return msgspec.convert(plain | lists, Notification)
