"""Metric points: taken from a training in microseconds, written in batches by a thread, read as curves."""

import json
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.errors import StoreError
from lemnis.engine.store import Store

Point: TypeAlias = tuple[str, int, int, float | None]  # key, step, epoch ms, value
Curve: TypeAlias = list[tuple[int, float]]

FLUSH_S = 0.1
BATCH = 1000
LONGEST_PAUSE_S = 5.0
SPOOL = "points.spool"  # in the run's folder
INSERT = "insert or replace into metric_points (run_id, key, step, at, value) values (?, ?, ?, ?, ?)"
REPLACED = "delete from metric_points where run_id = ? and key = ? and step = ?"
# One statement, hence one commit without a block: the first point of a step. A step that has one becomes null here,
# which the table does not take, so that nothing is added; `where not exists` would copy the row to a table in between.
FIRST = """insert or ignore into metric_points (run_id, key, step, at, value) values (?1, ?2, case when exists (
             select 1 from metric_points where run_id = ?1 and key = ?2 and step = ?3) then null else ?3 end, ?4, ?5)"""
NEW = "insert or ignore into metric_points (run_id, key, step, at, value) values (?, ?, ?, ?, ?)"
AT_ONCE = 32  # so many points are one statement; what is compiled is kept by their number
# A client may say the same point twice, because it got no answer, and different ones for one step and time.
ADD = """insert into metric_points (run_id, key, step, at, value, n)
         select :run, :key, :step, :at, :value, coalesce((select max(n) + 1 from metric_points
           where run_id = :run and key = :key and step = :step and at = :at), 0)
         where not exists (select 1 from metric_points
           where run_id = :run and key = :key and step = :step and at = :at and value is :value)"""


class PointWriter:
    """Takes points at any rate and never makes the caller wait.

    A database that is locked or full does not lose them: they go to a spool file beside the run, which the next
    successful batch, or the next attempt at the run, brings in. It is tried again after a pause that doubles, so that a
    disk that stays full costs a training nothing; where the spool can't be written either, points wait in memory.
    """

    def __init__(self, store: Store, run_id: int, spool: Path, on_flush: Callable[[], None] | None = None) -> None:
        """Start the thread.

        Args:
            store: Where the points go.
            run_id: Whose they are.
            spool: The file for what can't be written now; its folder exists.
            on_flush: Called in the thread after every look at the queue, for whatever else is to be told.
        """
        self._store, self._run_id, self._spool, self._on_flush = store, run_id, spool, on_flush
        self._points: deque[Point] = deque()
        self._wake, self._closing = threading.Event(), False
        self._pause, self._retry_at, self._spool_full = FLUSH_S, 0.0, False
        self._thread = threading.Thread(target=self._run, name="points", daemon=True)
        self._thread.start()

    def add(self, key: str, step: int, value: float) -> None:
        """Take one point; a value that is no finite number is kept as missing."""
        self._points.append((key, step, now_ms(), value if math.isfinite(value) else None))
        if len(self._points) % BATCH == 0:
            self._wake.set()

    def close(self) -> None:
        """Write or spool what is left, and end the thread."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing:
                self._wake.wait(FLUSH_S)
                self._wake.clear()
                self._flush()
            self._flush()
        finally:
            self._store.close()

    def _flush(self) -> None:
        if monotonic_s() >= self._retry_at or self._closing:
            self._write()
        elif not self._spool_full:
            self._keep(self._taken())
        if self._on_flush is not None:
            with suppress(StoreError):
                self._on_flush()

    def _taken(self) -> list[Point]:
        return [self._points.popleft() for _ in range(len(self._points))]

    def _write(self) -> None:
        points = self._taken()
        if not points and not self._spool.exists():
            return
        try:
            write_points(self._store, self._run_id, [*read_spool(self._spool), *points])
            self._spool.unlink(missing_ok=True)
            self._pause = FLUSH_S
        except StoreError:
            self._keep(points)
            self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
            self._retry_at = monotonic_s() + self._pause

    def _keep(self, points: Sequence[Point]) -> None:
        """Put points aside on disk whole, or back into memory when the disk takes nothing."""
        try:
            append_spool(self._spool, points)
            self._spool_full = False
        except OSError:
            self._points.extendleft(reversed(points))
            self._spool_full = True


def write_points(store: Store, run_id: int, points: Sequence[Point]) -> None:
    """Write the points of a training in one transaction; what was there for the same step is replaced."""
    transaction = store.write("metrics")
    if len(points) == 1 and transaction.alone(FIRST, (run_id, *points[0])):
        return
    rows = {(run_id, point[0], point[1]): (run_id, *point) for point in points}
    with transaction:
        transaction.cursor.executemany(REPLACED, rows)
        transaction.cursor.executemany(INSERT, rows.values())


def append_spool(path: Path, points: Sequence[Point]) -> None:
    """Add points to a spool file, all of them or none.

    Raises:
        OSError: The disk takes them not; the file is as it was.
    """
    with open(path, "ab", buffering=0) as file:
        whole = file.seek(0, os.SEEK_END)
        # A line that a crash cut off must not swallow the one that comes behind it.
        data = memoryview(
            b"".join((b"\n" if whole else b"", *(json.dumps(point).encode() + b"\n" for point in points)))
        )
        try:
            while data:
                data = data[file.write(data) :]
        except OSError:
            file.truncate(whole)
            raise


def add_points(store: Store, run_id: int, points: Sequence[Point]) -> None:
    """Add points; only one that is there already, to the value, is not added again."""
    transaction = store.write("metrics")
    if 0 < len(points) <= AT_ONCE:
        sql = f"{NEW}{', (?, ?, ?, ?, ?)' * (len(points) - 1)}"
        if transaction.alone(sql, [v for point in points for v in (run_id, *point)]) == len(points):
            return
    with transaction as db:
        new = db.conn.executemany(NEW, [(run_id, *point) for point in points])
        if new.rowcount < len(points):
            names = ("key", "step", "at", "value")
            db.conn.executemany(ADD, [{"run": run_id, **dict(zip(names, point, strict=True))} for point in points])


def read_spool(path: Path) -> list[Point]:
    """Return the points of a spool file; a line that was cut off by a crash is left out."""
    points: list[Point] = []
    with suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        for line in file:
            with suppress(ValueError):
                key, step, at, value = json.loads(line)
                points.append((key, step, at, value))
    return points


def forget_points(store: Store, run_id: int, spool: Path, after: int = -1) -> None:
    """Delete a run's points after a step, those put aside too: rounds that will be trained again."""
    kept = [point for point in read_spool(spool) if point[1] <= after]
    with store.write("metrics") as db:
        db.execute("delete from metric_points where run_id = ? and step > ?", [run_id, after])
        db.conn.executemany(INSERT, [(run_id, *point) for point in kept])
    spool.unlink(missing_ok=True)


def last_point_at(store: Store, run_id: int) -> int | None:
    """Return when a run's newest point was taken, epoch ms; None if it has none."""
    at: int | None = store.value("select max(at) from metric_points where run_id = ?", [run_id], name="metrics")
    return at


def all_points(store: Store, run_id: int) -> list[Point]:
    """Return every point of a run, in order of metric, step and time."""
    sql = "select key, step, at, value from metric_points where run_id = ? order by key, step, at, n"
    return [(row["key"], row["step"], row["at"], row["value"]) for row in store.rows(sql, [run_id], name="metrics")]


def read_curves(store: Store, run_id: int, keys: Sequence[str] | None, points: int) -> dict[str, Curve]:
    """Return (step, value) by metric, at most about `points` each, in order of step.

    A longer curve keeps its first and last point and the smallest and largest of every stretch between, so that a
    spike stays visible. Missing values are left out.
    """
    known = {
        row["key"]: (row["low"], row["high"], row["n"])
        for row in store.rows(
            """select key, min(step) as low, max(step) as high, count(*) as n from metric_points
               where run_id = ? group by key""",
            [run_id],
            name="metrics",
        )
    }
    wanted = [key for key in (known if keys is None else keys) if key in known]
    return {key: read_curve(store, run_id, key, *known[key], points=points) for key in wanted}


def read_curve(store: Store, run_id: int, key: str, low: int, high: int, n: int, *, points: int) -> Curve:
    """Return one curve of `n` points between the steps `low` and `high`.

    Points that all say one step are counted in order of time instead, so that their curve has a width.
    """
    step = "step"
    if low == high and n > 1:
        step, low, high = "row_number() over (order by at, n)", 1, n
    values = {"run": run_id, "key": key, "low": low, "high": high, "stretches": max(1, points // 2 - 1)}
    # An infinite value has no place in a drawing; it is among all_points.
    every = f"""select {step} as step, value from metric_points
                where run_id = :run and key = :key and value is not null and abs(value) < 9e999"""
    if n > max(points, 4):
        every = f"""
            with p as ({every}), stretch as
              (select step, value, (step - :low) * :stretches / (:high - :low + 1) as part from p)
            select step, min(value) as value from stretch group by part
            union select step, max(value) from stretch group by part
            union select step, value from p where step in (:low, :high)"""
    rows = store.rows(f"{every} order by step", values, name="metrics")
    return [(row["step"], row["value"]) for row in rows]
