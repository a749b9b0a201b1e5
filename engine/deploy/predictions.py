"""The log of what an endpoint was asked and answered: spooled by its servers, brought into the database in batches."""

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from lemnis.engine.clock import monotonic_s, now_ms
from lemnis.engine.deploy.faults import Fault, write_faults
from lemnis.engine.deploy.records import Traffic
from lemnis.engine.deploy.spool import END, Spool, framed, read_frames, spools
from lemnis.engine.store import Store

if TYPE_CHECKING:
    import sqlite3

SPAN_MS = 10_000  # of one row of `traffic`
FLUSH_S = 0.1
MOST_WAITING = 64 << 20  # bytes that wait for the disk; beyond it requests are answered but not logged
RECENT_MS = 300_000
RECENT_REQUESTS = 5_000
PREDICTIONS = "predictions (request_id, endpoint, model, version, row_key, event_at, features, score, answer)"
WIDTH = 9  # values of a row of `requests` and of PREDICTIONS
TOGETHER = 16  # rows a statement: each statement costs about as much as a row
encode = msgspec.json.Encoder().encode
Values = TypeVar("Values")  # of a row: in the server as they were sent, in the recorder the JSON of a spool, unread


class Entry(Struct, Generic[Values], frozen=True, array_like=True, tag="request", gc=False):
    """One request as it is logged.

    Attributes:
        at: Epoch ms.
        sent: The values of each row in the signature's order; empty for a refused request.
        scores: One list a row.
        faults: Columns that do not fit, of a refused request or of one that sent too much.
    """

    at: int
    version: int
    rows: int
    latency_us: int
    status: int
    error: str = ""
    sent: Sequence[Values] = []
    scores: list[list[float]] = []
    keys: list[str] = []
    event_times: list[int] = []
    faults: list[Fault] = []


class Owner(Struct, frozen=True, array_like=True, tag="owner"):
    """Whose requests a spool holds: its first frame."""

    endpoint: str
    model: str


Logged: TypeAlias = Entry[msgspec.Raw]
frames = msgspec.json.Decoder(Logged | Owner | int)
owners = msgspec.json.Decoder(Owner)


class PredictionLog:
    """Takes entries from the server's thread and spools them from its own; the recorder brings them into the database.

    Each counter is written by one thread alone, so none needs a lock.
    """

    def __init__(self, store: Store, endpoint: str, model: str) -> None:
        self._spool = Spool(store.workspace)
        self._head = framed(encode(Owner(endpoint, model)))  # until it stands in the spool
        self._waiting: deque[bytes] = deque()
        self._added, self._refused = 0, 0  # of the server's threads: bytes, requests
        self._taken, self._failed, self._told = 0, 0, 0  # of the writer's
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="prediction-log", daemon=True)

    @property
    def dropped(self) -> int:
        """Requests that were answered but not logged."""
        return self._refused + self._failed

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._stop.set()
        self._thread.join(timeout=10)
        self._spool.close()

    def frame(self, entry: Entry[Any]) -> bytes:
        """Return a request as it is spooled: what waits as bytes is nothing the garbage collector looks through."""
        return framed(encode(entry))

    def add(self, frame: bytes) -> None:
        """Hand over one request; never blocks, and drops it when too much waits already."""
        if self._added - self._taken > MOST_WAITING:
            self._refused += 1
            return
        self._added += len(frame)
        self._waiting.append(frame)

    def _write_on(self) -> None:
        complained_at = -60.0
        stopping = False
        while not stopping:
            stopping = self._stop.wait(FLUSH_S)
            if not self._flush() and monotonic_s() - complained_at > 60:
                complained_at = monotonic_s()
                print("Requests are answered but not logged: the disk is full, or nothing records.", flush=True)

    def _flush(self) -> bool:
        """Append what waits to the spool; say whether nothing had to be dropped."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        lost = self.dropped - self._told
        if not waiting and not lost:
            return True
        told = framed(encode(lost)) if lost else b""
        try:
            kept = self._spool.append(b"".join((self._head, *waiting, told)))
        except OSError:
            kept = False
        self._taken += sum(map(len, waiting))
        if kept:
            self._head = b""
            self._told += lost
        else:
            self._failed += len(waiting)
        return kept


def log_lags_s(store: Store, *, now: int) -> dict[str, float]:
    """Return by endpoint how long its oldest request waits that is answered and not yet in the database.

    Endpoints of which none waits are not in it; of a past moment nobody knows what waited.

    Args:
        store: The workspace's state.
        now: Epoch ms.
    """
    if store.at is not None:
        return {}
    positions = {row["name"]: row["position"] for row in store.rows("select * from spools", name="predictions")}
    found: dict[str, float] = {}
    for path in spools(store.workspace):
        with suppress(OSError, ValueError):  # one that is removed meanwhile, or damaged
            waiting = read_frames(path, positions.get(path.name, 0)).split(END, 2)[:2]  # the first may be an Owner
            times = [one.at for one in map(frames.decode, filter(None, waiting)) if isinstance(one, Entry)]
            if times:
                endpoint = owner_of(path).endpoint
                found[endpoint] = max(found.get(endpoint, 0.0), (now - min(times)) / 1000)
    return found


def owner_of(path: Path) -> Owner:
    """Return whose spool it is: its first frame says so; raises ValueError where that is damaged, or OSError."""
    with open(path, "rb") as file:
        return owners.decode(file.readline())


def write_entries(
    connection: "sqlite3.Connection", endpoint: str, model: str, entries: Sequence[Entry[Any]], lost: int = 0
) -> None:
    """Insert a batch inside the caller's transaction: requests, their rows, and the sums of `traffic`."""
    first = connection.execute("select coalesce(max(id), 0) + 1 from requests").fetchone()[0]
    requests: list[Any] = []  # Any: the tables' own types
    predictions: list[Any] = []
    sums: dict[int, list[int]] = {}
    for number, entry in enumerate(entries, first):
        at, version, rows, status = entry.at, entry.version, entry.rows, entry.status
        requests += (number, endpoint, model, version, at, rows, entry.latency_us, status, entry.error)
        span = sums.setdefault(at - at % SPAN_MS, [0, 0, 0, 0])
        span[0] += 1
        span[1] += status >= 400
        span[2] += rows
        named, timed = entry.keys or repeat(""), entry.event_times or repeat(at)
        for values, scores, key, event_at in zip(entry.sent, entry.scores, named, timed, strict=False):
            features = encode(values).decode()  # NaN, a tensor's missing value, becomes null
            score, answer = (scores[0], "") if len(scores) == 1 else (max(scores), encode(scores).decode())
            predictions += (number, endpoint, model, version, key, event_at, features, score, answer)
        if entry.faults:
            write_faults(connection, endpoint, version, at, entry.faults)
    insert_rows(connection, "requests", requests)
    insert_rows(connection, PREDICTIONS, predictions)
    if lost:
        now = now_ms()
        span = sums.setdefault(now - now % SPAN_MS, [0, 0, 0, 0])
        span[0] += lost
        span[3] += lost
    connection.executemany(
        """insert into traffic (endpoint, starts, requests, errors, rows, dropped) values (?, ?, ?, ?, ?, ?)
           on conflict (endpoint, starts) do update set requests = requests + excluded.requests,
             errors = errors + excluded.errors, rows = rows + excluded.rows, dropped = dropped + excluded.dropped""",
        [(endpoint, at, *span) for at, span in sums.items()],
    )


def insert_rows(connection: "sqlite3.Connection", into: str, values: list[Any]) -> None:
    """Insert rows of WIDTH values each, which follow one another in `values`. Any: the table's own types."""
    whole = len(values) - len(values) % (WIDTH * TOGETHER)
    for start, end, count in ((0, whole, TOGETHER), (whole, len(values), 1)):
        places = ", ".join([f"({', '.join('?' * WIDTH)})"] * count)
        step = WIDTH * count
        connection.executemany(
            f"insert into {into} values {places}", (values[at : at + step] for at in range(start, end, step))
        )


def record_actuals(store: Store, endpoint: str, actuals: list[tuple[str, float]], *, now: int) -> None:
    """Keep what turned out to be true; a later answer for the same key replaces the earlier one."""
    with store.write("predictions") as db:
        db.conn.executemany(
            """insert into actuals (endpoint, row_key, actual, at) values (?, ?, ?, ?)
               on conflict (endpoint, row_key) do update set actual = excluded.actual, at = excluded.at""",
            [(endpoint, key, actual, now) for key, actual in actuals],
        )


def traffic_of(store: Store, endpoint: str, *, now: int, spans: int = 30) -> Traffic:
    """Return what an endpoint was asked.

    Args:
        store: The workspace's state.
        endpoint: Its name.
        now: Epoch ms.
        spans: Length of `per_second`, in spans of ten seconds.
    """
    totals = store.rows(
        """select coalesce(sum(requests), 0) as requests, coalesce(sum(errors), 0) as errors,
             coalesce(sum(rows), 0) as rows, coalesce(sum(dropped), 0) as dropped
           from traffic where endpoint = ?""",
        [endpoint],
        name="predictions",
    )[0]
    latest = now - now % SPAN_MS
    recent = store.rows(
        "select starts, requests from traffic where endpoint = ? and starts > ?",
        [endpoint, latest - spans * SPAN_MS],
        name="predictions",
    )
    counts = {row["starts"]: row["requests"] for row in recent}
    starts = [latest - place * SPAN_MS for place in reversed(range(spans))]
    taken = store.rows(
        "select at, latency_us from requests where endpoint = ? and at > ? order by at desc limit ?",
        [endpoint, now - RECENT_MS, RECENT_REQUESTS],
        name="predictions",
    )
    waits = sorted(row["latency_us"] / 1000 for row in taken)
    by_span: dict[int, list[float]] = {}
    for row in taken:
        by_span.setdefault(row["at"] - row["at"] % SPAN_MS, []).append(row["latency_us"] / 1000)
    last = store.value("select max(at) from requests where endpoint = ?", [endpoint], name="predictions")
    return Traffic(
        requests=totals["requests"],
        errors=totals["errors"],
        rows=totals["rows"],
        dropped=totals["dropped"],
        p50_ms=quantile(waits, 0.5),
        p99_ms=quantile(waits, 0.99),
        last_at=last,
        per_second=[counts.get(start, 0) / (SPAN_MS / 1000) for start in starts],
        p50_by_span=[quantile(sorted(by_span.get(start, [])), 0.5) for start in starts],
        p99_by_span=[quantile(sorted(by_span.get(start, [])), 0.99) for start in starts],
    )


def quantile(ordered: list[float], share: float) -> float | None:
    """Return the value that `share` of the ordered values do not exceed (nearest rank), None when there is none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
