"""Queues: rows in the order of asking; each goes to one labeller at a time, and nothing is lost by closing."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine.clock import now_ms
from lemnis.engine.errors import BadInput, NotFound
from lemnis.engine.explore.labels.events import add_event, event_in
from lemnis.engine.explore.labels.records import KINDS, RESOLVING, Answer, Event, Item, Kind, Progress, Queue
from lemnis.engine.store import Row, Store, returning
from lemnis.engine.text import safe

if TYPE_CHECKING:
    from sqlite_utils import Database

CLAIM_MS = 15 * 60_000  # a row that nobody answers for so long is asked of somebody else
RECENT = 20  # answers that the labels per minute are measured over
REVIEWED = 50  # decisions that the precision of the suggestions is measured over
PAUSE_MS = 60_000
ANSWERS = "('label', 'unsure', 'gold')"
DONE = f"""select count(*) from label_items i where i.queue_id = q.id and i.wanted <= (
    select count(distinct s.labeller) from label_standing s
    where s.queue_id = i.queue_id and s.place = i.place and s.kind in {ANSWERS})"""


def make_queue(
    store: Store,
    labels: str,
    kind: Kind,
    version_id: str,
    items: Sequence[Item],
    *,
    recipe: str,
    who: str,
    overlap: float = 0.0,
    job_id: int | None = None,
) -> Queue:
    """Keep a queue and return it.

    Args:
        store: Where to keep it.
        labels: Which question it asks.
        kind: Why these rows.
        version_id: The version that its rows are numbered in.
        items: The rows; their order is the order of asking.
        recipe: How they were chosen, in words.
        who: Who asked for it.
        overlap: Share of the rows that two people are asked about, evenly spread, in [0, 1].
        job_id: The job that made it.

    Raises:
        BadInput: There is no row, or the overlap is no share.
    """
    if not items:
        raise BadInput(f"No row fits: {KINDS[kind]}.", "Choose another kind of queue, or label some rows first.")
    if not 0 <= overlap <= 1:
        raise BadInput(f"An overlap of {overlap:g} is no share.", "Give 0 to 1, such as 0.1.")
    row = {
        "labels": labels,
        "kind": kind,
        "version_id": version_id,
        "recipe": recipe,
        "overlap": overlap,
        "resolves": int(kind in RESOLVING),
        "created_at": now_ms(),
        "created_by": who,
        "job_id": job_id,
    }
    with store.write() as db:
        queue_id = int(str(db.table("label_queues").insert(row).last_pk))
        db.table("label_items").insert_all(_item_rows(queue_id, items, overlap))
    return find_queue(store, queue_id)


def _item_rows(queue_id: int, items: Sequence[Item], overlap: float) -> Iterable[dict[str, object]]:
    for place, item in enumerate(items):
        twice = int((place + 1) * overlap) > int(place * overlap)
        facts = {name: getattr(item, name) for name in Item.__struct_fields__}
        yield {**facts, "queue_id": queue_id, "place": place, "wanted": 2 if twice else item.wanted}


def list_queues(store: Store, labels: str = "", limit: int = 200) -> list[Queue]:
    """Return queues, newest first; of one question when it is named."""
    sql = f"""select q.*, (select count(*) from label_items i where i.queue_id = q.id) as rows, ({DONE}) as done
              from label_queues q where ? in ('', q.labels) order by q.id desc limit ?"""
    return [_queue(row) for row in store.rows(sql, [labels, limit])]


def find_queue(store: Store, queue_id: int) -> Queue:
    """Return one queue, or raise NotFound."""
    sql = f"""select q.*, (select count(*) from label_items i where i.queue_id = q.id) as rows, ({DONE}) as done
              from label_queues q where q.id = ?"""
    row = store.row(sql, [queue_id])
    if row is None:
        raise NotFound(f"There is no queue {queue_id}.", "List them with `lemnis explore labels queues`.")
    return _queue(row)


def claim_next(store: Store, queue_id: int, labeller: str) -> Item | None:
    """Take the next row for this labeller; None when nothing is left for them.

    A row that another labeller has on the screen or has answered is left out, unless it wants more answers. A row that
    this labeller had on the screen before is theirs again.
    """
    oldest = now_ms() - CLAIM_MS
    values = {"queue": queue_id, "me": labeller, "oldest": oldest}
    sql = f"""
        select i.* from label_items i where i.queue_id = :queue
        and not exists (select 1 from label_standing s where s.queue_id = :queue and s.place = i.place
                        and s.labeller = :me and s.kind != 'note')
        and i.wanted > (select count(*) from (
            select s.labeller from label_standing s where s.queue_id = :queue and s.place = i.place
                and s.kind in {ANSWERS} and s.labeller != :me
            union select c.labeller from label_claims c where c.queue_id = :queue and c.place = i.place
                and c.labeller != :me and c.at > :oldest))
        order by i.place limit 1"""
    with store.write() as db:
        row = store.row(sql, values)
        if row is None:
            release(store, queue_id, labeller)
            return None
        _claim(db, queue_id, labeller, int(row["place"]))
    return _item(row)


def item_at(store: Store, queue_id: int, place: int) -> Item:
    """Return one row of a queue, or raise NotFound."""
    row = store.row("select * from label_items where queue_id = ? and place = ?", [queue_id, place])
    if row is None:
        raise NotFound(f"Queue {queue_id} has no row {place + 1}.", "Go to a row between its first and its last.")
    return _item(row)


def items_of(store: Store, queue_id: int) -> list[Item]:
    """Return the rows of a queue in the order of asking."""
    return [_item(row) for row in store.rows("select * from label_items where queue_id = ? order by place", [queue_id])]


def place_of(store: Store, queue_id: int, row_key: str) -> int:
    """Return the place of a row in a queue, or raise NotFound."""
    place = store.value("select place from label_items where queue_id = ? and row_key = ?", [queue_id, row_key])
    if place is None:
        raise NotFound(f"Queue {queue_id} has no row {safe(row_key, limit=80)!r}.", "See `lemnis explore labels next`.")
    return int(place)


def release(store: Store, queue_id: int, labeller: str) -> None:
    """Give back the row this labeller had on the screen."""
    with store.write() as db:
        db.execute("delete from label_claims where queue_id = ? and labeller = ?", [queue_id, labeller])


def record(store: Store, queue: Queue, item: Item, answer: Answer, labeller: str) -> int:
    """Store what a labeller says of a row of a queue and return the event's id.

    In a queue that resolves, a class decides and `unsure` leaves the row as it stood.
    """
    decides = queue.resolves and answer.kind in ("label", "unsure")
    with store.write() as db:
        return add_event(
            db,
            labels=queue.labels,
            row_key=item.row_key,
            labeller=labeller,
            kind="gold" if decides else answer.kind,
            value=answer.value,
            note=answer.note,
            queue_id=queue.id,
            place=item.place,
            suggested=item.suggested,
            suggested_share=item.suggested_share,
            suggested_by=item.suggested_by,
            suggestion_shown=int(answer.shown),
            took_ms=answer.took_ms,
        )


def standing_of(store: Store, queue_id: int, place: int, labeller: str) -> Event | None:
    """Return what this labeller last said of a row in a queue; None for nothing that stands."""
    row = store.row(
        """select * from label_standing where queue_id = ? and place = ? and labeller = ? and kind != 'note'
           order by id desc limit 1""",
        [queue_id, place, labeller],
    )
    return None if row is None else event_in(row)


def progress(store: Store, queue: Queue, labeller: str, classes: Sequence[str]) -> Progress:
    """Return how a queue stands for one labeller, and the balance of everything labelled so far."""
    counts = {
        row["value"]: int(row["rows"])
        for row in store.rows(
            "select value, count(*) as rows from label_resolved where labels = ? and value is not null group by value",
            [queue.labels],
        )
    }
    mine = store.rows(
        """select took_ms from label_standing where queue_id = ? and labeller = ? and kind != 'note'
           order by id desc limit ?""",
        [queue.id, labeller, RECENT],
    )
    took = [min(int(row["took_ms"]), PAUSE_MS) for row in mine if row["took_ms"] is not None]
    reviewed = _reviewed(store, queue)
    return Progress(
        rows=queue.rows,
        done=int(store.value(DONE.replace("q.id", "?"), [queue.id])),
        mine=int(
            store.value(
                """select count(distinct place) from label_standing
                   where queue_id = ? and labeller = ? and kind != 'note'""",
                [queue.id, labeller],
            )
        ),
        per_minute=len(took) * 60_000 / max(1, sum(took)) if len(took) > 1 else None,
        balance={name: counts.pop(name, 0) for name in classes} | counts,
        unsure=unsure_rows(store, queue.labels),
        reviewed=len(reviewed),
        changed=sum(reviewed),
    )


def unsure_rows(store: Store, labels: str) -> int:
    """Return how many rows somebody is unsure of now."""
    sql = "select count(distinct row_key) from label_votes where labels = ? and kind = 'unsure'"
    return int(store.value(sql, [labels]))


def _reviewed(store: Store, queue: Queue) -> list[bool]:
    """Return for the last decisions of a queue about given labels whether they changed the label."""
    rows = store.rows(
        """select s.value, i.given from label_standing s
           join label_items i on i.queue_id = s.queue_id and i.place = s.place
           where s.queue_id = ? and s.kind = 'gold' and s.value is not null and i.given is not null
           order by s.id desc limit ?""",
        [queue.id, REVIEWED],
    )
    return [row["value"] != row["given"] for row in rows]


def _claim(db: "Database", queue_id: int, labeller: str, place: int) -> None:
    returning(
        db,
        """insert into label_claims (queue_id, labeller, place, at) values (?, ?, ?, ?)
           on conflict (queue_id, labeller) do update set place = excluded.place, at = excluded.at returning place""",
        [queue_id, labeller, place, now_ms()],
    )


def claim(store: Store, queue_id: int, labeller: str, place: int) -> None:
    """Take one row, whoever else has it: going back to a row is never refused."""
    with store.write() as db:
        _claim(db, queue_id, labeller, place)


def _queue(row: Row) -> Queue:
    facts = {name: row[name] for name in Queue.__struct_fields__}
    return msgspec.convert({**facts, "resolves": bool(facts["resolves"])}, Queue)


def _item(row: Row) -> Item:
    return msgspec.convert({name: row[name] for name in Item.__struct_fields__}, Item)
