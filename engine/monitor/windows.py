"""Windows over the logged predictions: each new row is read once and counted; windows are sums of what was counted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Config, Monitor
from lemnis.engine.errors import LemnisError
from lemnis.engine.monitor.concept.following import follow
from lemnis.engine.monitor.counting import TOLERANCE_MS, count_fresh, new_rows
from lemnis.engine.monitor.judge import Judged, judge_window
from lemnis.engine.monitor.judgements import judged_since, keep_former
from lemnis.engine.monitor.lasting import earlier_suspicions, following
from lemnis.engine.monitor.parts import (
    OF,
    changes_by_start,
    drop_old_parts,
    horizon,
    kept_parts,
    note_labels,
    rolled_up,
    tally_within,
    write_parts,
)
from lemnis.engine.monitor.performance import measure_window, windows_with_new_labels
from lemnis.engine.monitor.reference import Reference, reference_of
from lemnis.engine.monitor.seasonal import seasonal_reference
from lemnis.engine.monitor.spans import Spans, span_of, tier_of
from lemnis.engine.monitor.tally import Tally
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

QUIET_MS = 60_000  # after its end, a window without new rows for so long is taken as complete


class Served(msgspec.Struct, frozen=True):
    """One model version behind one endpoint: what windows are kept for."""

    endpoint: str
    model: str
    version: int

    @property
    def key(self) -> list[object]:
        return [self.endpoint, self.model, self.version]


def refresh(store: Store, config: Config, *, now: int | None = None, apart: bool = False) -> set[str]:
    """Bring every window up to date with the rows and labels that came since; return the endpoints that changed.

    Safe to run in several processes at once: each row is counted by exactly one of them.

    Args:
        store: The workspace's state.
        config: Says the windows' width, the bins, the thresholds and the value of answers.
        now: Epoch ms.
        apart: Make a new model version's reference in a process of its own.
    """
    moment = clock.now_ms() if now is None else now
    versions = served_versions(store)
    changed = {served.endpoint for served in versions if refresh_one(store, config, served, moment, apart=apart)}
    return changed | {served.endpoint for served in versions if follow_one(store, served, moment, apart=apart)}


def follow_one(store: Store, served: Served, now: int, *, apart: bool) -> bool:
    """Bring figures and detectors of one served version up to date; say whether anything changed.

    What stands in its way is remembered and holds up no other version.
    """
    try:
        return follow(store, served.key, now, apart=apart)
    except LemnisError as error:
        remember_problem(store, served, error.problem)
        return False


def served_versions(store: Store) -> list[Served]:
    """Return every model version that has answered, and make a cursor for the new ones."""
    seen = store.value("select max(prediction_id) from monitor_cursors") or 0
    known = {tuple(row) for row in store.rows("select endpoint, model, version from monitor_cursors")}
    sql = "select distinct endpoint, model, version from predictions where id > ?"
    fresh = [row for row in store.rows(sql, [seen], name="predictions") if tuple(row) not in known]
    if fresh:
        with store.write() as db:
            for row in fresh:
                db.table("monitor_cursors").insert(dict(row), ignore=True)
    return [Served(*row) for row in store.rows("select endpoint, model, version from monitor_cursors order by 1, 2, 3")]


def refresh_one(store: Store, config: Config, served: Served, now: int, *, apart: bool) -> bool:
    """Bring the windows of one served version up to date; say whether anything changed."""
    cursor = cursor_of(store, served)
    counted = not new_rows(store, served.key, cursor["prediction_id"], 1)
    labelled = windows_with_new_labels(store, served.key, cursor, Spans("hour")) is None
    if counted and labelled and cursor["width"] == config.monitor.window:
        return settle(store, served, now)
    try:
        reference = reference_of(store, served.model, served.version, bins=config.monitor.bins, apart=apart)
    except LemnisError as error:
        remember_problem(store, served, error.problem)
        return False
    recut(store, config, served, reference, now)
    while add_rows(store, config, served, reference, now):
        pass
    add_labels(store, config, served, reference, now)
    settle(store, served, now)
    return True


def recut(store: Store, config: Config, served: Served, reference: Reference, now: int) -> None:
    """Make the windows anew from what was counted, when they are to be of another width; no row is read again."""
    cursor, width = cursor_of(store, served), config.monitor.window
    if cursor["width"] == width:
        return
    spans, tier = Spans(width), tier_of(width)
    starts = {spans.start(start) for start, _ in changes_by_start(store, served.key, tier)}
    tallies = {start: tally_within(store, served.key, tier, span_of(start, width)) for start in sorted(starts)}
    judged = judge_all(store, config, served, reference, tallies, alone=True)
    with store.write() as db:
        sql = f"update monitor_cursors set width = ? where {OF} and width = ? and prediction_id = ?"
        if db.execute(sql, [width, *served.key, cursor["width"], cursor["prediction_id"]]).rowcount:
            for former in db.execute(f"select * from monitor_windows where {OF}", served.key).fetchall():
                keep_former(db, dict(former), now)
            db.execute(f"delete from monitor_windows where {OF}", served.key)
            for start, window in judged.items():
                keep(db, config.monitor, served, start, window, now)


def cursor_of(store: Store, served: Served) -> Row:
    """Return how far one served version was read."""
    row = store.row("select * from monitor_cursors where endpoint = ? and model = ? and version = ?", served.key)
    assert row is not None
    return row


def remember_problem(store: Store, served: Served, problem: str) -> None:
    """Keep why the rows can't be judged, where it changed."""
    if cursor_of(store, served)["problem"] != problem:
        with store.write() as db:
            sql = "update monitor_cursors set problem = ? where endpoint = ? and model = ? and version = ?"
            db.execute(sql, [problem, *served.key])


def add_rows(store: Store, config: Config, served: Served, reference: Reference, now: int) -> bool:
    """Count some pages of new rows in one transaction; say whether more may follow."""
    cursor, width = cursor_of(store, served), config.monitor.window
    fresh = count_fresh(store, served.key, cursor, reference, now, all_hours=width == "hour")
    if fresh.last == cursor["prediction_id"]:
        return False
    spans, tier, came = Spans(width), tier_of(width), rolled_up(fresh.finest)
    before = kept_parts(store, served.key, came)
    changed = {part: before[part] + tally if part in before else tally for part, tally in came.items()}
    rows: dict[int, int] = {}
    for part in (part for part in came if part.tier == tier):
        start = spans.start(part.starts)
        rows[start] = rows.get(start, 0) + came[part].rows
    starts = [*rows, *following(store, served.key, rows)]
    tallies = {start: tally_within(store, served.key, tier, span_of(start, width), changed) for start in starts}
    judged = judge_all(store, config, served, reference, tallies)
    newest = min(fresh.newest, now + TOLERANCE_MS)
    kept = {part: tally for part, tally in changed.items() if part.starts >= horizon(part.tier, newest)}
    with store.write() as db:
        sql = f"""update monitor_cursors set prediction_id = ?, newest_event = max(newest_event, ?), arrived_at = ?,
                    misdated = misdated + ?, problem = '' where {OF} and prediction_id = ? and width = ?"""
        values = [fresh.last, fresh.newest, now, fresh.misdated, *served.key, cursor["prediction_id"], width]
        taken = db.execute(sql, values).rowcount
        if taken:  # otherwise another process counted these rows in the meantime
            write_parts(db, served.key, kept)
            drop_old_parts(db, served.key, newest)
            for start, window in judged.items():
                keep(db, config.monitor, served, start, window, now, came=rows.get(start, 0))
    return fresh.more or not taken


def judge_all(
    store: Store,
    config: Config,
    served: Served,
    reference: Reference,
    tallies: Mapping[int, Tally],
    *,
    alone: bool = False,
) -> dict[int, Judged]:
    """Judge windows by their counts, in order of time: what one suspects, the next may confirm.

    Windows whose counts are past their time keep what was said of them. `alone`: no kept window is looked back on.
    """
    judged: dict[int, Judged] = {}
    for start, tally in sorted(tallies.items()):
        if tally.rows or tally.duplicates:
            span = span_of(start, config.monitor.window)
            measured = measure_window(store, served.key, span, reference, config.problem.value)
            earlier = earlier_suspicions(store, served.key, start, judged, alone=alone)
            seasonal = seasonal_reference(store, reference, config.monitor.window, start)
            judged[start] = judge_window(config.monitor, seasonal, tally, measured, earlier)
    return judged


def keep(
    db: "Database", monitor: Monitor, served: Served, start: int, judged: Judged, now: int, *, came: int = 0
) -> None:
    """Write a window and its features; of one that was closed the rows that `came` are late."""
    window = {
        "endpoint": served.endpoint,
        "model": served.model,
        "version": served.version,
        "starts": start,
        "ends": span_of(start, monitor.window)[1],
        "computed_at": now,
        **judged.window,
    }
    window["judged_at"] = judged_since(db, window)
    names = ", ".join(window)
    updates = ", ".join(f"{name} = excluded.{name}" for name in window)
    sql = f"""insert into monitor_windows ({names}) values ({", ".join("?" * len(window))})
              on conflict (endpoint, model, version, starts)
              do update set {updates}, late = late + closed * ? returning id"""
    window_id = db.execute(sql, [*window.values(), came]).fetchone()[0]
    db.table("monitor_features").upsert_all(
        ({"window_id": window_id, **feature} for feature in judged.features), pk=("window_id", "feature")
    )


def add_labels(store: Store, config: Config, served: Served, reference: Reference, now: int) -> None:
    """Measure the windows again whose rows got labels since, and remember that these labels were seen."""
    cursor, width = cursor_of(store, served), config.monitor.window
    found = windows_with_new_labels(store, served.key, cursor, Spans(width))
    if found is None:
        return
    for start in found.starts:
        tally = tally_within(store, served.key, tier_of(width), span_of(start, width))
        if tally.rows:
            judged = judge_all(store, config, served, reference, {start: tally})[start]
            with store.write() as db:
                if cursor_of(store, served)["prediction_id"] != cursor["prediction_id"]:
                    return  # another process counted rows in the meantime; the next look measures these labels
                keep(db, config.monitor, served, start, judged, now)
        else:
            measure_kept(store, config, served, reference, start)
    with store.write() as db:
        note_labels(db, served.key, found.minutes)
        db.execute(
            f"""update monitor_cursors set labels_at = ?, labels = ?, arrived_at = ?,
                  newest_label_event = max(newest_label_event, ?) where {OF}""",
            [found.newest_at, found.count, now, found.newest_event, *served.key],
        )


def measure_kept(store: Store, config: Config, served: Served, reference: Reference, start: int) -> None:
    """Measure a window again whose counts are past their time: what was said of its drift stays."""
    span = span_of(start, config.monitor.window)
    measured = msgspec.structs.asdict(measure_window(store, served.key, span, reference, config.problem.value))
    names = ", ".join(f"{name} = ?" for name in measured)
    with store.write() as db:
        db.execute(
            f"update monitor_windows set {names} where {OF} and starts = ?", [*measured.values(), *served.key, start]
        )


def complete_until(store: Store, endpoint: str, now: int | None = None) -> dict[str, int]:
    """Return up to which moment of event time no more rows (`closed`) and labels (`labels_settled`) are expected.

    A window is complete when a row of a later one has arrived (its labels: a label of a later row), or when its end has
    passed and nothing came for QUIET_MS. What lies in the future by this machine's clock is never complete: that clock,
    or a sender's, was wrong for a time.
    """
    row = store.row(
        """select max(newest_event) as event, max(newest_label_event) as label, max(arrived_at) as arrived
           from monitor_cursors where endpoint = ?""",
        [endpoint],
    )
    assert row is not None
    moment = clock.now_ms() if now is None else now
    quiet = moment if moment - row["arrived"] >= QUIET_MS else 0
    latest = moment + TOLERANCE_MS
    return {
        "closed": min(max(row["event"], quiet), latest),
        "labels_settled": min(max(row["label"], quiet), latest),
    }


def settle(store: Store, served: Served, now: int) -> bool:
    """Close the windows that expect no more rows or labels; say whether one was closed.

    A row or label that is later still is counted all the same, and the window is judged again.
    """
    changed = False
    for column, until in complete_until(store, served.endpoint, now).items():
        condition = f"{OF} and {column} = 0 and ends <= ?"
        if store.value(f"select 1 from monitor_windows where {condition} limit 1", [*served.key, until]):
            with store.write() as db:
                sql = f"update monitor_windows set {column} = 1, {column}_at = ? where {condition}"
                db.execute(sql, [now, *served.key, until])
            changed = True
    return changed
