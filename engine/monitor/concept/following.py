"""Labelled rows brought to the detectors in order of event time; late labels take the stream up where they belong."""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from lemnis.engine.monitor.concept.baseline import DAY_MS
from lemnis.engine.monitor.concept.kept import kept_baseline
from lemnis.engine.monitor.concept.losses import losses_of
from lemnis.engine.monitor.concept.records import Baseline, Detection
from lemnis.engine.monitor.concept.stream import Stream
from lemnis.engine.monitor.concept.windowed import follow_windows
from lemnis.engine.monitor.performance import LABELLED, PAGE, answer_of
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

OF = "endpoint = ? and model = ? and version = ?"
WAITS_MS = DAY_MS  # labels may come this far out of order without the stream having to be taken up again …
LONGEST_MS = 90 * DAY_MS  # … and if they do come later, as far as they did, up to this
QUIET_MS = 60_000  # without a label for so long, none is waited for
POINT = 4_000  # rows between two points from which a stream can be taken up again
POINTS = 32  # that are kept; a stream of fewer rows is taken up from its start

LATE = """
    select min(p.event_at) as event_at, count(*) as labels, max(a.at) as newest
    from actuals a join predictions p on p.endpoint = a.endpoint and p.row_key = a.row_key
    where a.endpoint = ? and a.at > ? and p.model = ? and +p.version = ? and p.row_key != ''
      and p.event_at <= ?
"""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream was read; the columns of monitor_streams."""

    rows: int = 0
    event_at: int = -(1 << 62)
    prediction_id: int = 0
    stream: str = ""
    labels_at: int = 0
    waits_ms: int = WAITS_MS
    late: int = 0
    left_out: int = 0


def follow(store: Store, key: list[Any], now: int, *, apart: bool) -> bool:
    """Bring figures and detectors of one served version up to date; see `follow_windows` and `follow_stream`."""
    windows = follow_windows(store, key, now, apart=apart)
    return follow_stream(store, key, now) or windows


def follow_stream(store: Store, key: list[Any], now: int) -> bool:
    """Bring the labelled rows that are due to the detectors of one served version; say whether there was one.

    A row is due when a label of a row `waits_ms` later has come, or when no label came for QUIET_MS. A label that is
    later still, or that was corrected, takes the stream up again from the point before its row, and from then on the
    stream waits as long as that label was late; where no such point is kept any more, the label is left out.

    Args:
        store: The workspace's state.
        key: Endpoint, model and version. Any: as SQLite takes them.
        now: Epoch ms.
    """
    cursor = store.row(f"select * from monitor_cursors where {OF}", key)
    baseline = kept_baseline(store, key[1], key[2])
    if cursor is None or not cursor["newest_label_event"] or baseline is None or baseline.scale is None:
        return False
    head = head_of(store, key)
    newest = store.value("select max(at) from actuals where endpoint = ?", [key[0]], name="predictions")
    if newest is not None and newest > head.labels_at:
        head = rewound(store, key, head, newest, cursor["newest_label_event"])
    quiet = now - cursor["arrived_at"] >= QUIET_MS
    until = cursor["newest_label_event"] - (0 if quiet else head.waits_ms)
    return head.event_at < until and advance(store, key, head, baseline, until)


def head_of(store: Store, key: list[Any]) -> Head:
    """Return how far a stream was read."""
    row = store.row(f"select {', '.join(Head.__struct_fields__)} from monitor_streams where {OF}", key)
    return Head() if row is None else msgspec.convert(dict(row), Head)


def rewound(store: Store, key: list[Any], head: Head, newest: int, newest_event: int) -> Head:
    """Return the head after new labels were looked at: taken back where one belongs before it."""
    found = None
    if head.rows:
        found = store.row(LATE, [key[0], head.labels_at, *key[1:], head.event_at], name="predictions")
    seen = msgspec.structs.replace(head, labels_at=newest)
    if found is None or not found["labels"]:
        write_head(store, key, head, seen)
        return seen
    late = max(newest_event - found["event_at"], 0)
    point = store.row(
        f"select * from monitor_stream_points where {OF} and event_at < ? order by rows desc limit 1",
        [*key, found["event_at"]],
    )
    if point is None and head.rows > POINT * POINTS:
        seen = msgspec.structs.replace(seen, left_out=head.left_out + found["labels"])
        write_head(store, key, head, seen)
        return seen
    place = {name: point[name] for name in ("rows", "event_at", "prediction_id", "stream")} if point else {}
    waits = min(max(head.waits_ms, late), LONGEST_MS)
    back = Head(labels_at=newest, waits_ms=waits, late=head.late + found["labels"], left_out=head.left_out, **place)
    write_head(store, key, head, back)
    return back


def write_head(store: Store, key: list[Any], before: Head, head: Head) -> bool:
    """Move the head, and forget what lies behind it; say whether it stood where it was read."""
    with store.write() as db:
        return move(db, key, before, head)


def move(db: "Database", key: list[Any], before: Head, head: Head) -> bool:
    """Move the head if nobody else did; what was found behind it is taken back."""
    fields = msgspec.structs.asdict(head)
    columns = ["endpoint", "model", "version", *fields]
    db.execute(
        f"insert or ignore into monitor_streams ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
        [*key, *msgspec.structs.asdict(before).values()],
    )
    sets = ", ".join(f"{name} = ?" for name in fields)
    values = [*fields.values(), *key, before.rows, before.prediction_id, before.labels_at]
    sql = f"update monitor_streams set {sets} where {OF} and rows = ? and prediction_id = ? and labels_at = ?"
    if not db.execute(sql, values).rowcount:
        return False
    if head.rows < before.rows:
        db.execute(f"delete from monitor_stream_points where {OF} and rows > ?", [*key, head.rows])
        db.execute(f"delete from monitor_detections where {OF} and row > ?", [*key, head.rows])
    return True


def advance(store: Store, key: list[Any], head: Head, baseline: Baseline, until: int) -> bool:
    """Take the labelled rows up to a moment of event time; say whether there was one."""
    assert baseline.scale is not None
    stream = msgspec.json.decode(head.stream, type=Stream) if head.stream else Stream.of(baseline.scale)
    moved = False
    while page := store.rows(LABELLED, [*key, head.event_at, head.prediction_id, until + 1, PAGE], name="predictions"):
        points: list[Head] = []
        found: list[Detection] = []
        for start in range(0, len(page), POINT):
            part = page[start : start + POINT]
            found += stream.take(losses_in(part, baseline))
            at = {"event_at": part[-1]["event_at"], "prediction_id": part[-1]["id"]}
            points.append(Head(rows=stream.rows, stream=msgspec.json.encode(stream).decode(), **at))
        after = msgspec.structs.replace(
            head, **{name: getattr(points[-1], name) for name in ("rows", "event_at", "prediction_id", "stream")}
        )
        with store.write() as db:
            if not move(db, key, head, after):
                return moved  # another process is at it
            keep_points(db, key, points, found)
        head, moved = after, True
        if len(page) < PAGE:
            break
    return moved


def losses_in(rows: list[Row], baseline: Baseline) -> list[tuple[int, float]]:
    """Return event time and loss of some labelled rows; rows that got no answer are left out."""
    target = np.array([row["actual"] for row in rows], dtype=np.float64)
    score = np.array([answer_of(row, baseline) for row in rows], dtype=np.float64)
    known = np.isfinite(score if score.ndim == 1 else score.sum(axis=1)) & np.isfinite(target)
    losses = losses_of(baseline.task, target[known], score[known], baseline.threshold)
    events = [row["event_at"] for row, answered in zip(rows, known.tolist(), strict=True) if answered]
    return list(zip(events, losses.tolist(), strict=True))


def keep_points(db: "Database", key: list[Any], points: list[Head], found: list[Detection]) -> None:
    """Write points far enough from each other, the newest of them, and what was found."""
    last = db.execute(f"select max(rows) from monitor_stream_points where {OF}", key).fetchone()[0] or 0
    for point in points:
        if point.rows - last >= POINT:
            values = [*key, point.rows, point.event_at, point.prediction_id, point.stream]
            db.execute("insert into monitor_stream_points values (?, ?, ?, ?, ?, ?, ?)", values)
            last = point.rows
    db.execute(f"delete from monitor_stream_points where {OF} and rows <= ?", [*key, last - POINT * POINTS])
    for one in found:
        names = ", ".join(Detection.__struct_fields__)
        sql = f"insert into monitor_detections (endpoint, model, version, {names}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        db.execute(sql, [*key, *msgspec.structs.astuple(one)])
