"""Windows over the logged predictions: each new row is read once and added to the window of its event time."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from lemnis.engine import clock
from lemnis.engine.config import Config, Monitor
from lemnis.engine.errors import LemnisError
from lemnis.engine.monitor.judge import Judged, judge_window
from lemnis.engine.monitor.performance import measure_window, score_of, windows_with_new_labels
from lemnis.engine.monitor.reference import Reference, reference_of
from lemnis.engine.monitor.spans import Spans, Width, span_of
from lemnis.engine.monitor.tally import Tally, count_rows
from lemnis.engine.store import Row, Store

if TYPE_CHECKING:
    from sqlite_utils import Database

PAGE = 5_000  # rows of predictions in memory at once
PAGES = 20  # pages that are added in one transaction
QUIET_MS = 60_000  # after its end, a window without new rows for so long is taken as complete

NEW_ROWS = """
    select id, event_at, features, score, answer, row_key != '' and exists (
        select 1 from predictions q where q.endpoint = p.endpoint and q.row_key = p.row_key
            and q.model = p.model and +q.version = p.version and q.id < p.id) as again
    from predictions p
    where id > ? and +endpoint = ? and model = ? and version = ?
    order by id limit ?
"""


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
    return {served.endpoint for served in versions if refresh_one(store, config, served, moment, apart=apart)}


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
    recut(store, served, config.monitor.window)
    cursor = cursor_of(store, served)
    if not new_rows(store, served, cursor, 1) and not windows_with_new_labels(store, served.key, cursor, Spans("hour")):
        return settle(store, served, now)
    try:
        reference = reference_of(store, served.model, served.version, bins=config.monitor.bins, apart=apart)
    except LemnisError as error:
        remember_problem(store, served, error.problem)
        return False
    while add_rows(store, config, served, reference, now):
        pass
    add_labels(store, config, served, reference, now)
    settle(store, served, now)
    return True


def recut(store: Store, served: Served, width: Width) -> None:
    """Start counting anew when the windows are to be of another width."""
    if cursor_of(store, served)["width"] == width:
        return
    with store.write() as db:
        db.execute("delete from monitor_windows where endpoint = ? and model = ? and version = ?", served.key)
        db.execute(
            """update monitor_cursors set width = ?, prediction_id = 0, labels_at = 0, labels = 0
               where endpoint = ? and model = ? and version = ?""",
            [width, *served.key],
        )


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


def new_rows(store: Store, served: Served, cursor: Row, limit: int, *, after: int = 0) -> list[Row]:
    """Return a page of the rows that came after the cursor, in order of arrival."""
    values = [max(after, cursor["prediction_id"]), *served.key, limit]
    return store.rows(NEW_ROWS, values, name="predictions")


def add_rows(store: Store, config: Config, served: Served, reference: Reference, now: int) -> bool:
    """Add some pages of new rows to their windows in one transaction; say whether more may follow."""
    cursor = cursor_of(store, served)
    fresh: defaultdict[int, Tally] = defaultdict(Tally)
    spans, last, newest, pages = Spans(config.monitor.window), 0, 0, 0
    while pages < PAGES and (page := new_rows(store, served, cursor, PAGE, after=last)):
        for start, rows in by_window(page, spans).items():
            fresh[start] += tally_of(rows, reference)
        last, newest, pages = page[-1]["id"], max(newest, *(row["event_at"] for row in page)), pages + 1
        if len(page) < PAGE:
            break
    if not fresh:
        return False
    changed = {start: kept_tally(store, served, start) + tally for start, tally in fresh.items()}
    judged = {start: judge(store, config, served, reference, start, tally) for start, tally in changed.items()}
    with store.write() as db:
        sql = """update monitor_cursors set prediction_id = ?, newest_event = max(newest_event, ?), arrived_at = ?,
                   problem = '' where endpoint = ? and model = ? and version = ? and prediction_id = ?"""
        taken = db.execute(sql, [last, newest, now, *served.key, cursor["prediction_id"]]).rowcount
        if taken:  # otherwise another process counted these rows in the meantime
            for start, window in judged.items():
                keep(db, config.monitor, served, start, changed[start], window, now)
    return pages == PAGES or not taken


def by_window(page: list[Row], spans: Spans) -> dict[int, list[Row]]:
    """Group rows by the start of their window."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in page:
        found[spans.start(row["event_at"])].append(row)
    return found


def tally_of(rows: list[Row], reference: Reference) -> Tally:
    """Count some logged rows; a row whose key was counted before is only counted as a duplicate."""
    first = [row for row in rows if not row["again"]]
    values: list[list[Any]] = msgspec.json.decode(  # Any: what a request held
        "[" + ",".join(row["features"] for row in first) + "]", type=list[list[Any]]
    )
    answers = [score_of(row, reference) for row in first]
    counted = count_rows(reference.binnings, values, answers, reference.threshold)
    return counted + Tally(duplicates=len(rows) - len(first))


def kept_tally(store: Store, served: Served, start: int) -> Tally:
    """Return what a window has counted so far."""
    sql = "select tally from monitor_windows where endpoint = ? and model = ? and version = ? and starts = ?"
    found = store.value(sql, [*served.key, start])
    return msgspec.json.decode(found, type=Tally) if found else Tally()


def judge(store: Store, config: Config, served: Served, reference: Reference, start: int, tally: Tally) -> Judged:
    """Judge a window's counts and measure the model on its labelled rows."""
    measured = measure_window(store, served.key, span_of(start, config.monitor.window), reference, config.problem.value)
    return judge_window(config.monitor, reference, tally, measured)


def keep(db: "Database", monitor: Monitor, served: Served, start: int, tally: Tally, judged: Judged, now: int) -> None:
    """Write a window and its features."""
    window = {
        "endpoint": served.endpoint,
        "model": served.model,
        "version": served.version,
        "starts": start,
        "ends": span_of(start, monitor.window)[1],
        "tally": msgspec.json.encode(tally).decode(),
        "computed_at": now,
        **judged.window,
    }
    names = ", ".join(window)
    updates = ", ".join(f"{name} = excluded.{name}" for name in window)
    sql = f"""insert into monitor_windows ({names}) values ({", ".join("?" * len(window))})
              on conflict (endpoint, model, version, starts) do update set {updates} returning id"""
    window_id = db.execute(sql, list(window.values())).fetchone()[0]
    db.table("monitor_features").upsert_all(
        ({"window_id": window_id, **feature} for feature in judged.features), pk=("window_id", "feature")
    )


def add_labels(store: Store, config: Config, served: Served, reference: Reference, now: int) -> None:
    """Measure the windows again whose rows got labels since, and remember that these labels were seen."""
    cursor = cursor_of(store, served)
    found = windows_with_new_labels(store, served.key, cursor, Spans(config.monitor.window))
    if found is None:
        return
    for start in found.starts:
        tally = kept_tally(store, served, start)
        if tally.rows:
            judged = judge(store, config, served, reference, start, tally)
            with store.write() as db:
                if kept_tally(store, served, start) == tally:
                    keep(db, config.monitor, served, start, tally, judged, now)
    with store.write() as db:
        db.execute(
            """update monitor_cursors set labels_at = ?, labels = ?, arrived_at = ?,
                 newest_label_event = max(newest_label_event, ?)
               where endpoint = ? and model = ? and version = ?""",
            [found.newest_at, found.count, now, found.newest_event, *served.key],
        )


def settle(store: Store, served: Served, now: int) -> bool:
    """Close the windows that expect no more rows or labels; say whether one was closed.

    A window is complete when a row of a later one has arrived (its labels: a label of a later row), or when its end has
    passed and nothing came for QUIET_MS. A row or label that is later still is counted all the same.
    """
    row = store.row(
        """select max(newest_event) as event, max(newest_label_event) as label, max(arrived_at) as arrived
           from monitor_cursors where endpoint = ?""",
        [served.endpoint],
    )
    assert row is not None
    quiet = now if now - row["arrived"] >= QUIET_MS else 0
    due = {"closed": max(row["event"], quiet), "labels_settled": max(row["label"], quiet)}
    changed = False
    for column, until in due.items():
        condition = f"endpoint = ? and model = ? and version = ? and {column} = 0 and ends <= ?"
        if store.value(f"select 1 from monitor_windows where {condition} limit 1", [*served.key, until]):
            with store.write() as db:
                db.execute(f"update monitor_windows set {column} = 1 where {condition}", [*served.key, until])
            changed = True
    return changed
