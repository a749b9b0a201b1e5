"""The outbox: messages to contacts, written in the transaction of the change they tell of, sent by the notifier."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.monitor.alerting.kept import notification_in
from lemnis.engine.monitor.alerting.records import Kind, Notification
from lemnis.engine.store import Store, returning

if TYPE_CHECKING:
    from sqlite_utils import Database

GROUP_WAIT_MS = 5_000  # alerts of one incident that come within it are told in one message
RETRY_MS = 5_000  # after the first failure; doubled after each further one
RETRY_MOST_MS = 900_000
GIVE_UP_AFTER = 12  # attempts: about two hours


def queue(db: "Database", alert_id: int, incident_id: int, kind: Kind, contacts: Iterable[str], now: int) -> None:
    """Queue one message a contact inside the caller's transaction; one that still waits for company takes the alert in.

    Args:
        db: Of the open transaction.
        alert_id: What it tells of.
        incident_id: What it is grouped by.
        kind: What it tells.
        contacts: Names; without any, nothing is queued.
        now: Epoch ms.
    """
    for contact in contacts:
        waiting = db.execute(
            """select id from notifications where contact = ? and incident_id = ? and kind = ? and state = 'queued'
               and attempts = 0""",
            [contact, incident_id, kind],
        ).fetchone()
        if waiting is None:
            row = {"contact": contact, "kind": kind, "incident_id": incident_id, "state": "queued", "queued_at": now}
            notification = insert(db, "notifications", row | {"next_at": now + GROUP_WAIT_MS})
        else:
            notification = waiting[0]
        db.execute("insert or ignore into notification_alerts values (?, ?)", [notification, alert_id])


def told(db: "Database", incident_id: int) -> list[str]:
    """Return the contacts that were told (or soon are) of an incident."""
    sql = "select distinct contact from notifications where incident_id = ? and kind != 'resolved' order by contact"
    return [row[0] for row in db.execute(sql, [incident_id]).fetchall()]


def claim(store: Store, *, now: int) -> Notification | None:
    """Return a message that is due, or None; it is due again after the back-off unless `sent` or `failed` is called.

    Messages of one incident reach a contact in their order. The attempt is counted before it is made: a notifier that
    dies while it sends leaves a message that is sent again.
    """
    with store.write() as db:
        found = returning(
            db,
            """update notifications set attempts = attempts + 1,
                 next_at = ? + min(? * (1 << min(attempts, 20)), ?)
               where id = (select id from notifications n where state = 'queued' and next_at <= ?
                             and not exists (select 1 from notifications e where e.contact = n.contact and e.id < n.id
                                               and e.incident_id = n.incident_id and e.state = 'queued')
                           order by next_at, id limit 1)
               returning *, (select json_group_array(alert_id) from notification_alerts
                             where notification_id = notifications.id) as alerts""",
            [now, RETRY_MS, RETRY_MOST_MS, now],
        )
    return notification_in(found[0]) if found else None  # pyright: ignore[reportArgumentType]  # a row as a dict


def sent(store: Store, notification: Notification, title: str, *, now: int) -> None:
    """Note that every address of the contact has it."""
    with store.write() as db:
        row = {"state": "sent", "sent_at": now, "title": title, "reason": ""}
        db.table("notifications").update(notification.id, row)


def failed(store: Store, notification: Notification, title: str, reason: str, done: list[str]) -> bool:
    """Note why it could not be sent to all addresses, and which have it; return whether that was the last attempt."""
    last = notification.attempts >= GIVE_UP_AFTER
    with store.write() as db:
        row = {"state": "failed" if last else "queued", "reason": reason, "title": title}
        db.table("notifications").update(notification.id, row | {"done": msgspec.json.encode(done).decode()})
    return last


def insert(db: "Database", table: str, row: Mapping[str, object]) -> int:
    """Insert a row and return its id."""
    sql = f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))}) returning id"
    return int(returning(db, sql, list(row.values()))[0]["id"])
