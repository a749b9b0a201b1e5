"""What people said, one event each: recording, undoing, redoing, and what stands after all of it."""

from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.explore.labels.records import Event, Resolved
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

AUDITED = (
    "select i.row_key from label_items i join label_queues q on q.id = i.queue_id "
    "where q.labels = ? and q.kind = 'audit'"
)


def add_event(db: "Database", **facts: object) -> int:
    """Store one event inside a write and return its id; `labels`, `row_key`, `labeller` and `kind` are needed."""
    return int(str(db.table("label_events").insert({"at": now_ms(), **facts}).last_pk))


def undo(store: Store, queue_id: int, labeller: str) -> Event | None:
    """Undo the last thing this labeller said in a queue that is not undone yet; return it, None for nothing left."""
    with store.write() as db:
        found = store.row(
            "select * from label_standing where queue_id = ? and labeller = ? order by id desc limit 1",
            [queue_id, labeller],
        )
        if found is not None:
            _about(db, found, "undo")
    return None if found is None else event_in(found)


def redo(store: Store, queue_id: int, labeller: str) -> Event | None:
    """Bring back what this labeller undid last; None when something was said since, or nothing is undone."""
    with store.write() as db:
        found = store.row(
            """select e.* from label_events u join label_events e on e.id = u.target_id
               where u.kind = 'undo' and u.queue_id = ? and u.labeller = ?
                 and u.id > coalesce((select max(id) from label_events where queue_id = ? and labeller = ?
                                      and target_id is null), 0)
                 and not exists (select 1 from label_events r where r.target_id = e.id and r.kind = 'redo'
                                 and r.id > u.id)
               order by u.id desc limit 1""",
            [queue_id, labeller, queue_id, labeller],
        )
        if found is not None:
            _about(db, found, "redo")
    return None if found is None else event_in(found)


def _about(db: "Database", row: Row, kind: str) -> None:
    facts = {name: row[name] for name in ("labels", "row_key", "labeller", "queue_id", "place")}
    add_event(db, kind=kind, target_id=row["id"], **facts)


def history(store: Store, labels: str, row_key: str = "", limit: int = 1000) -> list[Event]:
    """Return the events of some labels, newest first; of one row when its key is given."""
    sql = "select * from label_events where labels = ? and ? in ('', row_key) order by id desc limit ?"
    return [event_in(row) for row in store.rows(sql, [labels, row_key, limit])]


def votes(store: Store, labels: str) -> list[Event]:
    """Return what each labeller says now of each row: one event a row and labeller, `label` or `unsure`."""
    sql = "select * from label_votes where labels = ? order by row_key, labeller"
    return [event_in(row) for row in store.rows(sql, [labels])]


def resolved(store: Store, labels: str) -> list[Resolved]:
    """Return what stands for every row that has a vote or a decision, in the order of the keys."""
    sql = "select row_key, value, how, votes, at from label_resolved where labels = ? order by row_key"
    return [Resolved(**dict(row)) for row in store.rows(sql, [labels])]


def audit_keys(store: Store, labels: str) -> set[str]:
    """Return the rows of the audit slice."""
    return {row[0] for row in store.rows(AUDITED, [labels])}


def event_in(row: Row) -> Event:
    """Return the event of a row of the table or of one of its views."""
    facts = {name: row[name] for name in Event.__struct_fields__}
    return msgspec.convert({**facts, "suggestion_shown": bool(facts["suggestion_shown"])}, Event)
