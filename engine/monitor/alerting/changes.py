"""Changes of an alert, written: the new state, its event, the incident it belongs to and the messages it asks for."""

from typing import TYPE_CHECKING, Any

from lemnis.engine.monitor.alerting import outbox
from lemnis.engine.monitor.alerting.kept import COLUMNS, alert_in
from lemnis.engine.monitor.alerting.records import Alert
from lemnis.engine.monitor.alerting.states import RAISED, Holds, Step, held

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

WATCH = "watch"  # who, for what no person did


def alert_of(connection: "sqlite3.Connection", alert_id: int) -> Alert:
    """Return an alert as it is on this connection, inside its open transaction if there is one."""
    sql = f"select {COLUMNS} from alerts where id = ?"
    return alert_in(connection.execute(sql, [alert_id]).fetchone())


def change(db: "Database", alert: Alert, step: Step, *, who: str, now: int) -> Alert:
    """Write one change of state inside the caller's transaction and return the alert after it.

    An alert that is raised joins the open incident of its cause, or opens one; the last one that ends closes it.
    """
    stamps: dict[str, Any] = {"state": step.state, "state_at": now, "updated_at": now}  # Any: what SQLite stores
    if step.state == "firing" and alert.state == "pending":
        stamps |= {"fired_at": now, "incident_id": incident_of(db, alert, now)}
    elif step.state == "acknowledged" and who != WATCH:
        stamps |= {"acknowledged_at": now, "acknowledged_by": who, "escalated_at": None}
    elif step.state == "resolved":
        stamps["resolved_at"] = now
    db.table("alerts").update(alert.id, stamps)
    note(db, alert, step, who=who, now=now)
    changed = alert_of(db.conn, alert.id)
    if step.state == "resolved" and changed.incident_id is not None:
        close_incident(db, changed, now)
    return changed


def note(db: "Database", alert: Alert, step: Step, *, who: str, now: int) -> None:
    """Write what happened to an alert inside the caller's transaction."""
    event = {"alert_id": alert.id, "at": now, "state": step.state, "who": who, "why": step.why, "value": alert.value}
    db.table("alert_events").insert(event)


def hold(db: "Database", alert: Alert, *, now: int) -> Alert:
    """Bring a raised alert into the state that silences, other alerts and its acknowledgement ask for; return it."""
    holds, silence = holds_of(db.conn, alert, now)
    step = held(alert.state, holds)
    if step is None:
        return alert
    row = {"silence_id": silence, "inhibited_by": holds.inhibitor}
    db.table("alerts").update(alert.id, row)
    return change(db, alert, step, who=WATCH, now=now)


def tell(db: "Database", before: Alert | None, after: Alert, *, now: int) -> None:
    """Queue the message that a change asks for: it fires now and did not before, or it flaps, which is told once.

    Args:
        db: Of the open transaction.
        before: The alert before all its changes of this moment; None where it was just opened.
        after: The alert after them.
        now: Epoch ms.
    """
    if not after.fires or after.incident_id is None or (before is not None and before.state == after.state):
        return
    kind = "flapping" if after.state == "flapping" else "fired"
    outbox.queue(db, after.id, after.incident_id, kind, after.handling.notify, now)
    db.table("alerts").update(after.id, {"told_at": now})


def holds_of(connection: "sqlite3.Connection", alert: Alert, now: int) -> tuple[Holds, int | None]:
    """Return what holds an alert, and the id of the silence that does."""
    row = connection.execute(
        """select id, who, why, until from silences where rule in ('', ?) and endpoint in ('', ?)
           and ended_at is null and starts <= ? and until > ? order by until desc limit 1""",
        [alert.rule, alert.endpoint, now, now],
    ).fetchone()
    rules = alert.handling.inhibited_by
    inhibitor = connection.execute(
        f"""select rule from alerts where endpoint = ? and rule in ({", ".join("?" * len(rules))})
            and state in ('firing', 'acknowledged', 'silenced', 'flapping') order by id limit 1""",
        [alert.endpoint, *rules],
    ).fetchone()
    until = alert.acknowledged_until
    taken = alert.acknowledged_at is not None and (until is None or now < until)
    flaps = connection.execute("select flaps from alerts where id = ?", [alert.id]).fetchone()[0]
    holds = Holds(
        silence=f"silenced by {row[1]}: {row[2]}" if row else "",
        inhibitor=inhibitor[0] if inhibitor else "",
        taken=f"taken by {alert.acknowledged_by}" if taken else "",
        flaps=bool(flaps),
    )
    return holds, row[0] if row else None


def incident_of(db: "Database", alert: Alert, now: int) -> int:
    """Return the open incident of an alert's cause, endpoint and model version; it is opened if there is none."""
    names = {"cause": alert.cause, "endpoint": alert.endpoint, "model": alert.model, "version": alert.version}
    found = db.execute(
        f"select id from incidents where ended_at is null and {' and '.join(f'{name} = ?' for name in names)}",
        list(names.values()),
    ).fetchone()
    return found[0] if found else outbox.insert(db, "incidents", names | {"opened_at": now})


def close_incident(db: "Database", alert: Alert, now: int) -> None:
    """End the incident of a resolved alert if no other alert of it is open, and tell whoever was told of it."""
    incident = alert.incident_id
    others = db.execute(
        f"select 1 from alerts where incident_id = ? and state in ({', '.join('?' * len(RAISED))}) limit 1",
        [incident, *RAISED],
    ).fetchone()
    if others is not None or incident is None:
        return
    db.table("incidents").update(incident, {"ended_at": now})
    outbox.queue(db, alert.id, incident, "resolved", outbox.told(db, incident), now)
